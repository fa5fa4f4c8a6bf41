/** The product without its doors: stores, the composed flows, and a clock that the test moves. */
import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { parseSearch } from '../../../../profiles/search/query.ts';
import { fhirType, type StoredType } from '../../../../profiles/types/visibility.ts';
import type { Requester } from '../../../../server/access/requester.ts';
import { composeFlows, type Flows } from '../../../../server/compose/flows/flows.ts';
import { loadRegionFile, openStores, type Stores } from '../../../../server/compose/open.ts';
import { configFrom } from '../../../../server/config/config.ts';
import { holdRegion } from '../../../../server/config/current-region.ts';
import type { Region } from '../../../../server/config/region-model.ts';
import type { Visit } from '../../../../server/flows/guard.ts';
import { directoryOf } from '../../../../server/flows/identity/held-roles.ts';
import { resolveRequester } from '../../../../server/flows/identity/resolve-requester.ts';
import { receiveBytes } from '../../../../server/flows/intake/receive-bytes.ts';
import type { WriteAct } from '../../../../server/flows/write/act.ts';
import { openLog } from '../../../../server/log.ts';
import type { ErasureKey } from '../../../../server/ports/erasure-key.ts';
import type { JobKind } from '../../../../server/ports/job-queue.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';

/** Jobs of which nothing that anybody reads depends. */
const UNREAD: readonly JobKind[] = [
  'erase-record',
  'purge-joined',
  'sweep-images',
  'cut-trail',
  'forget-erased',
  'end-viewing',
  'reindex',
];
const STEP_MS = 11_000;
const MOST_STEPS = 60;
const BEGAN = Date.UTC(2026, 0, 15);

/** An instance as a modality sends it. `organization` is `Organization/id`. */
export type SentInstance = {
  readonly organization: string;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly bytes: Buffer;
};

/** The product on one store. */
export type World = {
  readonly flows: Flows;
  readonly stores: Stores;
  readonly now: () => number;
  /** Lets a moment pass (milliseconds), so that who was first is clear. */
  readonly tick: (ms?: number) => void;
  /** Somebody with an account (`Patient/id`, `Practitioner/id`); undefined when nobody can be that any more. */
  readonly person: (account: string) => Promise<Visit | undefined>;
  /** The software of an establishment (`Organization/id`). */
  readonly establishment: (organization: string) => Visit;
  readonly write: (visit: Visit, act: WriteAct) => Promise<string>;
  readonly find: <R extends Resource>(visit: Visit, type: StoredType, search: string) => Promise<readonly R[]>;
  readonly send: (instance: SentInstance) => Promise<void>;
  /** Runs all jobs, however late they are due. */
  readonly rest: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A folder for the data of a world. */
export async function worldFolder(): Promise<string> {
  return await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'passerelle-world-'));
}

/**
 * Opens a world: without data, or on the folder of a former one, which stays when it is closed. `store` is `sqlite` or
 * a URI of MongoDB; `changed` gives another region than that of the demonstration.
 */
export async function openWorld(
  store = 'sqlite',
  folder?: string,
  changed: (region: Region) => Region = (region) => region,
  erasureKey?: ErasureKey,
): Promise<World> {
  const dataDir = folder ?? (await worldFolder());
  const environment = { DEVELOPMENT: '1', DATA_DIR: dataDir, STORE: store, STUDY_QUIET_SECONDS: '1' };
  const config = configFrom(environment);
  const definitions = await loadDefinitions();
  const region = changed(await loadRegionFile(config, definitions.validate));
  const log = openLog({ level: 'error' });
  const stores = await openStores(config, log);
  const held = { now: BEGAN };
  const clock = { now: () => held.now };
  const publicUrl = (): string => 'http://localhost';
  const made = {
    config,
    region: holdRegion(region),
    stores,
    clock,
    ...definitions,
    publicUrl,
    erasureKey,
    log: log('flows'),
  };
  const flows = composeFlows(made);
  await flows.servedParameters.begin();
  await flows.loadRegion(region);
  await flows.announceImages(region);
  const tick = (ms = 1): void => void (held.now += ms);
  return {
    flows,
    stores,
    now: clock.now,
    tick,
    ...visitsOf(flows, stores, clock),
    write: async (visit, act) => {
      tick();
      return (await flows.write(visit, act)).id ?? '';
    },
    find: finder(flows),
    send: sender(flows, stores, region.identifierDomains, tick),
    rest: async () => {
      for (let step = 0; await isBusy(stores, held.now); step += 1) {
        if (step === MOST_STEPS) throw new Error('Jobs do not come to an end');
        held.now += STEP_MS;
        await flows.jobs.runners.look();
        await flows.jobs.runners.idle();
      }
    },
    close: async () => {
      await flows.jobs.runners.stop();
      await stores.renderer.close();
      await stores.images.close();
      await stores.close();
      if (folder === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function isBusy({ jobs }: Stores, now: number): Promise<boolean> {
  const counts = (await jobs.counts(now)).filter(({ kind }) => !UNREAD.includes(kind));
  const dead = counts.find((one) => one.dead > 0);
  if (dead !== undefined) throw new Error(`A job of kind ${dead.kind} died`);
  return counts.some(({ waiting, running, later }) => waiting + running + later > 0);
}

function visitsOf(flows: Flows, { records }: Stores, clock: { readonly now: () => number }) {
  const directory = directoryOf([]);
  const resolve = resolveRequester({ records, clock, timeZone: 'UTC', region: directory });
  const visitOf = (requester: Requester): Visit => ({ requester, requestId: 'request', server: 'test' });
  return {
    person: async (account: string): Promise<Visit | undefined> => {
      if (!(await flows.accounts.stands(account))) return undefined;
      const scopes = account.startsWith('Patient/') ? ['patient/*.cruds'] : ['user/*.cruds'];
      return visitOf((await resolve({ clientId: 'portal', scopes, account })).requester);
    },
    establishment: (organization: string): Visit =>
      visitOf({
        kind: 'establishment',
        organization,
        clientId: organization,
        scopes: ['system/*.cruds'],
        purpose: 'TREAT',
        display: organization,
      }),
  };
}

function finder(flows: Flows) {
  return async <R extends Resource>(visit: Visit, type: StoredType, text: string): Promise<readonly R[]> => {
    const options = { handling: 'strict', isServed: flows.isServed, maxCount: 500, defaultCount: 500 } as const;
    const { query } = parseSearch(type, new URLSearchParams(text), options);
    const passage = fhirType(type).searchedAs ?? 'search';
    const { rows } = await flows.search(visit, { query, text, passage });
    return rows.map(({ json }) => JSON.parse(json) as R);
  };
}

type Domain = { readonly organization: string; readonly patientIdSystem: string };

function sender(flows: Flows, { images }: Stores, domains: readonly Domain[], tick: () => void) {
  const patientIdSystemOf = (organization: string): string =>
    domains.find((one) => one.organization === organization)?.patientIdSystem ?? '';
  const take = receiveBytes({ images, patientIdSystemOf });
  let associations = 0;
  return async ({ organization, bytes, ...announced }: SentInstance): Promise<void> => {
    tick();
    const peer = { aeTitle: 'MODALITY', organization };
    const receiving = take({ peer, ...announced, transferSyntaxUID: DICOM_UID.explicitLittleEndian });
    await receiving.write(bytes);
    associations += 1;
    const associationId = `association-${associations}`;
    await flows.association.file({ associationId, peer }, await receiving.finish());
    await flows.association.ended(associationId);
  };
}
