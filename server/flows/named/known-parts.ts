/**
 * A Consent that waited names by now whom the directory knows: it is in force from then on, without those whom she
 * ended while it waited. What her Consents say already goes before a name in an image, and of two that say the same one
 * stands.
 * @see access.md C12
 */
import type { Consent } from '@medplum/fhirtypes';
import { actorsOf } from '../../../profiles/consent/actors.ts';
import { permitOf } from '../../../profiles/consent/declaration.ts';
import { isNamedConsent } from '../../../profiles/consent/privacy-consent.ts';
import { TIME_BOUND } from '../../../profiles/search/date-range.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { stateAllows } from '../../access/decide.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { establishmentOf } from '../../access/right.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { endingAt } from '../consent/end-consent.ts';
import { declarationKey, without } from '../consent/standing-declarations.ts';
import { claimOf, findById, type Found } from '../internal-reads.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { nextTurn, readTurn } from '../turns.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import type { PlanParts } from '../write/plan-parts.ts';
import { saidBefore } from './said-before.ts';

/** What they are worked out with. */
export type KnownDeps = { readonly records: RecordStore; readonly indexer: Indexer; readonly timeZone: string };

/** When something was said that has changed while it waited: any end counts. */
const UNKNOWN_TIME = 0;

/**
 * The parts by which a Consent that is proposed becomes what it says, `waited`, each actor by its reference. Undefined
 * while she shares nothing: it waits on, so that she is told of it when it gives something.
 */
export async function knownCorrespondentParts(
  { records, indexer, timeZone: zone }: KnownDeps,
  reading: NarrowReading,
  { row }: Found<Consent>,
  waited: Consent,
  now: number,
): Promise<readonly PlanParts[] | undefined> {
  const { id, person, subject } = row;
  if (person === undefined || subject === undefined) return [];
  const turn = await readTurn(records, reading, claimKey.sharing(person));
  if (!stateAllows('declared', await records.stateOf(reading({ person }), person))) return undefined;
  const actors = actorsOf(waited.provision ?? {}).map(({ reference }) => reference);
  const said = await saidBefore(records, reading, person, actors, id);
  const since = row.version === 1 ? row.updated : UNKNOWN_TIME;
  const consent = without(waited, new Set(said.ended.flatMap(({ actors: gone, at }) => (at >= since ? gone : []))));
  const key = declarationKey(subject, await filerAmong(records, reading, person, id, subject), consent);
  const last = await claimOf(records, reading, key);
  const isSaid = last !== undefined && last !== id && (await isOpen(records, reading, last));
  const isGiven = consent.status !== 'inactive' && !isSaid && !(isNamedConsent(consent) && said.isAgainst);
  const known = { ...consent, status: isGiven ? ('active' as const) : ('inactive' as const) };
  const to = permitOf(known, zone)?.to ?? TIME_BOUND;
  const ending = to < TIME_BOUND ? [endingAt(id, to, zone)] : [];
  const claimed: PlanParts =
    last === undefined ? {} : { preconditions: [{ kind: 'claimed', key, value: last }], erased: [{ claims: [key] }] };
  return [
    nextTurn(turn),
    { preconditions: said.preconditions },
    changed(indexer, row, known, now, aboutRow(row)),
    isGiven ? { ...claimed, claims: [{ key, value: id }], jobs: [tellingOf(`Consent/${id}`, now), ...ending] } : {},
  ];
}

/** Who filed it: an establishment, or the patient as whom it is filed. */
async function filerAmong(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  id: string,
  subject: string,
): Promise<string> {
  const rights = await records.rightsOf(reading({ person }), person, `Consent/${id}`);
  return rights.flatMap(({ principal }) => establishmentOf(principal))[0] ?? subject;
}

async function isOpen(records: RecordStore, reading: NarrowReading, id: string): Promise<boolean> {
  const found = await findById<Consent>(records, reading, 'Consent', id);
  return found?.resource.status === 'active' || found?.resource.status === 'proposed';
}
