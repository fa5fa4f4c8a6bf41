/**
 * The manifest of a study (a KOS object) as a document.
 * @see RAD TF-3 4.68.4.1.2.3; IHE RAD MADO DicomKosDocumentReference; CI-SIS, document IMG-KOS
 */
import type { WithId } from '@medplum/core';
import type { CodeableConcept, DocumentReference, ImagingStudy, Organization, Patient } from '@medplum/fhirtypes';
import type { CareSetting } from './care-setting.ts';
import { CODE_SYSTEM, DICOM_UID, MEDIA_TYPE } from '../codes.ts';
import { labelOf } from '../confidentiality.ts';
import { buildDocumentReference, organizationReference } from './document-reference.ts';
import { modalityEvents, relatedOf } from './document-relations.ts';

/** The stored KOS object. */
export type StoredManifest = {
  readonly sopInstanceUID: string;
  /** `Binary/id` of its bytes. */
  readonly binary: string;
  /** Absolute URL of that Binary. */
  readonly url: string;
  /** In bytes. */
  readonly size: number;
  readonly sha1Base64: string;
};

/** What the document of a manifest is built from. */
export type ManifestDocumentInput = {
  /** UUID. */
  readonly id: string;
  readonly patient: Patient;
  readonly study: ImagingStudy;
  readonly manifest: StoredManifest;
  /** The establishment whose images it lists: author and custodian. */
  readonly organization: Organization;
  readonly careSetting?: CareSetting;
  /** Instant at which the manifest was made. */
  readonly created: string;
};

/** The first coding is XDS's typeCode; the second is what the French record asks for. */
const TYPE: CodeableConcept = {
  coding: [
    { system: CODE_SYSTEM.loinc, code: '18748-4', display: 'Diagnostic imaging study' },
    { system: CODE_SYSTEM.frDocumentType, code: 'IMG-KOS', display: 'Référence d’objets d’un examen d’imagerie' },
  ],
};

/** Builds the document of a manifest, under the confidentiality label of its study. */
export function buildManifestDocument(input: ManifestDocumentInput): WithId<DocumentReference> {
  const { study, manifest, organization, created } = input;
  return buildDocumentReference({
    id: input.id,
    uniqueId: manifest.sopInstanceUID,
    patient: input.patient,
    organization,
    careSetting: input.careSetting,
    type: TYPE,
    category: { system: CODE_SYSTEM.frDocumentClass, code: '31', display: 'Imagerie médicale' },
    label: labelOf(study.meta),
    date: created,
    author: [organizationReference(organization)],
    description: study.description,
    attachment: {
      contentType: MEDIA_TYPE.dicom,
      language: 'fr-FR',
      url: manifest.url,
      size: manifest.size,
      hash: manifest.sha1Base64,
      title: 'Référence d’objets d’un examen d’imagerie',
      creation: created,
    },
    format: {
      system: CODE_SYSTEM.dicomUids,
      code: DICOM_UID.keyObjectSelection,
      display: 'Key Object Selection Document',
    },
    event: modalityEvents([study]),
    started: study.started,
    ended: study.started,
    related: relatedOf([study]),
    studies: [study],
  });
}
