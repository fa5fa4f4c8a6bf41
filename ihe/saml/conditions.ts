/** Checks when, for whom and by which authentication an assertion is valid. The element is already verified. */
import type { XmlElement } from 'libxml2-wasm';
import { childElements } from '../xml/select.ts';
import { childrenOf, onlyChild, optionalAttribute, refusal, requiredAttribute, textOf } from './elements.ts';
import { BEARER, NAMESPACE } from './names.ts';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/;
const KNOWN_CONDITIONS = new Set(['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction']);
const DELEGATION = /^([\w.-]+:)?DelegationRestrictionType$/;

/** The server's view: its time, the tolerated difference of clocks, and the audience name that means it. */
export type Validity = { readonly now: Date; readonly skewMs: number; readonly audience: string };

/**
 * Checks Conditions: the period, an AudienceRestriction that names us, and no condition that is not understood.
 * A delegation restriction is accepted: it names the assistant who acts for the subject.
 * @returns the end of the period, and whether the issuer asks for a single use
 * @throws {Fault} login - a condition is missing, unknown or not met
 * @see SAML 2.0 core section 2.5; ITI TF-2 3.40.4.1.2
 */
export function checkConditions(
  assertion: XmlElement,
  validity: Validity,
): { notOnOrAfter: Date; oneTimeUse: boolean } {
  const conditions = onlyChild(assertion, NAMESPACE.saml, 'Conditions');
  const notOnOrAfter = parseInstant(requiredAttribute(conditions, 'NotOnOrAfter'));
  checkPeriod(conditions, validity);
  checkAudience(conditions, validity.audience);
  for (const condition of childElements(conditions)) requireKnown(condition);
  return { notOnOrAfter, oneTimeUse: childrenOf(conditions, NAMESPACE.saml, 'OneTimeUse').length > 0 };
}

/**
 * Checks that one SubjectConfirmation is bearer and still valid.
 * @throws {Fault} login - there is none
 * @see SAML 2.0 profiles section 3.3
 */
export function checkBearer(subject: XmlElement, validity: Validity): void {
  const bearers = childrenOf(subject, NAMESPACE.saml, 'SubjectConfirmation').filter(
    (confirmation) => optionalAttribute(confirmation, 'Method') === BEARER,
  );
  if (bearers.length === 0) throw refusal('SAML assertion has no bearer SubjectConfirmation');
  for (const bearer of bearers) {
    for (const data of childrenOf(bearer, NAMESPACE.saml, 'SubjectConfirmationData')) checkPeriod(data, validity);
  }
}

/**
 * Checks the one AuthnStatement with its one AuthnContext.
 * @returns when the user was authenticated
 * @throws {Fault} login - missing, repeated, in the future, or the session is over
 * @see SAML 2.0 core section 2.7.2
 */
export function checkAuthentication(assertion: XmlElement, validity: Validity): Date {
  const statement = onlyChild(assertion, NAMESPACE.saml, 'AuthnStatement');
  const context = onlyChild(statement, NAMESPACE.saml, 'AuthnContext');
  textOf(onlyChild(context, NAMESPACE.saml, 'AuthnContextClassRef'));
  const instant = parseInstant(requiredAttribute(statement, 'AuthnInstant'));
  requirePast(instant, validity);
  const session = optionalAttribute(statement, 'SessionNotOnOrAfter');
  if (session !== undefined) requireFuture(parseInstant(session), validity);
  return instant;
}

/** Refuses an assertion that says it is issued in the future. @throws {Fault} login */
export function checkIssueInstant(assertion: XmlElement, validity: Validity): void {
  requirePast(parseInstant(requiredAttribute(assertion, 'IssueInstant')), validity);
}

function checkPeriod(element: XmlElement, validity: Validity): void {
  const notBefore = optionalAttribute(element, 'NotBefore');
  const notOnOrAfter = optionalAttribute(element, 'NotOnOrAfter');
  if (notBefore !== undefined) requirePast(parseInstant(notBefore), validity);
  if (notOnOrAfter !== undefined) requireFuture(parseInstant(notOnOrAfter), validity);
}

function requirePast(instant: Date, { now, skewMs }: Validity): void {
  if (instant.getTime() > now.getTime() + skewMs) throw refusal('SAML assertion is not yet valid');
}

function requireFuture(instant: Date, { now, skewMs }: Validity): void {
  if (instant.getTime() <= now.getTime() - skewMs) throw refusal('SAML assertion has expired');
}

/** Every restriction must be met; inside one, any audience will do. */
function checkAudience(conditions: XmlElement, audience: string): void {
  const restrictions = childrenOf(conditions, NAMESPACE.saml, 'AudienceRestriction');
  if (restrictions.length === 0) throw refusal('SAML assertion has no AudienceRestriction');
  const isMet = restrictions.every((restriction) =>
    childrenOf(restriction, NAMESPACE.saml, 'Audience').some((element) => textOf(element) === audience),
  );
  if (!isMet) throw refusal('SAML assertion is meant for another audience');
}

function requireKnown(condition: XmlElement): void {
  const type = condition.attrs.find(
    ({ name, namespaceUri }) => name === 'type' && namespaceUri === NAMESPACE.schemaInstance,
  );
  const isDelegation = condition.name === 'Condition' && DELEGATION.test(type?.value ?? '');
  const isKnown = condition.namespaceUri === NAMESPACE.saml && (KNOWN_CONDITIONS.has(condition.name) || isDelegation);
  if (!isKnown) throw refusal('SAML assertion has a condition that is not understood');
}

/** SAML times are UTC; a time without zone is therefore read as UTC. */
function parseInstant(text: string): Date {
  const [, , zone] = INSTANT.exec(text) ?? [];
  const instant = new Date(zone === undefined ? `${text}Z` : text);
  if (!INSTANT.test(text) || Number.isNaN(instant.getTime()))
    throw refusal('SAML assertion has a time that is not valid');
  return instant;
}
