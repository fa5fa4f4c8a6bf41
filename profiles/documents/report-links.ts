/**
 * The exams that a report names, and its links to those that are stored.
 *
 * imagingStudy                       | names
 * identifier of `urn:dicom:uid`      | the exam of this Study Instance UID
 * reference `ImagingStudy/id` alone  | the exam that is stored there
 * another identifier                 | the exams of this Accession Number
 * none at all: identifier of basedOn | the exams of this Accession Number
 */
import type { DiagnosticReport, Identifier, ImagingStudy, Reference } from '@medplum/fhirtypes';
import { EXTENSION } from '../codes.ts';
import { isAccession, studyIdentifier, studyInstanceUIDOf } from '../imaging/identifiers.ts';

/** A number and who gives such. */
export type Numbered = { readonly system: string; readonly value: string };

/** What a report names its exams by. UIDs are dotted. */
export type StudyNames = {
  readonly uids: readonly string[];
  /** Ids of ImagingStudy. */
  readonly ids: readonly string[];
  readonly accessions: readonly Numbered[];
};

/** A stored exam that a report names, and whether the report may tell that it is stored. */
export type NamedStudy = {
  readonly id: string;
  readonly studyInstanceUID: string;
  readonly isShown: boolean;
};

type Exam = Reference<ImagingStudy>;

/** Reads what a report names its exams by, as its sender wrote it. */
export function studyNamesOf({ imagingStudy = [], basedOn = [] }: DiagnosticReport): StudyNames {
  const sent = imagingStudy.filter((exam) => !isDerived(exam));
  const uids = sent.flatMap((exam) => uidOf(exam) ?? []);
  const ids = sent.flatMap((exam) => (uidOf(exam) === undefined ? (idOf(exam) ?? []) : []));
  const numbers = sent.filter((exam) => uidOf(exam) === undefined).map(({ identifier }) => identifier);
  const orders = sent.length > 0 ? [] : basedOn.map(({ identifier }) => identifier).filter(isOrderNumber);
  return {
    uids: [...new Set(uids)],
    ids: [...new Set(ids)],
    accessions: [...numbers, ...orders].flatMap((identifier) => numberedOf(identifier) ?? []),
  };
}

/** The report as its sender means it: an Accession Number without a system is of the sender's own (URI). */
export function withIssuer(report: DiagnosticReport, system: string): DiagnosticReport {
  const issued = <T extends Reference>(one: T): T =>
    one.identifier === undefined || one.identifier.system !== undefined || !isOrderNumber(one.identifier)
      ? one
      : { ...one, identifier: { ...one.identifier, system } };
  const { basedOn, imagingStudy } = report;
  return {
    ...report,
    ...(basedOn === undefined ? {} : { basedOn: basedOn.map(issued) }),
    ...(imagingStudy === undefined ? {} : { imagingStudy: imagingStudy.map(issued) }),
  };
}

/** The Accession Numbers of an exam. */
export function accessionsOf({ basedOn = [] }: ImagingStudy): readonly Numbered[] {
  return basedOn.flatMap(({ identifier }) => numberedOf(identifier) ?? []);
}

/** Whether a report names an exam. */
export function namesStudy(names: StudyNames, study: Omit<NamedStudy, 'isShown'>, numbers: readonly Numbered[]) {
  const { uids, ids, accessions } = names;
  return uids.includes(study.studyInstanceUID) || ids.includes(study.id) || accessions.some(isAmong(numbers));
}

/**
 * Links a report to the stored exams that it names: by a literal reference, and the Study Instance UID. An exam that it
 * may not tell of is named as one that is not stored.
 */
export function linkedTo(report: DiagnosticReport, studies: readonly NamedStudy[]): DiagnosticReport {
  const sent = (report.imagingStudy ?? []).filter((exam) => !isDerived(exam));
  const linked = sent.map((exam) => linkOf(exam, studies));
  const named = new Set(linked.map(uidOf));
  const further = studies.filter(({ studyInstanceUID, isShown }) => isShown && !named.has(studyInstanceUID));
  return withExams(report, [...linked, ...further.toSorted((one, other) => (one.id < other.id ? -1 : 1)).map(derived)]);
}

/** A report without the links that it was given: what its sender said, as far as it tells two reports apart. */
export function unlinked(report: DiagnosticReport): DiagnosticReport {
  const sent = (report.imagingStudy ?? []).filter((exam) => !isDerived(exam));
  return withExams(
    report,
    sent.map((exam) => (uidOf(exam) === undefined ? exam : withoutReference(exam))),
  );
}

/** The report without its references to an exam, by its UID and its Accession Numbers. */
export function withoutStudy(
  report: DiagnosticReport,
  studyInstanceUID: string,
  numbers: readonly Numbered[] = [],
): DiagnosticReport {
  const others = (report.imagingStudy ?? []).filter((exam) => {
    const number = numberedOf(exam.identifier);
    return uidOf(exam) !== studyInstanceUID && !(number !== undefined && isAmong(numbers)(number));
  });
  return withExams(report, others);
}

function linkOf(exam: Exam, studies: readonly NamedStudy[]): Exam {
  const [uid, id] = [uidOf(exam), idOf(exam)];
  const study = studies.find((one) => (uid === undefined ? one.id === id : one.studyInstanceUID === uid));
  if (study === undefined) return uid === undefined ? exam : withoutReference(exam);
  const identifier = uid === undefined ? { identifier: studyIdentifier(study.studyInstanceUID) } : {};
  return { ...withoutReference(exam), ...referenceTo(study), ...identifier };
}

function derived(study: NamedStudy): Exam {
  const extension = [{ url: EXTENSION.namedByAccession, valueBoolean: true }];
  const identifier = studyIdentifier(study.studyInstanceUID);
  return { extension, ...referenceTo(study), type: 'ImagingStudy', identifier };
}

function referenceTo({ id, isShown }: NamedStudy): { readonly reference?: string } {
  return isShown ? { reference: `ImagingStudy/${id}` } : {};
}

function withoutReference({ reference: _reference, ...exam }: Exam): Exam {
  return exam;
}

function withExams({ imagingStudy: _exams, ...report }: DiagnosticReport, exams: readonly Exam[]): DiagnosticReport {
  return exams.length === 0 ? report : { ...report, imagingStudy: [...exams] };
}

/** The server's own entry for an exam that is named by a number. */
function isDerived({ extension = [] }: Exam): boolean {
  return extension.some(({ url }) => url === EXTENSION.namedByAccession);
}

function uidOf({ identifier }: Exam): string | undefined {
  return identifier === undefined ? undefined : studyInstanceUIDOf(identifier);
}

function idOf({ reference = '' }: Exam): string | undefined {
  return /^ImagingStudy\/([A-Za-z0-9.-]{1,64})(?:\/_history\/.*)?$/.exec(reference)?.[1];
}

/** An order has numbers of several kinds; an identifier that says none is taken for the one that exams bear. */
function isOrderNumber(identifier: Identifier | undefined): boolean {
  return identifier !== undefined && ((identifier.type?.coding ?? []).length === 0 || isAccession(identifier));
}

function numberedOf(identifier: Identifier | undefined): Numbered | undefined {
  const { system, value } = identifier ?? {};
  if (system === undefined || value === undefined || uidOf({ identifier: identifier ?? {} }) !== undefined)
    return undefined;
  return { system, value };
}

function isAmong(numbers: readonly Numbered[]): (number: Numbered) => boolean {
  return ({ system, value }) => numbers.some((one) => one.system === system && one.value === value);
}
