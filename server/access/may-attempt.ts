/**
 * What a requester may set out to do, told from the token and the address of the request alone. Doors ask it before
 * they read anything of a body; whether this row may be written is decided after it, from the data.
 */
import { Fault } from '../../profiles/fault.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../profiles/types/visibility.ts';
import type { EstablishmentRequester, PatientRequester, PractitionerRequester, Requester } from './requester.ts';
import { requireScope, type ScopeAction } from './scope.ts';

/** An interaction that writes one resource, by its FHIR name. */
export type WriteInteraction = 'create' | 'update' | 'patch' | 'delete';

/** The letter of a scope that opens each. */
const LETTER = { create: 'c', update: 'u', patch: 'u', delete: 'd' } as const satisfies Record<
  WriteInteraction,
  ScopeAction
>;

/** An interaction whose request may have a body, by its FHIR name, as far as it is known before the body is read. */
export type Attempt =
  | { readonly interaction: 'search-type' | WriteInteraction; readonly type: StoredType }
  | { readonly interaction: 'transaction' }
  | { readonly interaction: 'operation'; readonly operation: 'break-glass' | 'withdraw' | 'reconsent' };

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

function requireOperator(requester: Requester, operation: 'break-glass' | 'withdraw' | 'reconsent'): void {
  if (operation === 'break-glass') requireProfessional(requester);
  else requireConsentChanger(requester);
}

/**
 * Establishments write, and patients what is theirs. Of what stands the data tell who wrote it: a declaration is ended
 * by whom it names.
 */
function requireWriter(requester: Requester, interaction: WriteInteraction, type: StoredType): void {
  requireScope(requester, type, LETTER[interaction]);
  const { writers } = fhirType(type);
  if (requester.kind === 'establishment' && SENDERS.includes(writers)) return;
  if (writers === 'source-or-patient' && (requester.kind === 'patient' || interaction !== 'create')) return;
  throw new Fault('forbidden', `A ${type} is written by establishments only`);
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

function refusalOf(requester: Requester, attempt: Attempt): Fault | undefined {
  try {
    mayAttempt(requester, attempt);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

/**
 * Narrows to a professional, who alone declares an emergency.
 * @throws {Fault} forbidden
 */
export function requireProfessional(requester: Requester): PractitionerRequester {
  if (requester.kind !== 'practitioner') {
    throw new Fault('forbidden', 'Only a health professional may declare an emergency');
  }
  requireScope(requester, 'Patient', 'r');
  return requester;
}

/**
 * Narrows to those who withdraw a record and give it back: the patient, or an establishment that was told so.
 * @throws {Fault} forbidden
 */
export function requireConsentChanger(requester: Requester): PatientRequester | EstablishmentRequester {
  requireScope(requester, 'Consent', 'c');
  if (requester.kind !== 'practitioner') return requester;
  throw new Fault('forbidden', 'Consent is changed by the patient, or by an establishment that was told so');
}
