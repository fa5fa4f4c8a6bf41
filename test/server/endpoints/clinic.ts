/**
 * A small clinic behind HTTP doors: the embedded store and files in a temporary folder, two patients, four studies
 * with their instances, a manifest for each, and tokens of those who may see them and of those who may not.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent, DocumentReference, ImagingStudy, Patient } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { CODE_SYSTEM, DICOM_UID, EXTENSION, oidUri } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import { accessionIdentifier, studyIdentifier } from '../../../profiles/imaging/identifiers.ts';
import { buildManifestDocument } from '../../../profiles/documents/manifest-document.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import { principal, type Right } from '../../../server/access/right.ts';
import type { GuardDeps, Visit } from '../../../server/flows/guard.ts';
import type { RegionIndex } from '../../../server/flows/identity/region-index.ts';
import { filedBy, putOf } from '../../../server/flows/write/plan-parts.ts';
import type { InstanceRow } from '../../../server/ports/commit-plan.ts';
import type { BlobRef, ImageStore } from '../../../server/ports/image-store.ts';
import type { FrameRenderer } from '../../../server/ports/frame-renderer.ts';
import { openRendering } from '../../../server/compose/rendering.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { openFileImages } from '../../../server/stores/files/image-store.ts';
import { openSqliteStores, type OpenedStores } from '../../../server/stores/sqlite/open.ts';
import { aPatientGrant, aPlan, aQuery, aRight, aStudyClaim, NOW } from '../../support/plans.ts';
import { registerIdentity, type SaidIdentity } from '../../support/identities.ts';
import { search } from '../../support/reads.ts';
import { aRegionIndex } from '../../support/region.ts';
import { commitPlan } from '../../support/warrants.ts';
import { requestersOf } from './clinic-requesters.ts';

/** OID of the clinic's patient numbers. */
export const PATIENT_DOMAIN = '1.2.3.4';
/** URI of its accession numbers. */
export const ACCESSION_SYSTEM = 'urn:oid:1.2.7';
/** The clinic as the directory knows it. */
export const CLINIC = 'Organization/clinic';

/** System of the national numbers that the clinic qualifies. */
export const NATIONAL_SYSTEM = oidUri('2.25.9');
/** System of further numbers that it qualifies. */
export const OTHER_NATIONAL_SYSTEM = oidUri('2.25.11');

/** The region of the clinic alone. */
const REGION: RegionIndex = aRegionIndex(
  { patientIdSystem: oidUri(PATIENT_DOMAIN), accessionSystem: ACCESSION_SYSTEM },
  { establishments: [CLINIC], qualifiedSystems: [NATIONAL_SYSTEM, OTHER_NATIONAL_SYSTEM] },
);

/** A study with its instances and its manifest. */
export type ClinicStudy = {
  readonly resource: ImagingStudy & { readonly id: string };
  readonly studyInstanceUID: string;
  readonly instances: readonly { readonly row: InstanceRow; readonly bytes: Buffer }[];
  readonly manifest: DocumentReference & { readonly id: string };
  readonly manifestUID: string;
  readonly manifestBytes: Buffer;
};

/** A patient, the person she is, and her number at the clinic, which her images bear. */
export type ClinicPatient = {
  readonly resource: Patient & { readonly id: string };
  readonly person: PersonKey;
  readonly own: SaidIdentity['own'];
};

/** What a study is made of. */
export type StudyParts = {
  readonly started: string;
  readonly modality: string;
  readonly accession: string;
  readonly description: string;
  readonly studyId?: string;
  /** Transfer syntax of each instance, by series. */
  readonly series: readonly (readonly string[])[];
  /** Bytes of each instance; without it some 40,000. */
  readonly instanceBytes?: number;
  /** Bytes of the manifest; few when absent. */
  readonly manifestBytes?: number;
};

/** The clinic, with an open store. */
export type Clinic = {
  readonly stores: OpenedStores;
  readonly images: ImageStore;
  readonly renderer: FrameRenderer;
  readonly region: RegionIndex;
  readonly anne: ClinicPatient;
  readonly bruno: ClinicPatient;
  /** Of Anne: two series of CT; an MR of the year before, compressed. */
  readonly ct: ClinicStudy;
  readonly mr: ClinicStudy;
  /** Of Bruno, whom only the clinic knows. */
  readonly hidden: ClinicStudy;
  /** The right of Lambert, whom Anne declared. */
  readonly declared: Right;
  /** Adds a study of Anne. */
  addStudy(parts: StudyParts): Promise<ClinicStudy>;
  /** The deps of every flow. */
  readonly guard: GuardDeps;
  /**
   * Identifies by the tokens `lambert` (declared by Anne), `stranger`, `anne`, `weak` (Lambert without scopes),
   * `clinic` and `clinic-reader` (which may not send).
   */
  readonly identify: (ctx: Context, server: string) => Promise<Visit>;
  /** The visit of one of the names. */
  visitOf(name: string, server: string): Visit;
  /** AuditEvents that a patient may read of one code of subtype, latest first. */
  events(of: ClinicPatient, subtype: string): Promise<readonly AuditEvent[]>;
  /** Withdraws Anne from sharing. */
  withdraw(): Promise<void>;
  /** Ends that. */
  giveBack(): Promise<void>;
  close(): Promise<void>;
};

/** Opens the clinic. */
export async function openClinic(): Promise<Clinic> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-clinic-'));
  const stores = await openSqliteStores({ dataDir });
  const renderer = openRendering({ dataDir });
  const images = await openFileImages({ dataDir });
  const { indexer } = await loadDefinitions();
  const store = { stores, images, indexer };
  const anne = await addPatient(store, 'anne', { family: 'Essai', given: ['Anne', 'Marie'] }, 'pat-1');
  const bruno = await addPatient(store, 'bruno', { family: 'Témoin', given: ['Bruno'] }, 'pat-2');
  const declared = aRight({ person: anne.person, principal: principal.practitioner('Practitioner/lambert') });
  await commitPlan(stores.records, aPlan({ rights: [declared] }));
  const { explicitLittleEndian: raw } = DICOM_UID;
  const jpeg = '1.2.840.10008.1.2.4.70';
  const ct = await addStudy(store, anne, {
    started: '2026-02-14T00:30:00+01:00',
    modality: 'CT',
    accession: 'ACC-1',
    description: 'Thorax',
    studyId: 'EX7',
    series: [[raw, raw], [raw]],
  });
  const mr = await addStudy(store, anne, {
    started: '2025-06-30T16:00:05+02:00',
    modality: 'MR',
    accession: 'ACC-2',
    description: 'Crâne',
    series: [[jpeg]],
  });
  const hidden = await addStudy(store, bruno, {
    started: '2026-02-14T10:00:00+01:00',
    modality: 'CT',
    accession: 'ACC-3',
    description: 'Caché',
    series: [[raw]],
  });
  const requesters = requestersOf(CLINIC, anne);
  const visitOf = (name: string, server: string): Visit => {
    const requester = requesters[name];
    if (requester === undefined) throw new Fault('login', 'The token is not known');
    return { requester, requestId: randomUUID(), server, address: '192.0.2.7' };
  };
  const sharing = async (withdrawn: boolean): Promise<void> =>
    void (await commitPlan(stores.records, aPlan({ states: [{ person: anne.person, change: { withdrawn } }] })));
  return {
    stores,
    images,
    renderer,
    region: REGION,
    anne,
    bruno,
    declared,
    ct,
    mr,
    hidden,
    visitOf,
    addStudy: async (parts) => await addStudy(store, anne, parts),
    guard: { records: stores.records, trail: stores.trail, clock: tickingClock(), isServed: () => true },
    identify: async (ctx, server) => visitOf(ctx.get('Authorization').replace('Bearer ', ''), server),
    events: async (of, subtype) => await eventsOf(stores, of, subtype),
    withdraw: async () => await sharing(true),
    giveBack: async () => await sharing(false),
    close: async () => {
      await renderer.close();
      await stores.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Later at each look, so that events stand in the order in which they were. */
function tickingClock(): { now(): number } {
  let now = NOW;
  return { now: () => (now += 1) };
}

type Store = { readonly stores: OpenedStores; readonly images: ImageStore; readonly indexer: Indexer };

async function addPatient(
  { stores, indexer }: Store,
  id: string,
  name: { family: string; given: string[] },
  number: string,
): Promise<ClinicPatient> {
  const own = { system: oidUri(PATIENT_DOMAIN), value: number };
  const resource = {
    resourceType: 'Patient',
    id,
    identifier: [
      { system: NATIONAL_SYSTEM, value: `national-${number}` },
      { type: { coding: [{ system: CODE_SYSTEM.identifierType, code: 'PI' }] }, ...own },
    ],
    name: [name],
    birthDate: '1961-04-02',
    gender: 'female',
  } satisfies Patient;
  const place = { records: stores.records, indexer, region: REGION };
  return { resource, own, person: await registerIdentity(place, { source: CLINIC, own, said: resource }) };
}

let studies = 0;

async function addStudy(store: Store, patient: ClinicPatient, parts: StudyParts): Promise<ClinicStudy> {
  studies += 1;
  const studyInstanceUID = `2.25.100.${studies}`;
  const instances: { row: InstanceRow; bytes: Buffer }[] = [];
  for (const [series, syntaxes] of parts.series.entries()) {
    for (const [at, transferSyntaxUID] of syntaxes.entries()) {
      const place = {
        studyInstanceUID,
        seriesInstanceUID: `${studyInstanceUID}.${series + 1}`,
        sopInstanceUID: `${studyInstanceUID}.${series + 1}.${at + 1}`,
      };
      instances.push(
        await anInstance(store.images, patient, {
          ...place,
          transferSyntaxUID,
          seriesNumber: series + 1,
          instanceNumber: at + 1,
          ...(parts.instanceBytes === undefined ? {} : { instanceBytes: parts.instanceBytes }),
        }),
      );
    }
  }
  const resource = studyOf(
    studyInstanceUID,
    patient,
    parts,
    instances.map(({ row }) => row),
  );
  const manifestUID = `${studyInstanceUID}.999`;
  const manifestBytes = Buffer.alloc(parts.manifestBytes ?? 64, `manifest of ${studyInstanceUID}`);
  const binary = { resourceType: 'Binary', id: randomUUID(), contentType: 'application/dicom' } as const;
  const manifest = manifestOf(patient, resource, manifestUID, binary.id, manifestBytes);
  const facts = {
    person: patient.person,
    subject: `Patient/${patient.resource.id}`,
    released: true,
    origin: filedBy(CLINIC),
  };
  const blob = await storeBytes(store.images, manifestBytes);
  await commitPlan(
    store.stores.records,
    aPlan({
      puts: [
        putOf(store.indexer, resource, NOW, facts),
        putOf(store.indexer, manifest, NOW, facts),
        putOf(store.indexer, binary, NOW, { ...facts, parent: `DocumentReference/${manifest.id}`, blob }),
      ],
      claims: [aStudyClaim(studyInstanceUID, resource)],
      instances: instances.map(({ row }) => row),
    }),
  );
  return { resource, studyInstanceUID, instances, manifest, manifestUID, manifestBytes };
}

function studyOf(
  studyInstanceUID: string,
  patient: ClinicPatient,
  parts: StudyParts,
  rows: readonly InstanceRow[],
): ImagingStudy & { id: string } {
  const accession = accessionIdentifier({ system: ACCESSION_SYSTEM, value: parts.accession });
  return {
    resourceType: 'ImagingStudy',
    id: `study-${studyInstanceUID.replaceAll('.', '-')}`,
    ...(parts.studyId === undefined ? {} : { extension: [{ url: EXTENSION.studyId, valueString: parts.studyId }] }),
    identifier: [studyIdentifier(studyInstanceUID), accession],
    status: 'available',
    modality: [{ system: CODE_SYSTEM.dcm, code: parts.modality }],
    subject: { reference: `Patient/${patient.resource.id}`, identifier: patient.own },
    started: parts.started,
    basedOn: [{ type: 'ServiceRequest', identifier: accession }],
    referrer: { type: 'Practitioner', display: 'Dr Maëlle Brandessart' },
    numberOfSeries: parts.series.length,
    numberOfInstances: rows.length,
    description: parts.description,
    series: [...new Set(rows.map(({ seriesInstanceUID }) => seriesInstanceUID))].map((uid) => ({
      uid,
      modality: { system: CODE_SYSTEM.dcm, code: parts.modality },
    })),
  };
}

function manifestOf(
  patient: ClinicPatient,
  study: ImagingStudy,
  uid: string,
  binary: string,
  bytes: Buffer,
): DocumentReference & { id: string } {
  return buildManifestDocument({
    id: randomUUID(),
    patient: patient.resource,
    study,
    manifest: {
      sopInstanceUID: uid,
      binary: `Binary/${binary}`,
      url: `https://passerelle.example/fhir/Binary/${binary}`,
      size: bytes.length,
      sha1Base64: createHash('sha1').update(bytes).digest('base64'),
    },
    organization: { resourceType: 'Organization', id: 'clinic', name: 'Clinique du Parc' },
    created: '2026-02-20T12:00:00Z',
  });
}

type Placed = Pick<
  InstanceRow,
  'studyInstanceUID' | 'seriesInstanceUID' | 'sopInstanceUID' | 'transferSyntaxUID' | 'seriesNumber' | 'instanceNumber'
> &
  Pick<StudyParts, 'instanceBytes'>;

async function anInstance(
  images: ImageStore,
  { resource, person }: ClinicPatient,
  { instanceBytes, ...placed }: Placed,
): Promise<{ row: InstanceRow; bytes: Buffer }> {
  const bytes = bytesNamed(`DICM ${placed.sopInstanceUID} `, instanceBytes);
  const metadata = JSON.stringify({
    '00080018': { vr: 'UI', Value: [placed.sopInstanceUID] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Essai^Anne' }] },
  });
  const dataSetDigest = createHash('sha256').update(bytes).digest('hex');
  const sopClassUID = `${DICOM_UID.storageClassPrefix}2`;
  const row = {
    ...placed,
    sopClassUID,
    blob: await storeBytes(images, bytes),
    dataSetOffset: 4,
    dataSetDigest,
    metadata,
    source: CLINIC,
    person,
    subject: `Patient/${resource.id}`,
  };
  return { row, bytes };
}

/** A text again and again; of a given length each kilobyte says where it lies. */
function bytesNamed(text: string, length?: number): Buffer {
  if (length === undefined) return Buffer.from(text.repeat(2_000));
  const bytes = Buffer.alloc(length, text);
  for (let at = 1024; at + 4 <= length; at += 1024) bytes.writeUInt32LE(at, at);
  return bytes;
}

async function storeBytes(images: ImageStore, bytes: Buffer): Promise<BlobRef> {
  const writer = await images.create();
  await writer.write(bytes);
  return await writer.finish();
}

async function eventsOf(
  { records }: OpenedStores,
  { person }: ClinicPatient,
  subtype: string,
): Promise<readonly AuditEvent[]> {
  const where = [{ kind: 'token', param: 'subtype', values: [{ code: subtype }] }] as const;
  const { rows } = await search(records, aPatientGrant(person), aQuery('AuditEvent', { where }));
  return rows.map(({ json }) => JSON.parse(json) as AuditEvent);
}
