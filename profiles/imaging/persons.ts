/**
 * Professionals, institutions and devices that an image names, as references to whom nobody here need know.
 *
 * DICOM                                                       | Reference
 * PN                                                          | display, as a reader writes the name
 * its identification sequence: PersonIdentificationCodeSequence (0040,1101) | identifier: system by the coding scheme,
 * value by the code InstitutionName, InstitutionCodeSequence                    | display, identifier Manufacturer,
 * ManufacturerModelName, StationName            | display of a Device DeviceSerialNumber
 * | identifier of a Device (SNO)
 * @see DICOM PS3.3 table 10-1 (Person Identification), C.7.5.1
 */
import type { Device, Identifier, Organization, Practitioner, Reference } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import { TAG } from '../dicom/attributes.ts';
import { codedValueOf, withoutRepeats } from '../dicom/coded-entry.ts';
import { jsonIdentifier, jsonItems, jsonPersonNames, jsonText } from '../dicom/json/values.ts';
import type { DicomJson } from '../dicom/json/json.ts';
import { formatPersonName } from '../dicom/person-name.ts';
import { toElements } from '../elements.ts';

/**
 * Persons that an image names for one part in it: the names, and the sequence that identifies them in the same order.
 */
export type PersonAttributes = { readonly names: number; readonly identification: number };

/** Who asked for the exam. */
export const REFERRING: PersonAttributes = {
  names: TAG.ReferringPhysicianName,
  identification: TAG.ReferringPhysicianIdentificationSequence,
};

/** Who was consulted, and for whom the results are. */
const COPIED: readonly PersonAttributes[] = [
  { names: TAG.ConsultingPhysicianName, identification: TAG.ConsultingPhysicianIdentificationSequence },
  {
    names: TAG.NamesOfIntendedRecipientsOfResults,
    identification: TAG.IntendedRecipientsOfResultsIdentificationSequence,
  },
];

/** Returns whom an image names beside who makes and reads it: who asked for it, and who is told of it; each once. */
export function correspondentsOf(header: DicomJson): Reference<Practitioner>[] {
  return withoutRepeats([REFERRING, ...COPIED].flatMap((attributes) => practitionersOf(header, attributes)));
}

/**
 * Returns the professionals, each once, by name, by identifier or both. Identifiers belong to names when there are as
 * many of them; else the names are told alone, and identifiers alone only where there is no name.
 */
export function practitionersOf(
  header: DicomJson,
  { names, identification }: PersonAttributes,
): Reference<Practitioner>[] {
  const displays = jsonPersonNames(header, names).map(formatPersonName);
  const items = jsonItems(header, identification);
  const isPaired = displays.length === items.length || displays.length === 0;
  const count = displays.length === 0 ? items.length : displays.length;
  const persons = Array.from({ length: count }, (_, at) =>
    practitionerOf(displays[at], isPaired ? items[at] : undefined, header),
  );
  return withoutRepeats(persons.filter((person) => person !== undefined));
}

function practitionerOf(
  name: string | undefined,
  item: DicomJson | undefined,
  header: DicomJson,
): Reference<Practitioner> | undefined {
  const [code] = item === undefined ? [] : jsonItems(item, TAG.PersonIdentificationCodeSequence);
  const identifier = codeIdentifierOf(code, header);
  // Where the name itself is absent, the meaning of the identifying code is one, in the form of PN.
  const meaning = code === undefined ? undefined : jsonText(code, TAG.CodeMeaning);
  const display = name ?? (meaning === undefined ? undefined : formatPersonName({ Alphabetic: meaning }));
  if (identifier === undefined && display === undefined) return undefined;
  return toElements<Reference<Practitioner>>({ type: 'Practitioner', identifier, display });
}

/** Returns the institution where an image was made; undefined when it names none. */
export function institutionOf(header: DicomJson): Reference<Organization> | undefined {
  const [code] = jsonItems(header, TAG.InstitutionCodeSequence);
  const identifier = codeIdentifierOf(code, header);
  const display =
    jsonText(header, TAG.InstitutionName) ?? (code === undefined ? undefined : jsonText(code, TAG.CodeMeaning));
  if (identifier === undefined && display === undefined) return undefined;
  return toElements<Reference<Organization>>({ type: 'Organization', identifier, display });
}

/** Returns the device that made an image; undefined when it does not say what it is. */
export function deviceOf(header: DicomJson): Reference<Device> | undefined {
  const made = [jsonText(header, TAG.Manufacturer), jsonText(header, TAG.ManufacturerModelName)]
    .filter((part) => part !== undefined)
    .join(' ');
  const station = jsonText(header, TAG.StationName);
  const display = [made, station === undefined ? '' : `(${station})`].filter((part) => part !== '').join(' ');
  const serial = jsonIdentifier(header, TAG.DeviceSerialNumber);
  const identifier =
    serial === undefined
      ? undefined
      : { type: { coding: [{ system: CODE_SYSTEM.identifierType, code: 'SNO' }] }, value: serial };
  if (identifier === undefined && display === '') return undefined;
  return toElements<Reference<Device>>({ type: 'Device', identifier, display: display || undefined });
}

function codeIdentifierOf(code: DicomJson | undefined, header: DicomJson): Identifier | undefined {
  const coded = code === undefined ? undefined : codedValueOf(code, header);
  return coded === undefined ? undefined : toElements<Identifier>({ system: coded.system, value: coded.value });
}
