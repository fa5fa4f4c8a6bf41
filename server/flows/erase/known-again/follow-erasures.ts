/**
 * Data that is older than an erasure, a restored backup, follows what the list outside tells: before anybody is let in,
 * whoever was erased is hidden again, and her record is erased as it was; whom an operator took again is taken.
 * @see smart-security.md N05
 */
import type { Person, Task } from '@medplum/fhirtypes';
import { buildErasureTask } from '../../../../profiles/consent/erasure-request.ts';
import { identityContentOf, type IdentityContent } from '../../../../profiles/identity/identity-resource.ts';
import { systemGrant, systemReading } from '../../../access/grant.ts';
import { personKey, type PersonKey } from '../../../access/requester.ts';
import { systemWarrant } from '../../../access/system-warrant.ts';
import type { Log } from '../../../log.ts';
import { claimKey, type ClaimKey } from '../../../ports/claim-key.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ErasedNumber, ErasureEntry, ErasureKey } from '../../../ports/erasure-key.ts';
import { ownOccasion, recordOf } from '../../audit/event-records.ts';
import { identityAt } from '../../identity/identities.ts';
import { findById, pagesOfAll } from '../../internal-reads.ts';
import { newId } from '../../new-id.ts';
import { nextTurn, readTurn } from '../../turns.ts';
import { commitFresh, joinParts } from '../../write/plan-parts.ts';
import type { EraseStudyDeps } from '../erase-study.ts';
import { filedRequest } from '../filed-request.ts';
import { followed, isReadmitted } from './kept-outside.ts';
import { openRequests } from '../open-requests.ts';
import { isErased, suppressionParts, type SuppressionDeps } from './suppression.ts';

/** What the flow needs. Without a key nothing is followed. */
export type FollowErasuresDeps = EraseStudyDeps & SuppressionDeps & { readonly log: Log };

type Keyed = FollowErasuresDeps & { readonly erasureKey: ErasureKey };
type Erased = Extract<ErasureEntry, { readonly kind: 'erased' }>;

/** Entries whose claims are read at once. */
const AT_ONCE = 500;

/**
 * Makes the look of a start, which walks through all identities only where this data is older than an entry.
 * @throws {Fault} invalid - the list cannot be read, or somebody has changed it
 */
export function followErasures(deps: FollowErasuresDeps) {
  return async (): Promise<void> => {
    const { erasureKey, clock, log } = deps;
    if (erasureKey === undefined) return;
    const entries = await erasureKey.entries();
    const unknown = await unknownOf(deps, entries);
    const erased = unknown.filter((one) => one.kind === 'erased');
    if (unknown.length > 0)
      log.warn({ erasures: erased.length }, 'the data is older than what the list of erasures tells: it follows');
    const suppressed = erased.filter(({ id }) => !isReadmitted(entries, id));
    for (const { numbers } of suppressed) await keep(deps, numbers);
    const standing = await askForThoseWho({ ...deps, erasureKey }, erased);
    for (const entry of unknown) {
      // Of whoever stands the erasure says itself that it was carried out.
      if (standing.has(entry.id)) continue;
      const gone = entry.kind === 'readmitted' ? await claimed(deps, entry.keys) : [];
      const plan = joinParts({ claims: [followed(entry.id)], erased: [{ claims: gone }], audit: [eventOf(clock)] });
      await deps.records.commit(systemWarrant('erase-record'), plan);
    }
  };
}

/** Those of some entries that were not carried out on this data, in their order. */
async function unknownOf(deps: FollowErasuresDeps, entries: readonly ErasureEntry[]): Promise<readonly ErasureEntry[]> {
  const unknown: ErasureEntry[] = [];
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    const some = entries.slice(at, at + AT_ONCE);
    const known = new Set(
      await claimed(
        deps,
        some.map(({ id }) => claimKey.followed(id)),
      ),
    );
    unknown.push(...some.filter(({ id }) => !known.has(claimKey.followed(id))));
  }
  return unknown;
}

async function claimed(
  { records, clock }: FollowErasuresDeps,
  keys: readonly ClaimKey[],
): Promise<readonly ClaimKey[]> {
  return [...(await records.claimedAmong(systemGrant('erase-record', 'whole', clock.now()), keys)).keys()];
}

/** Keeps of her what is kept of who was erased: nothing that comes in makes her known from now on. */
async function keep(deps: FollowErasuresDeps, numbers: readonly ErasedNumber[]): Promise<void> {
  await commitFresh(deps.records, async () => {
    const parts = await suppressionParts(deps, numbers, deps.clock.now());
    const plan = joinParts(parts, { audit: [eventOf(deps.clock)] });
    return { warrant: systemWarrant('erase-record'), plan, result: undefined };
  });
}

/** Asks for the erasure of those who stand; resolves with the entries (ids) by which they were known. */
async function askForThoseWho(deps: Keyed, erased: readonly Erased[]): Promise<ReadonlySet<string>> {
  const standing = new Set<string>();
  if (erased.length === 0) return standing;
  const kept = erased.map((entry) => ({ entry, numbers: new Map(entry.numbers.map(({ key, ...one }) => [key, one])) }));
  const grant = systemGrant('erase-record', 'whole', deps.clock.now());
  for await (const page of pagesOfAll<Person>(deps.records, grant, 'Person'))
    for (const { resource } of page) {
      const content = identityContentOf(resource);
      const found = kept.find(({ numbers }) => isErased(deps, content, numbers));
      if (found === undefined) continue;
      standing.add(found.entry.id);
      await ask(deps, found.entry, content);
    }
  return standing;
}

/** Hides her, and asks for what is due since long. A request that stands is carried out on its day. */
async function ask({ records, clock, indexer }: Keyed, { id, receivedAt }: Erased, { id: identity }: IdentityContent) {
  const subject = `Patient/${identity}`;
  await commitFresh(records, async () => {
    const now = clock.now();
    const reading = systemReading('erase-record', now);
    const standing = await identityAt(records, systemReading('resolve-identity', now), subject);
    const nothing = { warrant: systemWarrant('erase-record'), plan: joinParts(), result: undefined };
    if (standing === undefined) return nothing;
    const { person, content } = standing;
    const turn = await readTurn(records, reading, claimKey.sharing(person));
    if ((await openRequests(records, reading, person)).length > 0) return nothing;
    const isKnown = (await findById<Task>(records, reading, 'Task', id)) !== undefined;
    const asked = { id: isKnown ? newId() : id, patient: subject, requester: subject, now: receivedAt, days: 0 };
    const task = buildErasureTask(asked);
    const plan = joinParts(nextTurn(turn), filedRequest(indexer, task, { person, subject }, now), {
      states: [{ person: personKey(content.home), change: { erasurePending: true } }],
      audit: [eventOf(clock, person, subject)],
    });
    return { warrant: systemWarrant('erase-record', person, personKey(content.home)), plan, result: undefined };
  });
}

function eventOf(clock: Clock, person?: PersonKey, patient?: string) {
  const about = { ...(person === undefined ? {} : { person }), ...(patient === undefined ? {} : { patient }) };
  const entities = [{ detail: { operation: 'follow-erasures' } }];
  return recordOf(clock, ownOccasion('passerelle'), 'operation', { ...about, entities });
}
