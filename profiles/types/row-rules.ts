/** What the file of a type says of one row: whose it is, its label, and whether the patient may see it. */
import type { Resource } from '@medplum/fhirtypes';
import { labelOf, type Level } from '../confidentiality.ts';
import { elementsAt } from './element.ts';
import { fhirType, type StoredType } from './visibility.ts';

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

/** The confidentiality of a row. */
export function levelOfRow(type: StoredType, { meta }: Resource): Level {
  return fhirType(type).label === 'own' ? labelOf(meta) : 'N';
}

/**
 * Whether the patient may see a row by what it says itself. Rows that wait for a report (`with-report`) may not, until
 * the flow that writes them says so.
 */
export function isReleased(type: StoredType, resource: Resource): boolean {
  const { release } = fhirType(type);
  if (typeof release === 'string') return release === 'at-once';
  return elementsAt(resource, 'status').some((status) => typeof status === 'string' && release.includes(status));
}
