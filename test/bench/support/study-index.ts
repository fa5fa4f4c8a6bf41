/**
 * A region's index of studies without their images: what the flows would have committed for N received studies, written
 * through the port. The demonstration's establishment in Strasbourg and its radiologist (`demo-radiologist`) see all of
 * it. No file stands behind an instance: it is for searches and metadata, not for pixels.
 *
 * Study `i` is of patient `i % ceil(N / 3)` and begins 20 minutes before study `i + 1`; the last one began at
 * {@link NEWEST}.
 */
import { createHash } from 'node:crypto';
import type { Patient } from '@medplum/fhirtypes';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { DICOM_UID, oidUri } from '../../../profiles/codes.ts';
import { TAG } from '../../../profiles/dicom/attributes.ts';
import { formatTag } from '../../../profiles/dicom/data-element.ts';
import type { DicomJson, JsonAttribute, JsonValue } from '../../../profiles/dicom/json/json.ts';
import { buildImagingStudy } from '../../../profiles/imaging/imaging-study-from-dicom.ts';
import { patientFromDicom, type DicomPatient } from '../../../profiles/imaging/patient-from-dicom.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { personKey } from '../../../server/access/requester.ts';
import { IMAGE_ENDPOINT } from '../../../server/flows/identity/load-region.ts';
import { examFiledBy, filedBy, joinParts, putOf, type PlanParts } from '../../../server/flows/write/plan-parts.ts';
import { claimKey } from '../../../server/ports/claim-key.ts';
import type { InstanceRow } from '../../../server/ports/commit-plan.ts';
import type { RecordStore } from '../../../server/ports/record-store.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { openSqliteStores } from '../../../server/stores/sqlite/open.ts';
import { commitPlan } from '../../support/warrants.ts';

/** How much is filled in. */
export type StudyIndexSize = {
  readonly studies: number;
  /** Series in each study (1). */
  readonly series?: number;
  /** Instances in each series (1). */
  readonly instances?: number;
};

/** A study of the index, as queries name it. */
export type IndexedStudy = {
  readonly studyInstanceUID: string;
  readonly accessionNumber: string;
  readonly patientID: string;
  /** `Family^Given`, with accents. */
  readonly patientName: string;
  readonly modality: string;
  readonly description: string;
  /** Epoch milliseconds; written as UTC. */
  readonly started: number;
};

/** When the newest study began, epoch milliseconds. */
export const NEWEST = Date.UTC(2026, 0, 31, 18);

const STUDY_DISTANCE = 20 * 60_000;
const STUDIES_PER_PATIENT = 3;
/** Studies of one plan at most; a plan holds 2,000 entries. */
const MAX_BATCH = 150;
const { organization, service, patientIdDomain, accessionDomain, name: institution } = ESTABLISHMENTS.strasbourg;

const FAMILIES = [
  'Abrévoisin',
  'Brunelière',
  'Cortambois',
  'Delfontaine',
  'Égrémont',
  'Fauvelin',
  'Grandchêne',
  'Hautecombe',
  'Iseltwald',
  'Jonquerolle',
  'Kerbrunel',
];
const GIVENS = [
  'Aurélie',
  'Basile',
  'Céleste',
  'Damien',
  'Élise',
  'Firmin',
  'Gaëlle',
  'Hugo',
  'Inès',
  'Joël',
  'Kléber',
  'Léopold',
  'Maïa',
];
const REFERRERS = ['Brandessart^Maëlle^^Dr', 'Sauvignac^Étienne^^Dr', 'Wolffhardt^Liselotte^^Dr'];
const EXAMS = [
  ['CT', 'Scanner thoracique avec injection'],
  ['CT', 'Scanner abdomino-pelvien'],
  ['MR', 'IRM cérébrale'],
  ['CR', 'Radiographie du thorax de face'],
  ['US', 'Échographie abdominale'],
  ['MR', 'IRM du genou droit'],
  ['MG', 'Mammographie de dépistage'],
] as const;
const SOP_CLASS: Readonly<Record<string, string>> = { CT: '2', MR: '4', CR: '1', US: '6.1', MG: '1.2' };

/** The study of a number, from 0 on, in an index of so many. */
export function indexedStudy(number: number, studies: number): IndexedStudy {
  const patient = number % Math.ceil(studies / STUDIES_PER_PATIENT);
  const [modality, description] = EXAMS[number % EXAMS.length] ?? EXAMS[0];
  return {
    studyInstanceUID: `2.25.7700${String(number).padStart(9, '0')}`,
    accessionNumber: `B${String(number).padStart(9, '0')}`,
    patientID: `BENCH-${String(patient).padStart(7, '0')}`,
    patientName: `${FAMILIES[patient % FAMILIES.length]}-${patient}^${GIVENS[patient % GIVENS.length]}`,
    modality,
    description,
    started: NEWEST - (studies - 1 - number) * STUDY_DISTANCE,
  };
}

/** Fills the data folder of a server that is not running. */
export async function fillStudyIndex(dataDir: string, size: StudyIndexSize): Promise<void> {
  const stores = await openSqliteStores({ dataDir });
  try {
    await commitStudyIndex(stores.records, size);
  } finally {
    await stores.close();
  }
}

/** Fills a store. */
export async function commitStudyIndex(records: RecordStore, size: StudyIndexSize): Promise<void> {
  const { indexer } = await loadDefinitions();
  const perStudy = 10 + (size.series ?? 1) * (size.instances ?? 1);
  const batch = Math.max(1, Math.min(MAX_BATCH, Math.floor(1_900 / perStudy)));
  let written: Promise<unknown> = Promise.resolve();
  for (let at = 0; at < size.studies; at += batch) {
    const numbers = Array.from({ length: Math.min(batch, size.studies - at) }, (_, index) => at + index);
    const plan = joinParts(...numbers.map((number) => partsOf(indexer, number, size)));
    // One plan is built while the one before is written.
    await written;
    written = commitPlan(records, plan);
  }
  await written;
}

function partsOf(indexer: Indexer, number: number, size: StudyIndexSize): PlanParts {
  const study = indexedStudy(number, size.studies);
  const patientId = `bench-${study.patientID.toLowerCase()}`;
  const patient = `Patient/${patientId}`;
  const person = personKey(`person-of-${patientId}`);
  const rows = instancesOf(study, number, size).map((row): InstanceRow => ({ ...row, person, subject: patient }));
  const headers = rows.map(({ metadata }) => JSON.parse(metadata) as DicomJson);
  const id = `bench-study-${number}`;
  const groups = [...Map.groupBy(rows, ({ seriesInstanceUID }) => seriesInstanceUID)];
  const imagingStudy = buildImagingStudy({
    id,
    studyInstanceUID: study.studyInstanceUID,
    patient,
    endpoint: IMAGE_ENDPOINT.reference,
    viewer: `https://images.example/voir/${id}`,
    organization,
    accessionSystem: oidUri(accessionDomain),
    timeZone: 'UTC',
    series: groups.map(([seriesInstanceUID, instances]) => {
      const attributes = JSON.parse(instances[0]?.metadata ?? '{}') as DicomJson;
      return { seriesInstanceUID, attributes, instances };
    }),
  });
  const named = patientFromDicom(headers[0] ?? {}, { organization, patientIdSystem: oidUri(patientIdDomain) });
  const enrolled =
    number < Math.ceil(size.studies / STUDIES_PER_PATIENT) ? patientParts(indexer, named, patientId, person) : {};
  const origin = examFiledBy({ servicesOf: () => [service] }, organization);
  const parts: PlanParts = {
    claims: [
      { key: claimKey.study(study.studyInstanceUID), value: patient },
      { key: claimKey.studySource(study.studyInstanceUID), value: organization },
      { key: claimKey.imagingStudy(study.studyInstanceUID), value: id },
    ],
    puts: [putOf(indexer, imagingStudy, study.started, { person, subject: patient, released: false, origin })],
    instances: rows,
  };
  return joinParts(enrolled, parts);
}

function patientParts(
  indexer: Indexer,
  { patient, identity }: DicomPatient,
  id: string,
  person: ReturnType<typeof personKey>,
): PlanParts {
  const reference = `Patient/${id}`;
  const resource: Patient & { id: string } = { ...patient, id };
  return {
    claims: [{ key: claimKey.identity(identity.system, identity.value), value: reference }],
    puts: [putOf(indexer, resource, NEWEST, { person, subject: reference, origin: filedBy(organization) })],
  };
}

function instancesOf(
  study: IndexedStudy,
  number: number,
  { series = 1, instances = 1 }: StudyIndexSize,
): Omit<InstanceRow, 'person' | 'subject'>[] {
  const places = Array.from({ length: series * instances }, (_, at) => ({
    seriesNumber: Math.floor(at / instances) + 1,
    instanceNumber: (at % instances) + 1,
  }));
  return places.map(({ seriesNumber, instanceNumber }) => {
    const seriesInstanceUID = `${study.studyInstanceUID}.${seriesNumber}`;
    const sopInstanceUID = `${seriesInstanceUID}.${instanceNumber}`;
    const sopClassUID = `${DICOM_UID.storageClassPrefix}${SOP_CLASS[study.modality]}`;
    const digest = createHash('sha256').update(sopInstanceUID).digest('hex');
    return {
      studyInstanceUID: study.studyInstanceUID,
      seriesInstanceUID,
      sopInstanceUID,
      sopClassUID,
      seriesNumber,
      instanceNumber,
      transferSyntaxUID: DICOM_UID.explicitLittleEndian,
      blob: { name: `bench-${sopInstanceUID}`, size: 530_000, sha256: digest },
      dataSetOffset: 334,
      dataSetDigest: digest,
      metadata: JSON.stringify(
        headerOf(study, number, { seriesInstanceUID, sopInstanceUID, sopClassUID, seriesNumber, instanceNumber }),
      ),
      source: organization,
    };
  });
}

type Place = Pick<
  InstanceRow,
  'seriesInstanceUID' | 'sopInstanceUID' | 'sopClassUID' | 'seriesNumber' | 'instanceNumber'
>;

function headerOf(study: IndexedStudy, number: number, place: Place): DicomJson {
  const patient = Number(study.patientID.slice(-7));
  const iso = new Date(study.started).toISOString();
  const [date, time] = [iso.slice(0, 10).replaceAll('-', ''), iso.slice(11, 19).replaceAll(':', '')];
  return attributes([
    ['SpecificCharacterSet', 'CS', 'ISO_IR 192'],
    ['SOPClassUID', 'UI', place.sopClassUID],
    ['SOPInstanceUID', 'UI', place.sopInstanceUID],
    ['StudyDate', 'DA', date],
    ['SeriesDate', 'DA', date],
    ['StudyTime', 'TM', time],
    ['AccessionNumber', 'SH', study.accessionNumber],
    ['Modality', 'CS', study.modality],
    ['InstitutionName', 'LO', institution],
    ['ReferringPhysicianName', 'PN', { Alphabetic: REFERRERS[number % REFERRERS.length] ?? '' }],
    ['TimezoneOffsetFromUTC', 'SH', '+0000'],
    ['StudyDescription', 'LO', study.description],
    ['SeriesDescription', 'LO', `Série ${place.seriesNumber}`],
    ['PatientName', 'PN', { Alphabetic: study.patientName }],
    ['PatientID', 'LO', study.patientID],
    ['PatientBirthDate', 'DA', `19${40 + (patient % 50)}0417`],
    ['PatientSex', 'CS', patient % 2 === 0 ? 'F' : 'M'],
    ['StudyInstanceUID', 'UI', study.studyInstanceUID],
    ['SeriesInstanceUID', 'UI', place.seriesInstanceUID],
    ['StudyID', 'SH', `E${number}`],
    ['SeriesNumber', 'IS', place.seriesNumber ?? 1],
    ['InstanceNumber', 'IS', place.instanceNumber ?? 1],
    ['Rows', 'US', 512],
    ['Columns', 'US', 512],
    ['BitsAllocated', 'US', 16],
  ]);
}

function attributes(
  list: readonly (readonly [keyword: keyof typeof TAG, vr: JsonAttribute['vr'], value: JsonValue])[],
): DicomJson {
  return Object.fromEntries(
    list.map(([keyword, vr, value]): [string, JsonAttribute] => [formatTag(TAG[keyword]), { vr, Value: [value] }]),
  );
}
