/**
 * What a requester may set out to do, told from the token and the address of the request alone. Doors ask it before
 * they read anything of a body; whether this row may be written is decided after it, from the data.
 */
import { Fault } from '../../profiles/fault.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../profiles/types/visibility.ts';
import { caresThere, operatorsOf, OPERATIONS, type OperationName, type RecordOperation } from './operations.ts';
import type {
  EstablishmentRequester,
  PatientRequester,
  PractitionerRequester,
  Requester,
  SpeakingRequester,
} from './requester.ts';
import { requireScope, type ScopeAction } from './scope.ts';

/** An interaction that writes one resource, by its FHIR name. */
export type WriteInteraction = 'create' | 'update' | 'patch' | 'delete';

/** The letter of a scope that opens each. */
const LETTER = { create: 'c', update: 'u', patch: 'u', delete: 'd' } as const satisfies Record<
  WriteInteraction,
  ScopeAction
>;

/** Operations that change nothing: they ask what a search of Patients asks. */
export type QueryOperation = 'ihe-pix' | 'match';

/** An interaction whose request may have a body, by its FHIR name, as far as it is known before the body is read. */
export type Attempt =
  | { readonly interaction: 'search-type' | WriteInteraction; readonly type: StoredType }
  | { readonly interaction: 'transaction' }
  | { readonly interaction: 'operation'; readonly operation: OperationName | QueryOperation };

/** An interaction on a resource of a type. */
export type RowAct = { readonly interaction: WriteInteraction; readonly type: StoredType };

/** What a requester writes, by FHIR name where FHIR has one; `receive-instance` is C-STORE, STOW-RS or an import. */
export type Act =
  | RowAct
  | { readonly interaction: 'operation'; readonly operation: RecordOperation }
  | { readonly interaction: 'receive-instance' };

/** Who writes a type as a sender: an establishment, or of some types the patient, too. */
const SENDERS: readonly string[] = ['source', 'source-or-patient'];

/** Types that clients create, read off their files: of the others that senders write, no create is served. */
export const WRITTEN_TYPES: readonly StoredType[] = STORED_TYPES.filter((type) => {
  const { writers, interactions } = fhirType(type);
  return SENDERS.includes(writers) && interactions.includes('create');
});

/** What a Bundle may hold. Nobody but an establishment feeds identities: of several refusals the first is told. */
const ENTRIES: readonly Attempt[] = (['update', 'create', 'patch', 'delete'] as const).flatMap((interaction) =>
  WRITTEN_TYPES.toSorted((one, other) => Number(other === 'Patient') - Number(one === 'Patient')).map((type) => ({
    interaction,
    type,
  })),
);

/**
 * Lets an attempt pass, or refuses it. A transaction passes when one of the entries that it may hold would.
 * @throws {Fault} forbidden - the scopes (insufficient_scope) or the kind of requester do not allow it
 */
export function mayAttempt(requester: Requester, attempt: Attempt): void {
  switch (attempt.interaction) {
    case 'search-type':
      return requireScope(requester, attempt.type, 's');
    case 'create':
    case 'update':
    case 'patch':
    case 'delete':
      return requireWriter(requester, attempt.interaction, attempt.type);
    case 'transaction':
      return requireWriterOfSomething(requester);
    case 'operation':
      return requireOperator(requester, attempt.operation);
  }
}

/**
 * Requires the scopes of who asks for Patients by what is known of them: to read and to search them.
 * @throws {Fault} forbidden (insufficient_scope)
 */
export function requireReader(requester: Requester): void {
  for (const action of ['r', 's'] as const) requireScope(requester, 'Patient', action);
}

function requireOperator(requester: Requester, operation: OperationName | QueryOperation): void {
  if (operation === 'ihe-pix' || operation === 'match') return requireReader(requester);
  const [type, letter] = OPERATIONS[operation].scope;
  requireKind(requester, { interaction: 'operation', operation });
  requireScope(requester, type, letter);
}

function requireWriter(requester: Requester, interaction: WriteInteraction, type: StoredType): void {
  requireScope(requester, type, LETTER[interaction]);
  requireKind(requester, { interaction, type });
}

/**
 * Refuses what requesters of this kind never do, whatever their scopes and the data.
 * @throws {Fault} forbidden
 */
export function requireKind(
  requester: Requester,
  act: Act | { readonly interaction: 'operation'; readonly operation: OperationName },
): void {
  const { kind } = requester;
  switch (act.interaction) {
    case 'operation': {
      const { operators, refusal } = OPERATIONS[act.operation];
      const held = operatorsOf(requester);
      requireCare(requester, act.operation);
      return refuseUnless(
        operators.some((one) => held.includes(one)),
        refusal,
      );
    }
    case 'receive-instance':
      return refuseUnless(kind === 'establishment', 'Instances are taken from the systems of establishments only');
    default:
      return requireKindOfWriter(kind, act.interaction, act.type);
  }
}

/**
 * Establishments write, and patients what is theirs; who represents one, her Consents. Of what stands the data tell who
 * wrote it: a declaration is ended by whom it names.
 */
function requireKindOfWriter(kind: Requester['kind'], interaction: WriteInteraction, type: StoredType): void {
  const { writers, hooks } = fhirType(type);
  if (writers === 'region') throw new Fault('forbidden', `A ${type} is written by the region file only`);
  if (!SENDERS.includes(writers)) throw new Fault('forbidden', `A ${type} is written by the server only`);
  const isSpeaking = kind === 'patient' || (kind === 'representative' && hooks?.write === 'rights');
  const isHers =
    writers === 'source-or-patient' && (isSpeaking || (kind !== 'representative' && interaction !== 'create'));
  refuseUnless(kind === 'establishment' || isHers, `A ${type} is written by establishments only`);
}

/** Operations by which a professional comes to see a record. */
const OPENING: readonly OperationName[] = ['break-glass', 'redeem-presence-code'];

/**
 * @throws {Fault} forbidden - it would open a record to a professional who acts outside of care (access.md C16), or to
 * who is of the support and has no role of care (C7)
 */
function requireCare(requester: Requester, operation: OperationName): void {
  const isExcluded = requester.kind === 'practitioner' && requester.isOutsideCare === true;
  refuseUnless(
    !(isExcluded && OPENING.includes(operation)),
    'Occupational medicine, insurance and employers are shown no records',
  );
  refuseUnless(
    !(OPENING.includes(operation) && isSupportAlone(requester)),
    'The support of the region opens no record without a ticket',
  );
}

function isSupportAlone(requester: Requester): boolean {
  return operatorsOf(requester).includes('support') && !(requester as PractitionerRequester).roles.some(caresThere);
}

function refuseUnless(may: boolean, message: string): void {
  if (!may) throw new Fault('forbidden', message);
}

/** Professionals send no Bundle: what they may end is theirs by what stands alone. */
function requireWriterOfSomething(requester: Requester): void {
  const entries = requester.kind === 'practitioner' ? ENTRIES.filter(isCreate) : ENTRIES;
  const refusals = entries.map((entry) => refusalOf(requester, entry));
  const [first] = refusals;
  if (first !== undefined && refusals.every((refusal) => refusal !== undefined)) throw first;
}

function isCreate({ interaction }: Attempt): boolean {
  return interaction === 'create';
}

/** Why an attempt would be refused; undefined when it may be made. */
export function refusalOf(requester: Requester, attempt: Attempt): Fault | undefined {
  try {
    mayAttempt(requester, attempt);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

/**
 * Narrows to a professional, who alone declares an emergency or redeems a presence code.
 * @throws {Fault} forbidden
 */
export function requireProfessional(
  requester: Requester,
  operation: 'break-glass' | 'redeem-presence-code' = 'break-glass',
): PractitionerRequester {
  requireOperator(requester, operation);
  // No other kind comes so far.
  return requester as PractitionerRequester;
}

/**
 * Narrows to the patient, who alone asks an operation of her own.
 * @throws {Fault} forbidden
 */
export function requirePatient(requester: Requester, operation: 'portability' | 'share'): PatientRequester {
  requireOperator(requester, operation);
  // No other kind comes so far.
  return requester as PatientRequester;
}

/**
 * Narrows to the patient and who represents her, who alone ask an operation of hers.
 * @throws {Fault} forbidden
 */
export function requireSpeaker(
  requester: Requester,
  operation: 'who-can-access' | 'access-history' | 'presence-code',
): SpeakingRequester {
  requireOperator(requester, operation);
  // No other kind comes so far.
  return requester as SpeakingRequester;
}

/**
 * Narrows to those who withdraw a record, give it back and ask for its erasure: the patient, who represents her, or an
 * establishment that was told so.
 * @throws {Fault} forbidden
 */
export function requireConsentChanger(
  requester: Requester,
  operation: Exclude<RecordOperation, 'break-glass'>,
): SpeakingRequester | EstablishmentRequester {
  requireOperator(requester, operation);
  if (requester.kind === 'practitioner') throw new Fault('forbidden', OPERATIONS[operation].refusal);
  return requester;
}
