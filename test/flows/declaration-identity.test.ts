/** A declaration has an identity (access.md C12): said again it is one; whom she ends, she ends in all of them. */
import type { Consent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../fixtures/consent.ts';
import { eventsOf, expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { fillDemonstration, type Demonstration } from '../support/demonstration.ts';
import { EACH_STORE, type OpenedStore } from '../support/peers/each-store.ts';
import { startServer, type TestServer } from '../support/server.ts';

const STRANGER = 'Practitioner/demo-stranger';
const NIGHT = 'Practitioner/demo-radiologist-nancy';

for (const { name, missing, open } of EACH_STORE) {
  describe(`The identity of a declaration (ITI-108): ${name}`, function () {
    this.timeout(60_000);
    let opened: OpenedStore;
    let server: TestServer;
    let region: Demonstration;
    before(async function () {
      if (missing() !== undefined) this.skip();
      opened = await open();
      server = await startServer({ store: opened.store });
      region = await fillDemonstration(server);
    });
    after(async () => {
      await server?.stop();
      await opened?.close();
    });

    const declare = async (caller: FhirCaller, actors: readonly string[], period?: { end: string }) => {
      const { provision, ...consent } = demoConsent(`Patient/${region.patients.helene}`);
      const [one] = provision?.actor ?? [];
      const actor = actors.map((reference) => ({ ...one, reference: { reference } }));
      const sent = { ...consent, provision: { ...provision, actor, ...(period === undefined ? {} : { period }) } };
      return await caller.send('POST', 'Consent', sent);
    };
    const idOf = ({ headers }: FhirAnswer): string => (headers.get('location') ?? '').split('/').at(-3) ?? '';
    const read = async (id: string): Promise<Consent> => (await region.patient.get(`Consent/${id}`)).json<Consent>();
    const seenBy = async (caller: FhirCaller): Promise<number> => (await caller.find('ImagingStudy')).length;
    const standing = async (actor: string): Promise<readonly Consent[]> =>
      await region.patient.find<Consent>(`Consent?status=active&actor=${actor}`);
    afterEach(async () => {
      for (const actor of [STRANGER, NIGHT])
        for (const { id } of await standing(actor)) await region.patient.send('DELETE', `Consent/${id ?? ''}`);
    });

    it('said again, in any order of its actors, is a version of the one that stands', async () => {
      const first = await declare(region.strasbourg, [STRANGER, NIGHT]);
      expect(first.status, first.text).to.equal(201);
      const again = await declare(region.strasbourg, [STRANGER, NIGHT]);
      expect([again.status, idOf(again), again.headers.get('etag')]).to.deep.equal([200, idOf(first), 'W/"1"']);
      const ending = await declare(region.strasbourg, [NIGHT, STRANGER], { end: '2020-01-01' });
      expect([ending.status, idOf(ending), ending.headers.get('etag')]).to.deep.equal([200, idOf(first), 'W/"2"']);
      expect((await read(idOf(first))).provision?.period).to.deep.equal({ end: '2020-01-01' });
      expect(await seenBy(region.stranger), 'of the former version nothing is left').to.equal(0);
    });

    it('of another source, or of other actors, is another one', async () => {
      const all = [
        await declare(region.strasbourg, [STRANGER]),
        await declare(region.patient, [STRANGER]),
        await declare(region.nancy, [STRANGER]),
        await declare(region.strasbourg, [STRANGER, NIGHT]),
      ];
      expect(all.map(({ status }) => status)).to.deep.equal([201, 201, 201, 201]);
      expect(new Set(all.map(idOf)).size).to.equal(4);
    });

    it('said sixteen times at once, is one', async () => {
      const all = await Promise.all(Array.from({ length: 16 }, async () => await declare(region.patient, [STRANGER])));
      expect(all.map(({ status }) => status).toSorted()).to.deep.equal([...Array<number>(15).fill(200), 201]);
      expect(new Set(all.map(idOf)).size).to.equal(1);
      expect(await standing(STRANGER)).to.have.length(1);
    });

    it('that has ended, is a new one', async () => {
      const first = await declare(region.patient, [STRANGER]);
      await region.patient.send('DELETE', `Consent/${idOf(first)}`);
      const again = await declare(region.patient, [STRANGER]);
      expect(again.status).to.equal(201);
      expect(idOf(again)).to.not.equal(idOf(first));
      expect(await seenBy(region.stranger)).to.equal(2);
    });

    for (const method of ['PUT', 'DELETE'] as const)
      it(`ended by the patient (${method}), ends that actor in those of others; each end is told to her`, async () => {
        const hers = idOf(await declare(region.patient, [STRANGER]));
        const theirs = idOf(await declare(region.strasbourg, [STRANGER]));
        const both = idOf(await declare(region.nancy, [STRANGER, NIGHT]));
        expect(await seenBy(region.stranger)).to.equal(2);
        const body = method === 'PUT' ? { ...(await read(hers)), status: 'inactive' } : undefined;
        const ended = await region.patient.send(method, `Consent/${hers}`, body);
        expect(ended.status, ended.text).to.be.oneOf([200, 204]);
        expect(await seenBy(region.stranger)).to.equal(0);
        expect((await read(theirs)).status).to.equal('inactive');
        const left = await read(both);
        expect(left.status).to.equal('active');
        expect(left.provision?.actor?.map(({ reference }) => reference.reference)).to.deep.equal([NIGHT]);
        const told = JSON.stringify(await eventsOf(region.patient, 'update'));
        for (const id of [theirs, both]) expect(told, id).to.include(`Consent/${id}`);
      });

    it('ended with another in one transaction, ends both; of a third that each ends a part of, nothing', async () => {
      const [one, both] = [await declare(region.patient, [STRANGER]), await declare(region.patient, [STRANGER, NIGHT])];
      const ends = async (ids: readonly string[]): Promise<FhirAnswer> => {
        const resources = await Promise.all(ids.map(async (id) => ({ ...(await read(id)), status: 'inactive' })));
        const entry = resources.map((resource) => ({
          resource,
          request: { method: 'PUT', url: `Consent/${resource.id}` },
        }));
        return await region.patient.send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
      };
      const ended = await ends([idOf(one), idOf(both)]);
      expect(ended.status, ended.text).to.equal(200);
      for (const actor of [STRANGER, NIGHT]) expect(await standing(actor), actor).to.deep.equal([]);
      expect(await seenBy(region.stranger)).to.equal(0);
      const hers = [await declare(region.patient, [STRANGER]), await declare(region.patient, [NIGHT])].map(idOf);
      const theirs = idOf(await declare(region.nancy, [STRANGER, NIGHT]));
      expectOutcome(await ends(hers), 400, 'invalid');
      for (const id of [...hers, theirs]) expect((await read(id)).status).to.equal('active');
    });

    it('ended by an establishment, leaves those of others', async () => {
      await declare(region.patient, [STRANGER]);
      const theirs = idOf(await declare(region.strasbourg, [STRANGER]));
      await region.strasbourg.send('DELETE', `Consent/${theirs}`);
      expect(await seenBy(region.stranger)).to.equal(2);
    });
  });
}
