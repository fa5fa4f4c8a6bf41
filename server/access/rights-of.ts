/**
 * Which rights a row gives. Nobody names a right: stores ask this of every row that they write or remove, so a right
 * begins with the first row that gives it and ends with the last one.
 */
import { isOfDirectory, type Actor, type DirectoryActor, type DirectoryKind } from '../../profiles/consent/actors.ts';
import { blockOf } from '../../profiles/consent/block.ts';
import type { PermitScope } from '../../profiles/consent/exam-scope.ts';
import { permitOf, type Permit } from '../../profiles/consent/declaration.ts';
import type { Mask } from '../../profiles/confidentiality.ts';
import { circleOf, membersOf } from '../../profiles/consent/record-circle.ts';
import { namedTime, representationsOf } from '../../profiles/consent/representation.ts';
import { membersWithin, type NamedTeam } from '../../profiles/consent/giving/named-team.ts';
import { shareOf } from '../../profiles/consent/giving/share.ts';
import { stayTime } from '../../profiles/consent/stay.ts';
import type { RegionRole } from '../../profiles/region-role.ts';
import type { TimeSpan } from '../../profiles/consent/time-span.ts';
import { fhirType, type StoredType } from '../../profiles/types/visibility.ts';
import type { PersonKey } from './requester.ts';
import { BLOCK, FOREVER, itemIn, principal, rightId } from './right.ts';
import type { Principal, Relation, Right, RightScope } from './right.ts';
import { emergenciesBeyond } from './rules/table.ts';

/** Whom a row comes from: what of its rights its content does not say. */
export type Origin = {
  /** Who filed it: `Organization/id`, `Practitioner/id`, or `Patient/id` for the patient, or who represents her. */
  readonly sources: readonly string[];
  /** Imaging services (`Organization/id`) of the sources of an exam or report, which read the whole record. */
  readonly services: readonly string[];
  /** Of any other item: imaging services of its source, which see it while it is not shared. */
  readonly ownServices?: readonly string[];
  /** Of a row of the own class: offices that it is for, each of an organization (`Organization/id`). */
  readonly offices?: readonly { readonly office: RegionRole; readonly organization: string }[];
  /**
   * Of a Consent, a circle, a stay, a representative: the time zone (IANA) of the server that took it, where bare days
   * of its period begin and end; UTC when absent. It stays with the row: the rights that it gave are found by the same
   * days, whatever the server says.
   */
  readonly zone?: string;
  /** Of a stay: whose people see the record (`Organization/id`), and for how many days after it. */
  readonly stay?: { readonly organization: string; readonly graceDays: number };
  /** Of a RelatedPerson: who filed it may say who represents the patient. */
  readonly represents?: true;
  /** Of a Consent that names a team: who is in it. Each change of the team says it anew. */
  readonly team?: NamedTeam;
};

/** The origin of a row that nobody filed. */
export const NO_ORIGIN: Origin = { sources: [], services: [] };

/** What a put says of it: all, or of that of the row that stands its own services, or its team, alone. */
export type SaidOrigin = { readonly origin?: Origin } & Pick<Origin, 'ownServices' | 'team'>;

/** The origin of a row once it is put. */
export function originAfter(
  { origin, ownServices, team }: SaidOrigin,
  standing: Origin | undefined,
): Origin | undefined {
  const said = origin ?? standing;
  if (said === undefined) return said;
  return { ...said, ...(ownServices === undefined ? {} : { ownServices }), ...(team === undefined ? {} : { team }) };
}

/** What of a row its rights depend on. */
export type GivingRow = {
  readonly type: StoredType;
  readonly id: string;
  /** Rows of nobody give nothing. */
  readonly person: PersonKey | undefined;
  readonly origin: Origin;
  /** Those of its label. */
  readonly masks: readonly Mask[];
  /** The resource; asked of the types alone whose content gives rights. */
  readonly content: () => object;
};

/**
 * The rights that a row gives, each once:
 * - a Patient: the person's own, to the record;
 * - an exam, a report, any other item, a Patient: its sources' to it, and of an item its services' to the record;
 * - an item whose processing is restricted: those of data protection officers to it;
 * - an item that is not shared opens no record: its services see it alone, where one establishment is its author;
 * - a row of the own class: those of whom it names, to it alone: its sources, its offices and, by the file of its type,
 *   the patient;
 * - a Consent that stands: those of whom it permits, who are in the team that it permits, or who redeemed its code, to
 *   the record or to the items that it names, or to what is of its time, for its period, or the bars of whom it is
 *   against;
 * - a Consent by which the patient shares an item: that of whoever has its link, to the item, for its period;
 * - a CareTeam by which the patient takes people close to her record: theirs to it;
 * - a stay: those of the people of its establishment to the record, for a while;
 * - a RelatedPerson who represents the patient: her own to the record and to this row, for its period, and a parent's
 *   or guardian's to the record once more, as of a child. Until when she represents her, and as which, depends on a
 *   birth date, and is asked of her (`server/flows/care/representatives.ts`).
 */
export function rightsGivenBy(row: GivingRow): readonly Right[] {
  const { type, person } = row;
  if (person === undefined) return [];
  const { class: visibility, hooks } = fhirType(type);
  if (visibility === 'directory' || visibility === 'part') return [];
  const rights = [...ofOrigin(row, person)];
  if (hooks?.write === 'identity') rights.push(lasting(row, person, principal.patient(person), 'self', 'record'));
  if (hooks?.write === 'rights')
    rights.push(...ofConsent(row, person), ...ofBlock(row, person), ...ofShare(row, person));
  if (hooks?.write === 'circle') rights.push(...ofCircle(row, person));
  if (hooks?.write === 'stay' && !isUnshared(row)) rights.push(...ofStay(row, person));
  if (hooks?.write === 'representative') rights.push(...ofRepresentative(row, person));
  return [...new Map(rights.map((right) => [right.id, right])).values()];
}

/**
 * The rights of a row that outlive its deletion: those to itself. Who filed it, or is named in it, may know of the
 * deletion, and whoever filed it may put it again.
 */
export function rightsLeftBy(rights: readonly Right[]): readonly Right[] {
  return rights.filter(({ scope, giver }) => itemIn(scope) === giver);
}

/** A right to a row that was deleted, as it is after the row became another person's. */
export function movedRight(right: Right, from: PersonKey, to: PersonKey): Right {
  const holder = right.principal === principal.patient(from) ? principal.patient(to) : right.principal;
  const moved = { ...right, person: to, principal: holder };
  return { ...moved, id: rightId(moved) };
}

function ofOrigin(row: GivingRow, person: PersonKey): readonly Right[] {
  const { type, id, origin } = row;
  const { class: visibility, names } = fhirType(type);
  const item = { item: `${type}/${id}` };
  const sources = origin.sources.map((source) => principalOf(source, person));
  if (visibility === 'own') {
    const named = names === 'patient' ? [principal.patient(person), ...sources] : sources;
    const offices = (origin.offices ?? []).map(({ office, organization }) => principal.office(office, organization));
    return [...named, ...offices].map((holder) => lasting(row, person, holder, 'named', item));
  }
  const authors = sources.map((holder) => lasting(row, person, holder, 'author', item));
  if (visibility !== 'item') return authors;
  if (row.masks.includes('restricted')) authors.push(...ofOfficers(row, person));
  if (isUnshared(row)) return [...authors, ...ofOwnServices(row, person)];
  const readers = origin.services.map(principal.radiologists);
  return [...authors, ...readers.map((holder) => lasting(row, person, holder, 'imaging-service', 'record'))];
}

function isUnshared({ masks }: GivingRow): boolean {
  return masks.includes('unshared');
}

/** Of the record they see whose it is. What others added to an exam is not theirs. */
function ofOwnServices(row: GivingRow, person: PersonKey): readonly Right[] {
  const { origin } = row;
  if (establishmentsIn(row).length !== 1) return [];
  const holders = [...origin.services, ...(origin.ownServices ?? [])].map(principal.radiologists);
  return holders.flatMap((holder) => ofState(row, person, holder, 'own-service'));
}

/** Who answers for its data: the officers of its establishments, and of the region. */
function ofOfficers(row: GivingRow, person: PersonKey): readonly Right[] {
  const sources = establishmentsIn(row);
  if (sources.length === 0) return [];
  const holders = [
    principal.office('region-dpo', ''),
    ...sources.map((source) => principal.office('establishment-dpo', source)),
  ];
  return holders.flatMap((holder) => ofState(row, person, holder, 'dpo'));
}

/** The rights to an item in a state: to itself, and to who the patient is. */
function ofState(row: GivingRow, person: PersonKey, holder: Principal, relation: Relation): readonly Right[] {
  const scopes = [{ item: giverOf(row) }, 'record'] as const;
  return scopes.map((scope) => lasting(row, person, holder, relation, scope));
}

function establishmentsIn({ origin }: GivingRow): readonly string[] {
  return origin.sources.filter((source) => source.startsWith('Organization/'));
}

/** As whom a source (a reference) that filed a row of a person holds its rights to it. */
export function principalOf(source: string, person: PersonKey): Principal {
  if (source.startsWith('Patient/')) return principal.patient(person);
  return source.startsWith('Organization/') ? principal.establishment(source) : principal.practitioner(source);
}

function ofConsent(row: GivingRow, person: PersonKey): readonly Right[] {
  const permit = permitOf(row.content(), row.origin.zone);
  if (permit === undefined) return [];
  const named = permit.actors.flatMap((actor) => meantBy(actor, permit, row.origin));
  return named.flatMap(({ actor, from, to }) =>
    heldBy(permit, actor).flatMap((held) =>
      scopesOf(permit).map((scope) => {
        const given = { person, ...held, scope, from, to };
        return { ...given, id: rightId(given), giver: giverOf(row) };
      }),
    ),
  );
}

/** Who is meant by an actor of a Consent, and when: of a team those who are in it, as its row says. */
function meantBy(
  actor: Actor,
  { from, to }: TimeSpan,
  { team }: Origin,
): readonly (TimeSpan & { readonly actor: DirectoryActor })[] {
  if (isOfDirectory(actor)) return [{ actor, from, to }];
  return team?.team === actor.reference ? membersWithin(team, { from, to }) : [];
}

/** An emergency gives what every one does, and what its Consent says beyond. */
function heldBy({ kind, beyond }: Permit, actor: DirectoryActor): readonly HeldRelation[] {
  if (kind === 'support') return [{ principal: principal.support(actor.reference), relation: kind }];
  if (kind !== 'break-glass') return [{ principal: holderOf(actor), relation: kind }];
  return emergenciesBeyond(beyond).map((relation) => ({
    principal: principal.breakGlass(actor.reference, relation),
    relation,
  }));
}

type HeldRelation = { readonly principal: Principal; readonly relation: Relation };

function scopesOf({ exams, dataPeriod }: PermitScope): readonly RightScope[] {
  if (dataPeriod !== undefined) return [{ dataPeriod }];
  return exams === undefined ? ['record'] : exams.map((exam) => ({ exam }));
}

function ofBlock(row: GivingRow, person: PersonKey): readonly Right[] {
  const block = blockOf(row.content(), row.origin.zone);
  if (block === undefined) return [];
  const { actors, from, to } = block;
  return actors.filter(isOfDirectory).map((actor) => {
    const holder = holderOf(actor);
    const given = { person, principal: holder, relation: BLOCK, scope: 'record' as const, from, to } as const;
    return { ...given, id: rightId(given), giver: giverOf(row) };
  });
}

function ofShare(row: GivingRow, person: PersonKey): readonly Right[] {
  const share = shareOf(row.content(), row.origin.zone);
  if (share === undefined) return [];
  const { item, from, to } = share;
  const given = {
    person,
    principal: principal.share(giverOf(row)),
    relation: 'share' as const,
    scope: { item },
    from,
    to,
  };
  return [{ ...given, id: rightId(given), giver: giverOf(row) }];
}

/** What others than the patient file opens nothing. */
function ofCircle(row: GivingRow, person: PersonKey): readonly Right[] {
  if (!row.origin.sources.some((source) => source.startsWith('Patient/'))) return [];
  const careTeam = row.content();
  const relation = circleOf(careTeam);
  if (relation === undefined) return [];
  return membersOf(careTeam, row.origin.zone).map(({ actor, from, to }) => {
    const holder = holderOf(actor);
    const given = { person, principal: holder, relation, scope: 'record' as const, from, to };
    return { ...given, id: rightId(given), giver: giverOf(row) };
  });
}

function ofStay(row: GivingRow, person: PersonKey): readonly Right[] {
  const { stay, zone } = row.origin;
  const time = stay === undefined ? undefined : stayTime(row.content(), stay.graceDays, zone);
  if (stay === undefined || time === undefined) return [];
  const holder = principal.members(stay.organization);
  const given = { person, principal: holder, relation: 'stay' as const, scope: 'record' as const, ...time };
  return [{ ...given, id: rightId(given), giver: giverOf(row) }];
}

/** The right to the row itself is what her writes rest on: it ends with the row, as her account does. */
function ofRepresentative(row: GivingRow, person: PersonKey): readonly Right[] {
  const { origin } = row;
  const time = origin.represents === true ? namedTime(row.content(), origin.zone) : undefined;
  if (time === undefined) return [];
  const giver = giverOf(row);
  const [one, ofChild] = [principal.representative(giver), principal.representativeOfChild(giver)];
  const asOfChild = { principal: ofChild, relation: 'representative-of-child', scope: 'record' } as const;
  // Who has a mandate alone represents an adult.
  const mayBeOfChild = representationsOf(row.content()).some((kind) => kind !== 'mandate');
  return [
    { principal: one, relation: 'representative' as const, scope: 'record' as const },
    { principal: one, relation: 'representative' as const, scope: { item: giver } },
    ...(mayBeOfChild ? [asOfChild] : []),
  ].map((held) => {
    const given = { person, ...held, ...time };
    return { ...given, id: rightId(given), giver };
  });
}

/** Who holds what a patient gives to each kind of actor. */
const HOLDER: Readonly<Record<DirectoryKind, (reference: string) => Principal>> = {
  person: principal.practitioner,
  role: principal.role,
  members: principal.members,
};

function holderOf({ kind, reference }: DirectoryActor): Principal {
  return HOLDER[kind](reference);
}

function lasting(
  row: GivingRow,
  person: PersonKey,
  holder: Principal,
  relation: Relation,
  scope: Right['scope'],
): Right {
  const given = { person, principal: holder, relation, scope, from: 0, to: FOREVER };
  return { ...given, id: rightId(given), giver: giverOf(row) };
}

function giverOf({ type, id }: GivingRow): string {
  return `${type}/${id}`;
}
