/** Coded values of XDS (code and codingScheme) and FHIR Codings. */
import type { Coding } from '@medplum/fhirtypes';
import { CODE_SYSTEM, oidOf, oidUri } from '../../profiles/codes.ts';
import { CODING_SCHEME } from '../codes.ts';

const SCHEME_OF_SYSTEM: ReadonlyMap<string, string> = new Map([
  [CODE_SYSTEM.loinc, CODING_SCHEME.loinc],
  [CODE_SYSTEM.snomed, CODING_SCHEME.snomed],
  [CODE_SYSTEM.confidentiality, CODING_SCHEME.confidentiality],
  [CODE_SYSTEM.dcm, CODING_SCHEME.dcm],
  [CODE_SYSTEM.iheFormat, CODING_SCHEME.iheFormat],
]);

/** DICOM writes its code system as `DCM`, which older sources copy into codingScheme. */
const SYSTEM_OF_SCHEME: ReadonlyMap<string, string> = new Map([
  ...[...SCHEME_OF_SYSTEM].map(([system, scheme]) => [scheme, system] as const),
  ['DCM', CODE_SYSTEM.dcm],
]);

const OID = /^[0-2](?:\.(?:0|[1-9]\d*))+$/;

/** Returns the codingScheme of a FHIR system: its OID where one is known, else the URI itself. */
export function toCodingScheme(system: string): string {
  return SCHEME_OF_SYSTEM.get(system) ?? oidOf(system) ?? system;
}

/** Returns the FHIR system of a codingScheme: the inverse of {@link toCodingScheme}. */
export function fromCodingScheme(scheme: string): string {
  const dotted = oidOf(scheme) ?? scheme;
  return SYSTEM_OF_SCHEME.get(dotted) ?? (OID.test(dotted) ? oidUri(dotted) : dotted);
}

/** Whether the text is an OID in dotted form. */
export function isOid(text: string): boolean {
  return OID.test(text);
}

/** A code as a stored query names it, in FHIR's terms. */
export type CodedValue = Required<Pick<Coding, 'code' | 'system'>>;

/**
 * Parses `code^^scheme`; undefined when it is not of that form.
 * @see ITI TF-2 3.18.4.1.2.3.4
 */
export function parseCodedValue(text: string): CodedValue | undefined {
  const [code = '', , scheme = '', ...others] = text.split('^');
  if (code === '' || scheme === '' || others.length > 0) return undefined;
  return { code, system: fromCodingScheme(scheme) };
}
