/**
 * How much Consents may give or close. Each actor of one has a right of its own to each item that it names, and every
 * row of the person is looked at for every right to several rows: a withdrawal changes all of them at once.
 */
import type { Consent } from '@medplum/fhirtypes';
import { isBlock } from '../../../profiles/consent/block.ts';
import { teamNamed } from '../../../profiles/consent/giving/named-team.ts';
import { Fault } from '../../../profiles/fault.ts';
import { speaksForPatient, type PersonKey } from '../../access/requester.ts';
import { itemIn } from '../../access/right.ts';
import { principalOf } from '../../access/rights-of.ts';
import { filerOf } from '../guard.ts';
import { findAll } from '../internal-reads.ts';
import type { Placed, Work } from '../write/work.ts';
import { MOST_ACTORS } from './named-actors.ts';
import { GIVES_OR_WAITS } from './standing-declarations.ts';

/** Rights that one request may ask for, and that what stands of one person by one who files it may give, or close. */
const MOST = { asked: 200, standing: 2_000 } as const;

/** How many rights a Consent gives when all whom it names are known, and a team that it names is as large as any. */
function rightsNamed(consent: Consent): number {
  const { actor = [], data = [] } = consent.provision ?? {};
  const actors = teamNamed(consent) === undefined ? actor.length : MOST_ACTORS;
  return actors * Math.max(1, data.length);
}

/** @throws {Fault} too-costly - the new Consents of a request name more actors, times their items, than MOST.asked */
export function requireFewAsked(places: readonly Placed[]): void {
  const consents = places.flatMap(({ act, standing }) =>
    standing === undefined && 'resource' in act && act.resource.resourceType === 'Consent' ? [act.resource] : [],
  );
  if (sumOf(consents) <= MOST.asked) return;
  throw new Fault('too-costly', `A request declares ${MOST.asked} actors at most, times the items of each Consent`, {
    expression: 'Consent.provision',
  });
}

/** @throws {Fault} too-costly - teams that a request changes let in more people, times the items, than MOST.asked */
export function requireFewLetIn(count: number): void {
  if (count <= MOST.asked) return;
  throw new Fault('too-costly', `A request lets in ${MOST.asked} people by teams at most, times the items`, {
    expression: 'CareTeam.participant',
  });
}

/**
 * Requires that a new declaration or block of a person comes beside few others of who files it: nobody fills up what
 * others may say, and what closes a record is counted by itself, so that nothing fills up what she blocks with.
 * @throws {Fault} too-costly - they would name more actors, times their items, than MOST.standing
 */
export async function requireFewStanding(
  work: Pick<Work, 'reading' | 'visit'> & { readonly deps: Pick<Work['deps'], 'records'> },
  person: PersonKey,
  sent: Consent,
): Promise<void> {
  const { deps, reading } = work;
  const found = await findAll<Consent>(deps.records, reading({ person }), 'Consent', [GIVES_OR_WAITS]);
  const alike = found.filter(({ resource }) => isBlock(resource) === isBlock(sent));
  if (sumOf([...alike.map(({ resource }) => resource), sent]) <= MOST.standing) return;
  // Who filed which is looked at only where all of them together are too many.
  const isOwn = await filedByRequester(work, person);
  const own = alike.filter(({ row }) => isOwn(`Consent/${row.id}`)).map(({ resource }) => resource);
  if (sumOf([...own, sent]) <= MOST.standing) return;
  throw new Fault('too-costly', `What one files of a patient names ${MOST.standing} actors at most, times the items`, {
    expression: 'Consent.provision',
  });
}

/** She is named in each Consent of hers, whoever filed it: hers are those that nobody else has to themselves. */
async function filedByRequester(
  { deps, reading, visit: { requester } }: Parameters<typeof requireFewStanding>[0],
  person: PersonKey,
): Promise<(consent: string) => boolean> {
  const holder = principalOf(filerOf(requester), person);
  const ofItself = (await deps.records.rightsOf(reading({ person }), person)).filter(
    ({ scope, giver }) => itemIn(scope) === giver,
  );
  const speaks = speaksForPatient(requester);
  const held = ofItself.filter((right) => (right.principal === holder) !== speaks);
  const named = new Set<string>(held.map(({ giver }) => giver));
  return (consent) => named.has(consent) !== speaks;
}

function sumOf(consents: readonly Consent[]): number {
  return consents.reduce((sum, consent) => sum + rightsNamed(consent), 0);
}
