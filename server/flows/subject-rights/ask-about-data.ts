/**
 * A patient asks something about her data, `Patient/$data-subject-request`: a Task of the data protection
 * officer whom it concerns, with its deadline. Erasure is asked of the server itself (flows/erase).
 */
import type { Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import {
  buildSubjectNotice,
  buildSubjectRequest,
  SUBJECT_RIGHTS,
  type SubjectRight,
} from '../../../profiles/consent/data-subject-request.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { requireConsentChanger } from '../../access/may-attempt.ts';
import { mayWrite, type SubjectFacts } from '../../access/may-write.ts';
import type { EstablishmentRequester, SpeakingRequester } from '../../access/requester.ts';
import type { Origin } from '../../access/rights-of.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { patientAsked } from '../consent/patient-asked.ts';
import { eventRecord, referenceOf, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findAll } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { newId } from '../new-id.ts';
import { noticeParts } from '../notices/notice-parts.ts';
import { nextTurn, readTurn } from '../turns.ts';
import { commitFresh, joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';

/** What the flow needs; `timeZone` (IANA) is the one in which the days of deadlines end. */
export type AskAboutDataDeps = GuardDeps & {
  readonly indexer: Indexer;
  readonly region: Pick<RegionIndex, 'establishments'>;
  readonly timeZone: string;
};

/** What is asked. References: whose officer answers (`Organization/id`), whom an establishment names (`Patient/id`). */
export type AskedAboutData = {
  readonly right: SubjectRight;
  readonly detail?: string | undefined;
  readonly organization?: string | undefined;
  readonly patient?: string | undefined;
};

/** Requests of one speaker for one person that wait for an answer. */
const MOST_OPEN = 20;

/**
 * Files it; resolves with the Task (`Task/id`), which is the same when the same speaker asks the same again.
 * @throws {Fault} forbidden - a professional asks
 * @throws {Fault} invalid - an organization that is no establishment of the region, or another than the one that asks
 * @throws {Fault} not-found - no such patient, or none of this establishment
 * @throws {Fault} too-costly - more of this speaker wait than may
 */
export function askAboutData(deps: AskAboutDataDeps) {
  return async (visit: Visit, asked: AskedAboutData): Promise<string> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      const operation = 'data-subject-request';
      const requester = requireConsentChanger(visit.requester, operation);
      const organization = answeringOf(deps, requester, asked.organization);
      const { result } = await commitFresh(deps.records, async () => {
        const now = deps.clock.now();
        const reading = systemReading('change-consent', now);
        const subject = await patientAsked(deps, reading, requester, asked.patient, now);
        const warrant = mayWrite(requester, { interaction: 'operation', operation }, { now, subject });
        if (subject === undefined) throw new Fault('not-found', 'No such patient');
        const turn = await readTurn(deps.records, reading, claimKey.sharing(subject.person));
        const request = { ...asked, organization, requester: referenceOf(requester) };
        const standing = await standingOf(deps, reading, subject, request);
        const { parts, task } =
          standing === undefined ? filed(deps, subject, request, now) : { parts: [], task: standing };
        const { person, patient } = subject;
        const entities = [{ what: { reference: `Task/${task}` }, detail: { operation, right: asked.right } }];
        const event = eventRecord(deps.clock, visit, 'operation', { person, patient, entities });
        return { warrant, plan: joinParts(nextTurn(turn), ...parts, { audit: [event] }), result: `Task/${task}` };
      });
      return result;
    });
}

type Request = Omit<AskedAboutData, 'patient'> & { readonly requester: string };

/** An establishment answers what it was told; a patient says who answers. */
function answeringOf(
  { region }: AskAboutDataDeps,
  requester: SpeakingRequester | EstablishmentRequester,
  asked: string | undefined,
): string | undefined {
  const own = requester.kind === 'establishment' ? requester.organization : asked;
  if (asked !== undefined && (asked !== own || !region.establishments.includes(asked)))
    throw new Fault('invalid', 'The organization is an establishment of the region, and of an establishment itself', {
      expression: 'organization',
    });
  return own;
}

const OPEN: readonly Criterion[] = [
  {
    kind: 'token',
    param: 'code',
    values: SUBJECT_RIGHTS.map((code) => ({ system: CODE_SYSTEM.task, code })),
  },
  { kind: 'token', param: 'status', values: [{ code: 'requested' }] },
];

/** The Task (id) of the same request, where it waits. @throws {Fault} too-costly */
async function standingOf(
  { records }: AskAboutDataDeps,
  reading: NarrowReading,
  { person }: SubjectFacts,
  request: Request,
): Promise<string | undefined> {
  const all = await findAll<Task>(records, reading({ person }), 'Task', OPEN);
  const own = all.filter(({ resource }) => resource.requester?.reference === request.requester);
  const same = own.find(
    ({ resource: { code, description, owner } }) =>
      code?.coding?.[0]?.code === request.right &&
      description === request.detail &&
      owner?.reference === request.organization,
  );
  if (same === undefined && own.length >= MOST_OPEN)
    throw new Fault('too-costly', `${MOST_OPEN} requests at most wait for an answer`);
  return same?.row.id;
}

function filed(
  { indexer, timeZone }: AskAboutDataDeps,
  { person, patient }: SubjectFacts,
  request: Request,
  now: number,
): { readonly parts: readonly PlanParts[]; readonly task: string } {
  const id = newId();
  const task = buildSubjectRequest({ ...request, id, patient, now, timeZone });
  const origin: Origin = { sources: [patient], services: [], offices: officesOf(request) };
  return {
    parts: [
      { puts: [putOf(indexer, task, now, { person, subject: patient, origin })] },
      { jobs: [jobOf('alert-officers', id, now)] },
      noticeParts(indexer, { person, patient }, now, (facts) => buildSubjectNotice({ ...facts, task, timeZone })),
    ],
    task: id,
  };
}

/** The establishment's officer, and the region's, who sees that deadlines are kept where an office is vacant. */
function officesOf({ organization }: Request): NonNullable<Origin['offices']> {
  return [
    { office: 'region-dpo', organization: '' },
    ...(organization === undefined ? [] : [{ office: 'establishment-dpo' as const, organization }]),
  ];
}
