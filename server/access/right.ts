/** Rights: who holds what relation to a record or an item, how high it reaches and how long. */
import type { EmergencyRelation } from '../../profiles/consent/emergency.ts';
import type { DateRange } from '../../profiles/search/date-range.ts';
import type { RegionRole } from '../../profiles/region-role.ts';
import type { PersonKey } from './requester.ts';

/**
 * The relations, in the order in which they are named when several show a row; of one relation the right with the first
 * id is. Both stores and the oracle use it, so that an event says the same everywhere. `named` is the relation of the
 * own class: the writer named this principal.
 */
export const RELATIONS = [
  'self',
  'author',
  'representative',
  'representative-of-child',
  'own-service',
  'referent',
  'circle',
  'assistant',
  'declared',
  'imaging-service',
  'stay',
  'presence',
  'share',
  'break-glass',
  'break-glass-confidential',
  'break-glass-past-block',
  'support',
  'dpo',
  'named',
] as const;

/** One of {@link RELATIONS}. */
export type Relation = (typeof RELATIONS)[number];

/**
 * What a right is that shows nothing: its holder is barred from the person's record, whatever else would show it
 * ({@link decide} in decide.ts). It is derived, kept and moved as the others are.
 */
export const BLOCK = 'block';

/** Whether a right is named before another one that shows the same row. */
export function isNamedBefore(
  one: Pick<ShowingRight, 'id' | 'relation'>,
  other: Pick<ShowingRight, 'id' | 'relation'>,
): boolean {
  const distance = RELATIONS.indexOf(one.relation) - RELATIONS.indexOf(other.relation);
  return distance === 0 ? one.id < other.id : distance < 0;
}

/** Somebody a right is held by: a prefix that says what, and a reference or key. */
export type Principal = `${PrincipalKind}:${string}`;

type PrincipalKind =
  'p' | 'ro' | 'm' | 'bg' | 'bgc' | 'bgp' | 'su' | 'sh' | 'r' | 'o' | 'pat' | 'rp' | 'rpc' | 'of' | 'tr';

const EMERGENCY_HOLDER: Readonly<Record<EmergencyRelation, PrincipalKind>> = {
  'break-glass': 'bg',
  'break-glass-confidential': 'bgc',
  'break-glass-past-block': 'bgp',
};

/** The principals of each kind of holder. */
export const principal = {
  /** A professional, by `Practitioner/id`. */
  practitioner: (reference: string): Principal => `p:${reference}`,
  /** Whoever has a function, as long as it is held: `PractitionerRole/id`. */
  role: (reference: string): Principal => `ro:${reference}`,
  /** Whoever has a function in an organization (`Organization/id`) or a part of it: people, not its software. */
  members: (organization: string): Principal => `m:${organization}`,
  /** A professional's break-glass access, by the relation that it gives. */
  breakGlass: (reference: string, relation: EmergencyRelation = 'break-glass'): Principal =>
    `${EMERGENCY_HOLDER[relation]}:${reference}`,
  /** Somebody of the region's support (`Practitioner/id`), while the office is held. */
  support: (reference: string): Principal => `su:${reference}`,
  /** Whoever has the link of a share (`Consent/id`). */
  share: (consent: string): Principal => `sh:${consent}`,
  /** The radiologists of an imaging service, by `Organization/id`. */
  radiologists: (organization: string): Principal => `r:${organization}`,
  /** An establishment, by `Organization/id`. */
  establishment: (organization: string): Principal => `o:${organization}`,
  /** Whoever holds an office of the region, or one of an establishment (`Organization/id`). */
  office: (office: RegionRole, organization: string): Principal =>
    office.startsWith('establishment') ? `of:${office}|${organization}` : `of:${office}`,
  /** Whoever reads the events of an organization (`Organization/id`): those of its people, and of what it filed. */
  trailOf: (organization: string): Principal => `tr:${organization}`,
  /** The patient, by person key. */
  patient: (person: PersonKey): Principal => `pat:${person}`,
  /** Who represents her, as the one row (`RelatedPerson/id`) that says so. */
  representative: (related: string): Principal => `rp:${related}`,
  /** The same, while she is a child below the age at which the region file closes private items to that one. */
  representativeOfChild: (related: string): Principal => `rpc:${related}`,
} as const;

/** The person that a principal is; undefined when it is nobody's patient. */
export function personOf(holder: Principal): PersonKey | undefined {
  return holder.startsWith('pat:') ? (holder.slice('pat:'.length) as PersonKey) : undefined;
}

/** What a principal names behind its kind: `Practitioner/id`, `Organization/id` … */
export function referenceOf(holder: Principal): string {
  return holder.slice(holder.indexOf(':') + 1);
}

/** The establishment (`Organization/id`) that a principal is: none when it is somebody else. */
export function establishmentOf(holder: Principal): readonly string[] {
  return holder.startsWith('o:') ? [holder.slice(2)] : [];
}

/** The organization (`Organization/id`) whose events a principal reads: none when it reads none. */
export function overseenBy(holder: Principal): readonly string[] {
  return holder.startsWith('tr:') ? [referenceOf(holder)] : [];
}

/** The principals by which somebody can be barred: people, by themselves, by a function, by an organization. */
export function barrable(principals: readonly Principal[]): readonly Principal[] {
  return principals.filter((name) => /^(?:p|ro|m):/.test(name));
}

/** The end of a right that has none, epoch milliseconds. */
export const FOREVER = 8.64e15;

/**
 * The scope of a right: the person's whole record, one row (`Type/id`), one exam or report (`Type/id`) with what is
 * part of it, and who the patient is, or what is of a time, and who she is.
 */
export type RightScope =
  'record' | { readonly item: string } | { readonly exam: string } | { readonly dataPeriod: DateRange };

/** The one row that a scope is, or undefined. */
export function itemIn(scope: RightScope): string | undefined {
  return scope !== 'record' && 'item' in scope ? scope.item : undefined;
}

/** The one exam or report that a scope is, or undefined. */
export function examIn(scope: RightScope): string | undefined {
  return scope !== 'record' && 'exam' in scope ? scope.exam : undefined;
}

/** The time that a scope is, or undefined. */
export function dataPeriodIn(scope: RightScope): DateRange | undefined {
  return scope !== 'record' && 'dataPeriod' in scope ? scope.dataPeriod : undefined;
}

/**
 * A right. Times are epoch milliseconds, `from` inclusive, `to` exclusive. There is one for a principal, a relation, a
 * scope and a time, whichever rows give it ({@link rightId}).
 */
export type Right = {
  readonly id: string;
  readonly person: PersonKey;
  readonly principal: Principal;
  readonly relation: Relation | typeof BLOCK;
  readonly scope: RightScope;
  readonly from: number;
  readonly to: number;
  /** The row that gives it (`Type/id`); of several the one that began first. */
  readonly giver: string;
};

/** A right that shows something. */
export type ShowingRight = Right & { readonly relation: Relation };

/** Whether a right shows something: it is no block. */
export function isShowing(right: Right): right is ShowingRight {
  return right.relation !== BLOCK;
}

/** Relations whose rights to an item the item itself gives: to who filed it, or is named by it. */
const OF_ITSELF: readonly Right['relation'][] = ['author', 'own-service', 'dpo', 'named'];

/** Whether a right to an item is given by that item. */
export function isOfItself({ relation }: Pick<Right, 'relation'>): boolean {
  return OF_ITSELF.includes(relation);
}

/**
 * The id of a right, made of what it says. Of a right to an item that another row gives the person is part: the two may
 * part.
 */
export function rightId({ person, principal: holder, relation, scope, from, to }: Omit<Right, 'id' | 'giver'>): string {
  const name = `${relation}|${holder}|${whereOf(scope, person, isOfItself({ relation }))}`;
  return from === 0 && to === FOREVER ? name : `${name}|${from}|${to}`;
}

/** Whose a right is, and to what, whenever: bare days may have been of another zone. */
export function whoseId(right: Omit<Right, 'id' | 'giver'>): string {
  return rightId({ ...right, from: 0, to: FOREVER });
}

/**
 * How the ids of the rights begin that an establishment (`Organization/id`) has to what it filed; each ends with the
 * item (`Type/id`), and outlives its deletion.
 */
export function authorRightsOf(organization: string): string {
  return `author|${principal.establishment(organization)}|`;
}

/** The ids of the rights by which some organizations (`Organization/id`) have filed what they did of some items. */
export function authorRights(organizations: readonly string[], items: readonly string[]): readonly string[] {
  return organizations.flatMap((organization) => items.map((item) => authorRightsOf(organization) + item));
}

/** The item (`Type/id`) of the id of a right of {@link authorRights}. */
export function itemOfAuthorRight(id: string): string {
  return id.slice(id.lastIndexOf('|') + 1);
}

function whereOf(scope: RightScope, person: PersonKey, isOfIt: boolean): string {
  if (scope === 'record') return `record|${person}`;
  if ('exam' in scope) return `exam|${scope.exam}|${person}`;
  if ('dataPeriod' in scope) return `data ${scope.dataPeriod.lo} ${scope.dataPeriod.hi}|${person}`;
  return isOfIt ? scope.item : `${scope.item}|${person}`;
}

/** The Consent that an event cites for a right: the one that gives it; undefined when no Consent does. */
export function consentOf({ relation, giver }: Pick<Right, 'relation' | 'giver'>): string | undefined {
  return !isOfItself({ relation }) && giver.startsWith('Consent/') ? giver : undefined;
}
