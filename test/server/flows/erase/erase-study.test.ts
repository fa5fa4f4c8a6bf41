/** An erasure beside a write that was planned before it and is applied after it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import { aStudy } from '../../../../fixtures/dicom/a-study.ts';
import type { DemoInstance, DemoStudy } from '../../../../fixtures/dicom/studies.ts';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { composeFlows, type Flows } from '../../../../server/compose/flows/flows.ts';
import { configFrom } from '../../../../server/config/config.ts';
import { readEnv } from '../../../../server/config/env.ts';
import { holdRegion } from '../../../../server/config/current-region.ts';
import type { Region } from '../../../../server/config/region-model.ts';
import { parseRegion } from '../../../../server/config/region.ts';
import { fileInstance, type FiledInstance } from '../../../../server/flows/intake/file-instance.ts';
import { indexRegion } from '../../../../server/flows/identity/region-index.ts';
import { receiveBytes } from '../../../../server/flows/intake/receive-bytes.ts';
import { openLog } from '../../../../server/log.ts';
import type { CommitPlan } from '../../../../server/ports/commit-plan.ts';
import type { ImageStore } from '../../../../server/ports/image-store.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openRendering } from '../../../../server/compose/rendering.ts';
import { openFileImages } from '../../../../server/stores/files/image-store.ts';
import { openSqliteStores, type OpenedStores } from '../../../../server/stores/sqlite/open.ts';
import { rowsOfStudy, storedBlobs } from '../../../hostile/kill/data-folder.ts';
import { dataSetOf } from '../../../hostile/kill/store-sender.ts';
import { errorOf } from '../../../support/faults.ts';
import { runJobs } from '../../../support/jobs/jobs.ts';
import { NOW, SYSTEM } from '../../../support/plans.ts';
import { aSending } from '../../../support/warrants.ts';

/** Stops the first plan of a kind before it is applied. */
type Gate = {
  readonly matches: (plan: CommitPlan) => boolean;
  readonly reached: PromiseWithResolvers<void>;
  readonly opened: PromiseWithResolvers<void>;
};

const STRASBOURG = 'Organization/demo-strasbourg';
const QUIET_MS = 60_000;
/** After so long a job goes on with an erasure. */
const TAKE_OVER_MS = 600_000;

/** Whom images name is declared. */
function attesting({ identifierDomains, ...region }: Region): object {
  const recordsPatientsWord = '2000-01-01';
  return { ...region, identifierDomains: identifierDomains.map((one) => ({ ...one, recordsPatientsWord })) };
}

describe('Erasure of a study beside a write that is under way', () => {
  let dataDir: string;
  let stores: OpenedStores;
  let images: ImageStore;
  let flows: Flows;
  let receive: (instance: DemoInstance) => Promise<FiledInstance>;
  let gate: Gate | undefined;
  /** Whether bytes cannot be removed, as when the server dies before them. */
  let isDying = false;
  let now = NOW;
  const clock = { now: () => now };
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-erase-'));
    stores = await openSqliteStores({ dataDir });
    images = await openFileImages({ dataDir });
    const definitions = await loadDefinitions();
    const config = configFrom(readEnv({ PASSERELLE_DEVELOPMENT: '1', PASSERELLE_DATA_DIR: dataDir }));
    const region = parseRegion(attesting(JSON.parse(await readFile(config.region, 'utf8')) as Region));
    const records = gated(stores.records);
    const publicUrl = (): string => 'http://127.0.0.1';
    flows = composeFlows({
      config,
      region: holdRegion(region),
      stores: { ...stores, records, images: mortal(images), renderer: openRendering({ dataDir }) },
      clock,
      ...definitions,
      publicUrl,
      log: openLog({ level: 'error' })('flows'),
    });
    await flows.loadRegion(region);
    const index = indexRegion(region);
    const take = receiveBytes({
      images,
      patientIdSystemOf: (organization) => index.domainOf(organization).patientIdSystem,
    });
    const file = fileInstance({ records, images, clock, ...definitions, region: index, quietPeriodMs: QUIET_MS });
    receive = async ({ sopClassUID, sopInstanceUID, bytes }) => {
      const taking = take({
        peer: { organization: STRASBOURG },
        sopClassUID,
        sopInstanceUID,
        transferSyntaxUID: DICOM_UID.explicitLittleEndian,
      });
      await taking.write(dataSetOf(bytes));
      return await file(await taking.finish(), aSending(STRASBOURG));
    };
  });
  after(async () => {
    await images?.close();
    await stores?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  function mortal(opened: ImageStore): ImageStore {
    const remove: ImageStore['remove'] = async (name) => {
      if (isDying) throw new Error('The server dies');
      await opened.remove(name);
    };
    return new Proxy(opened, {
      get: (target, name: keyof ImageStore) => (name === 'remove' ? remove : target[name].bind(target)),
    });
  }

  function gated(records: OpenedStores['records']): OpenedStores['records'] {
    const commit: OpenedStores['records']['commit'] = async (warrant, plan) => {
      const mine = gate?.matches(plan) === true ? gate : undefined;
      if (mine !== undefined) gate = undefined;
      mine?.reached.resolve();
      await mine?.opened.promise;
      return await records.commit(warrant, plan);
    };
    return new Proxy(records, {
      get: (target, name: keyof OpenedStores['records']) => (name === 'commit' ? commit : target[name].bind(target)),
    });
  }

  /** Runs what follows a study after some time. */
  async function runDue(afterMs = 1_000): Promise<void> {
    now += afterMs;
    await runJobs(flows.jobs.runners, stores.jobs, clock);
  }

  /** Lets `write` come up to its plan, erases the study, and lets the write go on. */
  async function erasedDuring<T>(
    { studyInstanceUID }: DemoStudy,
    matches: Gate['matches'],
    write: () => Promise<T>,
  ): Promise<T> {
    const mine: Gate = { matches, reached: Promise.withResolvers(), opened: Promise.withResolvers() };
    gate = mine;
    const writing = write();
    await mine.reached.promise;
    await flows.eraseStudy(studyInstanceUID);
    mine.opened.resolve();
    return await writing;
  }

  const claimsOf = async ({ studyInstanceUID }: DemoStudy): Promise<(string | undefined)[]> =>
    await Promise.all(
      [claimKey.study, claimKey.studySource, claimKey.imagingStudy, claimKey.named, claimKey.erasing].map(
        async (keyOf) => await stores.records.claimed(SYSTEM, keyOf(studyInstanceUID)),
      ),
    );

  it('gives nothing back to what is derived from the study: no ImagingStudy, no manifest, no bytes', async () => {
    const study = aStudy({ key: 'erase/maintained', instances: 2 });
    for (const instance of study.instances()) await receive(instance);
    await runDue();
    expect((await claimsOf(study)).map((value) => value !== undefined)).to.deep.equal([true, true, true, true, false]);
    await erasedDuring(
      study,
      ({ puts = [] }) => puts.some(({ type }) => type === 'DocumentReference'),
      async () => await runDue(QUIET_MS),
    );
    expect(await claimsOf(study)).to.deep.equal(Array<undefined>(5).fill(undefined));
    for (const type of ['ImagingStudy', 'DocumentReference', 'Binary'] as const) {
      expect(
        (
          await stores.records.peek(SYSTEM, {
            kind: 'search',
            query: { type, where: [], count: 10, total: 'none', include: [] },
          })
        ).rows,
        type,
      ).to.deep.equal([]);
    }
    expect(await storedBlobs(dataDir)).to.deep.equal([]);
  });

  it('goes on as a job when it was cut short before the bytes of documents were gone, and leaves none', async () => {
    const study = aStudy({ key: 'erase/cut-short', instances: 1 });
    for (const instance of study.instances()) await receive(instance);
    await runDue(QUIET_MS);
    expect(await storedBlobs(dataDir), 'the instance and the manifest').to.have.length(2);
    isDying = true;
    await errorOf(flows.eraseStudy(study.studyInstanceUID));
    isDying = false;
    expect(await claimsOf(study)).to.deep.include.members(['erasing']);
    await runDue(TAKE_OVER_MS);
    expect(await claimsOf(study)).to.deep.equal(Array<undefined>(5).fill(undefined));
    expect(await storedBlobs(dataDir)).to.deep.equal([]);
    expect(await stores.jobs.list({ kind: 'erase-study', limit: 1 }, now)).to.deep.equal([]);
  });

  it('makes a whole study of an instance that is sent again', async () => {
    const study = aStudy({ key: 'erase/again', instances: 1 });
    const [instance] = [...study.instances()];
    if (instance === undefined) throw new Error('The study has an instance');
    await receive(instance);
    await runDue();
    const again = await erasedDuring(
      study,
      ({ instances = [] }) => instances.length > 0,
      async () => await receive(instance),
    );
    expect(again.outcome).to.equal('stored');
    await runDue();
    expect((await claimsOf(study)).map((value) => value !== undefined)).to.deep.equal([true, true, true, true, false]);
    expect(rowsOfStudy(dataDir, study.studyInstanceUID)).to.deep.equal([instance.sopInstanceUID]);
    expect(await storedBlobs(dataDir)).to.deep.equal([again.row.blob.name]);
  });
});
