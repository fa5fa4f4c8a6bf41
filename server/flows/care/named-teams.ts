/**
 * Teams that Consents name: a CareTeam of the patient, and the Consents by which those who are in it may see her
 * record. Who is in it is said in the row of each such Consent, and anew with each change of the team, in one plan.
 * @see access.md
 */
import type { CareTeam, Consent } from '@medplum/fhirtypes';
import { teamNamed, namedTeam, takesInFurther, type NamedTeam } from '../../../profiles/consent/giving/named-team.ts';
import { isMaskedAsExam, maskedAsExam } from '../../../profiles/consent/giving/masked-as-exam.ts';
import { itemsNamed } from '../../../profiles/consent/giving/told-items.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { storedType } from '../../../profiles/types/visibility.ts';
import type { PersonKey } from '../../access/requester.ts';
import { itemIn, whoseId, type Right } from '../../access/right.ts';
import { NO_ORIGIN, rightsGivenBy } from '../../access/rights-of.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { isMaskedFromRepresentatives, isRowSeen } from '../aside/seen.ts';
import { requireFewLetIn } from '../consent/declaration-bounds.ts';
import { MOST_ACTORS } from '../consent/named-actors.ts';
import { GIVES_OR_WAITS } from '../consent/standing-declarations.ts';
import { findAll, findById, rowById, type Found } from '../internal-reads.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { nextTurn, readTurn, type Turn } from '../turns.ts';
import { changed, sameContent } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import type { PlanParts } from '../write/plan-parts.ts';
import type { Work } from '../write/work.ts';

/** Consents that may name one team: each is written with each change of it. */
const MOST_NAMING = 20;

/** A team that a Consent names, as it stands; `take` holds it so until the Consent is written. */
export type RequiredTeam = { readonly row: InternalRow; readonly named: NamedTeam; readonly take: PlanParts };

/**
 * Reads the team that a Consent of a person names; undefined of none. An establishment sees those alone that it filed
 * itself.
 * @throws {Fault} business-rule - it is not the person's, or who declares does not see it: neither is told
 * @throws {Fault} too-costly - it has more than MOST_ACTORS participants, or MOST_NAMING others name it
 */
export async function requiredTeam(
  work: Work,
  person: PersonKey,
  consent: Consent,
  standing: InternalRow | undefined,
): Promise<RequiredTeam | undefined> {
  const reference = teamNamed(consent);
  if (reference === undefined) return undefined;
  const { deps, visit, reading } = work;
  const id = reference.replace(/^CareTeam\//, '');
  const turn = await readTurn(deps.records, reading, claimKey.team(id));
  const found = await findById<CareTeam>(deps.records, reading, 'CareTeam', id);
  if (found?.row.person !== person || !(await isRowSeen(deps, visit, reading, found.row)))
    throw new Fault('business-rule', 'The Consent names a CareTeam that is none of the patient that is known', {
      expression: 'Consent.provision.actor',
    });
  requireSmall(found.resource);
  const others = (await consentsNaming(work, person, id)).filter(({ row }) => row.id !== standing?.id);
  if (others.length >= MOST_NAMING)
    throw new Fault('too-costly', `${MOST_NAMING} Consents name one CareTeam at most`, {
      expression: 'Consent.provision.actor',
    });
  return { row: found.row, named: namedTeam(id, found.resource, deps.timeZone), take: nextTurn(turn) };
}

function requireSmall({ participant = [] }: CareTeam): void {
  if (participant.length <= MOST_ACTORS) return;
  throw new Fault('too-costly', `A CareTeam that a Consent names has at most ${MOST_ACTORS} participants`, {
    expression: 'CareTeam.participant',
  });
}

/** A team as it was, and as a write makes it. */
export type ChangedTeam = { readonly before: CareTeam | undefined; readonly after: CareTeam | undefined };

/** Whether who represents the patient may not hear of a team, before and after a write; undefined where none is. */
export type HiddenTeam = { readonly wasHidden: boolean | undefined; readonly isHidden: boolean | undefined };

/** Whether a write lets somebody in, by a Consent that stands, whom that did not let in. */
export async function letsFurther(work: Work, person: PersonKey, id: string, team: ChangedTeam): Promise<boolean> {
  const { naming, isNews } = await followed(work, person, id, team);
  return isNews && naming.length > 0;
}

/**
 * The parts by which the Consents that name a team (id) of a person follow a write of it. She hears of whom it lets in.
 * @throws {Fault} too-costly - a team that is named has more than MOST_ACTORS participants, or lets in too many with
 *   the others of the request
 */
export async function followedParts(
  work: Work,
  person: PersonKey,
  id: string,
  team: ChangedTeam & HiddenTeam,
): Promise<readonly PlanParts[]> {
  const { deps, now } = work;
  const { turn, naming, after, isNews, isLess } = await followed(work, person, id, team);
  const told = await masksFollowed(work, naming, team);
  const isOther = isNews || isLess;
  // A Consent that begins to name it meanwhile has read whether it is hidden, too.
  const isStill = !isOther && team.wasHidden === team.isHidden;
  if (isStill && naming.every(({ resource }, at) => sameContent(resource, told[at] ?? resource))) return [];
  if (naming.length > 0 && team.after !== undefined) requireSmall(team.after);
  const all = await Promise.all(FOLLOWED.get(work)?.values() ?? []);
  requireFewLetIn(all.reduce((sum, { gained }) => sum + gained, 0));
  return [
    nextTurn(turn),
    ...naming.flatMap(({ row, resource }, at) => [
      changed(deps.indexer, row, told[at] ?? resource, now, { ...aboutRow(row), team: after }, isOther),
      isNews ? { jobs: [tellingOf(`Consent/${row.id}`, now)] } : {},
    ]),
  ];
}

/** The Consents, each masked where the team is, or an item that it names: it tells of them. */
async function masksFollowed(
  { deps, reading }: Work,
  naming: readonly Found<Consent>[],
  team: HiddenTeam,
): Promise<readonly Consent[]> {
  const told: Consent[] = [];
  for (const { resource } of naming) {
    // What named a team that is gone stays hidden as that was.
    let isHidden = team.isHidden ?? isMaskedAsExam(resource);
    for (const item of isHidden ? [] : itemsNamed(resource)) {
      const [type = '', itemId = ''] = item.split('/');
      const row = await rowById(deps.records, reading, storedType(type), itemId);
      isHidden ||= row !== undefined && isMaskedFromRepresentatives(row);
    }
    told.push(maskedAsExam(resource, isHidden));
  }
  return told;
}

/** What follows a write of a team: in which turn, by which Consents, and whether they let in more, or less. */
type Followed = {
  readonly turn: Turn;
  readonly naming: readonly Found<Consent>[];
  readonly after: NamedTeam;
  readonly isNews: boolean;
  readonly isLess: boolean;
  /** Rights that begin. */
  readonly gained: number;
};

/** Of each work, by the id of a team, which one act of it writes. */
const FOLLOWED = new WeakMap<Work, Map<string, Promise<Followed>>>();

/** It is read once, so that what is decided on is what is written. */
async function followed(work: Work, person: PersonKey, id: string, team: ChangedTeam): Promise<Followed> {
  const known = FOLLOWED.get(work) ?? new Map<string, Promise<Followed>>();
  FOLLOWED.set(work, known);
  const found = known.get(id) ?? readFollowed(work, person, id, team);
  known.set(id, found);
  return await found;
}

async function readFollowed(work: Work, person: PersonKey, id: string, team: ChangedTeam): Promise<Followed> {
  const { deps, reading } = work;
  const turn = await readTurn(deps.records, reading, claimKey.team(id));
  const naming = await consentsNaming(work, person, id);
  const before = namedTeam(id, team.before ?? {}, deps.timeZone);
  const after = namedTeam(id, team.after ?? {}, deps.timeZone);
  const held = naming.length === 0 ? [] : await deps.records.rightsOf(reading({ person }), person);
  const { gained, isLess } = comparedWith(held, work, person, naming, after);
  return {
    turn,
    naming,
    after,
    gained,
    isNews: gained > 0 || takesInFurther(after, before),
    isLess: isLess || takesInFurther(before, after),
  };
}

/**
 * Compares whom Consents let in, by the rights that stand, with whom they would by a team: a team may have become what
 * it is without them, while it was another person's, or been erased.
 */
function comparedWith(
  held: readonly Right[],
  { deps: { timeZone: zone }, now }: Work,
  person: PersonKey,
  naming: readonly Found<Consent>[],
  team: NamedTeam,
): Pick<Followed, 'gained' | 'isLess'> {
  const given = naming.flatMap(({ row: { type, id }, resource }) =>
    rightsGivenBy({ type, id, person, origin: { ...NO_ORIGIN, zone, team }, masks: [], content: () => resource }),
  );
  const [had, has] = [new Set(held.map(whoseId)), new Set(given.map(whoseId))];
  const givers = new Set(naming.map(({ row }) => `Consent/${row.id}`));
  const ofNaming = held.filter(({ giver, scope }) => givers.has(giver) && itemIn(scope) !== giver);
  return {
    gained: given.filter((right) => now < right.to && !had.has(whoseId(right))).length,
    isLess: ofNaming.some((right) => !has.has(whoseId(right))),
  };
}

/** Consents of a person that name a team (id), and stand or wait. */
async function consentsNaming(
  { deps, reading }: Work,
  person: PersonKey,
  id: string,
): Promise<readonly Found<Consent>[]> {
  const byTeam: Criterion = { kind: 'reference', param: 'actor', values: [`CareTeam/${id}`] };
  return await findAll<Consent>(deps.records, reading({ person }), 'Consent', [GIVES_OR_WAITS, byTeam]);
}
