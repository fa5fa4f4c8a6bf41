/**
 * The Consent by which a patient declares a correspondent, to her record, to some items or to a time of it. One
 * shape is supported, a permit that names whom it is for; every other Consent is refused, so that nothing is stored
 * that the server would not enforce.
 * @see IHE PCF 1.1, Consent Basic; Consent Intermediate (provision.data, dataPeriod); Consent Advanced; access.md C8
 */
import { ACTOR_TYPES, actorOf, actorsOf, TEAM_TYPES, type Actor } from './actors.ts';
import type { CodeableConcept, Coding, Consent, ConsentProvision, ConsentProvisionActor } from '@medplum/fhirtypes';
import { CODE_SYSTEM, PCF_POLICY_PREFIX } from '../codes.ts';
import type { StoredType } from '../types/visibility.ts';
import { PAST_BLOCK, type BreakGlassSetting } from './emergency.ts';
import { Fault } from '../fault.ts';
import { examsNamed, permitScopeOf, type PermitScope } from './exam-scope.ts';
import { SUPPORT } from './giving/support-category.ts';
import { exactSpanOf, spanOf, type TimeSpan } from './time-span.ts';

/** A declaration. */
export type Declaration = PermitScope & {
  /** 1..*, without repetition. */
  readonly actors: readonly Actor[];
  /** Epoch milliseconds, inclusive; 0 when the period has no start. */
  readonly from: number;
  /** Epoch milliseconds, exclusive; 8.64e15 when the period has no end. */
  readonly to: number;
};

/**
 * Reads a declaration: an active Consent of scope patient-privacy whose one provision permits, as recipients (IRCP),
 * the actors that it names by reference, one CareTeam at most among them; a number without one names nobody yet, and
 * is none of them. It is for treatment (emergencies among it) or without purpose, within a period or not, to the
 * record, to some items, or to what is of a time (`dataPeriod`). Bare days are those of the time zone `zone` (a name of
 * the IANA database), or of UTC.
 * @throws {Fault} not-supported - any other shape; `expression` is the element
 * @throws {Fault} forbidden - a purpose that exams are not shared for: payment, marketing, research
 */
export function readDeclaration(consent: Consent, zone?: string): Declaration {
  const { provision } = consent;
  checkFrame(consent);
  support(
    (consent.policy ?? []).every(({ uri }) => isBasicPolicy(uri)),
    'Consent.policy',
    'must be Policy-basic-normal',
  );
  if (provision === undefined) throw notSupported('Consent.provision', 'must name whom it permits');
  checkProvision(provision);
  checkActors(provision, [...ACTOR_TYPES, ...TEAM_TYPES]);
  return { actors: actorsOf(provision), ...periodOf(provision, zone), ...scopeOf(provision, zone) };
}

/**
 * Checks what every Consent that is sent has around its provision: it is active, of scope patient-privacy, and of no
 * category that operations alone give.
 * @throws {Fault} not-supported
 */
export function checkFrame({ status, scope, category = [], implicitRules, modifierExtension }: Consent): void {
  support(status === 'active', 'Consent.status', 'must be active');
  support(hasCode(scope, CODE_SYSTEM.consentScope, 'patient-privacy'), 'Consent.scope', 'must be patient-privacy');
  const systems = category.flatMap(({ coding = [] }) => coding).map(({ system }) => system);
  support(!systems.includes(CODE_SYSTEM.temporaryAccess), 'Consent.category', 'is given by an operation alone');
  support(implicitRules === undefined, 'Consent.implicitRules', NOT_READ);
  support(modifierExtension === undefined, 'Consent.modifierExtension', NOT_READ);
}

/** Whether a Consent says no and nothing else: it lets nobody see a record. */
export function isRefusal({ provision }: Consent): boolean {
  return provision?.type === 'deny' && provision.provision === undefined;
}

/**
 * Why a Consent lets somebody see a record: the patient, or a source of hers, declared it; a professional declared an
 * emergency; one redeemed a presence code of hers; or the region let somebody of its support answer a ticket.
 */
export type PermitKind = 'declared' | 'break-glass' | 'presence' | 'support';

/**
 * Whom a Consent that stands lets see a record. Times as in a {@link Declaration}; `beyond` is what an emergency does
 * more than every one.
 */
export type Permit = Declaration & { readonly kind: PermitKind; readonly beyond?: BreakGlassSetting };

/**
 * Reads what a stored Consent permits: a declaration; an emergency (purpose BTG), a presence or support (by its
 * category), each of a person, which ends at the very moment that it says. Undefined of one that has ended, refuses, or
 * permits nobody by name, as a share does. `zone` as of {@link readDeclaration}.
 */
export function permitOf(consent: object, zone?: string): Permit | undefined {
  const { status, provision } = consent as Partial<Consent>;
  if (status !== 'active' || provision?.type !== 'permit') return undefined;
  const kind = kindOf(consent as Partial<Consent>);
  if (kind === undefined) return undefined;
  const isExact = kind !== 'declared';
  const actors = actorsOf(provision).filter((actor) => !isExact || actor.kind === 'person');
  const span = (isExact ? exactSpanOf : spanOf)(provision.period, zone);
  const scope = permitScopeOf(provision, zone);
  return actors.length === 0 || span === undefined || scope === undefined
    ? undefined
    : { actors, ...span, kind, ...scope, ...(kind === 'break-glass' ? beyondOf(consent as Partial<Consent>) : {}) };
}

/** Past a block an emergency reaches normal items alone. */
function beyondOf({ category = [], provision }: Partial<Consent>): { readonly beyond?: BreakGlassSetting } {
  if (category.some((one) => hasCode(one, CODE_SYSTEM.temporaryAccess, PAST_BLOCK))) return { beyond: 'passesBlocks' };
  const { confidentiality: system } = CODE_SYSTEM;
  const isConfidential = (provision?.securityLabel ?? []).some((one) => one.system === system && one.code === 'R');
  return isConfidential ? { beyond: 'reachesConfidential' } : {};
}

/** A share permits nobody by name. */
function kindOf({ category = [], provision }: Partial<Consent>): PermitKind | undefined {
  const is = (code: string): boolean => category.some((one) => hasCode(one, CODE_SYSTEM.temporaryAccess, code));
  if (is('share')) return undefined;
  if ((provision?.purpose ?? []).some(({ code }) => code === 'BTG')) return 'break-glass';
  if (is(SUPPORT)) return SUPPORT;
  return is('presence') ? 'presence' : 'declared';
}

const NOT_READ = 'is not supported here';
/** Payment, marketing and research in v3-ActReason, with the codes below them. */
const REFUSED_PURPOSES: ReadonlySet<string> = new Set(
  (
    'HPAYMT CLMATTCH COVAUTH COVERAGE ELIGDTRM ELIGVER ENROLLM MILDCRG REMITADV PMTDS HMARKT ' +
    'HRESCH BIORCH CLINTRCH CLINTRCHNPC CLINTRCHPC PRECLINTRCH DSRCH POARCH TRANSRCH'
  ).split(' '),
);
/** What narrows or nests a provision. */
export const UNREAD_ELEMENTS = [
  'action',
  'securityLabel',
  'class',
  'code',
  'dataPeriod',
  'data',
  'provision',
  'modifierExtension',
] as const;

function checkProvision(provision: ConsentProvision): void {
  checkPurposes(provision.purpose ?? []);
  support(provision.type === 'permit', 'Consent.provision.type', 'must be permit');
  for (const element of UNREAD_ELEMENTS)
    if (!READ_OF_PERMITS.has(element))
      support(provision[element] === undefined, `Consent.provision.${element}`, NOT_READ);
  checkLabels(provision);
  support(
    examsNamed(provision) !== undefined,
    'Consent.provision.data',
    'must be exams, reports or other items by reference, 20 at most',
  );
}

const READ_OF_PERMITS: ReadonlySet<string> = new Set(['data', 'dataPeriod', 'securityLabel']);

/** A level is a high water mark, in FHIR, and N is the one up to which whoever is declared sees (rules/table.json). */
function checkLabels({ securityLabel = [] }: ConsentProvision): void {
  const isN = securityLabel.every(({ system, code }) => system === CODE_SYSTEM.confidentiality && code === 'N');
  support(isN, 'Consent.provision.securityLabel', 'must be N of v3-Confidentiality, or absent');
}

/** @throws {Fault} not-supported, invalid - a time beside data, or that has no real dates */
function scopeOf(provision: ConsentProvision, zone: string | undefined): PermitScope {
  const scope = permitScopeOf(provision, zone);
  if (scope !== undefined) return scope;
  const expression = 'Consent.provision.dataPeriod';
  support(provision.data === undefined, expression, 'must not stand beside data');
  throw new Fault('invalid', `${expression} must have real dates`, { expression });
}

/**
 * Checks for what a permit is. A refused purpose is told as such, whatever stands beside it.
 * @throws {Fault} forbidden, not-supported
 */
export function checkPurposes(purposes: readonly Coding[]): void {
  const expression = 'Consent.provision.purpose';
  const known = purposes.map(({ system, code = '' }) => (system === CODE_SYSTEM.actReason ? code : ''));
  if (known.some((code) => REFUSED_PURPOSES.has(code))) {
    throw new Fault('forbidden', `${expression} is not one that exams are shared for`, { expression });
  }
  // Who treats also treats in an emergency; for that alone nothing is declared.
  support(
    known.every((code) => code === 'TREAT' || (code === 'ETREAT' && known.includes('TREAT'))),
    expression,
    'must be TREAT of v3-ActReason, with ETREAT or without, or absent',
  );
}

/** A policy of PCF other than the basic one takes back what the provision permits; other URIs name the paperwork. */
function isBasicPolicy(uri: string | undefined): boolean {
  return uri?.startsWith(PCF_POLICY_PREFIX) !== true || uri === `${PCF_POLICY_PREFIX}basic-normal`;
}

/**
 * Checks that a provision names recipients (IRCP), each by a reference of one of some types, or by a number alone.
 * @throws {Fault} not-supported
 */
export function checkActors(provision: ConsentProvision, types: readonly StoredType[] = ACTOR_TYPES): void {
  const { actor = [] } = provision;
  support(actor.length > 0, 'Consent.provision.actor', 'must name whom the Consent is about');
  actor.forEach((one, index) => checkActor(one, index, types));
  const teams = actorsOf(provision).filter(({ kind }) => kind === 'team');
  support(teams.length <= 1, 'Consent.provision.actor', 'must name one CareTeam at most');
}

function checkActor(
  { role, reference, modifierExtension }: ConsentProvisionActor,
  index: number,
  types: readonly StoredType[],
): void {
  const path = `Consent.provision.actor[${index}]`;
  support(modifierExtension === undefined, `${path}.modifierExtension`, NOT_READ);
  support(hasCode(role, CODE_SYSTEM.participationType, 'IRCP'), `${path}.role`, 'must be IRCP of v3-ParticipationType');
  const { reference: literal, identifier, type = ACTOR_TYPES[0] } = reference;
  const isNumber = literal === undefined && identifier?.system !== undefined && identifier.value !== undefined;
  const ofType = isNumber ? ACTOR_TYPES.find((one) => one === type) : actorOf(literal ?? '')?.type;
  const isKnown = ofType !== undefined && types.includes(ofType);
  support(isKnown, `${path}.reference`, `must be one of ${types.join(', ')}`);
}

/**
 * The time of a provision; without a period always.
 * @throws {Fault} invalid - no real dates
 */
export function periodOf({ period }: ConsentProvision, zone: string | undefined): TimeSpan {
  const span = spanOf(period, zone);
  if (span !== undefined) return span;
  throw new Fault('invalid', 'Consent.provision.period must have real dates', {
    expression: 'Consent.provision.period',
  });
}

/** Whether a concept has a code of a system. */
export function hasCode(concept: CodeableConcept | undefined, system: string, code: string): boolean {
  return (concept?.coding ?? []).some((coding) => coding.system === system && coding.code === code);
}

/** @throws {Fault} not-supported - an element (`expression`) is not as expected */
export function support(condition: boolean, expression: string, expectation: string): void {
  if (!condition) throw notSupported(expression, expectation);
}

function notSupported(expression: string, expectation: string): Fault {
  return new Fault('not-supported', `${expression} ${expectation}`, { expression });
}
