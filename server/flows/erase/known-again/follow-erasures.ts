/**
 * Data that is older than an erasure, a restored backup, follows what the list outside tells: before anybody is let in,
 * whoever was erased is hidden again, and her record is erased as it was; whom an operator took again is taken. Who was
 * erased is known by her identities, which are those of a copy of the same data: by a number alone nobody is erased.
 * @see smart-security.md N05
 */
import type { Person, Task } from '@medplum/fhirtypes';
import { begunErasure, buildErasureTask } from '../../../../profiles/consent/erasure-request.ts';
import { systemGrant, systemReading, type NarrowReading } from '../../../access/grant.ts';
import { personKey, type PersonKey } from '../../../access/requester.ts';
import { systemWarrant } from '../../../access/system-warrant.ts';
import type { Log } from '../../../log.ts';
import { claimKey } from '../../../ports/claim-key.ts';
import type { ErasureEntry } from '../../../ports/erasure-key.ts';
import { ownOccasion, recordOf } from '../../audit/event-records.ts';
import { identityAt, type StandingIdentity } from '../../identity/identities.ts';
import { claimOf, findAll, findById } from '../../internal-reads.ts';
import { jobOf } from '../../jobs/job-of.ts';
import { newId } from '../../new-id.ts';
import { nextTurn, readTurn } from '../../turns.ts';
import { changed } from '../../write/changed-put.ts';
import { aboutRow } from '../../write/plain-parts.ts';
import { commitFresh, joinParts, oneOf, type PlanParts } from '../../write/plan-parts.ts';
import { progressOf, progressParts } from '../begin-erasure.ts';
import type { EraseStudyDeps } from '../erase-study.ts';
import { filedRequest } from '../filed-request.ts';
import { followedParts, isReadmitted, type Erased } from './kept-outside.ts';
import { suppressionParts, type SuppressionDeps } from './suppression.ts';

/** What the flow needs. Without a key nothing is followed. */
export type FollowErasuresDeps = EraseStudyDeps & SuppressionDeps & { readonly log: Log };

type Readmitted = Extract<ErasureEntry, { readonly kind: 'readmitted' }>;

/** Entries whose claims are read at once. */
const AT_ONCE = 500;

/**
 * Makes the look of a start: entries that this data does not know are followed in their order, each in one commit.
 * @throws {Fault} invalid - the list cannot be read, or somebody has changed it
 * @throws {Fault} conflict - it was written under another key
 */
export function followErasures(deps: FollowErasuresDeps) {
  return async (): Promise<void> => {
    const { erasureKey, log } = deps;
    if (erasureKey === undefined) return;
    const entries = await erasureKey.entries();
    await tellWhatIsMissing(deps, entries);
    const unknown = await unknownOf(deps, entries);
    if (unknown.length === 0) return;
    log.warn({ entries: unknown.length }, 'the data is older than what the list of erasures tells: it follows');
    for (const entry of unknown)
      if (entry.kind === 'erased') await followErased(deps, entries, entry);
      else await followReadmitted(deps, entry);
  };
}

/** A list that is older than the data brings back whoever it does not name, with the next copy. */
async function tellWhatIsMissing(
  { records, clock, log }: FollowErasuresDeps,
  entries: readonly ErasureEntry[],
): Promise<void> {
  const last = await claimOf(records, systemReading('erase-record', clock.now()), claimKey.lastFollowed());
  if (last === undefined || entries.some(({ id }) => id === last)) return;
  log.error({ last }, 'the list of erasures lacks what this data knows: put the lists of all servers together');
}

/** Those of some entries that were not carried out on this data, nor are being carried out, in their order. */
async function unknownOf(
  { records, clock }: FollowErasuresDeps,
  entries: readonly ErasureEntry[],
): Promise<readonly ErasureEntry[]> {
  const grant = systemGrant('erase-record', 'whole', clock.now());
  const unknown: ErasureEntry[] = [];
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    const some = entries.slice(at, at + AT_ONCE);
    const keys = some.flatMap(({ id }) => [claimKey.followed(id), claimKey.erasingRecord(id)]);
    const known = await records.claimedAmong(grant, keys);
    unknown.push(
      ...some.filter(({ id }) => !known.has(claimKey.followed(id)) && !known.has(claimKey.erasingRecord(id))),
    );
  }
  return unknown;
}

/** Whom an operator took again is taken here, too. */
async function followReadmitted({ records, clock }: FollowErasuresDeps, { id, keys }: Readmitted): Promise<void> {
  await commitFresh(records, async () => {
    const now = clock.now();
    const standing = await records.claimedAmong(systemGrant('erase-record', 'whole', now), keys);
    const parts = [await followedParts(records, id, now), { erased: [{ claims: [...standing.keys()] }] }];
    const plan = joinParts(...parts, { audit: [eventOf({ clock })] });
    return { warrant: systemWarrant('erase-record'), plan, result: undefined };
  });
}

/**
 * Hides her and begins her erasure, which nobody cancels any more; of who is known by no identity here what is kept of
 * who was erased is kept.
 */
async function followErased(deps: FollowErasuresDeps, entries: readonly ErasureEntry[], entry: Erased): Promise<void> {
  const { records, clock } = deps;
  await commitFresh(records, async () => {
    const now = clock.now();
    const standing = await standingOf(deps, entry, now);
    const persons = Map.groupBy(standing, ({ person }) => person);
    const kept = isReadmitted(entries, entry.id) ? {} : await suppressionParts(deps, entry.numbers, now);
    const begun: PlanParts[] = [];
    for (const [person, hers] of persons)
      begun.push(await begunParts(deps, entry, { person, hers, isFirst: begun.length === 0 }, now));
    const gone =
      begun.length > 0 ? {} : oneOf([await followedParts(records, entry.id, now), { audit: [eventOf(deps)] }]);
    const homes = standing.map(({ content }) => personKey(content.home));
    const warrant = systemWarrant('erase-record', ...new Set([...persons.keys(), ...homes]));
    return { warrant, plan: joinParts(kept, ...begun, gone), result: undefined };
  });
}

async function standingOf(
  { records }: FollowErasuresDeps,
  { identities }: Erased,
  now: number,
): Promise<readonly StandingIdentity[]> {
  const reading = systemReading('resolve-identity', now);
  const found = await Promise.all(identities.map(async (id) => await identityAt(records, reading, `Patient/${id}`)));
  return found.filter((one) => one !== undefined);
}

/** A person of the copy, and those of her identities that were erased. */
type Whose = {
  readonly person: PersonKey;
  readonly hers: readonly StandingIdentity[];
  readonly isFirst: boolean;
};

async function begunParts(
  deps: FollowErasuresDeps,
  entry: Erased,
  { person, hers, isFirst }: Whose,
  now: number,
): Promise<PlanParts> {
  const { records } = deps;
  const reading = systemReading('erase-record', now);
  const turn = await readTurn(records, reading, claimKey.sharing(person));
  const all = await findAll<Person>(records, reading({ person }), 'Person', []);
  const ids = new Set(hers.map(({ content }) => content.id));
  const progress = await progressOf(deps, reading, { person, all, hers: ids }, now);
  const subject = `Patient/${[...ids].toSorted()[0]}`;
  const { task, parts } = await requestParts(deps, reading, entry, { person, subject, isFirst }, now);
  return oneOf([
    nextTurn(turn),
    parts,
    progressParts(task, { ...progress, listed: entry.id }),
    { states: hers.map(({ content }) => ({ person: personKey(content.home), change: { erasurePending: true } })) },
    { audit: [eventOf(deps, person, subject)] },
  ]);
}

/** Her request: the one that waits in the copy for its day, or a new one, under its id while that is free. */
async function requestParts(
  { records, indexer }: FollowErasuresDeps,
  reading: NarrowReading,
  { id, receivedAt }: Erased,
  { person, subject, isFirst }: Pick<Whose, 'person' | 'isFirst'> & { readonly subject: string },
  now: number,
): Promise<{ readonly task: string; readonly parts: PlanParts }> {
  const found = isFirst ? await findById<Task>(records, reading, 'Task', id) : undefined;
  if (found?.row.person === person && found.resource.status === 'requested') {
    const begun = changed(indexer, found.row, begunErasure(found.resource, now), now, aboutRow(found.row));
    return { task: id, parts: oneOf([begun, { jobs: [jobOf('erase-record', id, now)] }]) };
  }
  const task = isFirst && found === undefined ? id : newId();
  const request = buildErasureTask({ id: task, patient: subject, requester: subject, now: receivedAt, days: 0 });
  return { task, parts: filedRequest(indexer, begunErasure(request, now), { person, subject }, now) };
}

function eventOf({ clock }: Pick<FollowErasuresDeps, 'clock'>, person?: PersonKey, patient?: string) {
  const about = { ...(person === undefined ? {} : { person }), ...(patient === undefined ? {} : { patient }) };
  const entities = [{ detail: { operation: 'follow-erasures' } }];
  return recordOf(clock, ownOccasion('passerelle'), 'operation', { ...about, entities });
}
