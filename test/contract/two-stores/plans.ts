/** Random plans over a few rows, persons and names, so that they meet often: many hold, many are refused. */
import * as fc from 'fast-check';
import { personKey } from '../../../server/access/requester.ts';
import { claimKey } from '../../../server/ports/claim-key.ts';
import type {
  AuditRecord,
  Claim,
  CommitPlan,
  Erasure,
  InstanceRow,
  Move,
  Precondition,
  Put,
  QuarantinedInstance,
} from '../../../server/ports/commit-plan.ts';
import { JOB_KINDS, type JobKey, type JobRequest } from '../../../server/ports/job-queue.ts';
import {
  anAudit,
  anEstablishmentGrant,
  anInstance,
  aPatientGrant,
  aPut,
  aQuery,
  aStudyPut,
  NO_ENTRIES,
} from '../../support/plans.ts';
import { IDENTITY_ROWS, patientOf, PERSONS, put, states, type Slot } from '../equivalence/world.ts';

/** Studies; rows tell of them, and the claims of a world name those rows. */
export const STUDY_UIDS = ['1.2', '1.2.3'] as const;
/** Instances; each may be sent in either study. */
export const SOP_UIDS = ['1.2.3.1', '1.2.3.2', '1.2.3.10'] as const;
/** Claims: of qualified identifiers, whose value is a person, and of studies, whose value is an id. */
export const CLAIM_KEYS = [
  claimKey.qualified('urn:a', '1'),
  claimKey.qualified('urn:a', '2'),
  ...STUDY_UIDS.map(claimKey.imagingStudy),
];

const STUDY_IDS = ['a', 'B'] as const;
const ORIGIN = { sources: ['Organization/1'], services: ['Organization/1'] };
const DIGESTS = ['a', 'b'].map((digit) => digit.repeat(64));

/** Who expects that nothing matches. */
const GRANTS = [...PERSONS.map((person) => aPatientGrant(person)), anEstablishmentGrant('Organization/1')];

const named = fc.constantFrom(...PERSONS);

/** A list that is empty most often. */
const rarely = <T>(values: fc.Arbitrary<T[]>, weight = 5): fc.Arbitrary<T[]> =>
  fc.oneof({ weight, arbitrary: fc.constant<T[]>([]) }, { weight: 1, arbitrary: values });

const few = <T>(value: fc.Arbitrary<T>, maxLength = 2): fc.Arbitrary<T[]> =>
  fc.array(value, { minLength: 1, maxLength });

const blob = fc.record({ name: fc.constantFrom('blob-1', 'blob-2', 'blob-3'), size: fc.nat(9) });

/** A row of the pool, with the content of another one. */
function variedPut(pool: readonly Put[]): fc.Arbitrary<Put> {
  return fc
    .record({
      row: fc.constantFrom(...pool),
      content: fc.constantFrom(...pool),
      text: fc.constantFrom('é', '𝒜 "quoted"', ''),
      blob: fc.option(blob, { freq: 1 }),
      identity: fc.option(named, { freq: 1 }),
      shown: fc.option(named, { freq: 1 }),
    })
    .map(({ row, content: { index, sort, level, released, origin }, text, blob, identity, shown }) => ({
      ...row,
      ...(identity === null || row.person === undefined ? {} : { person: identity, subject: patientOf(identity) }),
      ...(origin === undefined ? {} : { origin }),
      ...(row.parent === undefined ? { level, released } : {}),
      index: row.type === 'PractitionerRole' ? row.index : index,
      sort,
      resource: {
        ...row.resource,
        meta: { source: text, versionId: 'sent' },
        language: text,
        ...(shown === null ? {} : { subject: { reference: patientOf(shown) } }),
      } as Put['resource'],
      ...(blob === null ? {} : { blob }),
    }));
}

const claim: fc.Arbitrary<Claim> = fc.record({
  key: fc.constantFrom(...CLAIM_KEYS),
  value: fc.constantFrom(...PERSONS, 'a', 'B'),
});

function precondition(slot: fc.Arbitrary<Slot>): fc.Arbitrary<Precondition> {
  return fc.oneof(
    fc.record({ kind: fc.constant('absent' as const), slot }).map(({ kind, slot }) => ({ kind, ...slot })),
    fc
      .record({ kind: fc.constant('version' as const), slot, version: fc.integer({ min: 0, max: 3 }) })
      .map(({ slot, ...rest }) => ({ ...rest, ...slot })),
    claim.map((held) => ({ kind: 'claimed' as const, ...held })),
    instance.map(({ sopInstanceUID, subject, blob }) => ({ kind: 'filed' as const, sopInstanceUID, subject, blob })),
    quarantined.map((aside) => ({ kind: 'kept-aside' as const, ...aside })),
    fc.tuple(slot, fc.constantFrom(...GRANTS)).map(([{ type, id }, grant]) => {
      const where = [{ kind: 'id', values: [id] }] as const;
      // Since the beginning of each store.
      return { kind: 'no-match' as const, since: 0, grant, query: aQuery(type, { where }) };
    }),
  );
}

const instance: fc.Arbitrary<InstanceRow> = fc
  .record({
    person: fc.constantFrom(...PERSONS),
    studyInstanceUID: fc.constantFrom(...STUDY_UIDS),
    seriesInstanceUID: fc.constantFrom('1.2.3', '1.2.30'),
    sopInstanceUID: fc.constantFrom(...SOP_UIDS),
    seriesNumber: fc.option(fc.integer({ min: -1, max: 2 }), { nil: undefined }),
    instanceNumber: fc.option(fc.integer({ min: -1, max: 2 }), { nil: undefined }),
    dataSetDigest: fc.constantFrom(...DIGESTS),
    source: fc.constantFrom('Organization/1', 'Organization/2', 'Organization/3'),
    blob,
  })
  .map((parts) => anInstance({ ...parts, subject: patientOf(parts.person) }));

const quarantined: fc.Arbitrary<QuarantinedInstance> = fc
  .record({
    studyInstanceUID: fc.constantFrom(...STUDY_UIDS),
    sopInstanceUID: fc.constantFrom(...SOP_UIDS),
    dataSetDigest: fc.constantFrom(...DIGESTS),
    source: fc.constantFrom('Organization/1', 'Organization/2'),
    reason: fc.constantFrom('other-patient' as const, 'unreadable' as const),
    receivedAt: fc.nat(2),
    person: fc.constantFrom(...PERSONS),
    blob,
  })
  .map((parts) => ({ ...parts, subject: patientOf(parts.person) }));

const jobKey: fc.Arbitrary<JobKey> = fc.record({
  kind: fc.constantFrom(...JOB_KINDS.slice(0, 3)),
  subject: fc.constantFrom('1.2', 'A', 'a|b'),
});

const job: fc.Arbitrary<JobRequest> = fc
  .record({ key: jobKey, id: fc.uuid(), at: fc.nat(20), event: fc.option(fc.constantFrom('event-1', 'event-2')) })
  .map(
    ({ key, event, ...rest }) => ({ ...key, ...rest, payload: {}, ...(event === null ? {} : { event }) }) as JobRequest,
  );

function erasure(slot: fc.Arbitrary<Slot>): fc.Arbitrary<Erasure> {
  return fc.record({
    rows: rarely(few(slot), 1),
    history: rarely(few(slot), 1),
    instances: rarely(few(fc.constantFrom(...SOP_UIDS)), 2),
    quarantined: rarely(few(quarantined), 2),
    claims: rarely(few(fc.constantFrom(...CLAIM_KEYS)), 2),
    jobs: rarely(few(jobKey), 2),
  });
}

const audit: fc.Arbitrary<AuditRecord> = fc
  .record({ persons: fc.subarray([...PERSONS, personKey('person-unknown')]), id: fc.uuid() })
  .map(({ persons, id }) => anAudit(persons, id));

/** Whatever the identity is: most are refused. Others are made of wishes. */
const move: fc.Arbitrary<Move> = fc
  .record({ home: named, from: named, to: named })
  .map(({ home, from, to }) => ({ identity: patientOf(home), home, from, to, patient: patientOf(to) }));

const study: fc.Arbitrary<NonNullable<CommitPlan['studies']>[number]> = fc
  .record({ studyInstanceUID: fc.constantFrom(...STUDY_UIDS), from: named, to: named, isMovedOnly: fc.boolean() })
  .map((parts) => ({ ...parts, identity: patientOf(parts.from), subject: patientOf(parts.to) }));

/** A plan over the rows of a pool. */
export function randomPlan(pool: readonly Put[]): fc.Arbitrary<CommitPlan> {
  const slot = fc.constantFrom(...pool).map(({ type, id }) => ({ type, id }));
  return fc.record({
    id: fc.uuid(),
    preconditions: rarely(few(precondition(slot)), 8),
    claims: rarely(few(claim), 6),
    puts: fc.array(variedPut(pool), { maxLength: 4 }),
    deletes: rarely(few(slot), 3),
    erased: rarely(few(erasure(slot)), 6),
    instances: rarely(few(instance, 3), 3),
    quarantined: rarely(few(quarantined), 4),
    moves: rarely(few(move), 20),
    studies: rarely(few(study), 8),
    states: rarely(states, 10),
    jobs: rarely(few(job, 3), 2),
    audit: rarely(few(audit), 2),
  });
}

/** A row that is read with the account that it names. */
const role: fc.Arbitrary<Put> = fc
  .record({ id: fc.constantFrom('z', 'A', 'b'), account: fc.constantFrom('Practitioner/a', 'Practitioner/B') })
  .map(({ id, account }) =>
    aPut({
      type: 'PractitionerRole',
      id,
      index: { ...NO_ENTRIES, references: [{ param: 'practitioner', target: account }] },
    }),
  );

/** A row that opens a record, to the patient or to whom it permits. */
const giver = put.filter(({ type }) => type === 'Consent' || type === 'Patient');

/** The row of a study, under which instances are found as long as a claim names it. */
const studyRow: fc.Arbitrary<Put> = fc
  .record({ at: fc.nat(1), person: named, sort: fc.nat(2) })
  .map(({ at, person, sort }) => {
    const filed = { person, subject: patientOf(person), origin: ORIGIN };
    return aStudyPut(STUDY_UIDS[at] ?? '', { id: STUDY_IDS[at] ?? '', sort, ...filed });
  });

/** Rows that the plans of one world write: few places, and some of them twice. */
export const randomPool: fc.Arbitrary<readonly Put[]> = fc
  .tuple(
    fc.array(put, { minLength: 10, maxLength: 10 }),
    fc.array(giver, { minLength: 3, maxLength: 3 }),
    fc.array(studyRow, { minLength: 3, maxLength: 3 }),
    fc.array(role, { minLength: 3, maxLength: 3 }),
  )
  .map((rows) => rows.flat());

/** The plan that a world begins with: all rows of the pool, and the studies. */
export function firstPlan(pool: readonly Put[]): fc.Arbitrary<CommitPlan> {
  return fc.record({
    id: fc.uuid(),
    puts: fc.constant([...IDENTITY_ROWS, ...pool]),
    claims: fc.constant(STUDY_UIDS.map((uid, at) => ({ key: claimKey.imagingStudy(uid), value: STUDY_IDS[at] ?? '' }))),
    instances: fc.uniqueArray(instance, { minLength: 2, maxLength: 3, selector: (one) => one.sopInstanceUID }),
    jobs: few(job, 3),
  });
}
