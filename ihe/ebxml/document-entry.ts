/**
 * FHIR DocumentReference as XDS DocumentEntry (ebRIM 3.0 ExtrinsicObject), after MHD.
 *
 * DocumentReference                      | DocumentEntry
 * masterIdentifier                       | uniqueId
 * identifier (urn:uuid)                  | entryUUID, logicalID
 * status                                 | availabilityStatus
 * category, type, content.format         | classCode, typeCode, formatCode
 * context.facilityType, .practiceSetting | healthcareFacilityTypeCode, practiceSettingCode
 * context.event, securityLabel           | eventCodeList, confidentialityCode
 * context.period                         | serviceStartTime, serviceStopTime
 * context.related, .encounter            | referenceIdList
 * context.sourcePatientInfo              | sourcePatientId, sourcePatientInfo
 * author, authenticator                  | author, legalAuthenticator
 * content.attachment                     | mimeType, creationTime, hash, size, languageCode, title
 * description                            | comments
 * subject                                | patientId, in the affinity domain
 * custodian                              | none: XDS names the repository instead
 * @see ITI TF-3 4.2.3.2; MHD "Mapping of DocumentEntry to DocumentReference"
 */
import type { DocumentReference, Patient, Resource } from '@medplum/fhirtypes';
import { MEDIA_TYPE, oidOf } from '../../profiles/codes.ts';
import { Fault } from '../../profiles/fault.ts';
import {
  AVAILABILITY_STATUS,
  DOCUMENT_ENTRY_CLASSIFICATION,
  DOCUMENT_ENTRY_IDENTIFIER,
  OBJECT_TYPE,
  REFERENCE_ID_LIST_SLOT,
} from '../codes.ts';
import { escapeAttribute, toXmlText } from '../xml/escape.ts';
import { formatAuthors, formatPerson } from './author.ts';
import type { Resolve } from './author.ts';
import { formatDtm } from './hl7-types.ts';
import { toSourcePatientId, toSourcePatientInfo } from './patient-metadata.ts';
import { toReferenceIdList } from './reference-id.ts';
import {
  formatCodes,
  formatDescription,
  formatExternalIdentifier,
  formatName,
  formatSlot,
  primaryCoding,
} from './registry-object.ts';

/** A document with what the registry knows beside the resource. */
export type DocumentEntrySource = {
  readonly document: DocumentReference;
  /** The subject. */
  readonly patient: Patient;
  /** The subject's identifier in the affinity domain (CX). */
  readonly patientId: string;
  readonly repositoryUniqueId: string;
  /** `urn:oid:…`. */
  readonly homeCommunityId?: string;
  /** Finds resources that the document references and does not contain. */
  readonly resolve?: Resolve;
};

/**
 * Formats a document as rim:ExtrinsicObject. Metadata that the resource lacks is left out, not invented.
 * @throws {Fault} exception - the resource has no entryUUID or no uniqueId
 */
export function formatDocumentEntry(source: DocumentEntrySource): string {
  const { document, homeCommunityId } = source;
  const id = entryUUIDOf(document);
  const attachment = document.content[0]?.attachment;
  const status = document.status === 'current' ? AVAILABILITY_STATUS.approved : AVAILABILITY_STATUS.deprecated;
  const mimeType = toXmlText(attachment?.contentType ?? MEDIA_TYPE.octets);
  return (
    `<rim:ExtrinsicObject id="${escapeAttribute(id)}" lid="${escapeAttribute(id)}" ` +
    `objectType="${OBJECT_TYPE.stable}" ` +
    `status="${status}" mimeType="${escapeAttribute(mimeType)}"${homeAttribute(homeCommunityId)}>` +
    formatSlots(source) +
    formatName(attachment?.title) +
    formatDescription(document.description) +
    '<rim:VersionInfo versionName="1"/>' +
    formatClassifications(id, source) +
    formatIdentifiers(id, source) +
    '</rim:ExtrinsicObject>'
  );
}

/** Formats a document as rim:ObjectRef. */
export function formatObjectRef({ document, homeCommunityId }: DocumentEntrySource): string {
  return `<rim:ObjectRef id="${escapeAttribute(entryUUIDOf(document))}"${homeAttribute(homeCommunityId)}/>`;
}

/**
 * Returns the entryUUID of a document: its `urn:uuid:` identifier, else its logical id where that is a UUID.
 * @throws {Fault} exception - it has neither
 */
export function entryUUIDOf({ identifier = [], id = '' }: DocumentReference): string {
  const named = identifier.find(({ value }) => value?.startsWith('urn:uuid:') === true)?.value;
  if (named !== undefined) return named;
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return `urn:uuid:${id}`;
  throw new Fault('exception', 'A document of the registry has no entryUUID');
}

/**
 * Returns the XDS uniqueId of a document: a bare OID, `root^extension` for a CDA document, else the value itself.
 * @throws {Fault} exception - it has no masterIdentifier
 */
export function uniqueIdOf({ masterIdentifier }: DocumentReference): string {
  const { system, value } = masterIdentifier ?? {};
  if (value === undefined) throw new Fault('exception', 'A document of the registry has no uniqueId');
  const root = oidOf(system);
  return root === undefined ? (oidOf(value) ?? value) : `${root}^${value}`;
}

/** The attribute `home` of a registry object, with a blank before it; the empty string where it has none. */
export function homeAttribute(homeCommunityId: string | undefined): string {
  return homeCommunityId === undefined ? '' : ` home="${escapeAttribute(homeCommunityId)}"`;
}

function formatSlots(source: DocumentEntrySource): string {
  const { document, patient, patientId, repositoryUniqueId } = source;
  const resolve = resolverOf(source);
  const attachment = document.content[0]?.attachment;
  const { period, sourcePatientInfo } = document.context ?? {};
  const found = sourcePatientInfo === undefined ? undefined : resolve(sourcePatientInfo);
  const sourcePatient = found?.resourceType === 'Patient' ? found : patient;
  return (
    formatSlot('creationTime', [dtm(attachment?.creation)]) +
    formatSlot('hash', [hexHash(attachment?.hash)]) +
    formatSlot('size', [attachment?.size?.toFixed(0)]) +
    formatSlot('languageCode', [attachment?.language]) +
    formatSlot('repositoryUniqueId', [repositoryUniqueId]) +
    formatSlot('serviceStartTime', [dtm(period?.start)]) +
    formatSlot('serviceStopTime', [dtm(period?.end)]) +
    formatSlot('sourcePatientId', [toSourcePatientId(sourcePatient.identifier, patientId)]) +
    formatSlot('sourcePatientInfo', toSourcePatientInfo(sourcePatient, patientId)) +
    formatSlot('legalAuthenticator', [formatPerson(document.authenticator, resolve)]) +
    formatSlot(REFERENCE_ID_LIST_SLOT, toReferenceIdList(document, resolve))
  );
}

function formatClassifications(id: string, source: DocumentEntrySource): string {
  const { document } = source;
  const { context } = document;
  const format = document.content[0]?.format;
  const SCHEME = DOCUMENT_ENTRY_CLASSIFICATION;
  return (
    formatAuthors(id, document.author ?? [], resolverOf(source)) +
    formatCodes(id, SCHEME.classCode, primaryCoding(document.category?.[0])) +
    formatCodes(id, SCHEME.confidentialityCode, (document.securityLabel ?? []).flatMap(primaryCoding)) +
    formatCodes(id, SCHEME.eventCodeList, (context?.event ?? []).flatMap(primaryCoding)) +
    formatCodes(id, SCHEME.formatCode, format === undefined ? [] : [format]) +
    formatCodes(id, SCHEME.healthcareFacilityTypeCode, primaryCoding(context?.facilityType)) +
    formatCodes(id, SCHEME.practiceSettingCode, primaryCoding(context?.practiceSetting)) +
    formatCodes(id, SCHEME.typeCode, primaryCoding(document.type))
  );
}

function formatIdentifiers(id: string, { document, patientId }: DocumentEntrySource): string {
  return (
    formatExternalIdentifier(id, DOCUMENT_ENTRY_IDENTIFIER.patientId, patientId) +
    formatExternalIdentifier(id, DOCUMENT_ENTRY_IDENTIFIER.uniqueId, uniqueIdOf(document))
  );
}

/** Contained resources first, then those that the caller has at hand. */
function resolverOf({ document, resolve }: DocumentEntrySource): Resolve {
  const contained = new Map<string, Resource>((document.contained ?? []).map((found) => [`#${found.id}`, found]));
  return (reference) => contained.get(reference.reference ?? '') ?? resolve?.(reference);
}

function dtm(dateTime: string | undefined): string | undefined {
  return dateTime === undefined ? undefined : formatDtm(dateTime);
}

/** FHIR writes the SHA-1 in base64, XDS in hexadecimal. */
function hexHash(base64: string | undefined): string | undefined {
  const bytes = base64 === undefined ? undefined : Buffer.from(base64, 'base64');
  return bytes?.length === 20 ? bytes.toString('hex') : undefined;
}
