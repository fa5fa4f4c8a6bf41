/** An issuer with fresh keys, its ordinary assertion, and the verification of a message that carries one. */
import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { XmlDocument, XmlElement } from 'libxml2-wasm';
import { writeAssertion } from '../../../fixtures/saml-issuer.ts';
import type { AssertionContent } from '../../../fixtures/saml-issuer.ts';
import { verifyAssertion } from '../../../ihe/saml/assertion.ts';
import type { VerifyAssertionInput, XuaAssertion } from '../../../ihe/saml/assertion.ts';
import { Fault } from '../../../profiles/fault.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** The issuer's RSA key. */
export const issuerKey = privateKey;
/** The pinned public key of the issuer, PEM. */
export const issuerPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'urn:example:passerelle';
export const NOW = new Date('2026-03-02T10:00:00Z');

/** A valid content with every attribute. */
export const CONTENT: AssertionContent = {
  id: '_assertion-1',
  issuer: ISSUER,
  audience: AUDIENCE,
  nameId: 'practitioner-0042',
  notBefore: new Date('2026-03-02T09:59:00Z'),
  notOnOrAfter: new Date('2026-03-02T10:59:00Z'),
  subjectName: 'Zoé <Lumière> & fils',
  organization: 'Hôpital des Tilleuls',
  organizationId: 'urn:oid:2.999.1.1',
  role: { code: 'MD', system: 'urn:oid:2.999.2' },
  purposeOfUse: { code: 'TREAT', system: 'urn:oid:2.16.840.1.113883.1.11.20448' },
  providerIdentifier: { value: '0042', system: 'urn:oid:2.999.3' },
  resourceId: '123^^^&2.999.4&ISO',
  homeCommunityId: 'urn:oid:2.999.5',
};

/** The unsigned ordinary assertion after an edit of its text, which must change it. */
export function edited(search: string, replacement: string, content: AssertionContent = CONTENT): string {
  const xml = writeAssertion(content);
  expect(xml).to.contain(search);
  return xml.replace(search, () => replacement);
}

/** A SOAP envelope whose Security header holds the markup. */
export function envelope(header: string, body = ''): string {
  return (
    '<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:xs="http://www.w3.org/2001/XMLSchema">' +
    '<env:Header>' +
    '<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">' +
    `${header}</wsse:Security></env:Header><env:Body>${body}</env:Body></env:Envelope>`
  );
}

/** Verifies the first assertion of the Security header, as the SOAP reader hands it over. */
export function verifyMessage(message: string, options: Partial<VerifyAssertionInput> = {}): XuaAssertion {
  using document = XmlDocument.fromString(message);
  const element = document.get("/*/*/*/*[local-name()='Assertion'] | /*[local-name()='Assertion']");
  if (!(element instanceof XmlElement)) throw new Error('The test message holds no assertion');
  const trusted = [{ issuer: ISSUER, certificate: issuerPem }];
  return verifyAssertion({ trusted, audience: AUDIENCE, now: NOW, ...options, element });
}

/** Verifies an assertion inside an envelope. */
export function verifyXml(assertion: string, options: Partial<VerifyAssertionInput> = {}): XuaAssertion {
  return verifyMessage(envelope(assertion), options);
}

/** Expects a refusal of kind login whose message matches and names no one. */
export function expectRefusal(run: () => unknown, message: RegExp): void {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
    if (!(error instanceof Fault)) return;
    expect(error.kind).to.equal('login');
    expect(error.message).to.match(message);
    expect(error.message).to.not.match(/practitioner-0042|Lumière|123/);
    return;
  }
  expect.fail('The assertion was accepted');
}
