/**
 * Coded entries as FHIR concepts.
 *
 * Code sequence item                          | CodeableConcept
 * CodeValue, LongCodeValue or URNCodeValue    | coding.code
 * CodingSchemeUID, CodingSchemeDesignator     | coding.system: the UID, else what the designator means (see below)
 * CodeMeaning                                 | coding.display, text
 *
 * A designator means what PS3.16 table 8-1 says, else what CodingSchemeIdentificationSequence (0008,0110) of the object
 * says. A code of a scheme that stays unknown keeps its value without system, so that it can still be searched for.
 * @see DICOM PS3.3 8.8, C.12.1; PS3.16 section 8
 */
import type { CodeableConcept, Coding } from '@medplum/fhirtypes';
import { CODE_SYSTEM, oidUri } from '../codes.ts';
import { toElements } from '../elements.ts';
import { TAG } from './attributes.ts';
import { isFhirCode, jsonIdentifier, jsonItems, jsonText, jsonUID } from './json/values.ts';
import type { DicomJson } from './json/json.ts';

/** Code systems that have a URI of their own in FHIR, by designator and by UID. */
const SCHEMES: readonly (readonly [designator: string, uid: string, system: string])[] = [
  ['DCM', '1.2.840.10008.2.16.4', CODE_SYSTEM.dcm],
  ['LN', '2.16.840.1.113883.6.1', CODE_SYSTEM.loinc],
  ['SCT', '2.16.840.1.113883.6.96', CODE_SYSTEM.snomed],
  ['I10', '2.16.840.1.113883.6.3', CODE_SYSTEM.icd10],
  ['CCAM', '1.2.250.1.213.2.5', CODE_SYSTEM.ccam],
];
const BY_DESIGNATOR: ReadonlyMap<string, string> = new Map(
  SCHEMES.map(([designator, , system]) => [designator, system]),
);
const BY_UID: ReadonlyMap<string, string> = new Map(SCHEMES.map(([, uid, system]) => [uid, system]));

/** A code, or the identifier that a code sequence holds where DICOM identifies persons and institutions by codes. */
export type CodedValue = { readonly system: string | undefined; readonly value: string };

/** Returns the code of an item and its system; `header` is the object around it. Undefined without code. */
export function codedValueOf(item: DicomJson, header: DicomJson): CodedValue | undefined {
  const value =
    jsonIdentifier(item, TAG.CodeValue) ??
    jsonIdentifier(item, TAG.LongCodeValue) ??
    jsonIdentifier(item, TAG.URNCodeValue);
  return value === undefined ? undefined : { system: systemOf(item, header), value };
}

/** Returns the concepts of a code sequence, each once, those without code and meaning left out. */
export function conceptsOf(json: DicomJson, tag: number, header: DicomJson = json): CodeableConcept[] {
  const concepts = jsonItems(json, tag)
    .map((item) => conceptOf(item, header))
    .filter((concept) => concept !== undefined);
  return withoutRepeats(concepts);
}

/** Returns the concepts without those that say the same as one before. */
export function withoutRepeats<T>(concepts: readonly T[]): T[] {
  return [...new Map(concepts.map((concept) => [JSON.stringify(concept), concept])).values()];
}

function conceptOf(item: DicomJson, header: DicomJson): CodeableConcept | undefined {
  const coded = codedValueOf(item, header);
  const text = jsonText(item, TAG.CodeMeaning);
  const isCode = coded !== undefined && isFhirCode(coded.value);
  const coding = isCode ? [toElements<Coding>({ system: coded.system, code: coded.value, display: text })] : [];
  return coding.length === 0 && text === undefined ? undefined : toElements<CodeableConcept>({ coding, text });
}

function systemOf(item: DicomJson, header: DicomJson): string | undefined {
  const uid = jsonUID(item, TAG.CodingSchemeUID);
  if (uid !== undefined) return systemOfUID(uid);
  const designator = jsonIdentifier(item, TAG.CodingSchemeDesignator);
  if (designator === undefined) return undefined;
  const known = BY_DESIGNATOR.get(designator);
  if (known !== undefined) return known;
  const scheme = jsonItems(header, TAG.CodingSchemeIdentificationSequence).find(
    (one) => jsonIdentifier(one, TAG.CodingSchemeDesignator) === designator,
  );
  const declared = scheme === undefined ? undefined : jsonUID(scheme, TAG.CodingSchemeUID);
  return declared === undefined ? undefined : systemOfUID(declared);
}

function systemOfUID(uid: string): string {
  return BY_UID.get(uid) ?? oidUri(uid);
}
