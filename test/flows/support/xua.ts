/** A SAML issuer of the region, and the assertions by which professionals come through XDS (ITI-40). */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mintAssertion } from '../../../fixtures/saml-issuer.ts';
import { NAMESPACE } from '../../../ihe/codes.ts';
import { IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';

/** An issuer; `certificate` is its public key, PEM. */
export type Issuer = { readonly name: string; readonly certificate: string; readonly privateKey: KeyObject };

/** HL7 V3 ActReason. */
const PURPOSE_SYSTEM = 'urn:oid:2.16.840.1.113883.5.8';
const TEN_MINUTES_MS = 600_000;

/** Makes an issuer with fresh keys. */
export function makeIssuer(): Issuer {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    name: 'https://assertions.demonstration.invalid',
    certificate: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey,
  };
}

/** What an assertion of the region says otherwise: another purpose of use, or an `edit` of what was signed. */
export type AssertionChanges = {
  readonly purpose?: string | undefined;
  readonly edit?: (assertion: string) => string;
};

/** A security header that asserts a professional by the national identifier; without a purpose none is asserted. */
export function securityHeader(
  issuer: Issuer,
  audience: string,
  rpps: string,
  { edit = (assertion) => assertion, ...changes }: AssertionChanges = {},
): string {
  const { purpose } = { purpose: 'TREAT', ...changes };
  const now = Date.now();
  const assertion = mintAssertion({
    issuer: issuer.name,
    audience,
    nameId: rpps,
    subjectName: 'Professionnel de la démonstration',
    organization: 'Cabinet de démonstration',
    notBefore: new Date(now - TEN_MINUTES_MS),
    notOnOrAfter: new Date(now + TEN_MINUTES_MS),
    providerIdentifier: { system: IDENTIFIER_SYSTEM.professional, value: rpps },
    ...(purpose === undefined ? {} : { purposeOfUse: { code: purpose, system: PURPOSE_SYSTEM } }),
    privateKey: issuer.privateKey,
  });
  return `<w:Security xmlns:w="${NAMESPACE.wsse}">${edit(assertion)}</w:Security>`;
}
