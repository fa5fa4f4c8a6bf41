/** What the file of a type says of one row: whose it is, its label, and whether the patient may see it. */
import type { Period, Resource } from '@medplum/fhirtypes';
import { labelOf, NORMAL, type Label } from '../confidentiality.ts';
import { parseDateRange, periodRange, type DateRange } from '../search/date-range.ts';
import { elementsAt } from './element.ts';
import { fhirType, STORED_TYPES, type StoredType } from './visibility.ts';

/**
 * The reference by which a resource names its patient, as it is written: where the element holds several, the first
 * that names a Patient. Undefined when there is none.
 */
export function subjectOf(type: StoredType, resource: Resource): string | undefined {
  const { subject } = fhirType(type);
  if (subject === undefined) return undefined;
  const references = elementsAt(resource, `${subject}.reference`).filter((value) => typeof value === 'string');
  return references.find((reference) => /^Patient[/?]/.test(reference)) ?? references[0];
}

/** The confidentiality label of a row. */
export function labelOfRow(type: StoredType, resource: Resource): Label {
  const { label, hidesFromRepresentatives } = fhirType(type);
  if (label === 'own') return labelOf(resource.meta);
  return hidesFromRepresentatives?.(resource) === true ? NOT_FOR_REPRESENTATIVES : NORMAL;
}

const NOT_FOR_REPRESENTATIVES: Label = { level: 'N', masks: ['representatives'] };

/**
 * Whether the patient may see a row by what it says itself. Rows that wait for a report (`with-report`) may not, until
 * the flow that writes them says so.
 */
export function isReleased(type: StoredType, resource: Resource): boolean {
  const { release } = fhirType(type);
  if (typeof release === 'string') return release === 'at-once';
  return elementsAt(resource, 'status').some((status) => typeof status === 'string' && release.includes(status));
}

/**
 * The exams and reports (`Type/id`) that a row is part of, by what it says itself: of a report its exams, of a document
 * its exams and its report. Other rows are part of none: reports that were an error, too.
 */
export function examsOfRow(type: StoredType, resource: object): readonly string[] {
  const { partOf } = fhirType(type);
  // What an error says of exams is told to nobody, and found by nothing.
  if (partOf === undefined || isInError(type, resource)) return [];
  return examsAmong(elementsAt(resource, `${partOf.element}.reference`).filter((value) => typeof value === 'string'));
}

/** What a row may be part of. A document that names another document is no part of it. */
const WHOLES: readonly StoredType[] = ['ImagingStudy', 'DiagnosticReport'];

/** Those of some references (`Type/id`) that are exams and reports. */
export function examsAmong(references: readonly string[]): readonly string[] {
  return references.filter((reference) => WHOLES.some((type) => reference.startsWith(`${type}/`)));
}

/** The types whose rows are part of exams, each with the search parameter that finds them. */
export const PARTS_OF_EXAMS: readonly { readonly type: StoredType; readonly param: string }[] = STORED_TYPES.flatMap(
  (type) => {
    const { partOf } = fhirType(type);
    return partOf === undefined ? [] : [{ type, param: partOf.param }];
  },
);

/**
 * Of what time a row is, by what it says itself: of an exam when it was made, of a report and a document the exam, or
 * where they do not say when they were written. None: of no time that is known.
 */
export function datesOfRow(type: StoredType, resource: object): readonly DateRange[] {
  return firstDates(type, ({ elements }) => elements.flatMap((path) => elementsAt(resource, path)).flatMap(rangesOf));
}

/** The same, of a row by what it is found by. */
export function datesFound(
  type: StoredType,
  found: readonly (DateRange & { readonly param: string })[],
): readonly DateRange[] {
  return firstDates(type, ({ param }) => found.flatMap(({ param: by, lo, hi }) => (by === param ? [{ lo, hi }] : [])));
}

type Dated = NonNullable<ReturnType<typeof fhirType>['dated']>[number];

function firstDates(type: StoredType, rangesBy: (dated: Dated) => readonly DateRange[]): readonly DateRange[] {
  for (const dated of fhirType(type).dated ?? []) {
    const ranges = rangesBy(dated);
    if (ranges.length > 0) return ranges;
  }
  return [];
}

function rangesOf(value: unknown): readonly DateRange[] {
  if (typeof value === 'string') return [parseDateRange(value) ?? []].flat();
  const { start, end } = value as Period;
  return start === undefined && end === undefined ? [] : [periodRange(start, end) ?? []].flat();
}

/** The types whose rows are of a time, each with the search parameters that say it. */
export const DATES_OF_ROWS: readonly { readonly type: StoredType; readonly param: string }[] = STORED_TYPES.flatMap(
  (type) => (fhirType(type).dated ?? []).map(({ param }) => ({ type, param })),
);

/** Whether a row, by what it says itself, shows that the patient was with who filed it. */
export function isAttendance(type: StoredType, resource: Resource): boolean {
  const { attends } = fhirType(type);
  if (attends === undefined) return false;
  const { statuses, element } = attends;
  const isHeld = elementsAt(resource, 'status').some((one) => typeof one === 'string' && statuses.includes(one));
  return isHeld && (element === undefined || elementsAt(resource, element).length > 0);
}

/** Whether a resource says of itself that it was an error, where its type then tells less of it. */
export function isInError(type: StoredType, resource: object): boolean {
  return fhirType(type).toldInError !== undefined && elementsAt(resource, 'status').includes('entered-in-error');
}

/**
 * Why an element that FHIR requires says nothing.
 * @see https://hl7.org/fhir/R4/extension-data-absent-reason.html
 */
export const MASKED = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }],
};

/** What may be told of a resource: all of it, or of one that was an error what its type names. */
export function toldOf<R extends Resource>(type: StoredType, resource: R): R {
  const { toldInError = [] } = fhirType(type);
  if (!isInError(type, resource)) return resource;
  const { versionId, lastUpdated, security } = resource.meta ?? {};
  const told = Object.entries(resource).filter(([name]) => ['resourceType', 'id', ...toldInError].includes(name));
  return {
    ...Object.fromEntries(told),
    meta: { versionId, lastUpdated, security },
    ...('code' in resource ? { code: MASKED } : {}),
  } as unknown as R;
}
