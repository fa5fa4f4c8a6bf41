/**
 * The parts that every ebRIM registry object is made of, written as strings under the prefix `rim`.
 * @see ITI TF-3 4.2.1
 */
import { hash } from 'node:crypto';
import type { Coding, CodeableConcept } from '@medplum/fhirtypes';
import { NAMESPACE, REGISTRY_OBJECT_TYPE } from '../codes.ts';
import { escapeAttribute, escapeText, isXmlText, toXmlText } from '../xml/escape.ts';
import { toCodingScheme } from './coded-value.ts';

/** Longest rim:Value, rim:LongName (ebRIM 3.0). */
const MAX_VALUE_LENGTH = 256;
/** Longest title in UTF-8. @see ITI TF-3 4.2.3.2.26 */
const MAX_NAME_BYTES = 128;
/** Longest comments: FreeFormText (ebRIM 3.0). */
const MAX_DESCRIPTION_LENGTH = 1024;

/**
 * Formats a rim:Slot; the empty string when it has no value. A value that ebRIM cannot carry (over 256 characters,
 * or characters that are not XML) is left out: changed, an identifier would name something else.
 */
export function formatSlot(name: string, values: readonly (string | undefined)[]): string {
  const written = values
    .filter((value) => value !== undefined)
    .filter(isCarried)
    .map((value) => `<rim:Value>${escapeText(value)}</rim:Value>`)
    .join('');
  if (written === '') return '';
  return `<rim:Slot name="${name}"><rim:ValueList>${written}</rim:ValueList></rim:Slot>`;
}

/** Formats rim:Name, cut to 128 bytes of UTF-8; the empty string for no text. */
export function formatName(text: string | undefined): string {
  return text === undefined || text === '' ? '' : `<rim:Name>${localizedString(cutToBytes(text))}</rim:Name>`;
}

/** Formats rim:Description, cut to 1,024 characters; the empty string for no text. */
export function formatDescription(text: string | undefined): string {
  if (text === undefined || text === '') return '';
  const cut = text.slice(0, MAX_DESCRIPTION_LENGTH).replace(/[\uD800-\uDBFF]$/, '');
  return `<rim:Description>${localizedString(cut)}</rim:Description>`;
}

/** A classification of one registry object; `content` are its slots and name. */
export type Classification = {
  readonly objectId: string;
  readonly scheme: string;
  /** Distinguishes the classifications of one object; the id is derived from it. */
  readonly key: string;
  readonly nodeRepresentation: string;
  readonly content: string;
};

/** Formats a rim:Classification. */
export function formatClassification(classification: Classification): string {
  const { objectId, scheme, key, nodeRepresentation, content } = classification;
  return (
    `<rim:Classification id="${derivedId(objectId, key)}" objectType="${REGISTRY_OBJECT_TYPE.classification}" ` +
    `classificationScheme="${scheme}" classifiedObject="${escapeAttribute(objectId)}" ` +
    `nodeRepresentation="${escapeAttribute(nodeRepresentation)}">${content}</rim:Classification>`
  );
}

/** Formats one classification for each coding that has a code that ebRIM can carry, with codingScheme and name. */
export function formatCodes(objectId: string, scheme: string, codings: readonly Coding[]): string {
  return codings
    .map(({ code = '', system, display }, index) =>
      isCarried(code)
        ? formatClassification({
            objectId,
            scheme,
            key: `${scheme}/${index}`,
            nodeRepresentation: code,
            content:
              formatSlot('codingScheme', [system === undefined ? undefined : toCodingScheme(system)]) +
              formatName(display ?? code),
          })
        : '',
    )
    .join('');
}

/** The first coding with a code; XDS holds one where FHIR may hold translations. The text stands in for a display. */
export function primaryCoding(concept: CodeableConcept | undefined): Coding[] {
  const coding = concept?.coding?.find(({ code }) => code !== undefined);
  if (coding === undefined) return [];
  const display = coding.display ?? concept?.text;
  return [display === undefined ? coding : { ...coding, display }];
}

/** Formats a rim:ExternalIdentifier. */
export function formatExternalIdentifier(
  objectId: string,
  { scheme, name }: { readonly scheme: string; readonly name: string },
  value: string,
): string {
  return (
    `<rim:ExternalIdentifier id="${derivedId(objectId, scheme)}" ` +
    `objectType="${REGISTRY_OBJECT_TYPE.externalIdentifier}" ` +
    `registryObject="${escapeAttribute(objectId)}" identificationScheme="${scheme}" ` +
    `value="${escapeAttribute(value)}">${formatName(name)}</rim:ExternalIdentifier>`
  );
}

/** Wraps registry objects in rim:RegistryObjectList, which declares the prefix `rim`. */
export function formatRegistryObjectList(objects: readonly string[]): string {
  return `<rim:RegistryObjectList xmlns:rim="${NAMESPACE.rim}">${objects.join('')}</rim:RegistryObjectList>`;
}

function isCarried(value: string): boolean {
  return value !== '' && value.length <= MAX_VALUE_LENGTH && isXmlText(value);
}

function localizedString(text: string): string {
  return `<rim:LocalizedString charset="UTF-8" value="${escapeAttribute(toXmlText(text))}"/>`;
}

function cutToBytes(text: string): string {
  if (text.length * 3 <= MAX_NAME_BYTES || Buffer.byteLength(text) <= MAX_NAME_BYTES) return text;
  // A character cut in two decodes to U+FFFD.
  return Buffer.from(text)
    .subarray(0, MAX_NAME_BYTES)
    .toString()
    .replace(/\uFFFD+$/, '');
}

/**
 * A name-based UUID (`urn:uuid:`): the parts of an object, and what associates it with another, keep their ids from one
 * answer to the next.
 */
export function derivedId(objectId: string, key: string): string {
  const hex = hash('sha1', `${objectId}/${key}`, 'hex');
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) % 4] ?? '8';
  const groups = [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`];
  return `urn:uuid:${groups.join('-')}-${hex.slice(20, 32)}`;
}
