/** Work that waits for a person, as the review of an emergency access. */
import type { FhirType } from './fhir-type.ts';
import { codeToken, patient, token } from './search-parameter.ts';

/** Task. @see https://hl7.org/fhir/R4/task.html */
export const Task = {
  class: 'own',
  subject: 'for',
  label: 'normal',
  release: 'at-once',
  writers: 'server',
  // Nobody signs in yet who would do them.
  interactions: [],
  parameters: [
    patient('Task-patient', 'Task.for'),
    codeToken('status', 'Task-status', 'task-status'),
    token('code', 'Task-code'),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les demandes en cours',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
