/** Work that waits for a person: instances that are kept aside, the review of an emergency access. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, token } from './search-parameter.ts';

/** Task. @see https://hl7.org/fhir/R4/task.html */
export const Task = {
  class: 'own',
  subject: 'for',
  label: 'normal',
  release: 'at-once',
  writers: 'server',
  interactions: READ_AND_SEARCH,
  operations: ['decide', 'discard', 'refile', 'release'],
  parameters: [
    patient('Task-patient', 'Task.for'),
    reference('requester', 'Task-requester', ['Practitioner', 'PractitionerRole', 'Organization', 'Patient']),
    date('authored-on', 'Task-authored-on'),
    reference('focus', 'Task-focus', ['ImagingStudy'], { needsType: true }),
    codeToken('status', 'Task-status', 'task-status'),
    token('code', 'Task-code'),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les demandes en cours',
  erasedWithStudy: 'tasks',
} as const satisfies FhirType;
