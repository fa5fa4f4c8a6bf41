/** Values of content items as they are read. @see DICOM PS3.3 C.17.3.2, C.18 */
import { itemsOf, TAG, textOf, textsOf } from '../attributes.ts';
import type { DicomDataSet } from '../data-element.ts';
import { parseTime, readableDateTime } from '../date-time.ts';
import { numericValues } from '../element-values.ts';
import { formatPersonName } from '../person-name.ts';

/** Coordinates and sample positions that are written out; of more, only how many. */
const MOST_NUMBERS = 12;
const UCUM = 'UCUM';
const NO_UNIT: ReadonlySet<string> = new Set(['1', 'no units', 'unity']);
/** Where a value stands that a header does not keep, being larger than 256 KB. */
const TOO_LONG = '[valeur trop longue pour être affichée]';

const VALUE_OF: Readonly<Record<string, (item: DicomDataSet) => string | undefined>> = {
  TEXT: (item) => longTextOf(item, TAG.TextValue),
  CODE: (item) => codeTextOf(item, TAG.ConceptCodeSequence),
  NUM: measurementOf,
  DATE: (item) => dateTimeTextOf(item, TAG.Date),
  TIME: (item) => {
    const text = textOf(item, TAG.Time);
    return text === undefined ? undefined : (parseTime(text) ?? text);
  },
  DATETIME: (item) => dateTimeTextOf(item, TAG.DateTime),
  PNAME: (item) => personNameOf(item, TAG.PersonName),
  UIDREF: (item) => textOf(item, TAG.UID),
  IMAGE: (item) => referenceOf(item, 'Image'),
  COMPOSITE: (item) => referenceOf(item, 'Objet'),
  WAVEFORM: (item) => referenceOf(item, 'Tracé'),
  SCOORD: coordinatesOf,
  SCOORD3D: coordinatesOf,
  TCOORD: temporalOf,
};

/** Returns the value of a content item as text: undefined when it is empty, or of a type that has none. */
export function contentValueOf(valueType: string, item: DicomDataSet): string | undefined {
  return VALUE_OF[valueType]?.(item);
}

/** Tells whether items of a value type can be shown. */
export function isKnownValueType(valueType: string): boolean {
  return valueType === 'CONTAINER' || Object.hasOwn(VALUE_OF, valueType);
}

/** Returns what the first code of a sequence means, else the code itself. */
export function codeTextOf(dataSet: DicomDataSet, tag: number): string | undefined {
  const code = itemsOf(dataSet, tag)[0];
  if (code === undefined) return undefined;
  const meaning = longTextOf(code, TAG.CodeMeaning);
  if (meaning !== undefined) return meaning;
  const value = codeValueOf(code);
  const scheme = textOf(code, TAG.CodingSchemeDesignator);
  return value === undefined || scheme === undefined ? value : `${value} (${scheme})`;
}

/** Returns the value of a code item, in whichever of its three attributes it stands. */
export function codeValueOf(code: DicomDataSet): string | undefined {
  return textOf(code, TAG.CodeValue) ?? longTextOf(code, TAG.LongCodeValue) ?? longTextOf(code, TAG.URNCodeValue);
}

/** Returns the first name as a reader writes it, the ideographic one behind it. */
export function personNameOf(dataSet: DicomDataSet, tag: number): string | undefined {
  const text = textOf(dataSet, tag);
  if (text === undefined) return undefined;
  const [Alphabetic = '', Ideographic = ''] = text.split('=');
  const names = [formatPersonName({ Alphabetic }), formatPersonName({ Ideographic })].filter(
    (name) => name !== undefined,
  );
  return names.length === 0 ? text : names.join(' – ');
}

/** Returns a DA or DT as it is read. */
export function dateTimeTextOf(dataSet: DicomDataSet, tag: number): string | undefined {
  const text = textOf(dataSet, tag);
  return text === undefined ? undefined : readableDateTime(text);
}

function longTextOf(dataSet: DicomDataSet, tag: number): string | undefined {
  const element = dataSet.elements.get(tag);
  if (element !== undefined && element.value === undefined && element.items === undefined) return TOO_LONG;
  return textsOf(dataSet, tag).join('\\') || undefined;
}

function measurementOf(item: DicomDataSet): string | undefined {
  const measured = itemsOf(item, TAG.MeasuredValueSequence)[0];
  const number = measured === undefined ? undefined : textOf(measured, TAG.NumericValue);
  const qualifier = codeTextOf(item, TAG.NumericValueQualifierCodeSequence);
  const value =
    measured === undefined || number === undefined ? undefined : [number, unitOf(measured)].filter(Boolean).join(' ');
  return value !== undefined && qualifier !== undefined ? `${value} (${qualifier})` : (value ?? qualifier);
}

/**
 * UCUM codes are what is printed, but for annotations and `1`, of which the meaning tells what is counted, as px.
 * @see PS3.16 CID 82
 */
function unitOf(measured: DicomDataSet): string | undefined {
  const unit = itemsOf(measured, TAG.MeasurementUnitsCodeSequence)[0];
  if (unit === undefined) return undefined;
  const [code, meaning] = [codeValueOf(unit), textOf(unit, TAG.CodeMeaning)];
  const isUcum = textOf(unit, TAG.CodingSchemeDesignator) === UCUM;
  if (isUcum && code === '1') return NO_UNIT.has(meaning?.toLowerCase() ?? '1') ? undefined : meaning;
  if (isUcum && code?.startsWith('{') === false) return code;
  if (meaning === undefined || meaning === code || code?.startsWith('{')) return meaning ?? code;
  return code === undefined ? meaning : `${code} (${meaning})`;
}

function referenceOf(item: DicomDataSet, kind: string): string | undefined {
  const of = itemsOf(item, TAG.ReferencedSOPSequence)[0];
  const uid = of === undefined ? undefined : textOf(of, TAG.ReferencedSOPInstanceUID);
  if (of === undefined || uid === undefined) return undefined;
  const parts = [
    ['image', textsOf(of, TAG.ReferencedFrameNumber)],
    ['segment', numbersOf(of, TAG.ReferencedSegmentNumber)],
  ] as const;
  const named = parts.filter(([, numbers]) => numbers.length > 0).map(([name, numbers]) => `, ${name} ${few(numbers)}`);
  return `${kind} ${uid}${named.join('')}`;
}

function coordinatesOf(item: DicomDataSet): string | undefined {
  const type = textOf(item, TAG.GraphicType);
  const frame = textOf(item, TAG.ReferencedFrameOfReferenceUID);
  const element = item.elements.get(TAG.GraphicData);
  if (type === undefined) return undefined;
  const written =
    element !== undefined && element.value === undefined
      ? '[coordonnées trop nombreuses]'
      : few(numbersOf(item, TAG.GraphicData));
  return `${type} : ${written}${frame === undefined ? '' : ` (repère ${frame})`}`;
}

function temporalOf(item: DicomDataSet): string | undefined {
  const type = textOf(item, TAG.TemporalRangeType);
  if (type === undefined) return undefined;
  const places = [
    ...numbersOf(item, TAG.ReferencedSamplePositions),
    ...textsOf(item, TAG.ReferencedTimeOffsets),
    ...textsOf(item, TAG.ReferencedDateTime).map(readableDateTime),
  ];
  return `${type} : ${few(places)}`;
}

function numbersOf(dataSet: DicomDataSet, tag: number): readonly string[] {
  const element = dataSet.elements.get(tag);
  return element === undefined ? [] : numericValues(element).map((number) => String(number));
}

function few(values: readonly string[]): string {
  const rest = values.length - MOST_NUMBERS;
  return rest <= 0 ? values.join(', ') : `${values.slice(0, MOST_NUMBERS).join(', ')} … (${values.length} valeurs)`;
}
