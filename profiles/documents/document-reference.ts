/**
 * What the documents that the server makes have in common: IHE MHD Comprehensive (un-contained) DocumentReference,
 * with every attribute that a DocumentEntry needs. @see IHE MHD 4.2; ITI TF-3 table 4.2.3.2-1
 */
import type { WithId } from '@medplum/core';
import type {
  Attachment,
  CodeableConcept,
  Coding,
  DocumentReference,
  Identifier,
  ImagingStudy,
  Organization,
  Patient,
  Period,
  Reference,
} from '@medplum/fhirtypes';
import { careSettingOf } from './care-setting.ts';
import type { CareSetting } from './care-setting.ts';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidUri } from '../codes.ts';
import { codingsOf, type Label } from '../confidentiality.ts';
import { toElements } from '../elements.ts';
import { viewerLinks, viewersOf } from '../imaging/viewer-endpoint.ts';

/** The parts of a document. */
export type DocumentParts = {
  /** UUID: the entryUUID is derived from it. */
  readonly id: string;
  /** OID or UID in dotted form. */
  readonly uniqueId: string;
  readonly patient: Patient;
  /** Custodian; its care setting holds where none is named. */
  readonly organization: Organization;
  readonly careSetting?: CareSetting | undefined;
  readonly type: CodeableConcept;
  /** Class of the document, a code of TRE_A03. */
  readonly category: Coding;
  readonly label: Label;
  /** Instant. */
  readonly date: string | undefined;
  readonly author: DocumentReference['author'];
  readonly description: string | undefined;
  readonly attachment: Attachment;
  readonly format: Coding;
  readonly event: readonly CodeableConcept[];
  /** dateTime at which the act began. */
  readonly started: string | undefined;
  /** When the last of it was made; absent where that is not known. */
  readonly ended: string | undefined;
  readonly related: readonly Reference[];
  /** The studies it is about: it leads to their viewers. */
  readonly studies: readonly ImagingStudy[];
};

/** Puts a document together; it is current. Its source patient is contained, as she is when it is made. */
export function buildDocumentReference(parts: DocumentParts): WithId<DocumentReference> {
  const { patient, organization, label } = parts;
  const uniqueId = typedIdentifier('uniqueId', oidUri(parts.uniqueId));
  const { facilityType, practiceSetting } = parts.careSetting ?? careSettingOf(organization);
  const viewers = viewerLinks(viewersOf(parts.studies));
  return toElements<WithId<DocumentReference>>({
    resourceType: 'DocumentReference',
    id: parts.id,
    meta: { security: [...codingsOf(label)] },
    contained: [sourcePatientOf(patient), ...viewers.contained],
    masterIdentifier: uniqueId,
    identifier: [typedIdentifier('entryUUID', `urn:uuid:${parts.id}`), uniqueId],
    status: 'current',
    type: parts.type,
    category: [{ coding: [parts.category] }],
    subject: { reference: referenceTo(patient) },
    date: parts.date,
    author: parts.author,
    custodian: organizationReference(organization),
    description: parts.description,
    securityLabel: codingsOf(label).map((coding) => ({ coding: [coding] })),
    content: [{ attachment: parts.attachment, format: parts.format }],
    context: toElements<NonNullable<DocumentReference['context']>>({
      event: [...parts.event],
      period: periodOf(parts),
      facilityType,
      practiceSetting,
      sourcePatientInfo: { reference: `#${SOURCE_PATIENT}` },
      related: [...parts.related, ...viewers.references],
    }),
  });
}

/** Of an exam that says when it began alone, that: as precise as it is said. */
function periodOf({ started, ended }: DocumentParts): Period | undefined {
  return started === undefined ? undefined : toElements<Period>({ start: started, end: ended });
}

/** References an organization of the directory, with its name. */
export function organizationReference(organization: Organization): Reference<Organization> {
  return toElements<Reference<Organization>>({ reference: referenceTo(organization), display: organization.name });
}

/** The relative reference of a stored resource; one without id is a bug. */
export function referenceTo({ resourceType, id }: { readonly resourceType: string; readonly id?: string }): string {
  if (id === undefined) throw new Error(`A stored ${resourceType} has an id`);
  return `${resourceType}/${id}`;
}

const SOURCE_PATIENT = 'source-patient';

/** What a document says of its patient. */
export function sourcePatientOf({ identifier, name, gender, birthDate }: Patient): Patient {
  return toElements<Patient>({ resourceType: 'Patient', id: SOURCE_PATIENT, identifier, name, gender, birthDate });
}

/** The patient as a document says her; undefined where it says nothing. */
export function sourcePatientIn({ contained = [] }: DocumentReference): Patient | undefined {
  return contained.find((one): one is Patient => one.resourceType === 'Patient' && one.id === SOURCE_PATIENT);
}

/** A document that says its patient as she is said at present. */
export function withSourcePatient(document: DocumentReference, patient: Patient): DocumentReference {
  const { contained = [] } = document;
  const former = sourcePatientIn(document);
  return { ...document, contained: contained.map((one) => (one === former ? sourcePatientOf(patient) : one)) };
}

/**
 * A document with the numbers of its patient as they are said at present, and her words as it had them: no number that
 * was said of her by a mistake stays. One that names her by another identity than `own` is left as it is.
 */
export function withSourceNumbers(
  document: DocumentReference,
  own: Required<Pick<Identifier, 'system' | 'value'>>,
  { identifier = [] }: Patient,
): DocumentReference {
  const former = sourcePatientIn(document);
  const isOwn = former?.identifier?.some(({ system, value }) => system === own.system && value === own.value) === true;
  return isOwn ? withSourcePatient(document, { ...former, identifier }) : document;
}

function typedIdentifier(code: 'uniqueId' | 'entryUUID', value: string): Identifier {
  return {
    use: 'usual',
    type: { coding: [{ system: CODE_SYSTEM.mhdIdentifierType, code }] },
    system: IDENTIFIER_SYSTEM.uri,
    value,
  };
}
