/**
 * Who may write what, as pure rules. An act is an interaction on a type, an operation, or the receipt of an instance;
 * {@link mayWrite} decides it from facts that were read and gives the warrant under which a store takes the plan.
 * Scopes are a ceiling over it. The file of a type says who writes it (`writers`).
 */
import { Fault } from '../../profiles/fault.ts';
import { TEAM_TYPES } from '../../profiles/consent/actors.ts';
import type { WriteHook, Writers } from '../../profiles/types/fhir-type.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../profiles/types/visibility.ts';
import { requesterBases, type Basis, type Switch } from './basis.ts';
import { OPEN_STATE, stateAllows, type PatientState } from './decide.ts';
import { grantFor } from './grant.ts';
import { requireKind, type Act, type RowAct } from './may-attempt.ts';
import { identityOf, speaksForPatient, type PersonKey, type Requester, type SpeakingRequester } from './requester.ts';
import { isShowing, itemIn, principal, type Principal, type Right, type ShowingRight } from './right.ts';
import {
  ERASURE_SWITCHES,
  EXAM_SWITCHES,
  HIDING_SWITCHES,
  refuseOpen,
  SHARING_SWITCHES,
  stateBases,
  switchesOf,
} from './switches.ts';
import { makeWarrant, type Reach, type Warrant, type Written } from './warrant.ts';

export type { Act, RowAct } from './may-attempt.ts';

/** The Patient that a write is about. */
export type SubjectFacts = {
  /** `Patient/id` */
  readonly patient: string;
  readonly person: PersonKey;
  readonly state: PatientState;
  /** The live rights of the person, for acts that ask who feeds the Patient. */
  readonly rights?: readonly Right[];
  /** The Patient is an identity of the sender's own domain, which the same plan feeds. */
  readonly isOwn?: boolean;
  /** The same plan makes the Patient. */
  readonly isNew?: boolean;
  /** Other persons whose rows the same plan changes: those that it joins to this one, or separates from it. */
  readonly joined?: readonly PersonKey[];
  /** Persons who stay as they are, of whose identities the same plan tells desks something else. */
  readonly reviewed?: readonly PersonKey[];
};

/** A row that is to be changed, with the state and the live rights of its person. */
export type StandingFacts = {
  /** `Type/id` */
  readonly item: string;
  readonly person: PersonKey | undefined;
  readonly state: PatientState;
  readonly rights: readonly Right[];
  /** An id, identity or identifier of the requester's own names the row. */
  readonly isOwn: boolean;
  /** The requester sees the row. */
  readonly isSeen: boolean;
};

/** What was read for a decision. `now` is epoch milliseconds. */
export type WriteFacts = {
  readonly now: number;
  /** Whom a new resource, an operation or an instance is about; undefined when nobody is known. */
  readonly subject?: SubjectFacts | undefined;
  /** The row that an update, patch or delete by id changes; undefined when none stands. */
  readonly standing?: StandingFacts | undefined;
  /** Where the patient must have been with the establishment: a right of its own to what shows that. */
  readonly attendance?: Right | undefined;
  /** A Consent that is new lets nobody see the record. */
  readonly isRefusal?: boolean;
  /** A Consent says whether the record is shared at all, and names nobody. */
  readonly isSharingChoice?: boolean;
  /** A RelatedPerson, or a team that a Consent names, opens the record to whom, or when, it did not before. */
  readonly isNomination?: boolean;
  /** The new key of what is about no patient. */
  readonly nobody?: PersonKey;
  /** Study Instance UID of an instance that is to be kept aside. */
  readonly study?: string;
  /** The Patient (`Patient/id`) of the study that a received instance joins, who is the same person. */
  readonly owner?: string;
  /** Another instance of the same shipment has begun the study: its event stands. */
  readonly isFurther?: boolean;
};

/** What a row is to who would change it: one that it wrote, one of others that it sees, one that it does not see. */
export type Standing = 'own' | 'seen' | 'hidden';

/**
 * Tells what a row is to a requester. Who wrote it may write it on while its own record hides it, but not where the
 * answer would tell what it says, as that of a patch does.
 */
export function standingOf(requester: Requester, { interaction }: RowAct, facts: StandingFacts, now: number): Standing {
  if (facts.isOwn) return 'own';
  const wrote = facts.person !== undefined && writersRights(requester, facts, now).length > 0;
  if (wrote && (interaction !== 'patch' || facts.isSeen)) return 'own';
  return facts.isSeen ? 'seen' : 'hidden';
}

/**
 * Decides whether a row may be changed at all, before versions are compared and a patch tests: neither may tell of a
 * row that is hidden.
 * @throws {Fault} forbidden - requesters of this kind never do it; or another wrote the row
 * @throws {Fault} not-found - the row is hidden from the requester
 */
export function mayTouch(requester: Requester, act: RowAct, { now, standing }: WriteFacts): void {
  requireKind(requester, act);
  const is = standing === undefined ? 'own' : standingOf(requester, act, standing, now);
  if (is === 'hidden') throw new Fault('not-found', 'No such resource');
  if (is === 'seen') throw new Fault('forbidden', `A ${act.type} is changed by who wrote it only`);
}

/**
 * Decides an act.
 * @throws {Fault} forbidden, not-found - as {@link mayTouch}; or the person's state does not let others write
 * @throws {Fault} invalid - a resource is about nobody whom the requester may write about
 * @throws {Fault} not-found - an operation is about nobody whom the requester may speak for
 */
export function mayWrite(requester: Requester, act: Act, facts: WriteFacts): Warrant {
  requireKind(requester, act);
  const decided = decideAct(requester, act, facts);
  return makeWarrant({
    act: nameOf(act),
    reaches: decided.reaches,
    bases: [...requesterBases(requester, facts.now), ...decided.bases],
  });
}

type Decided = { readonly reaches: readonly Reach[]; readonly bases: readonly Basis[] };

function nameOf(act: Act): string {
  if ('type' in act) return `${act.interaction} ${act.type}`;
  return act.interaction === 'operation' ? act.operation : act.interaction;
}

function decideAct(requester: Requester, act: Act, facts: WriteFacts): Decided {
  switch (act.interaction) {
    case 'operation':
      return act.operation === 'break-glass' ? emergency(facts) : consentChange(requester, act.operation, facts);
    case 'receive-instance':
      return receipt(facts);
    default:
      return writeRow(requester, act, facts);
  }
}

/** A Patient is changed as the identity that its source names, not as a row that it holds. */
function writeRow(requester: Requester, act: RowAct, facts: WriteFacts): Decided {
  if (act.interaction === 'create') return about(requester, act, facts);
  mayTouch(requester, act, facts);
  if (act.interaction === 'delete' || (facts.standing !== undefined && !isIdentity(act.type)))
    return change(requester, act, facts);
  const { reaches, bases } = about(requester, act, facts);
  return { reaches, bases: [...standingBases(requester, act, facts), ...bases] };
}

/** A resource about a Patient, or the Patient itself. */
function about(requester: Requester, act: RowAct, facts: WriteFacts): Decided {
  const { now, subject } = facts;
  const isOthers = isIdentity(act.type) && subject?.isOwn !== true;
  const rests = subject === undefined || isOthers ? undefined : aboutBasis(requester, subject, now);
  if (subject === undefined || rests === undefined)
    throw new Fault('invalid', 'The patient that the resource refers to is not known');
  const attended = mustAttend(requester, act, facts) ? attendanceBases(requester, subject, facts) : [];
  const off = facts.isSharingChoice === true ? [] : [...switchesOf(act), ...nominationSwitches(requester, facts)];
  refuseOpen(subject.state, off);
  return {
    reaches: [{ types: writtenWith(act.type), whose: personsOf(subject), event: 'own' }, ...reviewReaches(subject)],
    bases: [...subjectBases(subject), ...rests, ...attended, ...stateBases(subject.person, off)],
  };
}

/** Of what lets others see a record, an establishment speaks for a patient who was there. What stands can be ended. */
function mustAttend(
  requester: Requester,
  { type }: RowAct,
  { standing, isRefusal, isSharingChoice, isNomination }: WriteFacts,
): boolean {
  const permitsSomebody = isRefusal !== true && isSharingChoice !== true;
  const isDeclaration = CONSENT_TYPES.includes(type) && standing === undefined && permitsSomebody;
  return !speaksForPatient(requester) && (isDeclaration || isNomination === true);
}

/** Who represents her ends what she withdrew: an establishment, which could not, names nobody meanwhile. */
function nominationSwitches(requester: Requester, { isNomination }: WriteFacts): readonly Switch[] {
  return isNomination === true && !speaksForPatient(requester) ? SHARING_SWITCHES : [];
}

/**
 * That what shows it stands, is of this person and is of the establishment: all before the plan.
 * @throws {Fault} forbidden - nothing shows it
 */
function attendanceBases(
  requester: Requester,
  { person }: SubjectFacts,
  { now, attendance }: WriteFacts,
): readonly Basis[] {
  const [held] = attendanceRights(requester, attendance === undefined ? [] : [attendance], now);
  const item = held && itemIn(held.scope);
  if (held === undefined || item === undefined || held.person !== person)
    throw new Fault('forbidden', 'It takes an exam, a report of one or a visit of the patient, sent before');
  return [{ kind: 'row', row: item, person }, ...heldBases(person, item, [held], now)];
}

/** The live rights of an establishment to what it filed of the types that can show that a patient was there. */
export function attendanceRights(requester: Requester, rights: readonly Right[], at: number): readonly Right[] {
  const sources = sourceOf(requester);
  const isShown = (item: string): boolean => ATTENDED_TYPES.some((type) => item.startsWith(`${type}/`));
  return rights.flatMap((right) => {
    const item = itemIn(right.scope) ?? '';
    return isShown(item) ? heldOf([right], item, sources, at) : [];
  });
}

/** Whether a requester writes about a Patient: of whose identity it is a source, who it is, or whom it represents. */
export function writesAbout(requester: Requester, subject: SubjectFacts, now: number): boolean {
  return aboutBasis(requester, subject, now) !== undefined;
}

/** What a right to write about a Patient rests on; undefined when there is none. */
export function aboutBasis(requester: Requester, subject: SubjectFacts, now: number): readonly Basis[] | undefined {
  if (speaksForPatient(requester)) return isOfRecord(requester, subject) ? [] : undefined;
  if (subject.isOwn === true) return [];
  return sourceBasis(subject, sourceOf(requester), now);
}

/** What it rests on that one of these establishments is a source of a Patient; undefined when none is. */
export function sourceBasis(
  subject: SubjectFacts,
  sources: readonly Principal[],
  now: number,
): readonly Basis[] | undefined {
  const item = identityOf(subject.patient);
  const held = heldOf(subject.rights ?? [], item, sources, now);
  return held.length === 0 ? undefined : heldBases(subject.person, item, held, now);
}

function isOfRecord(requester: SpeakingRequester, { patient, person }: SubjectFacts): boolean {
  return requester.person === person || (requester.kind === 'patient' && requester.patient === patient);
}

/** A further version is about a Patient of whom the requester writes, too; a delete says nothing of one. */
function change(requester: Requester, act: RowAct, facts: WriteFacts): Decided {
  const { standing } = facts;
  if (standing?.person === undefined) return { reaches: [], bases: [] };
  const { person, state } = standing;
  const off = switchesOf(act);
  const moved = act.interaction === 'delete' ? [] : about(requester, act, facts).bases;
  refuseOpen(state, off);
  return {
    reaches: [{ types: writtenWith(act.type), whose: { persons: [person] }, event: 'own' }],
    bases: [...standingBases(requester, act, facts), ...moved, ...stateBases(person, off)],
  };
}

/** What it rests on that the requester may touch a row: that it wrote it, and of a patch that it sees it, too. */
function standingBases(requester: Requester, { interaction }: RowAct, { standing, now }: WriteFacts): readonly Basis[] {
  if (standing?.person === undefined) return [];
  const { person, item } = standing;
  if (standing.isOwn) return [{ kind: 'row', row: item, person }];
  const wrote = writersRights(requester, standing, now);
  const hiding = HIDING_SWITCHES.filter(
    (name) => !wrote.some(({ relation }) => stateAllows(relation, { ...OPEN_STATE, [name]: true })),
  );
  return [...heldBases(person, item, wrote, now), ...stateBases(person, interaction === 'patch' ? hiding : [])];
}

/** The rights of a requester that wrote a row, or is named by it. */
function writersRights(requester: Requester, { rights, item }: StandingFacts, now: number): readonly ShowingRight[] {
  return heldOf(rights, item, writersOf(requester, now), now);
}

/** A record that is not shared stays closed; one that opens is shared still when it does. */
function emergency({ subject, nobody }: WriteFacts): Decided {
  const persons = [subject?.person, nobody].filter((one) => one !== undefined);
  const reaches: Reach[] = [{ types: RECORD_TYPES, whose: { persons }, event: 'own' }];
  if (subject === undefined) return { reaches, bases: [] };
  const off = stateAllows('break-glass', subject.state) ? HIDING_SWITCHES : [];
  return { reaches, bases: [...subjectBases(subject), ...stateBases(subject.person, off)] };
}

/** What cannot be undone an establishment asks of a patient who was there. */
function consentChange(requester: Requester, operation: string, facts: WriteFacts): Decided {
  const { now, subject } = facts;
  const rests = subject === undefined ? undefined : aboutBasis(requester, { ...subject, isOwn: false }, now);
  if (subject === undefined || rests === undefined) throw new Fault('not-found', 'No such patient');
  const isAttended = operation === 'request-erasure' && requester.kind === 'establishment';
  const attended = isAttended ? attendanceBases(requester, subject, facts) : [];
  const off = operation === 'portability' ? ERASURE_SWITCHES : [];
  refuseOpen(subject.state, off);
  return {
    reaches: [{ types: RECORD_TYPES, whose: personsOf(subject), event: 'own' }],
    bases: [...subjectBases(subject), ...rests, ...attended, ...stateBases(subject.person, off)],
  };
}

/** An instance of a known or new Patient; one that names a study is kept aside, of whom nobody knows, too. */
function receipt({ subject, study, owner, isFurther = false }: WriteFacts): Decided {
  const aside: Reach[] = study === undefined ? [] : [{ types: ['quarantined'], whose: { study }, event: 'own' }];
  if (subject === undefined) return { reaches: aside, bases: [] };
  refuseOpen(subject.state, EXAM_SWITCHES);
  const whose = personsOf(subject);
  const patients: Reach[] = subject.isNew === true ? [{ types: WITH_IDENTITY, whose, event: 'own' }] : [];
  const filed: Reach[] =
    study === undefined ? [{ types: ['instance'], whose, event: isFurther ? 'asking' : 'own' }] : [];
  return {
    reaches: [...aside, ...filed, ...patients, ...reviewReaches(subject)],
    bases: [...subjectBases(subject), ...ownerBases(subject, owner), ...stateBases(subject.person, EXAM_SWITCHES)],
  };
}

/** An instance joins a study that stands under another identity: both are still one person. */
function ownerBases({ patient, person }: SubjectFacts, owner: string | undefined): readonly Basis[] {
  return owner === undefined || owner === patient ? [] : [{ kind: 'row', row: identityOf(owner), person }];
}

const typesBy = (writers: Writers): readonly StoredType[] =>
  STORED_TYPES.filter((type) => fhirType(type).writers === writers);
const typesOfHook = (hook: WriteHook): readonly StoredType[] =>
  STORED_TYPES.filter((type) => fhirType(type).hooks?.write === hook);

/** An identity is written as the Patient that it is, and with nothing else. */
const SERVER_TYPES = typesBy('server').filter((type) => type !== 'Person');
/** What the server tells patients. */
const NOTICE_TYPES = SERVER_TYPES.filter((type) => fhirType(type).names === 'patient');
const CONSENT_TYPES = typesOfHook('rights');
/** What is written about a person's record beside what is in it: her consents, and what the server tells of them. */
export const RECORD_TYPES: readonly StoredType[] = [...SERVER_TYPES, ...CONSENT_TYPES];
const ATTENDED_TYPES = STORED_TYPES.filter((type) => fhirType(type).attends !== undefined);
const IDENTITY_TYPES = typesOfHook('identity');
/** A Patient is made of identities; of two that contradict a desk is told. */
export const WITH_IDENTITY: readonly StoredType[] = [...IDENTITY_TYPES, 'Person', 'Task'];
const DERIVED_TYPES = typesBy('derived');

/** Of a review that begins or ends beside what somebody says of herself, her record tells nothing. */
export function reviewReaches({ reviewed = [] }: Pick<SubjectFacts, 'reviewed'>): readonly Reach[] {
  return reviewed.length === 0 ? [] : [{ types: ['Person', 'Task'], whose: { persons: reviewed }, event: 'asking' }];
}

function isIdentity(type: StoredType): boolean {
  return IDENTITY_TYPES.includes(type);
}

/**
 * A report comes with what is derived from it at once: its bytes, its documents, a notice when it was an error; a
 * Consent with others that it ends, and what is told of them; a team with the Consents that name it.
 */
function writtenWith(type: StoredType): readonly Written[] {
  if (isIdentity(type)) return WITH_IDENTITY;
  if (CONSENT_TYPES.includes(type)) return RECORD_TYPES;
  if (TEAM_TYPES.includes(type)) return [type, ...CONSENT_TYPES];
  return fhirType(type).hooks?.write === 'documents' ? [type, ...DERIVED_TYPES, ...NOTICE_TYPES] : [type];
}

function personsOf({ person, joined = [] }: SubjectFacts): { readonly persons: readonly PersonKey[] } {
  return { persons: [person, ...joined] };
}

/** A Patient of this plan is read from nowhere; one that the plan joins to another is not that person yet. */
export function subjectBases({ patient, person, isNew, joined = [] }: SubjectFacts): readonly Basis[] {
  return isNew === true || joined.length > 0 ? [] : [{ kind: 'row', row: identityOf(patient), person }];
}

/** What names the patient names who represents her, too. */
function writersOf(requester: Requester, now: number): readonly Principal[] {
  const { principals } = grantFor(requester, now);
  const isLive = requester.kind === 'representative' && principals.length > 0;
  return isLive ? [...principals, principal.patient(requester.person)] : principals;
}

/** The establishment as the source of a Patient: it holds a right to the Patient itself. */
function sourceOf(requester: Requester): readonly Principal[] {
  return requester.kind === 'establishment' ? [principal.establishment(requester.organization)] : [];
}

const WRITERS_RELATIONS: readonly Right['relation'][] = ['author', 'named'];

/** The rights of principals who wrote an item or are named by it. */
function heldOf(
  rights: readonly Right[],
  item: string,
  principals: readonly Principal[],
  at: number,
): readonly ShowingRight[] {
  return rights
    .filter(isShowing)
    .filter(
      ({ principal: holder, relation, scope, from, to }) =>
        principals.includes(holder) &&
        WRITERS_RELATIONS.includes(relation) &&
        itemIn(scope) === item &&
        from <= at &&
        at < to,
    );
}

/** That one of such rights is held. */
function heldBases(person: PersonKey, item: string, held: readonly Right[], at: number): readonly Basis[] {
  if (held.length === 0) return [];
  return [{ kind: 'right', person, item, principals: held.map(({ principal: holder }) => holder), at }];
}
