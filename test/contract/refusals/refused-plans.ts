/** Plans and questions that no store takes, and the Fault that each must give, whatever stands. */
import type { FaultKind } from '../../../profiles/fault.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { MAX_CLAIM_KEY, MAX_PAGE, MAX_TEXT_BYTES, MAX_UIDS } from '../../../server/ports/bounds.ts';
import { claimKey } from '../../../server/ports/claim-key.ts';
import { MAX_PLAN_ENTRIES, type CommitPlan, type Precondition, type Put } from '../../../server/ports/commit-plan.ts';
import { JOB_LIMITS, type JobKind, type JobRequest } from '../../../server/ports/job-queue.ts';
import type { Question } from '../../../server/ports/record-store.ts';
import { aJob, anAudit, anId, anInstance, aPatientGrant, aPersonKey, aPut, aQuery, aUid } from '../../support/plans.ts';

/** What every store refuses, and how. */
export type Refused<Parts> = {
  readonly what: string;
  readonly parts: () => Parts;
  readonly fault: { readonly kind: FaultKind; readonly expression: string | undefined; readonly message: string };
};

type PlanParts = Partial<Omit<CommitPlan, 'id'>> & { readonly id?: string };

const aFault = (kind: FaultKind, expression: string | undefined, message: string) => ({ kind, expression, message });
const ID = aFault('invalid', 'id', 'An id has 1 to 64 letters, digits, hyphens and full stops');
const UNCLASSED = aFault('not-supported', 'type', 'A type without a class is not stored');
const EVENTS = aFault('not-supported', 'type', 'AuditEvents are written by the trail only');
const ENTRIES = aFault('too-costly', undefined, 'A write holds at most 2000 entries');
const PARENT = aFault('invalid', 'parent', 'Only a part belongs to an item, which is a type and an id');
const SORT = aFault('invalid', 'sort', 'A row is sorted by a whole number');
const SAID = aFault('invalid', 'resource', 'A resource has the type and the id of its row');
const CLAIM = aFault('too-long', 'identifier', 'An identifier and its system have at most 4096 characters');
const text = (of: string) => aFault('too-long', of, `What is stored of one ${of} has at most ${MAX_TEXT_BYTES} bytes`);
const uid = (of: string) => aFault('too-long', of, 'A UID has at most 64 characters');
const job = (kind: JobKind) => aFault('too-long', undefined, `A job of kind ${kind} carries ids alone`);

const PAGE = `A page has 1 to ${MAX_PAGE} entries`;

const unclassed = 'Basic' as StoredType;
const named = (type: StoredType, id = anId()) => ({ type, id });
const tooMany = <T>(one: () => T): T[] => Array.from({ length: MAX_PLAN_ENTRIES + 1 }, one);
const longClaim = () => ({ key: claimKey.qualified('urn:a', 'x'.repeat(MAX_CLAIM_KEY)), value: 'a' });
const put = (parts: Partial<Put>): PlanParts => ({ puts: [aPut(parts)] });
const study = () => ({ person: aPersonKey(), studyInstanceUID: aUid() });

/** Ids that are none. */
const NO_IDS = ['', 'x'.repeat(65), 'a/b', 'a b', 'é', 'a_b'];

/** Plans that no store takes; `parts` make one of any plan. */
export const REFUSED_PLANS: readonly Refused<PlanParts>[] = [
  ...NO_IDS.map((id) => ({ what: `a put of the id ${id.slice(0, 5)}`, parts: () => put({ id }), fault: ID })),
  { what: 'a plan whose id is none', parts: () => ({ id: 'a b' }), fault: ID },
  { what: 'a delete of an id that is none', parts: () => ({ deletes: [named('Patient', 'a/b')] }), fault: ID },
  { what: 'a put of a type without a class', parts: () => put({ type: unclassed }), fault: UNCLASSED },
  { what: 'a delete of a type without a class', parts: () => ({ deletes: [named(unclassed)] }), fault: UNCLASSED },
  {
    what: 'a condition on a type without a class',
    parts: () => ({ preconditions: [{ kind: 'absent', ...named(unclassed) }] }),
    fault: UNCLASSED,
  },
  {
    what: 'an erasure of a type without a class',
    parts: () => ({ erased: [{ rows: [named(unclassed)] }] }),
    fault: UNCLASSED,
  },
  { what: 'a put of an AuditEvent', parts: () => put({ type: 'AuditEvent' }), fault: EVENTS },
  { what: 'a delete of an AuditEvent', parts: () => ({ deletes: [named('AuditEvent')] }), fault: EVENTS },
  {
    what: 'an erasure of an AuditEvent',
    parts: () => ({ erased: [{ history: [named('AuditEvent')] }] }),
    fault: EVENTS,
  },
  {
    what: 'a resource of another type than its row',
    parts: () => put({ resource: { resourceType: 'Patient' } }),
    fault: SAID,
  },
  {
    what: 'a resource of another id than its row',
    parts: () => put({ resource: { resourceType: 'DocumentReference', id: anId() } as Put['resource'] }),
    fault: SAID,
  },
  ...[Number.NaN, 0.5, Infinity, 2 ** 53].map((sort) => ({
    what: `a sort key of ${sort}`,
    parts: () => put({ sort }),
    fault: SORT,
  })),
  { what: 'an item that belongs to another', parts: () => put({ parent: 'Patient/a' }), fault: PARENT },
  { what: 'a part of no item', parts: () => put({ type: 'Binary', parent: 'a' }), fault: PARENT },
  {
    what: 'a resource that one store could not keep',
    parts: () =>
      put({
        resource: {
          resourceType: 'DocumentReference',
          text: 'é'.repeat(MAX_TEXT_BYTES / 2),
        } as object as Put['resource'],
      }),
    fault: text('resource'),
  },
  {
    what: 'metadata that one store could not keep',
    parts: () => ({ instances: [anInstance({ ...study(), metadata: 'x'.repeat(MAX_TEXT_BYTES + 1) })] }),
    fault: text('metadata'),
  },
  {
    what: 'a UID that is too long',
    parts: () => ({ instances: [anInstance({ ...study(), sopInstanceUID: '1'.repeat(65) })] }),
    fault: uid('SOPInstanceUID'),
  },
  { what: 'a claim that is too long', parts: () => ({ claims: [longClaim()] }), fault: CLAIM },
  {
    what: 'a condition on a claim that is too long',
    parts: () => ({ preconditions: [{ kind: 'claimed', ...longClaim() }] }),
    fault: CLAIM,
  },
  {
    what: 'a condition of no known kind',
    parts: () => ({ preconditions: [{ kind: 'other', ...named('Patient') } as unknown as Precondition] }),
    fault: aFault('not-supported', 'preconditions', 'A precondition is of no known kind'),
  },
  {
    what: 'a condition on a search of AuditEvents',
    parts: () => ({
      preconditions: [{ kind: 'no-match', since: 0, grant: aPatientGrant(aPersonKey()), query: aQuery('AuditEvent') }],
    }),
    fault: aFault('not-supported', 'preconditions', 'No plan rests on a search of AuditEvents'),
  },
  {
    what: 'a condition on a search of no rows',
    parts: () => ({
      preconditions: [
        { kind: 'no-match', since: 0, grant: aPatientGrant(aPersonKey()), query: aQuery('Patient', { count: -1 }) },
      ],
    }),
    fault: aFault('invalid', 'count', PAGE),
  },
  { what: 'more puts than one plan may hold', parts: () => ({ puts: tooMany(() => aPut()) }), fault: ENTRIES },
  {
    what: 'more states',
    parts: () => ({ states: tooMany(() => ({ person: aPersonKey(), change: {} })) }),
    fault: ENTRIES,
  },
  {
    what: 'more conditions',
    parts: () => ({ preconditions: tooMany(() => ({ kind: 'absent', ...named('Patient') })) }),
    fault: ENTRIES,
  },
  {
    what: 'more rows to be erased',
    parts: () => ({ erased: [{ rows: tooMany(() => named('Patient')) }] }),
    fault: ENTRIES,
  },
  {
    what: 'a job of no known kind',
    parts: () => ({ jobs: [{ ...aJob(), kind: 'other' } as unknown as JobRequest] }),
    fault: aFault('not-supported', 'jobs', 'No such kind of job'),
  },
  {
    what: 'a job about too long a subject',
    parts: () => ({ jobs: [aJob({ subject: 'x'.repeat(JOB_LIMITS.subject + 1) })] }),
    fault: job('refresh-study'),
  },
  {
    what: 'a job that carries too much',
    parts: () => ({
      jobs: [
        {
          ...aJob(),
          kind: 'end-viewing',
          payload: { part: 'x'.repeat(JOB_LIMITS.payload), further: 1, ended: 1 },
        },
      ],
    }),
    fault: job('end-viewing'),
  },
  { what: 'a job whose id is none', parts: () => ({ jobs: [aJob({ id: '' })] }), fault: ID },
  { what: 'an event whose id is none', parts: () => ({ audit: [anAudit([], 'a b')] }), fault: ID },
  {
    what: 'an event that was recorded at no time',
    parts: () => {
      const { event, persons } = anAudit();
      return { audit: [{ event: { ...event, recorded: 'never' }, persons }] };
    },
    fault: aFault('invalid', 'AuditEvent.recorded', 'An AuditEvent says when it was recorded'),
  },
];

const NO_PAGES = [0, -1, 0.5, Number.NaN, MAX_PAGE + 1];
const NO_OFFSETS = [-1, 0.5, Number.NaN];
const OFFSET = 'A page begins behind a whole number of entries';
const PLACE = aFault('invalid', 'after', 'A page begins behind the place where the former one ended');
const ofStudy = { studyInstanceUID: '1.2', offset: 0, limit: 1 } as const;
const parts = {
  kind: 'parts',
  level: 'series',
  studies: { where: [], include: [] },
  ofSeries: [],
  ofInstance: [],
} as const;
const history = { kind: 'history', type: 'Patient', limit: 1 } as const;
const search = { kind: 'search', query: aQuery('Patient') } as const;

/** Questions that no store answers. */
export const REFUSED_QUESTIONS: readonly Refused<Question>[] = [
  ...NO_PAGES.flatMap((limit) => [
    {
      what: `a search of ${limit} rows`,
      parts: () => ({ kind: 'search', query: aQuery('Patient', { count: limit }) }) as const,
      fault: aFault('invalid', 'count', PAGE),
    },
    ...[history, { kind: 'instances', ...ofStudy }, { kind: 'metadata', ...ofStudy }, { ...parts, offset: 0 }].map(
      (question) => ({
        what: `${question.kind}, ${limit} at most`,
        parts: () => ({ ...question, limit }) as Question,
        fault: aFault('invalid', 'limit', PAGE),
      }),
    ),
  ]),
  ...NO_OFFSETS.flatMap((offset) => [
    {
      what: `a search behind ${offset} rows`,
      parts: () => ({ ...search, skip: offset }),
      fault: aFault('invalid', 'skip', OFFSET),
    },
    {
      what: `instances behind ${offset}`,
      parts: () => ({ kind: 'instances', ...ofStudy, offset }) as const,
      fault: aFault('invalid', 'offset', OFFSET),
    },
  ]),
  ...[
    { sort: Number.NaN, id: 'a' },
    { sort: 0.5, id: 'a' },
    { sort: 0, id: '' },
    { sort: 0, id: 'a/b' },
    { sort: 0, id: 'a', keys: [Number.NaN] },
  ].map((after) => ({
    what: `a search behind ${after.sort} ${after.id}`,
    parts: () => ({ ...search, after }),
    fault: PLACE,
  })),
  ...[
    { updated: Infinity, id: 'a', version: 1 },
    { updated: 0, id: 'é', version: 1 },
  ].map((after) => ({
    what: `a history behind ${after.updated} ${after.id}`,
    parts: () => ({ ...history, after }),
    fault: PLACE,
  })),
  ...(['resource', 'history', 'search'] as const).map((kind) => ({
    what: `a type without a class: ${kind}`,
    parts: () => ({ ...history, query: aQuery(unclassed), kind, type: unclassed, id: 'a' }) as Question,
    fault: UNCLASSED,
  })),
  {
    what: 'more instances than one question names',
    parts: () => ({
      kind: 'instances',
      ...ofStudy,
      sopInstanceUIDs: Array.from({ length: MAX_UIDS + 1 }, (_, at) => `1.${at}`),
    }),
    fault: aFault('too-costly', 'SOPInstanceUID', 'At most 20000 instances are asked for at once'),
  },
];
