/** The kinds of request whose cost has a row, in a region of three studies. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import { signInOnPages } from '../../../fixtures/sign-in.ts';
import { sendInstances, type SentInstance } from '../../hostile/kill/store-sender.ts';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';
import type { Demonstration } from '../../support/demonstration.ts';
import type { ExamIds } from '../../flows/support/exam.ts';
import { post, select } from '../../flows/support/soap.ts';
import { findDocuments } from '../../flows/support/doors/xds-doors.ts';
import { feedRows } from './feeds.ts';

/** A kind of request. */
export type CostRow<World = Demonstration> = {
  readonly name: string;
  /** What commits have recorded is removed from the outbox when it has moved, within a second. */
  readonly isWrite?: true;
  /** Makes what it asks of; not counted. */
  readonly before?: (world: World) => Promise<void>;
  /** Asks once; the first time is not counted. */
  readonly ask: (world: World) => Promise<void>;
  /** Makes things as they were. */
  readonly restore?: (world: World) => Promise<void>;
  /** After the last time. */
  readonly end?: () => Promise<void>;
};

const read = (name: string, pathOf: (region: Demonstration) => Promise<string>): CostRow => ({
  name,
  ask: async (region) => {
    const answer = await region.declared.get(await pathOf(region));
    expect(answer.status, answer.text).to.equal(200);
  },
});

/** The rows, in the order in which they are asked. */
export function costRows(): readonly CostRow[] {
  const storing = new Storing();
  let study: string | undefined;
  const studyOf = async ({ patient }: Demonstration): Promise<string> =>
    (study ??= (await patient.find('ImagingStudy'))[0]?.id ?? '');
  return [
    read('FHIR read', async (region) => `ImagingStudy/${await studyOf(region)}`),
    read('FHIR search of a patient', async ({ patients }) => `ImagingStudy?patient=Patient/${patients.helene}`),
    read('FHIR page of 20', async () => 'ImagingStudy?_count=20'),
    { name: 'ITI-18 FindDocuments', ask: askDocuments },
    { name: 'QIDO-RS list', ask: listStudies },
    { name: 'WADO-RS rendered, kept', ask: lookAtFrame },
    viewerPage(),
    { name: 'C-STORE', ask: async (region) => await storing.send(region), end: async () => await storing.end() },
    ...feedRows(),
  ];
}

/** The withdrawal of a patient of whom nothing is published: what it costs for each exam depends on when they came. */
export const WITHDRAWAL: CostRow<FhirCaller> = {
  name: 'withdrawal',
  isWrite: true,
  ask: async (patient) => {
    const answer = await patient.send('POST', 'Patient/$withdraw');
    expect(answer.status, answer.text).to.equal(201);
  },
  restore: async (patient) => {
    const answer = await patient.send('POST', 'Patient/$reconsent');
    expect(answer.status, answer.text).to.be.oneOf([200, 201]);
  },
};

async function askDocuments({ server, declared, studies }: Demonstration): Promise<void> {
  const patientNumber = studies.helene.patient.localId['strasbourg'] ?? '';
  const { body, ...message } = findDocuments({ patientNumber } as ExamIds);
  const reply = await post(
    { url: server.url, token: declared.token, requestId: 'urn:uuid:cost' },
    { body, ...message },
  );
  expect(reply.status).to.equal(200);
  expect(select(reply, '//rim:ExtrinsicObject')).to.have.length(4);
}

async function listStudies({ server, declared }: Demonstration): Promise<void> {
  const response = await fetch(`${server.url}/dicom-web/studies?limit=25`, {
    headers: { authorization: `Bearer ${declared.token}`, accept: 'application/dicom+json' },
  });
  expect(response.status).to.equal(200);
  expect(await response.json()).to.have.length(2);
}

async function lookAtFrame({ server, declared, studies }: Demonstration): Promise<void> {
  const [instance] = studies.helene.instances();
  const study = `${server.url}/dicom-web/studies/${studies.helene.studyInstanceUID}`;
  const { seriesInstanceUID, sopInstanceUID } = instance ?? {};
  const response = await fetch(`${study}/series/${seriesInstanceUID}/instances/${sopInstanceUID}/rendered`, {
    headers: { authorization: `Bearer ${declared.token}`, accept: 'image/png' },
  });
  expect([response.status, response.headers.get('content-type')]).to.deep.equal([200, 'image/png']);
  await response.arrayBuffer();
}

function viewerPage(): CostRow {
  let session: string | undefined;
  return {
    name: 'viewer page',
    ask: async ({ server: { url }, studies }) => {
      session ??= await signInOnPages({ url, person: 'demo-declared' });
      const headers = { cookie: session, accept: 'text/html' };
      const response = await fetch(`${url}/viewer/${studies.helene.studyInstanceUID}`, { headers, redirect: 'manual' });
      expect(response.status).to.equal(200);
      expect(await response.text()).to.include('data-series');
    },
  };
}

/** An association that stays open: one C-STORE is asked at a time, of a study that is known. */
class Storing {
  readonly #instances = [...aStudy({ key: 'cost', instances: 14, patient: PATIENTS.gaetan }).instances()];
  #next: ((instance: SentInstance | undefined) => void) | undefined;
  #answered: ((status: number) => void) | undefined;
  #association: Promise<void> | undefined;

  async send({ server }: Demonstration): Promise<void> {
    const instance = this.#instances.pop();
    if (instance === undefined) throw new Error('All instances are sent');
    const status = new Promise<number>((resolve) => (this.#answered = resolve));
    this.#association ??= sendInstances(server.dimse, ESTABLISHMENTS.strasbourg.aeTitle, this.#given(), (_, status) =>
      this.#answered?.(status),
    );
    while (this.#next === undefined) await pause(5);
    this.#next(instance);
    expect(await status).to.equal(0);
  }

  async end(): Promise<void> {
    this.#next?.(undefined);
    await this.#association;
  }

  async *#given(): AsyncIterable<SentInstance> {
    for (;;) {
      const instance = await new Promise<SentInstance | undefined>((resolve) => (this.#next = resolve));
      this.#next = undefined;
      if (instance === undefined) return;
      yield instance;
    }
  }
}
