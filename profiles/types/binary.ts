/** The bytes of a document. */
import type { FhirType } from './fhir-type.ts';

/** Binary. @see https://hl7.org/fhir/R4/binary.html and IHE MHD ITI-68 */
export const Binary = {
  class: 'part',
  label: 'normal',
  release: 'with-report',
  writers: 'derived',
  interactions: ['read'],
  parameters: [],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'le contenu des documents',
  erasedWithStudy: 'with-its-item',
  hooks: { read: 'bytes' },
} as const satisfies FhirType;
