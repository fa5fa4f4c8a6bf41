/**
 * A report as a document beside its DiagnosticReport.
 *
 * DiagnosticReport                | DocumentReference
 * presentedForm                   | content.attachment
 * resultsInterpreter, performer   | author, as far as they are persons or speak for the sender; the sender
 * issued                          | date
 * effective                       | context.period
 * code.text                       | description
 * imagingStudy, basedOn           | context.related
 * meta.security                   | meta.security, securityLabel
 * @see IHE MHD; CI-SIS, imaging report
 */
import type { WithId } from '@medplum/core';
import type {
  Attachment,
  Coding,
  DiagnosticReport,
  DocumentReference,
  Identifier,
  ImagingStudy,
  Organization,
  Patient,
  Reference,
} from '@medplum/fhirtypes';
import type { CareSetting } from './care-setting.ts';
import { CODE_SYSTEM, FORMAT_CODE, MEDIA_TYPE } from '../codes.ts';
import { labelOf } from '../confidentiality.ts';
import { parseDateRange, TIME_BOUND } from '../search/date-range.ts';
import { containedPractitioner, logicalReference } from './contained-practitioner.ts';
import { buildDocumentReference, organizationReference, referenceTo } from './document-reference.ts';
import { modalityEvents, relatedOf } from './document-relations.ts';
import { Fault } from '../fault.ts';

/** The stored bytes of a report. */
export type StoredReport = {
  /** `Binary/id` of its bytes. */
  readonly binary: string;
  /** Absolute URL of that Binary. */
  readonly url: string;
  readonly contentType: string;
  /** In bytes. */
  readonly size: number;
  readonly sha1Base64: string;
  readonly title?: string | undefined;
  /** BCP 47; French of France when left out. */
  readonly language?: string | undefined;
  /** dateTime; when the report was issued when left out. */
  readonly creation?: string | undefined;
};

/** What the document of a report is built from. */
export type ReportDocumentInput = {
  /** UUID. */
  readonly id: string;
  /** OID or UID in dotted form. */
  readonly uniqueId: string;
  readonly patient: Patient;
  readonly report: DiagnosticReport;
  readonly attachment: StoredReport;
  /** The establishment that sent it: custodian, and author. */
  readonly organization: Organization;
  /** Further Organizations (`Organization/id`) that may be authors: its own departments, whom it reads for. */
  readonly institutions?: readonly string[];
  readonly careSetting?: CareSetting;
  /** The studies of the report that are stored. */
  readonly studies: readonly ImagingStudy[];
  /** `DocumentReference/id` of the manifests of those studies. */
  readonly manifests: readonly string[];
};

/**
 * Builds the document of a report, under the report's own confidentiality label. A study that is not stored yet is
 * related by the identifier that the report gives.
 * @throws {Fault} required - neither the form nor the report says when it was made
 */
export function buildReportDocument(input: ReportDocumentInput): WithId<DocumentReference> {
  const { report, organization, studies } = input;
  return buildDocumentReference({
    id: input.id,
    uniqueId: input.uniqueId,
    patient: input.patient,
    organization,
    careSetting: input.careSetting,
    type: { coding: [{ system: CODE_SYSTEM.loinc, code: '18748-4', display: 'Diagnostic imaging study' }] },
    category: { system: CODE_SYSTEM.frDocumentClass, code: '10', display: 'Compte rendu' },
    label: labelOf(report.meta),
    date: report.issued ?? instantOf(input.attachment.creation),
    author: authorsOf(input),
    description: report.code.text,
    attachment: attachmentOf(input),
    format: formatOf(input.attachment.contentType),
    event: modalityEvents(studies),
    started: report.effectiveDateTime ?? report.effectivePeriod?.start ?? earliestOf(studies),
    ended: endOf(report, studies),
    related: [...relatedOf(studies, identifiersOf(report)), ...linksOf(input)],
    studies,
  });
}

function attachmentOf({ attachment, report }: ReportDocumentInput): Attachment {
  const creation = attachment.creation ?? report.issued;
  if (creation === undefined) {
    throw new Fault('required', 'A report needs the time at which it was issued', {
      expression: 'DiagnosticReport.issued',
    });
  }
  const { contentType, language = 'fr-FR', url, size, sha1Base64, title = report.code.text } = attachment;
  return { contentType, language, url, size, hash: sha1Base64, title: title ?? 'Compte rendu d’imagerie', creation };
}

/** A form that is no PDF says all in its media type. @see IHE FormatCode */
function formatOf(contentType: string): Coding {
  const code = contentType === MEDIA_TYPE.pdf ? FORMAT_CODE.pdf : FORMAT_CODE.mimeTypeSufficient;
  return { system: CODE_SYSTEM.iheFormat, code };
}

type Author = NonNullable<DocumentReference['author']>[number];

/** Who interpreted, then who performed, then the establishment. */
function authorsOf({ report, organization, institutions = [] }: ReportDocumentInput): Author[] {
  const own = organizationReference(organization);
  const authors = new Map<string, Author>();
  for (const reference of [...(report.resultsInterpreter ?? []), ...(report.performer ?? [])]) {
    const isOne = isInstitution(reference)
      ? [own.reference, ...institutions].includes(reference.reference)
      : isAuthor(reference);
    const author = isOne ? outside(report, reference as Author) : undefined;
    if (author !== undefined) authors.set(author.reference ?? JSON.stringify(author), author);
  }
  return [...authors.values(), ...(authors.has(own.reference ?? '') ? [] : [own])];
}

/** An author as a document names one that does not contain what the report does. */
function outside(report: DiagnosticReport, author: Author): Author | undefined {
  if (author.reference?.startsWith('#') !== true) return author;
  const practitioner = containedPractitioner(report, author);
  return practitioner && logicalReference(practitioner);
}

/** An Organization that only a number names may be anybody's. */
function isInstitution({ type, reference }: Reference): boolean {
  return type === 'Organization' || reference?.includes('Organization/') === true;
}

/** Persons alone: a CareTeam cannot be an author, and no other type can perform a report. */
function isAuthor({ type, reference }: Reference): boolean {
  if (type === 'CareTeam') return false;
  return reference === undefined || reference.startsWith('#') || /(?:^|\/)Practitioner(?:Role)?\//.test(reference);
}

function identifiersOf({ imagingStudy = [], basedOn = [] }: DiagnosticReport): Identifier[] {
  return [...imagingStudy, ...basedOn]
    .map(({ identifier }) => identifier)
    .filter((identifier) => identifier !== undefined);
}

function linksOf({ report, manifests }: ReportDocumentInput): Reference[] {
  const source = report.id === undefined ? [] : [{ reference: referenceTo(report) }];
  return [...source, ...manifests.map((reference) => ({ reference }))];
}

function earliestOf(studies: readonly ImagingStudy[]): string | undefined {
  const times = studies.map(({ started }) => started).filter((started) => started !== undefined);
  return times.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0];
}

/** Until when what a report is about was made, as the report or all of its exams say; undefined where one does not. */
function endOf({ effectiveDateTime, effectivePeriod }: DiagnosticReport, studies: readonly ImagingStudy[]) {
  if (effectiveDateTime !== undefined) return effectiveDateTime;
  if (effectivePeriod !== undefined) return effectivePeriod.start === undefined ? undefined : effectivePeriod.end;
  if (studies.some(({ started }) => started === undefined)) return undefined;
  const hi = (started: string): number => parseDateRange(started)?.hi ?? TIME_BOUND;
  return studies.flatMap(({ started }) => started ?? []).toSorted((a, b) => hi(b) - hi(a))[0];
}

function instantOf(dateTime: string | undefined): string | undefined {
  return dateTime?.includes('T') === true ? dateTime : undefined;
}
