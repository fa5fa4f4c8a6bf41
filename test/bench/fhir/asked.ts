/** What both servers are asked. */
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { oidUri } from '../../../profiles/codes.ts';
import { STUDIES, STUDIES_PER_PATIENT } from '../spine/fhir-world.ts';
import type { Ask } from '../support/load.ts';

/** A kind of request; `ids` are those that the server gave the studies. */
export type Asked = {
  readonly name: string;
  readonly isWrite?: true;
  readonly expected: number;
  readonly connections: readonly number[];
  readonly askAt: (sequence: number, ids: readonly string[]) => Ask;
};

const ENTRIES = 100;
/** Further patients of the run are nobody who was made before. */
const RUN = Date.now().toString(36);
let made = 0;

/** The kinds, in the order in which they are measured. */
export const ASKED: readonly Asked[] = [
  {
    name: 'read',
    expected: 200,
    connections: [1, 32],
    askAt: (sequence, ids) => ({ path: `/fhir/ImagingStudy/${ids[(sequence * 7919) % ids.length] ?? ''}` }),
  },
  {
    name: 'search of a patient',
    expected: 200,
    connections: [1, 32],
    askAt: (sequence) => ({
      path: `/fhir/ImagingStudy?patient=Patient/bench-${(sequence * 31) % (STUDIES / STUDIES_PER_PATIENT)}&_count=20`,
    }),
  },
  { name: 'page of 20', expected: 200, connections: [1, 32], askAt: () => ({ path: '/fhir/ImagingStudy?_count=20' }) },
  {
    name: 'create',
    isWrite: true,
    expected: 201,
    connections: [1, 32],
    askAt: () => ({ path: '/fhir/Patient', body: JSON.stringify(aPatient()) }),
  },
  {
    name: `transaction of ${ENTRIES}`,
    isWrite: true,
    expected: 200,
    connections: [1, 4],
    askAt: () => ({ path: '/fhir', body: JSON.stringify(aTransaction()) }),
  },
];

function aTransaction(): object {
  const entry = Array.from({ length: ENTRIES }, () => ({
    resource: aPatient(),
    request: { method: 'POST', url: 'Patient' },
  }));
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

function aPatient(): object {
  made += 1;
  return {
    resourceType: 'Patient',
    identifier: [{ system: oidUri(ESTABLISHMENTS.strasbourg.patientIdDomain), value: `B-${RUN}-${made}` }],
    name: [{ use: 'official', family: `Fauvelin-${made}`, given: ['Céleste', 'Inès'] }],
    gender: 'female',
    birthDate: `19${40 + (made % 50)}-04-17`,
    address: [{ line: ['12 allée de la Chênaie-Bleue'], city: 'Strasbourg', postalCode: '67000', country: 'FR' }],
  };
}
