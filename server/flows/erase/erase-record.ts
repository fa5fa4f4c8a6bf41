/**
 * The day of a request to erase a record has come: nobody cancels it any more, and its exams are erased as if they had
 * never been, one study after the other, then what else was filed of her; a run that was cut short goes on with what is
 * left. What became hers by a join since the request is not of it: two may have been joined by a mistake.
 */
import type { ImagingStudy, Person, Task } from '@medplum/fhirtypes';
import { begunErasure, erasureDayOf, isErasureTask } from '../../../profiles/consent/erasure-request.ts';
import { Fault } from '../../../profiles/fault.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import { systemReading, type NarrowReading, type SystemGrant } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { claimOf, findAll, findById, pagesOfAll } from '../internal-reads.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { nextTurn, readTurn } from '../turns.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import { eraseAside } from './erase-aside.ts';
import { eraseItems } from './erase-items.ts';
import { eraseStudyOf, type EraseStudyDeps } from './erase-study.ts';

/** Makes the work of `erase-record`. A request that was cancelled is left alone. */
export function eraseRecord(deps: EraseStudyDeps) {
  return async (
    { subject }: Pick<TakenJob<'erase-record'>, 'subject'>,
    run: JobRun,
  ): Promise<{ readonly againAt: number } | void> => {
    const begun = await begin(deps, subject);
    if (typeof begun === 'number') return { againAt: begun };
    if (begun === undefined) return;
    const reading = systemReading('erase-record', deps.clock.now());
    const identities = await identitiesOf(deps.records, reading, begun);
    for (const studyInstanceUID of await studiesOf(deps.records, reading({ person: begun.person }), identities)) {
      await eraseStudyOf(deps, studyInstanceUID, begun.person, run).catch(unlessGone);
      await run.goOn();
    }
    await eraseAside(deps, begun.person, identities, run);
    await eraseItems(deps, begun, identities, run);
  };
}

/** A request that is carried out: whose it is, the identity that it is filed under, and when it was received. */
export type Begun = { readonly person: PersonKey; readonly subject: string; readonly receivedAt: number };

/** Begins; a moment when it is too early, undefined when there is nothing to do. */
async function begin({ records, clock, indexer }: EraseStudyDeps, id: string): Promise<Begun | number | undefined> {
  const { result } = await commitFresh<Begun | number | undefined>(records, async () => {
    const now = clock.now();
    const reading = systemReading('erase-record', now);
    const nothing = { warrant: systemWarrant('erase-record'), plan: joinParts() };
    const first = await findById<Task>(records, reading, 'Task', id);
    if (first?.row.person === undefined || !isErasureTask(first.resource)) return { ...nothing, result: undefined };
    const turn = await readTurn(records, reading, claimKey.sharing(first.row.person));
    // After the turn: whoever cancels it meanwhile takes the next one.
    const found = (await findById<Task>(records, reading, 'Task', id)) ?? first;
    const { row, resource } = found;
    const { person, subject = '' } = row;
    if (person === undefined || !OPEN.includes(resource.status)) return { ...nothing, result: undefined };
    if (erasureDayOf(resource) > now) return { ...nothing, result: erasureDayOf(resource) };
    const result = { person, subject, receivedAt: Date.parse(resource.authoredOn ?? '') };
    if (resource.status === 'in-progress') return { ...nothing, result };
    const entities = [{ what: { reference: `Task/${id}` }, detail: { operation: 'erase-record' } }];
    const event = recordOf(clock, ownOccasion('passerelle'), 'operation', { person, patient: subject, entities });
    const parts = changed(indexer, row, begunErasure(resource, now), now, aboutRow(row));
    return {
      warrant: systemWarrant('erase-record', person),
      plan: joinParts(nextTurn(turn), parts, { audit: [event] }),
      result,
    };
  });
  return result;
}

const OPEN: readonly Task['status'][] = ['requested', 'in-progress'];

/** Study Instance UIDs of what is filed under these identities. */
async function studiesOf(
  records: RecordStore,
  hers: SystemGrant,
  identities: ReadonlySet<string>,
): Promise<readonly string[]> {
  const uids: string[] = [];
  for await (const page of pagesOfAll<ImagingStudy>(records, hers, 'ImagingStudy'))
    for (const { row, resource } of page)
      if (identities.has(row.subject ?? '')) uids.push(studyInstanceUIDIn(resource));
  return uids;
}

/** The identities (`Patient/id`) that were she when the request was received. */
async function identitiesOf(
  records: RecordStore,
  reading: NarrowReading,
  { person, subject, receivedAt }: Begun,
): Promise<ReadonlySet<string>> {
  const isLater = async (identity: string): Promise<boolean> => {
    const since = await claimOf(records, reading, claimKey.joined(identity.replace(/^Patient\//, '')));
    return since !== undefined && Number(since) > receivedAt;
  };
  const identities = new Set([subject]);
  if (await isLater(subject)) return identities;
  for (const { row } of await findAll<Person>(records, reading({ person }), 'Person', []))
    if (!(await isLater(row.id))) identities.add(`Patient/${row.id}`);
  return identities;
}

/** What an operator has erased meanwhile is gone. */
function unlessGone(error: unknown): void {
  if (!(error instanceof Fault) || error.kind !== 'not-found') throw error;
}
