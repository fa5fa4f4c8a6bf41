/**
 * Two server processes on one MongoDB: what one of them answers holds on the other at the next request. Row C05 of
 * smart-security.md.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { DocumentReference } from '@medplum/fhirtypes';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { DEMO_APP } from '../../fixtures/sign-in.ts';
import { openMongoStores } from '../../server/stores/mongodb/open.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { whyNoMongoPeer } from '../support/peers/mongodb-peer.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import type { Door, Reply } from './support/door.ts';
import { DOORS } from './support/doors/doors.ts';
import { find, send, type Access } from './support/fhir.ts';
import { openTwoServers, sealerOf, underWay, unsealed, type TwoServers } from './support/two-servers.ts';

const ASKED = [
  'FHIR ImagingStudy search',
  'FHIR ImagingStudy read',
  'QIDO-RS studies',
  'WADO-RS study',
  'ITI-18 FindDocuments',
  'ITI-43 manifest (KOS)',
  'RAD-69',
];
const doors = DOORS.filter(({ name }) => ASKED.includes(name));
const ROUNDS = 10;
const IN_FLIGHT = 3;

/** When a request was sent and its answer ended, in milliseconds of this process. */
type Times = { readonly sentAt: number; readonly endedAt: number };

/** An answer. */
type Asked = Times & { readonly door: Door; readonly reply: Reply };

/** What requests came to while others went on; of those that were cut in the middle of their answer only the times. */
type Pumped = { readonly answered: readonly Asked[]; readonly cut: readonly Times[] };

describe('Two servers on one MongoDB', function () {
  this.timeout(180_000);
  let two: TwoServers;

  before(async function () {
    if (!hasProgram('storescu')) this.skip();
    if (whyNoMongoPeer() !== undefined) this.skip();
    two = await openTwoServers(3);
  });

  after(async () => {
    await two?.close();
  });

  const ask = async (door: Door, access: Access): Promise<Asked> => {
    const sentAt = performance.now();
    const reply = await door.ask({ ...access, requestId: `urn:uuid:${randomUUID()}`, ids: two.ids });
    return { door, sentAt, endedAt: performance.now(), reply };
  };
  const askAll = async (access: Access): Promise<Asked[]> =>
    await Promise.all(doors.map(async (door) => await ask(door, access)));
  const shows = ({ door, reply }: Asked): void => door.expectShown(reply, two);
  const hides = ({ door, reply }: Asked): void => door.expectHidden(reply, two.ids);

  it('show the exam, of which one took the images and the other the report', async () => {
    expect(doors).to.have.length(ASKED.length);
    for (const access of [two.declared.a, two.declared.b]) (await askAll(access)).forEach(shows);
  });

  it(`hold a withdrawal and its end at the next request on the other, ${ROUNDS} times`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const pump = startPump(ask, two.declared.b);
      await pause(40);
      await send(two.patient.a, '/Patient/$withdraw');
      const withdrawn = performance.now();
      (await askAll(two.declared.b)).forEach(hides);
      const hidden = performance.now();
      await send(two.patient.b, '/Patient/$reconsent');
      const given = performance.now();
      (await askAll(two.declared.a)).forEach(shows);
      const { answered, cut } = await pump.end();
      const inFlight = [...answered, ...cut].filter(({ sentAt, endedAt }) => sentAt < withdrawn && endedAt > withdrawn);
      expect(inFlight.length, 'requests in flight').to.be.greaterThan(0);
      answered.filter(({ sentAt, endedAt }) => sentAt > withdrawn && endedAt < hidden).forEach(hides);
      answered.filter(({ sentAt }) => sentAt > given).forEach(shows);
      // Only a withdrawal ends an answer that had begun.
      expect(cut.filter(({ sentAt }) => sentAt > withdrawn)).to.deep.equal([]);
    }
  });

  it('know each other’s tokens, and refuse at once one that the other revoked', async () => {
    const visitor = { url: two.b.url, token: two.declared.a.token };
    (await askAll(visitor)).forEach(shows);
    const body = new URLSearchParams({ token: visitor.token, client_id: DEMO_APP.clientId });
    expect((await fetch(`${two.a.url}/auth/token/revocation`, { method: 'POST', body })).status).to.equal(200);
    const statuses = (await askAll(visitor)).map(({ reply }) => reply.status);
    expect(
      statuses.every((status) => status === 401 || status === 400),
      statuses.join(),
    ).to.equal(true);
    (await askAll(two.declared.b)).forEach(shows);
  });

  it('give a study one manifest, whichever of them received it and when', async () => {
    const studies = Array.from({ length: 4 }, (_, at) =>
      aStudy({ key: `two-servers/${at}`, instances: 4, patient: PATIENTS.gaetan }),
    );
    await Promise.all(studies.map(async (study, at) => await sendStudy(at % 2 === 0 ? two.a : two.b, study)));
    // The second time to both at once, while both run what follows.
    for (const server of [two.a, two.b])
      await Promise.all(studies.map(async (study) => await sendStudy(server, study)));
    await Promise.all(
      studies.map(
        async (study) => await eventually(async () => ((await manifests(study)).length > 0 ? true : undefined), 30),
      ),
    );
    await pause(2_500);
    for (const study of studies) {
      const statuses = (await manifests(study)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 'current')).to.deep.equal(['current']);
    }
  });

  it('go on when one of them is killed: the other seals what it left, in one chain', async () => {
    // MongoDB keeps locked for a minute what a killed server had begun to write.
    await eventually(async () => ((await underWay(two.mongo)) === 0 ? true : undefined), 60);
    const sealer = await sealerOf(two.mongo);
    const [victim, survivor] = sealer === two.sealedByA ? (['a', 'b'] as const) : (['b', 'a'] as const);
    const left = doors.map(async (door) => await ask(door, two.author[victim]).catch(() => undefined));
    await pause(15);
    await two[victim].kill();
    await Promise.all(left);
    (await askAll(two.author[survivor])).forEach(shows);
    const study = aStudy({ key: 'two-servers/after', instances: 2, patient: PATIENTS.gaetan });
    expect(await sendStudy(two[survivor], study)).to.deep.equal([0, 0]);
    await eventually(async () => ((await sealerOf(two.mongo)) === sealer ? undefined : true), 15);
    await eventually(async () => ((await unsealed(two.mongo)) === 0 ? true : undefined), 15);
    await eventually(async () => ((await manifests(study, two.author[survivor])).length === 1 ? true : undefined), 30);
    await expectWhole();
  });

  async function manifests(
    { studyInstanceUID }: DemoStudy,
    access: Access = two.author.a,
  ): Promise<DocumentReference[]> {
    return await find<DocumentReference>(access, `DocumentReference?related:identifier=urn:oid:${studyInstanceUID}`);
  }

  async function expectWhole(): Promise<void> {
    const stores = await openMongoStores({ uri: two.uri });
    try {
      const events = two.mongo.db().collection('audit_events');
      const verified = await stores.trail.verify();
      expect(verified).to.deep.include({ whole: true, erased: 0 });
      expect(verified.whole ? verified.head.sequence : 0, 'entries').to.equal(
        await events.countDocuments({ pending: { $exists: false } }),
      );
    } finally {
      await stores.close();
    }
  }
});

/** Keeps some requests in flight, of every door in turn, until its end. */
function startPump(ask: (door: Door, access: Access) => Promise<Asked>, access: Access): { end(): Promise<Pumped> } {
  const answered: Asked[] = [];
  const cut: Times[] = [];
  const over = new AbortController();
  let next = 0;
  const once = async (door: Door): Promise<void> => {
    const sentAt = performance.now();
    await ask(door, access).then(
      (asked) => answered.push(asked),
      () => cut.push({ sentAt, endedAt: performance.now() }),
    );
  };
  const work = async (): Promise<void> => {
    while (!over.signal.aborted) {
      next += 1;
      for (const door of doors.slice(next % doors.length).slice(0, 1)) await once(door);
    }
  };
  const workers = Array.from({ length: IN_FLIGHT }, work);
  return {
    async end() {
      over.abort();
      await Promise.all(workers);
      return { answered, cut };
    },
  };
}
