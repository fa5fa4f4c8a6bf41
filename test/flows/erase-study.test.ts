/**
 * A study is erased as if it had never been: whatever doors, caches, logs and files held of it. The data is scanned
 * byte for byte for what only this study said, first to see that it is found, then to see that it is not.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { AuditEvent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { sendInstances } from '../hostile/kill/store-sender.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { chainedBodies } from '../support/data-folder/chained-bodies.ts';
import { byStudyUid, establishmentCaller } from '../support/demonstration.ts';
import { filesWith, formsOf, runErase, type Ended } from '../support/data-folder/erasing.ts';
import { eventually, fhirCaller } from '../support/clients/fhir-caller.ts';
import { startMongoPeer, whyNoMongoPeer } from '../support/peers/mongodb-peer.ts';
import { DOORS } from './support/doors/doors.ts';
import { dataSetDigest } from './support/exam.ts';
import { canAsk } from './support/people.ts';
import { callOf, openWorld, type World } from './support/world.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const CANARY_PIXELS = 64;

/** Without the addresses of its links and forms: a page that finds nothing leads back to what was asked. */
function withoutAddresses(body: Buffer): string {
  return body.toString('latin1').replaceAll(/(href|action)="[^"]*"/g, '');
}

/** Doors that list what there is of a patient: they show the other study. */
const OF_THE_PATIENT = /by patient|FindDocuments$/;

type Store = { readonly store: string; remove(): Promise<void> };

const STORES = [
  {
    name: 'SQLite',
    missing: () => undefined,
    open: async (): Promise<Store> => ({ store: 'sqlite', remove: async () => undefined }),
  },
  { name: 'MongoDB', missing: whyNoMongoPeer, open: openMongo },
] as const;

for (const { name, missing, open } of STORES) {
  describe(`Erasure of a study (GDPR article 17): ${name}`, function () {
    this.timeout(120_000);
    let store: Store;
    let world: World;
    let other: DemoStudy;
    before(async function () {
      if (!hasProgram('storescu')) this.skip();
      if (missing() !== undefined) this.skip();
      store = await open();
      world = await openWorld({ store: store.store, slices: 3 });
      other = aStudy({ key: `erase/${name}`, patient: world.exam.study.patient, instances: 2 });
      await sendInstances(world.server.dimse, other.establishment.aeTitle, other.instances(), () => undefined);
      const author = await establishmentCaller(world.server, 'strasbourg');
      await eventually(async () =>
        (await author.find(`ImagingStudy?${byStudyUid(other)}`)).length === 1 ? true : undefined,
      );
    });
    after(async () => {
      await world?.close();
      await store?.remove();
    });

    it('is asked for by the operator, and confirmed', async () => {
      const { studyInstanceUID } = world.exam.study;
      expect(await erase(world, studyInstanceUID))
        .to.include({ code: 2 })
        .and.property('stderr')
        .include('--yes');
      expect(await erase(world, 'no-uid', '--yes'))
        .to.include({ code: 2 })
        .and.property('stderr')
        .include('Usage');
      expect(await erase(world, '2.25.1', '--yes'))
        .to.include({ code: 2 })
        .and.property('stderr')
        .include('Nothing of this study is stored');
    });

    it('leaves no byte of the study in any store, write-ahead log or file', async () => {
      for (const person of ['author', 'patient', 'stranger'] as const)
        for (const door of DOORS) await door.ask(callOf(world, person));
      const canaries = canariesOf(world);
      const before = await hits(world, store, canaries);
      for (const [what, count] of before) expect(count, what).to.be.greaterThan(0);
      expect(await erase(world, world.exam.study.studyInstanceUID, '--yes'))
        .to.include({ code: 0 })
        .and.property('stdout')
        .match(/^erased: 3 instances, 6 resources; [1-9][0-9]* audit events tell less\n$/);
      const after = await hits(world, store, canaries);
      expect([...after].filter(([, count]) => count > 0)).to.deep.equal([]);
    });

    it('leaves the other studies of the patient as they were, and the audit trail whole', async () => {
      const author = await establishmentCaller(world.server, 'strasbourg');
      const digests = [...other.instances()].map(({ bytes }) => dataSetDigest(bytes));
      const response = await fetch(`${world.server.url}/dicom-web/studies/${other.studyInstanceUID}`, {
        headers: { Authorization: `Bearer ${author.token}` },
      });
      const body = Buffer.from(await response.arrayBuffer());
      for (const { bytes } of other.instances()) expect(body.includes(Buffer.from(bytes).subarray(400))).to.equal(true);
      expect(digests).to.have.length(2);
      const env = { ...process.env, PASSERELLE_DATA_DIR: world.server.dataDir, PASSERELLE_STORE: store.store };
      const { stdout } = await promisify(execFile)(process.execPath, ['server/commands/audit-verify.ts'], {
        cwd: ROOT,
        env,
      });
      expect(stdout).to.match(/^whole: [0-9]+ records, head [0-9a-f]{64}, [1-9][0-9]* erased\nanchor: none is set/);
    });

    it(
      'is hidden at every door from everybody, and its erasure is in the trail, for the patient too, without its ' +
        'name',
      async () => {
        for (const person of ['author', 'patient', 'declared'] as const) {
          for (const door of DOORS.filter((one) => canAsk(person, one))) {
            const reply = await door.ask(callOf(world, person));
            if (!OF_THE_PATIENT.test(door.name)) door.expectHidden(reply, world.ids);
            const said = withoutAddresses(reply.body);
            for (const id of namesOf(world)) expect(said.includes(id), door.name).to.equal(false);
          }
        }
        const [event = '', ...others] = await eventually(async () => await erasuresIn(world, store));
        expect(JSON.parse(event)).to.deep.include({ action: 'D', outcome: '0' });
        expect([event.includes(world.exam.study.studyInstanceUID), others.length]).to.deep.equal([false, 0]);
        const patient = fhirCaller(world.server.url, world.tokens.get('patient'));
        const told = await patient.findOne<AuditEvent>(
          'AuditEvent?type=http://dicom.nema.org/resources/ontology/DCM|110105',
        );
        expect(told.entity?.[0]?.what).to.deep.equal({ reference: `Patient/${world.ids.patient}` });
      },
    );

    it('lets the study be received again', async () => {
      const { study, instances } = world.exam;
      const statuses: number[] = [];
      await sendInstances(
        world.server.dimse,
        study.establishment.aeTitle,
        instances,
        (_, status) => void statuses.push(status),
      );
      expect(statuses).to.deep.equal([0, 0, 0]);
      const author = await establishmentCaller(world.server, 'strasbourg');
      const again = await eventually(async () => (await author.find(`ImagingStudy?${byStudyUid(study)}`))[0]);
      expect(again.id).to.not.equal(world.ids.imagingStudy);
    });
  });
}

/** Ids that the server gave to what is erased; nobody asks by them. */
function namesOf({ ids }: World): string[] {
  return [ids.manifest.binary, ids.reportDocument.binary];
}

/** What only this study says, as bytes, by what it is. */
function canariesOf({ exam, ids }: World): Map<string, readonly Buffer[]> {
  const [first] = exam.instances;
  const pixels = Buffer.from(first?.bytes ?? []).subarray(-CANARY_PIXELS * 1024);
  const texts: Record<string, string> = {
    'Study Instance UID': ids.studyInstanceUID,
    'Series Instance UID': ids.seriesInstanceUID,
    'SOP Instance UID': ids.sopInstanceUIDs[0] ?? '',
    'accession number': exam.study.accessionNumber,
    'study description': exam.study.description,
    'report number': ids.reportNumber,
    'unique id of the manifest': ids.manifest.uniqueId,
    'unique id of the report': ids.reportDocument.uniqueId,
  };
  const named = Object.entries(texts).map(([what, text]): [string, readonly Buffer[]] => [what, formsOf(text)]);
  return new Map([
    ...named,
    ['pixels', [pixels.subarray(0, CANARY_PIXELS)]],
    ['report', [exam.pdf.subarray(200, 200 + CANARY_PIXELS)]],
  ]);
}

/** How often each canary is found in the files of the data folder and in the documents of the database. */
async function hits(
  { server }: World,
  { store }: Store,
  canaries: ReadonlyMap<string, readonly Buffer[]>,
): Promise<Map<string, number>> {
  const found = await filesWith(server.dataDir, canaries);
  if (store !== 'sqlite') {
    for await (const document of documentsOf(store))
      for (const [what, forms] of canaries)
        if (forms.some((form) => document.includes(form))) found.set(what, (found.get(what) ?? 0) + 1);
  }
  return found;
}

async function* documentsOf(uri: string): AsyncIterable<Buffer> {
  const client = await MongoClient.connect(uri);
  try {
    for (const { collectionName } of await client.db().collections()) {
      for await (const document of client.db().collection(collectionName).find())
        yield Buffer.from(JSON.stringify(document));
    }
  } finally {
    await client.close();
  }
}

/** The chained events of erasures, as JSON; undefined while there is none. */
async function erasuresIn({ server }: World, { store }: Store): Promise<readonly string[] | undefined> {
  const found: string[] = [];
  if (store === 'sqlite') found.push(...chainedBodies(server.dataDir, '"110105"'));
  else for await (const document of documentsOf(store)) found.push(...chainedErasure(document));
  return found.length === 0 ? undefined : found;
}

function chainedErasure(document: Buffer): string[] {
  const { body } = JSON.parse(document.toString()) as { body?: unknown };
  return typeof body === 'string' && body.includes('"110105"') ? [body] : [];
}

/** Erases on the running server. */
async function erase({ server }: World, ...args: readonly string[]): Promise<Ended> {
  return await runErase(server.dataDir, ...args);
}

async function openMongo(): Promise<Store> {
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('There is no MongoDB peer');
  const store = peer.freshUri();
  return { store, remove: async () => await peer.stop(store) };
}
