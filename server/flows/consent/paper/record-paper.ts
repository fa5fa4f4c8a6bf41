/**
 * A patient without an account shares again by a paper that she signed, `Patient/$reconsent` with it: somebody of the
 * region's desk records it, and how it was checked who signed. Nothing changes until a colleague confirms it.
 */
import type { Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { buildPaperTask, PAPER_RECONSENT, type Paper } from '../../../../profiles/consent/reconsent/paper.ts';
import { Fault } from '../../../../profiles/fault.ts';
import type { Indexer } from '../../../../profiles/search/indexer.ts';
import type { Criterion } from '../../../../profiles/search/query.ts';
import { systemReading, type NarrowReading } from '../../../access/grant.ts';
import { mayRecordPaper } from '../../../access/may-judge.ts';
import type { SubjectFacts } from '../../../access/may-write.ts';
import { eventRecord, referenceOf, refusalsRecorded, type GuardDeps, type Visit } from '../../guard.ts';
import { identityNamed, type NamedIdentity } from '../../identity/judge-identities.ts';
import { refuseOwnMatter } from '../../identity/own-matter.ts';
import { subjectFacts } from '../../identity/persons.ts';
import { findAll } from '../../internal-reads.ts';
import { jobOf } from '../../jobs/job-of.ts';
import { newId } from '../../new-id.ts';
import { nextTurn } from '../../turns.ts';
import { commitFresh, joinParts, putOf, type Planned } from '../../write/plan-parts.ts';
import { readSharing } from '../sharing-parts.ts';
import { standingOnPaper, type PaperDeps } from './standing-on-paper.ts';

/** What the flow needs. */
export type RecordPaperDeps = GuardDeps & PaperDeps & { readonly indexer: Indexer };

/** Whose paper it is, the paper, and how it was checked who signed it. */
export type RecordedPaper = { readonly patient: NamedIdentity; readonly paper: Paper; readonly identity: string };

/**
 * Records it; resolves with the Task (`Task/id`) that waits for the colleague.
 * @throws {Fault} forbidden - it is not the region's desk that asks, or the matter is the officer's own
 * @throws {Fault} not-found - no such patient
 * @throws {Fault} business-rule - nothing stands that a paper ends, as she or an establishment ends it
 * @throws {Fault} conflict - another paper of hers waits already
 */
export function recordPaper(deps: RecordPaperDeps) {
  return async (visit: Visit, recorded: RecordedPaper): Promise<string> =>
    await refusalsRecorded(deps, visit, 'withdraw', async () => {
      const { result } = await commitFresh(deps.records, async () => await planOf(deps, visit, recorded));
      return result;
    });
}

async function planOf(
  deps: RecordPaperDeps,
  visit: Visit,
  { patient: named, paper, identity }: RecordedPaper,
): Promise<Planned<string>> {
  const { records, clock, indexer } = deps;
  const { requester } = visit;
  const now = clock.now();
  const reading = systemReading('decide-at-desk', now);
  const known = await identityNamed(deps, reading, named);
  const patient = `Patient/${known?.content.id}`;
  const subject = known && (await subjectFacts(records, reading, requester, { patient, person: known.person }));
  const warrant = mayRecordPaper(requester, { now, subject });
  if (subject === undefined) throw new Fault('not-found', 'No such patient');
  const { person } = subject;
  await refuseOwnMatter(deps)(requester, [person]);
  const standing = await readSharing(records, systemReading('change-consent', now), person, now);
  const { ended, isHers } = await standingOnPaper(deps, reading, subject, standing, now);
  if (ended.length === 0) throw refusalOf(isHers);
  await requireFirst(deps, reading, subject);
  const task = buildPaperTask({ id: newId(), patient, officer: referenceOf(requester), paper, identity, now });
  const offices = [{ office: 'region-desk', organization: '' }] as const;
  const origin = { sources: [patient], services: [], offices };
  const entities = [{ what: { reference: `Task/${task.id}` }, detail: { change: 'reconsent-request' } }];
  const plan = joinParts(nextTurn(standing.turn), {
    puts: [putOf(indexer, task, now, { person, subject: patient, origin })],
    jobs: [jobOf('alert-officers', task.id, now)],
    audit: [eventRecord(clock, visit, 'withdraw', { person, patient, entities })],
  });
  return { warrant, plan, result: `Task/${task.id}` };
}

function refusalOf(isHers: boolean): Fault {
  const text = isHers
    ? 'She has an account, and ends herself what she withdrew'
    : 'No withdrawal or opposition stands that a paper ends: that of an establishment is ended by it';
  return new Fault('business-rule', text);
}

const WAITING: readonly Criterion[] = [
  { kind: 'token', param: 'code', values: [{ system: CODE_SYSTEM.task, code: PAPER_RECONSENT.code }] },
  { kind: 'token', param: 'status', values: [{ code: 'requested' }] },
];

/** @throws {Fault} conflict - another paper of hers waits already */
async function requireFirst(
  { records }: RecordPaperDeps,
  reading: NarrowReading,
  { person, patient }: SubjectFacts,
): Promise<void> {
  const waiting = await findAll<Task>(records, reading({ person }), 'Task', WAITING);
  if (waiting.some(({ row }) => row.subject === patient))
    throw new Fault('conflict', 'A paper of hers waits already for who confirms or refuses it');
}
