/**
 * Grants: what may be read, as predicates that stores evaluate in every statement. They are instances of classes with
 * private state that this file alone makes, so that a read without one neither compiles nor runs: a copy, a literal or
 * a structured clone lacks that state.
 */
import type { BreakGlassSettings } from '../../profiles/consent/emergency.ts';
import { caresThere } from './operations.ts';
import type { Purpose } from './purpose.ts';
import type { PersonKey, PractitionerRequester, RepresentativeRequester, Requester, Role } from './requester.ts';
import { FOREVER, overseenBy, principal, type Principal } from './right.ts';
import { emergenciesUnder } from './rules/table.ts';

/** Makers have it: whoever reaches a constructor through an instance does not. */
const MAKING = Symbol('making');

const NO_PRINCIPALS: readonly Principal[] = Object.freeze([]);

/** Persons who bar a requester from their records; everybody's are closed to who sees nothing but own work. */
export type BarredBy = readonly PersonKey[] | 'everybody';

const BY_NOBODY: BarredBy = Object.freeze([]);

/**
 * What a requester may see. Times are epoch milliseconds: at `until` the principals are hers no more. They hold each
 * name once.
 */
class Grant {
  readonly #principals: readonly Principal[];
  readonly #purpose: Purpose;
  readonly #now: number;
  readonly #until: number;
  readonly #barredBy: BarredBy;

  constructor(key: symbol, { principals, purpose, now, until, barredBy }: GrantTerms) {
    refuseUnless(key === MAKING);
    this.#principals = Object.freeze(now < until ? [...new Set(principals)] : []);
    this.#purpose = purpose;
    this.#now = now;
    this.#until = until;
    this.#barredBy = barredBy === 'everybody' ? barredBy : Object.freeze([...barredBy]);
    Object.freeze(this);
  }

  static is(value: unknown): value is Grant {
    return typeof value === 'object' && value !== null && #principals in value;
  }

  get system(): false {
    return false;
  }

  get principals(): readonly Principal[] {
    return this.#principals;
  }

  get purpose(): Purpose {
    return this.#purpose;
  }

  /** As stores find it at the moment of each read: a grant that none has looked at yet is barred by nobody. */
  get barredBy(): BarredBy {
    return this.#barredBy;
  }

  get now(): number {
    return this.#now;
  }

  get until(): number {
    return this.#until;
  }
}

/** What the server itself may see of one subject, for a reason of {@link SystemReason}. `now` is epoch milliseconds. */
class SystemGrant {
  readonly #reason: SystemReason;
  readonly #subject: SystemSubject;
  readonly #now: number;

  constructor(key: symbol, reason: SystemReason, subject: SystemSubject, now: number) {
    refuseUnless(key === MAKING);
    if (!isSubjectOf(reason, subject)) throw new TypeError(`A grant to ${reason} is bound to other subjects`);
    this.#reason = reason;
    this.#subject = subject === 'whole' ? subject : Object.freeze({ ...subject });
    this.#now = now;
    Object.freeze(this);
  }

  static is(value: unknown): value is SystemGrant {
    return typeof value === 'object' && value !== null && #reason in value;
  }

  get system(): true {
    return true;
  }

  get principals(): readonly Principal[] {
    return NO_PRINCIPALS;
  }

  get reason(): SystemReason {
    return this.#reason;
  }

  get subject(): SystemSubject {
    return this.#subject;
  }

  get now(): number {
    return this.#now;
  }
}

// Nobody gives all grants another answer.
for (const { prototype } of [Grant, SystemGrant]) Object.freeze(prototype);

export type { Grant, SystemGrant };

/** A predicate of either kind, as the statements of stores take it. */
export type AnyGrant = Grant | SystemGrant;

/** What a read of the server is about. */
type Subjects = {
  /** `Type/id`, the key of a claim, or the SOP Instance UID of an instance. */
  readonly item: { readonly item: string };
  /** Her rights, her state, and searches among her rows and the directory. */
  readonly person: { readonly person: PersonKey };
  /** Study Instance UID: its instances, those kept aside too. */
  readonly study: { readonly study: string };
  readonly whole: 'whole';
};

/** The one subject of a grant of the server, or everything. */
export type SystemSubject = Subjects[keyof Subjects];

/** Why the server reads on its own account, and which kind of subject it names then: a closed list. */
const SYSTEM_READS = {
  // Every Patient of an earlier server.
  'adopt-identities': ['whole', 'item', 'person'],
  // Every report of an earlier server that nobody had validated.
  'adopt-reports': ['whole', 'item', 'person'],
  // Every item of an earlier server that bears a label.
  'adopt-labels': ['whole', 'item', 'person'],
  // Whom a number names is asked of all identities.
  'resolve-identity': ['whole', 'item', 'person'],
  // A number that somebody showed says nothing of whose it is: it is searched in all.
  'resolve-directory': ['whole'],
  'maintain-study': ['study', 'item', 'person'],
  // What an earlier server kept aside, of all studies.
  'list-aside': ['whole'],
  // What is kept aside, and what it would be part of.
  'clear-aside': ['study', 'item', 'person'],
  'publish-report': ['item', 'person'],
  'change-consent': ['item', 'person'],
  // Rights to a record, and when what gives them began.
  'who-can-access': ['item', 'person'],
  // Events are shown to nobody who represents a patient: those that tell of her.
  'access-history': ['whole'],
  // Whose item is labelled, and what shows it; reports of others may be linked to an exam.
  'set-confidentiality': ['item', 'person'],
  // Her Task, and her state.
  'export-record': ['item', 'person'],
  'break-glass': ['whole', 'item', 'person'],
  // A patient makes a code, and a professional redeems it: who the patient is, and how often he tried.
  'presence-code': ['item', 'person'],
  // A patient shares an item, or ends that; whoever it is for is mailed.
  share: ['item', 'person'],
  'mail-share': ['item', 'person'],
  // A period of a Consent is over, and with it the ticket that it answers.
  'end-consent': ['item', 'person'],
  // Items of whom an establishment informs, of all persons where the region file says otherwise.
  'settle-ground': ['whole', 'item', 'person', 'study'],
  // Whom images name, whom the directory knows, and what stands of their patient; Consents of all that wait.
  'declare-named': ['whole', 'study', 'item', 'person'],
  // What became visible to her, and to whom of hers.
  'tell-news': ['item', 'person'],
  // What a patient is told, by mail or letter.
  'send-notice': ['item', 'person'],
  // Which offices a Task is for.
  'alert-officers': ['item', 'person'],
  // Who the persons are of whom a desk decides.
  'decide-at-desk': ['item', 'person'],
  // Sign-ins in the trail are nobody's: whether accounts ever signed in.
  'find-sign-in': ['whole'],
  // Events may be of several persons: those that name one of two who were one by a mistake.
  'end-given': ['whole', 'item', 'person'],
  // The directory is nobody's, and whose access ends is counted over all.
  'load-region': ['item', 'whole'],
  // The trail, for the office that reads all of it.
  'read-trail': ['whole'],
  // What servers said of how long the trail keeps events.
  'keep-events': ['whole'],
  // Of all bytes those that nothing names.
  'sweep-images': ['whole'],
  // Whoever names the study, of whatever person: nothing of it may be left.
  'erase-study': ['whole', 'study', 'item', 'person'],
  // The request, what is of its person, and the events that name her: who was given something.
  'erase-record': ['whole', 'item', 'person'],
  'record-viewing': ['item'],
  // Rows of every person, batch by batch.
  reindex: ['whole'],
  // Reports that are linked to an exam which has become another person's.
  'unlink-reports': ['whole'],
} as const satisfies Record<string, readonly (keyof Subjects)[]>;

/** The closed list of reasons for which the server reads on its own account. */
export type SystemReason = keyof typeof SYSTEM_READS;

/** What a reason may be bound to. */
export type SubjectOf<R extends SystemReason> = Subjects[(typeof SYSTEM_READS)[R][number]];

/** Binds the reads of a story to one subject after the other. */
export type Reading<S extends SystemSubject = SystemSubject> = (subject: S) => SystemGrant;

/** Reads single items. */
export type ItemReading = Reading<Subjects['item']>;

/** Reads single items, and what is of single persons. */
export type NarrowReading = Reading<Subjects['item'] | Subjects['person']>;

/** Makes the grant of a requester at a moment. */
export function grantFor(requester: Requester, now: number): Grant {
  const until = requester.kind === 'representative' ? untilOf(requester, now) : FOREVER;
  const { purpose } = requester;
  const principals = principalsOf(requester, now);
  return new Grant(MAKING, { principals, purpose, now, until, barredBy: barredOf(requester) });
}

/** What runs while the child reaches the age ends there: the next grant has what is left. */
function untilOf(requester: RepresentativeRequester, now: number): number {
  const { until, ofChildUntil = until } = requester;
  return isOfChild(requester, now) ? Math.min(until, ofChildUntil) : until;
}

function isOfChild({ ofChildUntil = -Infinity }: RepresentativeRequester, now: number): boolean {
  return now < ofChildUntil;
}

/** Who acts outside of care is barred from everybody's record; who bars a person stores find out. */
function barredOf(requester: Requester): BarredBy {
  return requester.kind === 'practitioner' && requester.isOutsideCare === true ? 'everybody' : BY_NOBODY;
}

/** The grant of the same requester at another moment. */
export function grantAt(grant: Grant, now: number): Grant {
  return new Grant(MAKING, { ...termsOfGrant(grant), now });
}

/** The same grant, barred by these persons. */
export function grantBarred(grant: Grant, persons: readonly PersonKey[]): Grant {
  if (grant.barredBy === 'everybody') return grant;
  return new Grant(MAKING, { ...termsOfGrant(grant), barredBy: persons });
}

/** The same grant of other principals: of the identities that are the requester at present. */
export function grantOfOthers(grant: Grant, principals: readonly Principal[]): Grant {
  return new Grant(MAKING, { ...termsOfGrant(grant), principals });
}

/** What a requester's grant says, as plain data: to other threads goes this. */
export type GrantTerms = Pick<Grant, 'principals' | 'purpose' | 'now' | 'until' | 'barredBy'>;

/** The terms of a grant. */
export function termsOfGrant({ principals, purpose, now, until, barredBy }: Grant): GrantTerms {
  return { principals, purpose, now, until, barredBy };
}

/** The grant whose terms came from the thread that had it. */
export function grantOfTerms(terms: GrantTerms): Grant {
  return new Grant(MAKING, terms);
}

/**
 * Makes a grant for the server's own work on one subject.
 * @throws {TypeError} the reason is not bound to subjects of this kind
 */
export function systemGrant<R extends SystemReason>(reason: R, subject: SubjectOf<R>, now: number): SystemGrant {
  return new SystemGrant(MAKING, reason, subject, now);
}

/** Makes the grants of a story that reads of several subjects at one moment. */
export function systemReading<R extends SystemReason>(reason: R, now: number): Reading<SubjectOf<R>> {
  return (subject) => systemGrant(reason, subject, now);
}

/**
 * What adapters ask at their port.
 * @throws {TypeError} the value is not a grant that this file made for a requester
 */
export function requireGrant(value: Grant): void {
  refuseUnless(Grant.is(value));
}

/**
 * The same of a grant of the server itself.
 * @throws {TypeError} the value is not a system grant that this file made
 */
export function requireSystemGrant(value: SystemGrant): void {
  refuseUnless(SystemGrant.is(value));
}

function isSubjectOf(reason: SystemReason, subject: SystemSubject): boolean {
  const kinds: readonly string[] = SYSTEM_READS[reason];
  return subject === 'whole' ? kinds.includes('whole') : kinds.some((kind) => Object.keys(subject).join() === kind);
}

function refuseUnless(isGenuine: boolean): void {
  if (!isGenuine) throw new TypeError('Only server/access makes grants');
}

/**
 * The principals that a professional (`Practitioner/id`) is by the roles that are held, and by what the region lets
 * emergencies do.
 */
export function principalsOfProfessional(
  practitioner: string,
  roles: readonly Role[],
  breakGlass: BreakGlassSettings = {},
): readonly Principal[] {
  return [
    principal.practitioner(practitioner),
    ...emergenciesUnder(breakGlass).map((relation) => principal.breakGlass(practitioner, relation)),
    ...roles.map((role) => principal.role(role.reference)),
    ...roles.filter(caresThere).flatMap((role) => role.within.map(principal.members)),
    ...roles.filter((role) => role.radiologist).map((role) => principal.radiologists(role.organization)),
    ...roles.flatMap((role) => role.offices.map((office) => principal.office(office, role.organization))),
    ...roles.flatMap(({ oversees = [] }) => oversees.map(principal.trailOf)),
    ...(roles.some(({ offices }) => offices.includes('support')) ? [principal.support(practitioner)] : []),
  ];
}

/** No setting lets an emergency of who acts outside of care pass what bars from everybody's record. */
function emergenciesOf({ breakGlass, isOutsideCare }: PractitionerRequester): BreakGlassSettings | undefined {
  return isOutsideCare === true ? undefined : breakGlass;
}

function principalsOf(requester: Requester, now: number): readonly Principal[] {
  switch (requester.kind) {
    case 'practitioner':
      return principalsOfProfessional(requester.practitioner, requester.roles, emergenciesOf(requester));
    case 'patient':
      return [principal.patient(requester.person)];
    case 'representative':
      return [
        principal.representative(requester.related),
        ...(isOfChild(requester, now) ? [principal.representativeOfChild(requester.related)] : []),
      ];
    case 'establishment':
      return [principal.establishment(requester.organization)];
  }
}

const TRAIL_OFFICE = 'region-dpo';

/** Whether a grant shows every event of the trail: that of the region's data protection office. */
export function readsWholeTrail(grant: AnyGrant): boolean {
  return !grant.system && grant.principals.includes(principal.office(TRAIL_OFFICE, ''));
}

/** The organizations (`Organization/id`) whose events a grant shows; none where it shows those of all. */
export function organizationsOverseen(grant: AnyGrant): readonly string[] {
  return grant.system || readsWholeTrail(grant) ? [] : grant.principals.flatMap(overseenBy);
}

/** Which part of the trail somebody reads by an office: all of it, or that of an establishment. */
export function trailOfOfficer(requester: Requester): 'whole' | 'establishment' | undefined {
  if (requester.kind !== 'practitioner') return undefined;
  if (requester.roles.some(({ offices }) => offices.includes(TRAIL_OFFICE))) return 'whole';
  return requester.roles.some(({ oversees = [] }) => oversees.length > 0) ? 'establishment' : undefined;
}
