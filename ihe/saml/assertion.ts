/**
 * Verifies the user assertion of a SOAP request (ITI-40 Provide X-User Assertion) and reads who asks, for what
 * purpose and about whom. Pure: trust, audience and time are arguments.
 */
import { createPublicKey } from 'node:crypto';
import type { XmlElement } from 'libxml2-wasm';
import { withXml } from '../xml/parse.ts';
import { readAttributes } from './attributes.ts';
import type { XuaAttributes } from './attributes.ts';
import { checkAuthentication, checkBearer, checkConditions, checkIssueInstant } from './conditions.ts';
import type { Validity } from './conditions.ts';
import { onlyChild, refusal, requiredAttribute, textOf } from './elements.ts';
import { NAMESPACE } from './names.ts';
import { verifiedAssertion } from './signature.ts';

export type { XuaAttributes, XuaCode, XuaIdentifier } from './attributes.ts';

const DEFAULT_CLOCK_SKEW_SECONDS = 60;

/**
 * An issuer whose assertions are believed. The certificate (or bare public key) is PEM and pinned: it only carries
 * the key, its chain and dates are not looked at. List an issuer twice while its key changes.
 * @see SAML V2.0 Metadata Interoperability Profile section 2.6.1
 */
export type TrustedIssuer = { readonly issuer: string; readonly certificate: string };

/** A verified assertion. `oneTimeUse`: the issuer allows one use, so the server must refuse the same `id` again. */
export type XuaAssertion = XuaAttributes & {
  readonly id: string;
  readonly issuer: string;
  readonly nameId: string;
  readonly notOnOrAfter: Date;
  readonly authnInstant: Date;
  readonly oneTimeUse: boolean;
};

/** What an assertion is verified against. Clock skew is 60 seconds when left out. */
export type VerifyAssertionInput = {
  /** The Assertion inside its parsed message; the caller owns and disposes of the document. */
  readonly element: XmlElement;
  readonly trusted: readonly TrustedIssuer[];
  readonly audience: string;
  readonly now: Date;
  readonly clockSkewSeconds?: number;
};

/**
 * Verifies an assertion. All that is answered is read from the canonical bytes that the issuer signed.
 * @throws {Fault} login - unsigned, wrapped, altered, of an unknown issuer, outside its period or audience, or
 * saying two things where one is allowed; the message names the reason and never a person
 * @see ITI TF-2 3.40; SAML 2.0 core; WS-Security SAML token profile 1.1
 */
export function verifyAssertion(input: VerifyAssertionInput): XuaAssertion {
  requireSamlAssertion(input.element);
  const canonical = verifiedAssertion(input.element, keysOf(input));
  const skewMs = (input.clockSkewSeconds ?? DEFAULT_CLOCK_SKEW_SECONDS) * 1000;
  const validity = { now: input.now, skewMs, audience: input.audience };
  return withXml(Buffer.from(canonical), ({ root }) => readAssertion(root, validity));
}

function requireSamlAssertion(element: XmlElement): void {
  if (element.doc.dtd !== null) throw refusal('DOCTYPE is not allowed in a SAML assertion');
  if (element.name !== 'Assertion' || element.namespaceUri !== NAMESPACE.saml) {
    throw refusal('Security header holds no SAML 2.0 assertion');
  }
  if (requiredAttribute(element, 'Version') !== '2.0') throw refusal('SAML assertion is not of version 2.0');
}

/** The issuer's name chooses the pinned keys; the signature then proves that the name is theirs to use. */
function keysOf({ element, trusted }: VerifyAssertionInput) {
  const issuer = textOf(onlyChild(element, NAMESPACE.saml, 'Issuer'));
  const keys = trusted
    .filter((candidate) => candidate.issuer === issuer)
    .map(({ certificate }) => createPublicKey(certificate));
  if (keys.length === 0) throw refusal('SAML assertion is of an issuer that is not trusted here');
  return keys;
}

function readAssertion(assertion: XmlElement, validity: Validity): XuaAssertion {
  const subject = onlyChild(assertion, NAMESPACE.saml, 'Subject');
  const nameId = textOf(onlyChild(subject, NAMESPACE.saml, 'NameID'));
  checkIssueInstant(assertion, validity);
  const { notOnOrAfter, oneTimeUse } = checkConditions(assertion, validity);
  checkBearer(subject, validity);
  const authnInstant = checkAuthentication(assertion, validity);
  return {
    ...readAttributes(assertion),
    id: requiredAttribute(assertion, 'ID'),
    issuer: textOf(onlyChild(assertion, NAMESPACE.saml, 'Issuer')),
    nameId,
    notOnOrAfter,
    authnInstant,
    oneTimeUse,
  };
}
