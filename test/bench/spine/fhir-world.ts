/** A region's studies for benches of FHIR: a radiologist of the imaging service sees all of them. */
import { randomUUID } from 'node:crypto';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { personKey } from '../../../server/access/requester.ts';
import { examFiledBy, filedBy, joinParts, putOf } from '../../../server/flows/write/plan-parts.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { openSqliteStores } from '../../../server/stores/sqlite/open.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Studies of the world, ten a patient. */
export const STUDIES = Number(process.env['PASSERELLE_BENCH_FHIR_STUDIES'] ?? 20_000);
/** Studies of each patient. */
export const STUDIES_PER_PATIENT = 10;
const BATCH = 200;

/** The Patient of the nth study, `bench-…`. */
export function patientOf(number: number): string {
  return `Patient/bench-${Math.floor(number / STUDIES_PER_PATIENT)}`;
}

/** Loads the studies through the port, as the flows do; resolves with their ids. */
export async function fillWorld(dataDir: string): Promise<string[]> {
  const { indexer } = await loadDefinitions();
  const stores = await openSqliteStores({ dataDir });
  const { organization, service } = ESTABLISHMENTS.strasbourg;
  const ids: string[] = [];
  for (let at = 0; at < STUDIES; at += BATCH) {
    const parts = Array.from({ length: BATCH }, (_, index) => {
      const study = aStudyResource(at + index);
      ids.push(study.id);
      const person = personKey(`person-${Math.floor((at + index) / STUDIES_PER_PATIENT)}`);
      // The first study of each patient opens the record to the service.
      const isFirst = index % STUDIES_PER_PATIENT === 0;
      const origin = isFirst ? examFiledBy({ servicesOf: () => [service] }, organization) : filedBy(organization);
      return { puts: [putOf(indexer, study, at, { person, subject: study.subject.reference ?? '', origin })] };
    });
    await commitPlan(stores.records, joinParts(...parts));
  }
  await stores.close();
  return ids;
}

/** The nth study: three series of four instances that are named, 2.6 KB of JSON. */
export function aStudyResource(number: number): ImagingStudy & { id: string } {
  const uid = `2.25.9000${number}`;
  const series = Array.from({ length: 3 }, (_, at) => ({
    uid: `${uid}.${at}`,
    number: at + 1,
    modality: { system: CODE_SYSTEM.dcm, code: 'CT' },
    description: `Série ${at + 1}`,
    numberOfInstances: 120,
    instance: Array.from({ length: 4 }, (__, one) => ({
      uid: `${uid}.${at}.${one}`,
      sopClass: { system: 'urn:ietf:rfc:3986', code: 'urn:oid:1.2.840.10008.5.1.4.1.1.2' },
      number: one + 1,
    })),
  }));
  return {
    resourceType: 'ImagingStudy',
    id: randomUUID(),
    identifier: [{ system: IDENTIFIER_SYSTEM.dicomUid, value: `urn:oid:${uid}` }],
    status: 'available',
    modality: [{ system: CODE_SYSTEM.dcm, code: number % 5 < 2 ? 'CT' : 'MR' }],
    subject: { reference: patientOf(number) },
    started: new Date(Date.UTC(2025, 0, 1) + number * 60_000).toISOString(),
    description: 'Scanner thoracique avec injection',
    numberOfSeries: 3,
    numberOfInstances: 360,
    series,
  };
}
