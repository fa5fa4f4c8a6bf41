/** Names of SAML 2.0, XML Signature and XUA: each literal of these standards is written once, here. */
import { NAMESPACE as SHARED } from '../codes.ts';

/** XML namespaces an assertion is written in. @see SAML 2.0 core; XML Signature 1.1; HL7 V3 data types */
export const NAMESPACE = {
  saml: SHARED.saml,
  signature: 'http://www.w3.org/2000/09/xmldsig#',
  exclusiveC14n: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  schemaInstance: 'http://www.w3.org/2001/XMLSchema-instance',
  hl7v3: 'urn:hl7-org:v3',
} as const;

/** Transforms of a Reference; exclusive C14N is also the only canonicalisation of SignedInfo. */
export const TRANSFORM = {
  enveloped: 'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
  exclusiveC14n: 'http://www.w3.org/2001/10/xml-exc-c14n#',
} as const;

/** Accepted digests, with their names in node:crypto. SHA-1 is left out on purpose. */
export const DIGEST: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/2001/04/xmlenc#sha256', 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#sha384', 'sha384'],
  ['http://www.w3.org/2001/04/xmlenc#sha512', 'sha512'],
]);

/** A signature algorithm: its digest in node:crypto and the type of key it needs. */
export type SignatureAlgorithm = { readonly digest: string; readonly keyType: 'rsa' | 'ec' };

/** Accepted signature algorithms. RSA and ECDSA with SHA-1, and every HMAC, are left out on purpose. */
export const SIGNATURE_ALGORITHM: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', { digest: 'sha256', keyType: 'rsa' }],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha384', { digest: 'sha384', keyType: 'rsa' }],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', { digest: 'sha512', keyType: 'rsa' }],
  ['http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256', { digest: 'sha256', keyType: 'ec' }],
]);

/** SubjectConfirmation method of an assertion that whoever holds it may use. @see SAML 2.0 profiles 3.3 */
export const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';

/** Attribute names in lower case: senders differ in capitals. @see ITI TF-2 3.40.4.1.2 */
export const XUA_ATTRIBUTE = {
  subjectId: ['urn:oasis:names:tc:xspa:1.0:subject:subject-id', 'urn:oasis:names:tc:xacml:1.0:subject:subject-id'],
  organization: ['urn:oasis:names:tc:xspa:1.0:subject:organization'],
  organizationId: ['urn:oasis:names:tc:xspa:1.0:subject:organization-id'],
  role: ['urn:oasis:names:tc:xacml:2.0:subject:role', 'urn:oasis:names:tc:xspa:1.0:subject:role'],
  purposeOfUse: ['urn:oasis:names:tc:xspa:1.0:subject:purposeofuse'],
  providerIdentifier: ['urn:ihe:iti:xua:2017:subject:provider-identifier'],
  resourceId: [
    'urn:oasis:names:tc:xacml:2.0:resource:resource-id',
    'urn:oasis:names:tc:xacml:1.0:resource:resource-id',
  ],
  homeCommunityId: ['urn:ihe:iti:xca:2010:homecommunityid'],
} as const;
