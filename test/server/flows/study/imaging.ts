/** A study in stores of its own: what files its instances, what derives the rest of them, and what came of it. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiagnosticReport, DocumentReference, ImagingStudy, Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { DICOM_UID, oidUri } from '../../../../profiles/codes.ts';
import { maintainStudy } from '../../../../server/flows/study/maintain-study.ts';
import { fileInstance } from '../../../../server/flows/intake/file-instance.ts';
import type { PersonKey } from '../../../../server/access/requester.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { QuarantinedInstance } from '../../../../server/ports/commit-plan.ts';
import { findAll, type Found } from '../../../../server/flows/internal-reads.ts';
import { receiveBytes } from '../../../../server/flows/intake/receive-bytes.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openFileImages } from '../../../../server/stores/files/image-store.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { openTrail } from '../../../flows/support/trail.ts';
import { storedBlobs } from '../../../hostile/kill/data-folder.ts';
import { hostileUids } from '../../../hostile/dicom/raw-data-set.ts';
import { aPlan, NOW, SYSTEM } from '../../../support/plans.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { aSending, commitPlan } from '../../../support/warrants.ts';

const CLINIC = 'Organization/clinic';
/** Study Instance UID of it. */
export const STUDY = uidOf('maintained');
const REGION = aRegionIndex({ patientIdSystem: 'urn:oid:1.2.3.4', accessionSystem: 'urn:oid:1.2.3.7' });

/** An instance as it is sent. */
export type Sent = { readonly name: string; readonly sopClassUID: string; readonly bytes: Buffer };

/** Opens stores without data, and what files and derives the study in them. */
export async function openImaging() {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-maintained-'));
  const { records, trail, close } = await openSqliteStores({ dataDir });
  const images = await openFileImages({ dataDir });
  const { indexer, validate } = await loadDefinitions();
  const deps = { records, trail, images, indexer, clock: { now: () => NOW }, region: REGION };
  const take = receiveBytes({ images, patientIdSystemOf: () => 'urn:oid:1.2.3.4' });
  const receive = fileInstance({ ...deps, quietPeriodMs: 60_000 });
  const told: string[] = [];
  const study = {
    ...deps,
    timeZone: 'Europe/Paris',
    repositoryUniqueId: '1.2',
    retrieveAETitle: 'A',
    publicUrl: () => 'http://localhost',
    endpoint: 'Endpoint/wado',
    alert: ({ reason }: QuarantinedInstance, why: string) => told.push(`${reason}: ${why}`),
  };
  const maintain = maintainStudy(study);
  const where = [{ kind: 'token', param: 'identifier', values: [{ code: oidUri(STUDY) }] }] as const;
  return {
    maintain: async (closing = false) => await maintain(STUDY, closing),
    /** Closes, and does something once between what is read for that and what is written. */
    closeAfter: async (meanwhile: () => Promise<void>) => {
      let isDone = false;
      const commit: typeof records.commit = async (...plan) => {
        if (!isDone) {
          isDone = true;
          await meanwhile();
        }
        return await records.commit(...plan);
      };
      const interrupted = new Proxy<typeof records>(records, {
        get: (_, name) => {
          const member: unknown = name === 'commit' ? commit : Reflect.get(records, name);
          return typeof member === 'function' ? (member.bind(records) as unknown) : member;
        },
      });
      await maintainStudy({ ...study, records: interrupted })(STUDY, true);
    },
    /** Files a validated report that names the study, of a person and her Patient. */
    report: async (person: PersonKey, subject: string) => {
      const report = aReport(STUDY, subject);
      const clinic = { resourceType: 'Organization', id: 'clinic', name: 'Clinique' } as const;
      const origin = filedBy(CLINIC);
      const puts = [putOf(indexer, report, NOW, { person, subject, origin }), putOf(indexer, clinic, NOW)];
      await commitPlan(records, aPlan({ puts }));
    },
    /** `metadata`: what is stored in the place of the words that the header was put into. */
    receive: async ({ name, sopClassUID, bytes }: Sent, metadata?: string) => {
      const receiving = take({
        peer: { organization: CLINIC },
        sopClassUID,
        sopInstanceUID: hostileUids(name).sopInstanceUID,
        transferSyntaxUID: DICOM_UID.explicitLittleEndian,
      });
      await receiving.write(bytes);
      const { unfiled, durable } = await receiving.finish();
      const row = { ...unfiled.row, ...(metadata === undefined ? {} : { metadata }) };
      await receive({ unfiled: { ...unfiled, row }, durable }, aSending(CLINIC));
    },
    /** What was told of instances that were put aside. */
    told: () => told,
    aside: async (): Promise<QuarantinedInstance[]> => await allOf(records.quarantined(SYSTEM)),
    blobNames: async (): Promise<string[]> => await allOf(records.blobNames(SYSTEM)),
    storedBlobs: async (): Promise<string[]> => await storedBlobs(dataDir),
    events: async () => {
      const reader = await openTrail('sqlite', dataDir);
      try {
        return await reader.eventsNaming(STUDY);
      } finally {
        await reader.close();
      }
    },
    studies: async () => await findAll<ImagingStudy>(records, SYSTEM, 'ImagingStudy', where),
    study: async (): Promise<Found<ImagingStudy>> => {
      const [found] = await findAll<ImagingStudy>(records, SYSTEM, 'ImagingStudy', where);
      if (found === undefined) throw new Error('The study has no ImagingStudy');
      validate(found.resource);
      return found;
    },
    documents: async () => await findAll<DocumentReference>(records, SYSTEM, 'DocumentReference', []),
    /** Leaves what is derived as earlier servers wrote it. */
    forgetViewers: async () => {
      const [study, ...documents] = [
        ...(await findAll<ImagingStudy>(records, SYSTEM, 'ImagingStudy', where)),
        ...(await findAll<DocumentReference>(records, SYSTEM, 'DocumentReference', [])),
      ].map(({ row, resource }) => {
        const without = JSON.parse(JSON.stringify(resource, leaveOutViewers)) as Resource;
        const { person = expect.fail('Nobody’s'), subject = '', released } = row;
        return putOf(indexer, without, NOW, { person, subject, released });
      });
      if (study === undefined) throw new Error('There is no study');
      await commitPlan(records, aPlan({ puts: [study, ...documents] }));
    },
    close: async () => {
      await close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function aReport(study: string, subject: string): DiagnosticReport & { id: string } {
  return {
    resourceType: 'DiagnosticReport',
    id: randomUUID(),
    status: 'final',
    code: { text: 'Compte rendu' },
    issued: new Date(NOW).toISOString(),
    subject: { reference: subject },
    performer: [{ reference: CLINIC }],
    imagingStudy: [{ identifier: { system: 'urn:dicom:uid', value: oidUri(study) } }],
    presentedForm: [{ url: 'http://localhost/fhir/Binary/form', contentType: 'application/pdf' }],
  };
}

function leaveOutViewers(_name: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const kept = value.filter((item: object) => !JSON.stringify(item).includes('"Endpoint"'));
  return kept.length === 0 ? undefined : kept;
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
