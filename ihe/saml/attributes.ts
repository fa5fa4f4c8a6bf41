/**
 * Reads the XUA attributes of a verified assertion and evens out how senders write them: an HL7 V3 element or the
 * same element escaped as text, OIDs with or without `urn:oid:`, names in other capitals, nil values.
 */
import type { XmlElement } from 'libxml2-wasm';
import { comparedUri, oidUri } from '../../profiles/codes.ts';
import { withXml } from '../xml/parse.ts';
import { childElements } from '../xml/select.ts';
import { childrenOf, optionalAttribute, refusal } from './elements.ts';
import { NAMESPACE, XUA_ATTRIBUTE } from './names.ts';

const MAX_ATTRIBUTES = 256;
/** Limits of an HL7 V3 element that is escaped as text. */
const ESCAPED_LIMITS = { maxSizeBytes: 4096, maxDepth: 4, maxMarkup: 256 };
const OID = /^[0-2](\.(0|[1-9]\d*))+$/;

/** A coded value; an OID code system is always written `urn:oid:…`. */
export type XuaCode = { readonly code: string; readonly system: string };

/** An identifier; the system is the assigning authority (`urn:oid:…`) when the sender gives one. */
export type XuaIdentifier = { readonly value: string; readonly system?: string };

/** What the attributes say. An absent, empty or nil attribute is left out. */
export type XuaAttributes = {
  /** The user's name, for display and audit. */
  readonly subjectName?: string;
  /** Name of the organisation, when exactly one is given. */
  readonly organization?: string;
  /** Identifier of the organisation, when exactly one is given. */
  readonly organizationId?: XuaIdentifier;
  /** Every organisation the user acts for; some issuers list all groups of a user. */
  readonly organizationIds: readonly XuaIdentifier[];
  readonly role?: XuaCode;
  readonly purposeOfUse?: XuaCode;
  readonly providerIdentifier?: XuaIdentifier;
  /** The patient, as HL7 CX `id^^^&OID&ISO`. */
  readonly resourceId?: string;
  /** `urn:oid:…` */
  readonly homeCommunityId?: string;
};

type AttributeName = keyof typeof XUA_ATTRIBUTE;
type Values = (name: AttributeName) => readonly XmlElement[];

/**
 * Reads the attributes of an assertion.
 * @throws {Fault} login - more than one role, purpose of use, patient, provider or home community; a purpose of use
 * that cannot be read
 * @see ITI TF-2 3.40.4.1.2; XSPA profile of SAML 2.0
 */
export function readAttributes(assertion: XmlElement): XuaAttributes {
  const values = indexValues(assertion);
  const subjectName = atMostOne('subject-id', values('subjectId').flatMap(readText));
  const organizations = distinct(values('organization').flatMap(readText));
  const organizationIds = distinct(values('organizationId').flatMap(readIdentifier));
  const role = onlyCode('role', values('role'));
  refuseUnreadPurpose(assertion);
  const purposeOfUse = onlyCode('purposeofuse', values('purposeOfUse'));
  const providerIdentifier = atMostOne('provider-identifier', values('providerIdentifier').flatMap(readIdentifier));
  const resourceId = atMostOne('resource-id', values('resourceId').flatMap(readText).map(unescapeAmpersands));
  const homeCommunityId = atMostOne('homeCommunityId', values('homeCommunityId').flatMap(readText).map(asUri));
  return {
    ...(subjectName !== undefined && { subjectName }),
    ...(organizations.length === 1 && organizations[0] !== undefined && { organization: organizations[0] }),
    ...(organizationIds.length === 1 && organizationIds[0] !== undefined && { organizationId: organizationIds[0] }),
    organizationIds,
    ...(role !== undefined && { role }),
    ...(purposeOfUse !== undefined && { purposeOfUse }),
    ...(providerIdentifier !== undefined && { providerIdentifier }),
    ...(resourceId !== undefined && { resourceId }),
    ...(homeCommunityId !== undefined && { homeCommunityId }),
  };
}

function indexValues(assertion: XmlElement): Values {
  const attributes = attributesOf(assertion);
  if (attributes.length > MAX_ATTRIBUTES) throw refusal('SAML assertion has too many attributes');
  return (name) =>
    attributes
      .filter((attribute) => XUA_ATTRIBUTE[name].some((known) => known === nameOf(attribute)))
      .flatMap(valuesOf);
}

function attributesOf(assertion: XmlElement): readonly XmlElement[] {
  return childrenOf(assertion, NAMESPACE.saml, 'AttributeStatement').flatMap((statement) =>
    childrenOf(statement, NAMESPACE.saml, 'Attribute'),
  );
}

function nameOf(attribute: XmlElement): string | undefined {
  return optionalAttribute(attribute, 'Name')?.trim().toLowerCase();
}

function valuesOf(attribute: XmlElement): readonly XmlElement[] {
  return childrenOf(attribute, NAMESPACE.saml, 'AttributeValue');
}

/**
 * A purpose that cannot be read is never taken for care: text without a code, a code without its system, and what an
 * attribute says that calls it by another name. Words beside a code say it in words; empty values say nothing.
 */
function refuseUnreadPurpose(assertion: XmlElement): void {
  const known: readonly string[] = XUA_ATTRIBUTE.purposeOfUse;
  for (const attribute of attributesOf(assertion)) {
    const name = nameOf(attribute) ?? '';
    const said = valuesOf(attribute).filter((value) => value.content.trim() !== '' || isElement(value));
    const read = known.includes(name) ? said.filter((value) => readCode(value).length > 0) : [];
    const isRead = said.every((value) => read.includes(value) || (read.length > 0 && !isElement(value)));
    if (/purpose[-_.]?of[-_.]?use$/.test(name) && !isRead)
      throw refusal('SAML assertion has a purpose of use that cannot be read: a code with its system is expected');
  }
}

/** Whether a value is an element, or one that is escaped as text. */
function isElement(value: XmlElement): boolean {
  return childElements(value).length > 0 || value.content.trimStart().startsWith('<');
}

/** Two codes are refused even when they are equal in one attribute's name; a second name may repeat the first. */
function onlyCode(label: string, values: readonly XmlElement[]): XuaCode | undefined {
  const perAttribute = Map.groupBy(values, (value) =>
    value.parent === null ? '' : optionalAttribute(value.parent, 'Name'),
  );
  const codes = [...perAttribute.values()].flatMap((group) => {
    const found = group.flatMap(readCode);
    if (found.length > 1) throw refusal(`SAML assertion has more than one ${label}`);
    return found;
  });
  return atMostOne(label, codes);
}

function atMostOne<T>(label: string, values: readonly T[]): T | undefined {
  const [first, ...others] = distinct(values);
  if (others.length > 0) throw refusal(`SAML assertion has more than one ${label}`);
  return first;
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

function readText(value: XmlElement): string[] {
  const text = value.content.trim();
  return text === '' || childElements(value).length > 0 ? [] : [text];
}

/** A value without code and code system says nothing that can be decided on: it is passed over. */
function readCode(value: XmlElement): XuaCode[] {
  return readV3Attributes(value).flatMap(({ code, codeSystem }) =>
    code === undefined || codeSystem === undefined ? [] : [{ code, system: asUri(codeSystem) }],
  );
}

function readIdentifier(value: XmlElement): XuaIdentifier[] {
  const elements = readV3Attributes(value);
  if (elements.length === 0) return readText(value).map((text) => ({ value: asUri(text) }));
  return elements.flatMap(({ root, extension }) => {
    if (root === undefined) return [];
    return [extension === undefined ? { value: asUri(root) } : { value: extension, system: asUri(root) }];
  });
}

type V3Attributes = { code?: string; codeSystem?: string; root?: string; extension?: string };

/** The attributes of each HL7 V3 element in the value, written as elements or escaped as text. */
function readV3Attributes(value: XmlElement): V3Attributes[] {
  const elements = childElements(value);
  if (elements.length > 0) return elements.map(pickV3);
  const [text] = readText(value);
  return text?.startsWith('<') === true ? readEscaped(text) : [];
}

/** Senders leave the prefix xsi undeclared inside the escaped text, hence the wrapper that declares it. */
function readEscaped(text: string): V3Attributes[] {
  const wrapped = `<value xmlns:xsi="${NAMESPACE.schemaInstance}">${text}</value>`;
  try {
    return withXml(Buffer.from(wrapped), ({ root }) => childElements(root).map(pickV3), ESCAPED_LIMITS);
  } catch {
    return [];
  }
}

function pickV3(element: XmlElement): V3Attributes {
  if (element.namespaceUri !== NAMESPACE.hl7v3) return {};
  const picked: V3Attributes = {};
  for (const name of ['code', 'codeSystem', 'root', 'extension'] as const) {
    const text = optionalAttribute(element, name)?.trim();
    if (text !== undefined && text !== '') picked[name] = text;
  }
  return picked;
}

function asUri(text: string): string {
  return OID.test(text) ? oidUri(text) : comparedUri(text);
}

/** Some issuers escape the patient identifier twice, so that its `&` arrives as text `&amp;`. */
function unescapeAmpersands(text: string): string {
  return text.replaceAll('&amp;', '&');
}
