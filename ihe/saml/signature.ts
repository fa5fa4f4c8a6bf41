/**
 * Verifies the enveloped XML Signature of an assertion and answers the bytes that were signed. Everything that is
 * decided later is read from those bytes, so nothing that was moved around the signature can be believed.
 */
import { createHash, timingSafeEqual, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { XmlC14NMode, XmlElement } from 'libxml2-wasm';
import { escapeAttribute } from '../xml/escape.ts';
import { withXml } from '../xml/parse.ts';
import { childElements } from '../xml/select.ts';
import { childrenOf, onlyChild, refusal, requiredAttribute, textOf } from './elements.ts';
import { DIGEST, NAMESPACE, SIGNATURE_ALGORITHM, TRANSFORM } from './names.ts';

const MAX_ASSERTION_LENGTH = 256 * 1024;
/** Elements and attributes, by the characters `<` and `=`: the time of C14N grows with the square of attributes. */
const MAX_MARKUP = 2_000;
const MAX_PREFIXES = 32;
const MIN_RSA_BITS = 2048;
const ID = /^[A-Za-z_][\w.-]{0,255}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

type C14nOptions = { mode: typeof XmlC14NMode.XML_C14N_EXCLUSIVE_1_0; inclusiveNamespacePrefixes?: string[] };

/**
 * Answers the canonical bytes of the assertion, without its Signature, that one of the keys signed.
 *
 * KeyInfo is never read. The document of `element` is not changed.
 * @throws {Fault} login - not exactly one enveloped signature over this very element, an algorithm that is not
 * accepted, a wrong digest, or no key that verifies
 * @see XML Signature 1.1 section 3.2; SAML 2.0 core section 5.4
 */
export function verifiedAssertion(element: XmlElement, keys: readonly KeyObject[]): string {
  requireUniqueId(element);
  return withXml(Buffer.from(isolate(element)), ({ root }) =>
    verifyIsolated(onlyChild(root, NAMESPACE.saml, 'Assertion'), keys),
  );
}

/** Reads the Reference from the signed bytes of SignedInfo, then takes the Signature out and digests the rest. */
function verifyIsolated(assertion: XmlElement, keys: readonly KeyObject[]): string {
  const id = requiredAttribute(assertion, 'ID');
  const signature = onlySignature(assertion);
  const signedInfo = verifiedSignedInfo(signature, keys);
  const reference = withXml(Buffer.from(signedInfo), ({ root }) => readReference(root, id));
  signature.remove();
  const canonical = canonicalize(assertion, reference.c14n);
  const digest = createHash(reference.digest).update(canonical).digest();
  if (digest.length !== reference.value.length || !timingSafeEqual(digest, reference.value)) {
    throw refusal('SAML assertion does not match its signed digest');
  }
  return canonical;
}

/** An Id that appears twice in the message would let a reader and a verifier look at different elements. */
function requireUniqueId(element: XmlElement): void {
  const id = requiredAttribute(element, 'ID');
  if (!ID.test(id)) throw refusal('SAML assertion has an ID that is not an XML name');
  const name = "translate(local-name(), 'ID', 'id')='id'";
  if (element.doc.eval(`count(//@*[${name}][normalize-space(.)='${id}'])`) !== 1) {
    throw refusal('SAML assertion has an ID that is not unique in the message');
  }
}

/**
 * Copies the element into a document of its own, under a root that repeats the namespaces in scope: exclusive C14N
 * of the copy is that of the original, and its cost does not depend on the size of the message around it.
 */
function isolate(element: XmlElement): string {
  const markup = element.toString({ format: false });
  if (markup.length > MAX_ASSERTION_LENGTH) throw refusal('SAML assertion is too long');
  if (markup.split(/[<=]/, MAX_MARKUP + 1).length > MAX_MARKUP) {
    throw refusal('SAML assertion has too many elements or attributes');
  }
  const declarations = Object.entries(element.namespaces)
    .filter(([, uri]) => uri !== '')
    .map(([prefix, uri]) => ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(uri)}"`);
  return `<scope${declarations.join('')}>${markup}</scope>`;
}

function onlySignature(assertion: XmlElement): XmlElement {
  if (assertion.find('.//comment() | .//processing-instruction()').length > 0) {
    throw refusal('SAML assertion has comments or processing instructions');
  }
  const namespaces = { ds: NAMESPACE.signature, saml: NAMESPACE.saml };
  if (assertion.find('.//saml:Assertion', namespaces).length > 0)
    throw refusal('SAML assertion holds another assertion');
  const [signature, ...others] = assertion.find('.//ds:Signature', namespaces);
  if (signature === undefined) throw refusal('SAML assertion is not signed');
  const isDirectChild = signature.parent?.isSameNode(assertion) === true;
  if (others.length > 0 || !isDirectChild || !(signature instanceof XmlElement)) {
    throw refusal('SAML assertion needs exactly one Signature as its direct child');
  }
  return signature;
}

/** Answers the canonical SignedInfo that one of the keys signed. */
function verifiedSignedInfo(signature: XmlElement, keys: readonly KeyObject[]): string {
  const signedInfo = onlyChild(signature, NAMESPACE.signature, 'SignedInfo');
  const method = onlyChild(signedInfo, NAMESPACE.signature, 'CanonicalizationMethod');
  if (requiredAttribute(method, 'Algorithm') !== TRANSFORM.exclusiveC14n) {
    throw refusal('SAML assertion is signed with a canonicalisation that is not exclusive C14N');
  }
  const canonical = canonicalize(signedInfo, c14nOptions(method));
  const value = decodeBase64(onlyChild(signature, NAMESPACE.signature, 'SignatureValue'));
  const algorithm = requiredAttribute(onlyChild(signedInfo, NAMESPACE.signature, 'SignatureMethod'), 'Algorithm');
  if (!keys.some((key) => isSignedBy(key, algorithm, Buffer.from(canonical), value))) {
    throw refusal('SAML assertion has a signature that its issuer did not make');
  }
  return canonical;
}

/** XML Signature writes an ECDSA value as r and s side by side (IEEE P1363), not as DER. */
function isSignedBy(key: KeyObject, uri: string, data: Buffer, value: Buffer): boolean {
  const algorithm = SIGNATURE_ALGORITHM.get(uri);
  if (algorithm === undefined) throw refusal('SAML assertion is signed with an algorithm that is not accepted');
  if (key.asymmetricKeyType !== algorithm.keyType) return false;
  if (algorithm.keyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) return false;
  return verify(algorithm.digest, data, { key, dsaEncoding: 'ieee-p1363' }, value);
}

type SignedReference = { readonly digest: string; readonly value: Buffer; readonly c14n: C14nOptions };

/** Reads the one Reference: to this assertion, by the enveloped and the exclusive C14N transforms, in that order. */
function readReference(signedInfo: XmlElement, id: string): SignedReference {
  const reference = onlyChild(signedInfo, NAMESPACE.signature, 'Reference');
  if (requiredAttribute(reference, 'URI') !== `#${id}`)
    throw refusal('SAML assertion has a signature over another element');
  const transforms = childElements(onlyChild(reference, NAMESPACE.signature, 'Transforms'));
  const [enveloped, exclusive, ...others] = transforms;
  if (
    enveloped === undefined ||
    exclusive === undefined ||
    others.length > 0 ||
    requiredAttribute(enveloped, 'Algorithm') !== TRANSFORM.enveloped ||
    requiredAttribute(exclusive, 'Algorithm') !== TRANSFORM.exclusiveC14n
  ) {
    throw refusal('SAML assertion is signed with transforms other than enveloped-signature and exclusive C14N');
  }
  const digest = DIGEST.get(requiredAttribute(onlyChild(reference, NAMESPACE.signature, 'DigestMethod'), 'Algorithm'));
  if (digest === undefined) throw refusal('SAML assertion is signed with a digest that is not accepted');
  const value = decodeBase64(onlyChild(reference, NAMESPACE.signature, 'DigestValue'));
  return { digest, value, c14n: c14nOptions(exclusive) };
}

/** Canonical XML is not defined for relative namespace URIs, which libxml2 refuses. */
function canonicalize(element: XmlElement, options: C14nOptions): string {
  try {
    return element.canonicalizeToString(options);
  } catch (error) {
    throw refusal('SAML assertion cannot be canonicalised', error);
  }
}

function c14nOptions(method: XmlElement): C14nOptions {
  const [inclusive] = childrenOf(method, NAMESPACE.exclusiveC14n, 'InclusiveNamespaces');
  const mode = XmlC14NMode.XML_C14N_EXCLUSIVE_1_0;
  if (inclusive === undefined) return { mode };
  const prefixes = requiredAttribute(inclusive, 'PrefixList').trim().split(/\s+/);
  if (prefixes.length > MAX_PREFIXES) throw refusal('SAML assertion has too many inclusive namespace prefixes');
  return { mode, inclusiveNamespacePrefixes: prefixes };
}

function decodeBase64(element: XmlElement): Buffer {
  const text = textOf(element).replaceAll(/\s+/g, '');
  if (!BASE64.test(text) || text.length % 4 !== 0)
    throw refusal(`SAML assertion has a ${element.name} that is not base64`);
  return Buffer.from(text, 'base64');
}
