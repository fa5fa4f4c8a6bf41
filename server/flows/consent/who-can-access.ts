/**
 * Who may open a record at this moment, and by what right: those behind the rights to it, not those who looked
 * (access.md ). Emergencies stay listed for a year; administrators are listed, who see nothing.
 */
import type { Consent, Organization, Practitioner, PractitionerRole } from '@medplum/fhirtypes';
import { permitOf } from '../../../profiles/consent/declaration.ts';
import { regionRolesOf } from '../../../profiles/region-role.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { stateAllows } from '../../access/decide.ts';
import { systemReading } from '../../access/grant.ts';
import type { PatientRequester } from '../../access/requester.ts';
import { establishmentOf, FOREVER, type Principal, type Relation, type Right } from '../../access/right.ts';
import { displayNameOf } from '../directory/directory-changes.ts';
import { foundNothing, guarded, NOTHING, refusalsRecorded } from '../guard.ts';
import type { GuardDeps, Reading, Visit } from '../guard.ts';
import { isHeld, isRadiologist, mayAct } from '../identity/held-roles.ts';
import { rowById } from '../internal-reads.ts';
import { directoryFor, find, named, type Directory } from './access-directory.ts';

/** Somebody who may open a record, or what she holds. Times are epoch milliseconds. */
export type Access = {
  /** A professional with the roles that count; an establishment’s software, by the establishment. */
  readonly who: Practitioner | Organization;
  /** What people call her, or it. */
  readonly display: string;
  readonly roles: readonly PractitionerRole[];
  /** `administrator` sees no content. */
  readonly relation: Relation | 'administrator';
  /** The record, some items of it, or nothing. */
  readonly reach: 'record' | 'items' | 'nothing';
  readonly since: number | undefined;
  readonly until: number | undefined;
  /** `Consent/id` that gives it. */
  readonly consent: string | undefined;
  /** An emergency, one that is over included. */
  readonly isTemporary: boolean;
};

/** The list, with the names of the organizations that its roles are at, by `Organization/id`. */
export type AccessList = { readonly entries: readonly Access[]; readonly organizations: ReadonlyMap<string, string> };

/** How long an emergency that is over stays listed. */
const LISTED_MS = 366 * 86_400_000;

/**
 * Makes the list of the patient who asks.
 * @throws {Fault} not-found - her record is not shown to her
 */
export function whoCanAccess(deps: GuardDeps) {
  return async (visit: Visit, requester: PatientRequester): Promise<AccessList> =>
    await refusalsRecorded(deps, visit, 'search', async () => {
      const [, id = ''] = requester.patient.split('/');
      const question = { kind: 'resource', type: 'Patient', id } as const;
      const entities = [{ role: '24', query: 'Patient/$who-can-access' }] as const;
      const recorded = await guarded(deps, visit, 'search', question, (row) =>
        row === undefined ? NOTHING : { rows: [row], entities },
      );
      if (recorded.answer === undefined) throw foundNothing('No such patient');
      return await listOf(deps, requester, { visit, kind: 'search', recorded });
    });
}

async function listOf(deps: GuardDeps, { person }: PatientRequester, reading: Reading): Promise<AccessList> {
  const now = deps.clock.now();
  const ofHer = systemReading('who-can-access', now);
  const [state, all] = await Promise.all([
    deps.records.stateOf(ofHer({ person }), person),
    deps.records.rightsOf(ofHer({ person }), person),
  ]);
  const live = all.filter(({ relation, from, to }) => from <= now && now < to && stateAllows(relation, state));
  const held = await Promise.all(
    onceEach(await withoutHidden(deps, reading, live)).map(async (right) => ({
      ...right,
      since: await sinceOf(deps, right, now),
    })),
  );
  const consents = await find<Consent>(deps, reading, 'Consent', []);
  const directory = await directoryFor(
    deps,
    reading,
    [...held, ...formerEmergencies(consents, now)].map(({ principal }) => principal),
  );
  const sources = new Set(all.flatMap(({ principal }) => establishmentOf(principal)));
  const entries = [
    ...held.flatMap((right) => accessesOf(right, directory, now)),
    ...formerEmergencies(consents, now).flatMap((right) => accessesOf(right, directory, now)),
    ...administrators(directory, sources, now),
  ];
  const names = [...directory.organizations].map(([reference, { name = '' }]) => [reference, name] as const);
  return { entries: entries.toSorted(byName), organizations: new Map(names) };
}

/** Without rights to what she does not see herself: that there is such a report is not for her to read here. */
async function withoutHidden(deps: GuardDeps, reading: Reading, rights: readonly Right[]): Promise<readonly Right[]> {
  const signed = rights.filter(({ principal }) => principal.startsWith('p:')).flatMap(itemsOf);
  const seen = new Set<string>();
  for (const [type, items] of Map.groupBy(signed, (item) => item.split('/')[0] ?? ''))
    for (const item of (await named(deps, reading, type as StoredType, items)).keys()) seen.add(item);
  const hidden = new Set(signed.filter((item) => !seen.has(item)));
  return rights.filter((right) => !right.principal.startsWith('p:') || itemsOf(right).every((one) => !hidden.has(one)));
}

function itemsOf({ scope }: Right): readonly string[] {
  return scope === 'record' ? [] : [scope.item];
}

/** What is listed of a right; of many to single items of one holder, once. */
type Held = Pick<Right, 'principal' | 'relation' | 'to'> & {
  readonly reach: Access['reach'];
  readonly giver: string;
  readonly from: number;
  readonly since?: number | undefined;
};

function onceEach(rights: readonly Right[]): readonly Held[] {
  const listed = rights.filter(({ relation }) => relation !== 'self' && relation !== 'named');
  const once = new Map<string, Held>();
  for (const { principal, relation, scope, from, to, giver } of listed) {
    const key = scope === 'record' ? `${principal} ${relation} ${from} ${to}` : `${principal} ${relation} items`;
    const reach = scope === 'record' ? 'record' : 'items';
    if (!once.has(key)) once.set(key, { principal, relation, from, to, giver, reach });
  }
  return [...once.values()];
}

/** A right without a beginning began with the row that gives it. */
async function sinceOf({ records }: GuardDeps, { from, giver }: Held, now: number): Promise<number | undefined> {
  if (from > 0) return from;
  const [type = '', id = ''] = giver.split('/');
  const row = await rowById(records, systemReading('who-can-access', now), type as StoredType, id);
  return row?.sort;
}

/** Emergencies that are over, from the Consents that tell of them. */
function formerEmergencies(consents: readonly Consent[], now: number): readonly Held[] {
  return consents.flatMap((consent) => {
    const permit = consent.status === 'entered-in-error' ? undefined : permitOf({ ...consent, status: 'active' });
    if (permit?.isEmergency !== true || now - permit.from > LISTED_MS) return [];
    if (consent.status === 'active' && now < permit.to) return [];
    return permit.actors.map(({ reference }) => ({
      principal: `bg:${reference}` as const,
      relation: 'break-glass' as const,
      reach: 'nothing' as const,
      giver: `Consent/${consent.id}`,
      from: permit.from,
      since: permit.from,
      to: Math.min(permit.to, now),
    }));
  });
}

/** Who is behind a right: the holder alone, or the radiologists of a service. */
function accessesOf(held: Held, directory: Directory, now: number): readonly Access[] {
  const { principal, relation, reach, giver, since, to } = held;
  const [kind] = principal.split(':');
  const reference = principal.slice(principal.indexOf(':') + 1);
  const facts = {
    relation,
    reach,
    since,
    until: to === FOREVER ? undefined : to,
    consent: giver.startsWith('Consent/') ? giver : undefined,
    isTemporary: relation === 'break-glass',
  };
  if (kind === 'o') {
    const who = directory.organizations.get(reference);
    return who === undefined ? [] : [{ ...facts, ...called(who), roles: [] }];
  }
  const roles = directory.roles.filter((role) => isHeld(role, now));
  if (kind === 'p' || kind === 'bg') {
    const who = directory.practitioners.get(reference);
    const own = roles.filter(({ practitioner }) => practitioner?.reference === reference);
    const isActing = who !== undefined && (reach === 'nothing' || mayAct(who, rolesOf(directory, reference), now));
    return isActing ? [{ ...facts, ...called(who), roles: own }] : [];
  }
  return roles
    .filter((role) => isBehind(principal, role, directory))
    .flatMap((role) => {
      const who = directory.practitioners.get(role.practitioner?.reference ?? '');
      return who === undefined || who.active === false ? [] : [{ ...facts, ...called(who), roles: [role] }];
    });
}

/** Whether who has a role holds a right with others: as radiologist of a service, as member, by function. */
function isBehind(principal: Principal, role: PractitionerRole, { parts }: Directory): boolean {
  const [kind] = principal.split(':');
  const reference = principal.slice(principal.indexOf(':') + 1);
  const organization = role.organization?.reference ?? '';
  if (kind === 'r') return organization === reference && isRadiologist(role);
  if (kind === 'm') return parts.get(organization)?.includes(reference) === true;
  return kind === 'ro' && reference === `PractitionerRole/${role.id}`;
}

function called<W extends Access['who']>(who: W): { readonly who: W; readonly display: string } {
  return { who, display: displayNameOf(who) ?? '' };
}

function rolesOf({ roles }: Directory, reference: string): readonly PractitionerRole[] {
  return roles.filter(({ practitioner }) => practitioner?.reference === reference);
}

/** Those who hold an office of the region, or of an establishment that filed something of hers. */
function administrators(directory: Directory, sources: ReadonlySet<string>, now: number): readonly Access[] {
  return directory.roles
    .filter((role) => isHeld(role, now) && isOfficeFor(role, sources))
    .flatMap((role) => {
      const who = directory.practitioners.get(role.practitioner?.reference ?? '');
      const listed = { relation: 'administrator', reach: 'nothing', isTemporary: false } as const;
      const unknown = { since: undefined, until: undefined, consent: undefined };
      return who === undefined || who.active === false
        ? []
        : [{ ...listed, ...unknown, ...called(who), roles: [role] }];
    });
}

function isOfficeFor({ code, organization }: PractitionerRole, sources: ReadonlySet<string>): boolean {
  const offices = regionRolesOf(code);
  const isOfHers = sources.has(organization?.reference ?? '');
  return offices.some((office) => isOfHers || !office.startsWith('establishment'));
}

function byName(one: Access, other: Access): number {
  return sortName(one).localeCompare(sortName(other), 'fr') || one.relation.localeCompare(other.relation);
}

function sortName({ who, display }: Access): string {
  return (who.resourceType === 'Practitioner' ? who.name?.[0]?.family : undefined) ?? display;
}
