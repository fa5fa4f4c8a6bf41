/** Devices of establishments. Those of a person, as implants, are not taken yet: the region file may name none. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, reference, string, token, uri } from './search-parameter.ts';

/** Device. Not searched by `patient`, as no row has one. @see https://hl7.org/fhir/R4/device.html */
export const Device = {
  class: 'directory',
  // A row that has it is refused.
  subject: 'patient',
  label: 'normal',
  release: 'at-once',
  writers: 'region',
  ended: { status: 'inactive' },
  interactions: READ_AND_SEARCH,
  parameters: [
    token('identifier', 'Device-identifier'),
    string('device-name', 'Device-device-name'),
    codeToken('status', 'Device-status', 'device-status'),
    token('type', 'Device-type'),
    string('manufacturer', 'Device-manufacturer'),
    string('model', 'Device-model'),
    reference('organization', 'Device-organization', ['Organization']),
    reference('location', 'Device-location', ['Location']),
    string('udi-carrier', 'Device-udi-carrier'),
    string('udi-di', 'Device-udi-di'),
    uri('url', 'Device-url'),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les appareils',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
