/** How studies and orders are identified, in images, reports and documents. @see IHE RAD MADO */
import type { Coding, Identifier, ImagingStudy } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidOf, oidUri } from '../codes.ts';
import { isUID } from '../dicom/uid.ts';

/** The identifier of a study by its Study Instance UID (dotted form). */
export function studyIdentifier(studyInstanceUID: string): Identifier {
  return {
    type: { coding: [{ system: CODE_SYSTEM.dcm, code: '110180', display: 'Study Instance UID' }] },
    system: IDENTIFIER_SYSTEM.dicomUid,
    value: oidUri(studyInstanceUID),
  };
}

/** The identifier of an order by its Accession Number. */
export function accessionIdentifier(accession: { readonly system: string; readonly value: string }): Identifier {
  return { type: { coding: [...ACCESSION] }, system: accession.system, value: accession.value };
}

/** The Study Instance UID (dotted form) that an identifier holds; undefined when it is of another kind. */
export function studyInstanceUIDOf({ system, value = '' }: Identifier): string | undefined {
  if (system !== IDENTIFIER_SYSTEM.dicomUid) return undefined;
  const uid = oidOf(value) ?? value;
  return isUID(uid) ? uid : undefined;
}

/** What stands before a UID: some write it without, and what earlier servers took may be in capitals. */
const SPELLINGS = ['urn:oid:', 'URN:OID:', ''] as const;

/** The values of identifiers that hold a Study Instance UID (dotted form), as they are read. */
export function studyInstanceUIDValues(studyInstanceUID: string): readonly string[] {
  return SPELLINGS.map((prefix) => `${prefix}${studyInstanceUID}`);
}

/**
 * The Study Instance UID (dotted form) of a stored study.
 * @throws {Error} it has none
 */
export function studyInstanceUIDIn({ id, identifier = [] }: ImagingStudy): string {
  const uid = identifier.map(studyInstanceUIDOf).find((found) => found !== undefined);
  if (uid === undefined) throw new Error(`ImagingStudy/${id} has no Study Instance UID`);
  return uid;
}

/** Whether an identifier is an Accession Number. */
export function isAccession({ type }: Identifier): boolean {
  const codings = type?.coding ?? [];
  return codings.some((coding) =>
    ACCESSION.some(({ system, code }) => coding.system === system && coding.code === code),
  );
}

const ACCESSION: readonly Coding[] = [
  { system: CODE_SYSTEM.identifierType, code: 'ACSN', display: 'Accession ID' },
  { system: CODE_SYSTEM.dcm, code: '121022', display: 'Accession Number' },
];
