/**
 * Who may open a record at this moment, and by what right: those behind the rights to it, not those who looked
 * (access.md ). Temporary accesses stay listed for a year; administrators are listed, who see nothing.
 */
import type { Consent, PractitionerRole } from '@medplum/fhirtypes';
import { permitOf, type Permit } from '../../../../profiles/consent/declaration.ts';
import { EMERGENCIES, isEmergency } from '../../../../profiles/consent/emergency.ts';
import { SUPPORT } from '../../../../profiles/consent/giving/support-category.ts';
import { regionRolesOf } from '../../../../profiles/region-role.ts';
import { BARRED, stateAllows } from '../../../access/decide.ts';
import { systemReading } from '../../../access/grant.ts';
import { requireSpeaker } from '../../../access/may-attempt.ts';
import type { SpeakingRequester } from '../../../access/requester.ts';
import {
  dataPeriodIn,
  establishmentOf,
  examIn,
  FOREVER,
  isShowing,
  itemIn,
  principal,
  referenceOf,
} from '../../../access/right.ts';
import type { Principal, Relation, Right, ShowingRight } from '../../../access/right.ts';
import { emergencyBeyond, RULES } from '../../../access/rules/table.ts';
import { displayNameOf } from '../../directory/directory-changes.ts';
import type { Holder, Holders } from '../../directory/holders.ts';
import { refusalsRecorded } from '../../guard.ts';
import type { GuardDeps, Reading, Visit } from '../../guard.ts';
import type { Access } from './access.ts';
import { accessesAsked, type AccessesAsked } from './accesses-asked.ts';
import { beginList } from './begin-list.ts';
import { firstSeen, ownRowAt, ownRows } from './own-rows.ts';
import { representativesListed } from './representatives-listed.ts';

/** What the flow needs; `holders` is of the region at present. */
export type WhoCanAccessDeps = GuardDeps & { readonly holders: () => Holders; readonly timeZone: string };

/** How long a temporary access that is over stays listed. */
const LISTED_MS = 366 * 86_400_000;

/**
 * Makes the list of the patient who asks, or of whom who asks represents, by family name, and answers the part that is
 * asked for. A representative is told of nobody whose right an item gives that she does not see.
 * @throws {Fault} forbidden - another than the patient or who represents her asks
 * @throws {Fault} not-found - it is not she who asks, and her record is not shown
 */
export function whoCanAccess(deps: WhoCanAccessDeps) {
  return async (visit: Visit, asked: AccessesAsked): Promise<ReturnType<typeof accessesAsked>> =>
    await refusalsRecorded(deps, visit, 'search', async () => {
      const requester = requireSpeaker(visit.requester, 'who-can-access');
      const recorded = await beginList(deps, visit, requester, 'Patient/$who-can-access');
      return accessesAsked(await accessesOfRecord(deps, requester, { visit, kind: 'search', recorded }), asked);
    });
}

/** All whom who asks is told of, by family name, for an answer that is recorded already. */
export async function accessesOfRecord(
  deps: WhoCanAccessDeps,
  { person, kind }: SpeakingRequester,
  reading: Reading,
): Promise<readonly Access[]> {
  const now = deps.clock.now();
  const ofHer = systemReading('who-can-access', now);
  const [state, all] = await Promise.all([
    deps.records.stateOf(ofHer({ person }), person),
    deps.records.rightsOf(ofHer({ person }), person),
  ]);
  const inTime = all.filter(({ from, to }) => from <= now && now < to);
  const live = inTime.filter(isShowing).filter(({ relation }) => isListed(relation) && stateAllows(relation, state));
  const consents = await ownRows<Consent>(deps, reading, 'Consent');
  const holders = deps.holders();
  const held: Held[] = [];
  for (const right of [...rightsEach(furthest(live, holders, now)), ...(await rightsToItems(deps, reading, live))])
    if (kind === 'patient' || (await firstSeen(deps, reading, [right.giver])) !== undefined)
      held.push({ ...right, since: await sinceOf(deps, reading, right, consents) });
  const bars = new Set(inTime.flatMap((right) => (isShowing(right) ? [] : [right.principal])));
  const isBarred = (reference: string, relation: Relation) =>
    holders.isBarred(reference, BARRED.includes(relation) ? bars : NO_BARS, now);
  const known = kind === 'patient' ? all : held;
  const sources = new Set(known.flatMap(({ principal }) => establishmentOf(principal)));
  return [
    ...held.flatMap((right) => unbarred(right, accessesOf(right, holders, now), isBarred)),
    ...(await representativesListed(deps, reading, live, now)),
    ...formerlyOpen(consents, now).flatMap((right) => accessesOf(right, holders, now)),
    ...administrators(holders, sources, now),
  ].toSorted(byName);
}

/** She knows of herself, of what names somebody in it, and of her shares, which are Consents of their own. */
function isListed(relation: Relation): boolean {
  return relation !== 'self' && relation !== 'named' && relation !== 'share';
}

/** What is listed of a right. */
type Held = Pick<ShowingRight, 'principal' | 'relation' | 'to'> & {
  readonly reach: Access['reach'];
  readonly giver: string;
  readonly from: number;
  readonly since?: number | undefined;
};

/**
 * Rights to the record, and to an exam or a time that a Consent names, each by itself; to single items one for each
 * holder.
 */
function rightsEach(rights: readonly ShowingRight[]): readonly Held[] {
  return rights.flatMap(({ principal, relation, scope, from, to, giver }): readonly Held[] => {
    const held = { principal, relation, from, to, giver };
    if (examIn(scope) !== undefined) return [{ ...held, reach: 'exam' }];
    if (dataPeriodIn(scope) !== undefined) return [{ ...held, reach: 'period' }];
    // Whom a state gives an item sees, beside it, who the patient is.
    return scope === 'record' && RULES[relation].state === undefined ? [{ ...held, reach: 'record' }] : [];
  });
}

/**
 * One for each who holds rights to single items, by the first of them that she sees herself: that there are others is
 * not for her to read here. Her Patients, which she sees, are looked at first.
 */
async function rightsToItems(
  deps: GuardDeps,
  reading: Reading,
  rights: readonly ShowingRight[],
): Promise<readonly Held[]> {
  const held: Held[] = [];
  // A representative's own row is no item of the record.
  const ofItems = rights.filter(({ scope, relation }) => itemIn(scope) !== undefined && relation !== 'representative');
  for (const some of Map.groupBy(ofItems, ({ principal, relation }) => `${principal} ${relation}`).values()) {
    const items = some.map(itemOf).toSorted((one, other) => Number(isPatient(other)) - Number(isPatient(one)));
    const giver = await firstSeen(deps, reading, items);
    const [first] = some;
    if (giver === undefined || first === undefined) continue;
    const { principal, relation, to } = first;
    held.push({ principal, relation, from: 0, to, giver, reach: 'items' });
  }
  return held;
}

function itemOf({ scope }: Right): string {
  return itemIn(scope) ?? '';
}

function isPatient(item: string): boolean {
  return item.startsWith('Patient/');
}

/**
 * Since when: since its Consent was given, or since the row that gives it, where she sees that; a right with a
 * beginning since that.
 */
async function sinceOf(
  deps: GuardDeps,
  reading: Reading,
  { from, giver }: Held,
  consents: readonly Consent[],
): Promise<number | undefined> {
  if (from > 0) return from;
  const consent = consents.find(({ id }) => `Consent/${id}` === giver);
  if (consent?.dateTime !== undefined) return Date.parse(consent.dateTime);
  return (await ownRowAt(deps, reading, giver))?.sort;
}

/** What is temporary: an emergency, a presence at a professional's, or a ticket of support. */
function isTemporary(relation: Relation): boolean {
  return isEmergency(relation) || relation === 'presence' || relation === SUPPORT;
}

/** Temporary accesses that are over, from the Consents that tell of them. */
function formerlyOpen(consents: readonly Consent[], now: number): readonly Held[] {
  return consents.flatMap((consent) => {
    const permit = consent.status === 'entered-in-error' ? undefined : permitOf({ ...consent, status: 'active' });
    if (permit === undefined || !isTemporary(permit.kind) || now - permit.from > LISTED_MS) return [];
    if (consent.status === 'active' && now < permit.to) return [];
    const relation = relationOf(permit);
    return permit.actors.map(({ reference }) => ({
      principal: formerHolder(relation, reference),
      relation,
      reach: 'nothing' as const,
      giver: `Consent/${consent.id}`,
      from: permit.from,
      since: permit.from,
      to: Math.min(permit.to, now),
    }));
  });
}

function formerHolder(relation: Relation, reference: string): Principal {
  if (isEmergency(relation)) return principal.breakGlass(reference);
  return relation === SUPPORT ? principal.support(reference) : principal.practitioner(reference);
}

/** The relation that a permit gives: of an emergency the one that reaches furthest. */
function relationOf({ kind, beyond }: Permit): Relation {
  return (kind === 'break-glass' ? emergencyBeyond(beyond) : undefined) ?? kind;
}

/** Of the rights that one emergency gives, the one that reaches furthest of those that the region lets count. */
function furthest(rights: readonly ShowingRight[], holders: Holders, now: number): readonly ShowingRight[] {
  const counting = rights.filter(
    ({ principal, relation }) => !isEmergency(relation) || holders.of(principal, now).length > 0,
  );
  return counting.filter(
    (right) => !isEmergency(right.relation) || !counting.some((other) => reachesFurther(other, right)),
  );
}

function reachesFurther(one: ShowingRight, other: ShowingRight): boolean {
  if (!isEmergency(one.relation) || !isEmergency(other.relation) || one.giver !== other.giver) return false;
  return EMERGENCIES.indexOf(one.relation) > EMERGENCIES.indexOf(other.relation);
}

/** Who is behind a right: an establishment, or those who hold its principal, whom nobody need name any more. */
function accessesOf(held: Held, holders: Holders, now: number): readonly Access[] {
  const { principal, relation, reach, giver, since, to } = held;
  const facts = {
    relation,
    reach,
    since,
    until: to === FOREVER ? undefined : to,
    consent: giver.startsWith('Consent/') ? giver : undefined,
    isTemporary: isTemporary(relation),
  };
  const [establishment] = establishmentOf(principal);
  if (establishment !== undefined) return listed(holders, holders.organization(establishment), [], facts);
  const found = holders.of(principal, now);
  if (found.length > 0 || reach !== 'nothing')
    return found.flatMap(({ practitioner, roles }) => listed(holders, practitioner, roles, facts));
  // Who opened it in an emergency may have left since.
  return listed(holders, holders.practitioner(referenceOf(principal)), [], facts);
}

const NO_BARS: ReadonlySet<Principal> = new Set();

/**
 * Who is barred opens nothing, unless by what no block reaches; an emergency that was declared stays listed. One that
 * passes blocks opens nothing to who acts outside of care.
 */
function unbarred(
  { relation }: Held,
  accesses: readonly Access[],
  isBarred: (practitioner: string, relation: Relation) => boolean,
): readonly Access[] {
  if (!BARRED.includes(relation) && !isEmergency(relation)) return accesses;
  return accesses.flatMap((access) => {
    const { resourceType, id } = access.who;
    if (resourceType !== 'Practitioner' || !isBarred(`Practitioner/${id}`, relation)) return [access];
    return isEmergency(relation) ? [{ ...access, reach: 'nothing' as const }] : [];
  });
}

type Facts = Omit<Access, 'who' | 'display' | 'roles' | 'institutions'>;

function listed(
  holders: Holders,
  who: Access['who'] | undefined,
  roles: Access['roles'],
  facts: Facts,
): readonly Access[] {
  if (who === undefined) return [];
  const places = new Set(roles.flatMap(({ organization }) => organization?.reference ?? []));
  const institutions = [...places].map((reference) => {
    const institution = holders.organization(reference);
    const display = institution && displayNameOf(institution);
    return { reference, ...(display === undefined ? {} : { display }) };
  });
  return [{ ...facts, who, display: displayNameOf(who) ?? '', roles, institutions }];
}

/** Those who hold an office of the region, or of an establishment that filed something of hers. */
function administrators(holders: Holders, sources: ReadonlySet<string>, now: number): readonly Access[] {
  const facts = { relation: 'administrator', reach: 'nothing', isTemporary: false } as const;
  const unknown = { since: undefined, until: undefined, consent: undefined };
  return holders.inOffice(now).flatMap(({ practitioner, roles }: Holder) => {
    const offices = roles.filter((role) => isOfficeFor(role, sources));
    return offices.length === 0 ? [] : listed(holders, practitioner, offices, { ...facts, ...unknown });
  });
}

function isOfficeFor({ code, organization }: PractitionerRole, sources: ReadonlySet<string>): boolean {
  const isOfHers = sources.has(organization?.reference ?? '');
  return regionRolesOf(code).some((office) => isOfHers || !office.startsWith('establishment'));
}

function byName(one: Access, other: Access): number {
  return sortName(one).localeCompare(sortName(other), 'fr') || one.relation.localeCompare(other.relation);
}

function sortName({ who: { name }, display }: Access): string {
  return (typeof name === 'string' ? undefined : name?.[0]?.family) ?? display;
}
