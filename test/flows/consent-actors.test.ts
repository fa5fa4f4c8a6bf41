/** Whom a Consent may name (FHIR R4 consent.html, provision.actor): people, functions, establishments; and how. */
import type {
  Bundle,
  Consent,
  ConsentProvisionActor,
  Organization,
  Practitioner,
  PractitionerRole,
  Task,
} from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../fixtures/consent.ts';
import { eventsOf, eventually, expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { runCommand } from '../support/command.ts';
import { fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import { EACH_STORE, type OpenedStore } from '../support/peers/each-store.ts';
import { changeResource, makeRegionFile, type EditedRegion, type RegionFile } from '../support/region-file.ts';
import { startServer, type TestServer } from '../support/server.ts';

const RPPS = 'https://rpps.esante.gouv.fr';
const NATIONAL = 'urn:oid:1.2.250.1.71.4.2.1';
const FINESS = 'urn:oid:1.2.250.1.71.4.2.2';
const OWN = 'urn:oid:2.25.1234';
const ROLE = 'PractitionerRole/demo-stranger-role';

type Named = ConsentProvisionActor['reference'];

/** The stranger by each of these; the cardiology is a part of the establishment of Nancy here. */
const WAYS: Readonly<Record<string, Named>> = {
  'Practitioner, by reference': { reference: 'Practitioner/demo-stranger' },
  'Practitioner, by RPPS': { type: 'Practitioner', identifier: { system: RPPS, value: '99700990049' } },
  'Practitioner, by 8 and RPPS': { identifier: { system: NATIONAL, value: '899700990049' } },
  'Practitioner, by a search': { reference: `Practitioner?identifier=${RPPS}|99700990049` },
  'PractitionerRole, by reference': { reference: ROLE },
  'PractitionerRole, by its number': { type: 'PractitionerRole', identifier: { system: OWN, value: 'function-7' } },
  'PractitionerRole, by a search': { reference: `PractitionerRole?identifier=${OWN}|function-7` },
  'Organization, by reference': { reference: 'Organization/demo-cardiology' },
  'Organization, by its number': { identifier: { system: FINESS, value: '1549999904' } },
  'Organization, by a search': { reference: `Organization?identifier=${FINESS}|1549999904` },
  'Organization of which hers is a part': { reference: 'Organization/demo-nancy' },
};

const prepared = (region: EditedRegion): void => {
  const identifier = [{ system: OWN, value: 'function-7' }];
  changeResource(region, ROLE, { identifier } as Partial<PractitionerRole>);
  changeResource(region, 'Organization/demo-cardiology', {
    partOf: { reference: 'Organization/demo-nancy' },
  } as Partial<Organization>);
  // The directory gives one form alone.
  changeResource(region, 'Practitioner/demo-stranger', {
    identifier: [{ system: NATIONAL, value: '899700990049' }],
  } as Partial<Practitioner>);
};

for (const { name, missing, open } of EACH_STORE) {
  describe(`The actors of a Consent (ITI-108): ${name}`, function () {
    this.timeout(120_000);
    let opened: OpenedStore;
    let file: RegionFile;
    let server: TestServer;
    let region: Demonstration;

    before(async function () {
      if (missing() !== undefined) this.skip();
      opened = await open();
      file = await makeRegionFile();
      await file.write(prepared);
      server = await startServer({ store: opened.store, env: { REGION: file.path } });
      region = await fillDemonstration(server);
    });
    after(async () => {
      await server?.stop();
      await file?.remove();
      await opened?.close();
    });

    const load = async (change?: (edited: EditedRegion) => void): Promise<void> => {
      const serial = await file.write((edited) => {
        prepared(edited);
        change?.(edited);
      });
      const on = { store: opened.store, dataDir: server.dataDir, env: { REGION: file.path } };
      const done = await runCommand('region', ['reload', '--confirm', String(serial)], on);
      expect(done.code, done.stderr).to.equal(0);
    };
    const seenBy = async (caller: FhirCaller): Promise<number> => (await caller.find('ImagingStudy')).length;
    const consentNaming = (reference: Named): Consent => {
      const consent = demoConsent(`Patient/${region.patients.helene}`);
      const actor = (consent.provision?.actor ?? []).map((one) => ({ ...one, reference }));
      return { ...consent, provision: { ...consent.provision, actor } };
    };
    /** Answers the reference of the Consent. Conditional references are for transactions. */
    const declare = async (caller: FhirCaller, reference: Named): Promise<string> => {
      const request = { method: 'POST', url: 'Consent' } as const;
      const entry = [{ resource: consentNaming(reference), request }];
      const made = await caller.send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
      expect(made.status, made.text).to.equal(200);
      return made.json<Bundle>().entry?.[0]?.response?.location?.replace(/.*(?=Consent\/)|\/_history.*/g, '') ?? '';
    };

    for (const [way, reference] of Object.entries(WAYS))
      it(`${way}: sees the record until it ends, and software of hers never does`, async () => {
        const [strangers, nancys] = [await seenBy(region.stranger), await seenBy(region.nancy)];
        expect(strangers).to.equal(0);
        const consent = await declare(region.strasbourg, reference);
        expect(await seenBy(region.stranger)).to.equal(2);
        expect(await seenBy(region.nancy), 'a client of the establishment').to.equal(nancys);
        const kept = (await region.patient.get(consent)).json<Consent>();
        expect(kept.provision?.actor?.[0]?.reference.reference).to.match(
          /^(Practitioner|Organization)[A-Za-z]*\/demo-/,
        );
        expect(kept.provision?.actor?.[0]?.reference.identifier).to.deep.equal(reference.identifier);
        // As it was sent, where it was no search.
        const own =
          reference.reference?.includes('?') === true ? {} : { actor: consentNaming(reference).provision?.actor };
        const ended = { ...kept, status: 'inactive', provision: { ...kept.provision, ...own } };
        const answer = await region.strasbourg.send('PUT', consent, ended);
        expect(answer.status, answer.text).to.equal(200);
        expect(await seenBy(region.stranger)).to.equal(0);
      });

    it('a role that ended, or is held elsewhere, gives nothing from the next request on', async () => {
      const exam = `ImagingStudy?patient=${region.patients.helene}`;
      const [byRole, byPlace] = [WAYS['PractitionerRole, by reference'], WAYS['Organization of which hers is a part']];
      const study = await region.patient.find(exam);
      const path = `ImagingStudy/${study[0]?.id ?? ''}`;
      const moved = { organization: { reference: 'Organization/demo-practice' } } as Partial<PractitionerRole>;
      for (const [reference, change] of [
        [byRole, { active: false }],
        [byPlace, moved],
      ] as const) {
        const consent = await declare(region.patient, reference ?? {});
        expect((await region.stranger.get(path)).status).to.equal(200);
        await load((edited) => {
          const { bundle } = edited;
          const role = bundle.entry?.find(({ request }) => request?.url === ROLE)?.resource;
          // Somebody without a role may not act at all.
          const other = { ...role, id: 'other-role', organization: { reference: 'Organization/demo-practice' } };
          const request = { method: 'PUT', url: 'PractitionerRole/other-role' } as const;
          bundle.entry?.push({ resource: other as PractitionerRole, request });
          changeResource(edited, ROLE, change as Partial<PractitionerRole>);
        });
        expectOutcome(await region.stranger.get(path), 404, 'not-found');
        await load();
        expect((await region.stranger.get(path)).status, 'again').to.equal(200);
        expect((await region.patient.send('DELETE', consent)).status).to.be.oneOf([200, 204]);
        expect(await seenBy(region.stranger)).to.equal(0);
      }
    });

    const nobody: Readonly<Record<string, Named>> = {
      'by reference': { reference: 'PractitionerRole/nobody' },
      'by a search': { reference: `Practitioner?identifier=${RPPS}|10000000000` },
    };
    for (const [what, reference] of Object.entries(nobody))
      it(`nobody is named ${what}: refused, without the number`, async () => {
        const answer = await region.patient.send('POST', 'Consent', consentNaming(reference));
        expectOutcome(answer, 400, 'invalid');
        expect(answer.text).to.not.match(/10000000000|899700990049|nobody/);
      });

    const UNKNOWN = { identifier: { system: RPPS, value: '10000000007' }, display: 'Dr Nouvelle' };
    const tasksOf = async (caller: FhirCaller): Promise<readonly Task[]> =>
      await caller.find<Task>('Task?code=correspondent-unknown&status=requested');

    it('a number that is nobody’s waits for a desk, and gives nothing until it is somebody’s', async () => {
      const desks = [
        await personCaller(server, 'demo-strasbourg-desk'),
        await personCaller(server, 'demo-region-desk'),
      ] as const;
      const sent = consentNaming(UNKNOWN);
      for (const [caller, at, desk] of [
        [region.strasbourg, 'strasbourg', desks[0]],
        [region.patient, 'region', desks[1]],
      ] as const) {
        const made = await caller.send('POST', 'Consent', sent);
        expect(made.status, made.text).to.equal(201);
        const id = (made.headers.get('location') ?? '').split('/').at(-3) ?? '';
        const again = await caller.send('POST', 'Consent', sent);
        expect([again.status, again.headers.get('etag')], 'said again').to.deep.equal([200, 'W/"1"']);
        expect((await caller.get(`Consent/${id}`)).json<Consent>().status).to.equal('proposed');
        const [task, ...others] = await tasksOf(desk);
        expect(others, at).to.deep.equal([]);
        expect(task?.focus?.reference).to.equal(`Consent/${id}`);
        expect(task?.input?.map(({ valueReference }) => valueReference)).to.deep.equal([UNKNOWN]);
        for (const other of [region.stranger, region.nancy, region.patient, region.strasbourg])
          expect(await tasksOf(other)).to.deep.equal([]);
        expect(await seenBy(region.stranger)).to.equal(0);
        await load((edited) =>
          changeResource(edited, 'Practitioner/demo-stranger', {
            identifier: [UNKNOWN.identifier],
          } as Partial<Practitioner>),
        );
        const known = await caller.send('POST', 'Consent', sent);
        expect([known.status, known.headers.get('etag')], known.text).to.deep.equal([200, 'W/"2"']);
        expect((await caller.get(`Consent/${id}`)).json<Consent>().status).to.equal('active');
        expect(await seenBy(region.stranger)).to.equal(2);
        expect(await tasksOf(desk)).to.deep.equal([]);
        await load();
        await caller.send('DELETE', `Consent/${id}`);
      }
    });

    it('a number that a patient sent is somebody’s when the desk of the region says so', async () => {
      const made = await region.patient.send('POST', 'Consent', consentNaming(UNKNOWN));
      const id = (made.headers.get('location') ?? '').split('/').at(-3) ?? '';
      const desk = await personCaller(server, 'demo-region-desk');
      const [task] = await tasksOf(desk);
      const said = (caller: FhirCaller) =>
        caller.send('POST', `Task/${task?.id ?? ''}/$decide`, {
          resourceType: 'Parameters',
          parameter: [
            { name: 'verdict', valueCode: 'declared' },
            { name: 'comment', valueString: 'Appelée' },
            { name: 'professional', valueReference: { reference: 'Practitioner/demo-stranger' } },
          ],
        });
      for (const other of ['demo-strasbourg-desk', 'demo-region-dpo'])
        expectOutcome(await said(await personCaller(server, other)), 404, 'not-found');
      const say = async (operation: string) =>
        (await region.patient.send('POST', `Patient/${operation}`, { resourceType: 'Parameters' })).status;
      expect(await say('$withdraw')).to.equal(201);
      expectOutcome(await said(desk), 409, 'conflict');
      expect(await say('$reconsent')).to.equal(201);
      expect((await region.patient.get(`Consent/${id}`)).json<Consent>().status, 'it waits on').to.equal('proposed');
      expect(await seenBy(region.stranger)).to.equal(0);
      const decided = await said(desk);
      expect(decided.status, decided.text).to.equal(200);
      expect(await seenBy(region.stranger)).to.equal(2);
      const events = await eventsOf(region.patient, 'operation');
      const ofTask = events.map(({ entity }) => JSON.stringify(entity)).filter((text) => text.includes(task?.id ?? ''));
      expect(ofTask.join()).to.include(`"Consent/${id}"`);
      // Said by the reference, it is the one that stands.
      const again = await region.patient.send(
        'POST',
        'Consent',
        consentNaming({ reference: 'Practitioner/demo-stranger' }),
      );
      expect([again.status, (again.headers.get('location') ?? '').split('/').at(-3)]).to.deep.equal([200, id]);
      await region.patient.send('DELETE', `Consent/${id}`);
      expect(await seenBy(region.stranger)).to.equal(0);
    });

    it('is ended while it waits, and the desk has nothing to do any more', async () => {
      const desk = await personCaller(server, 'demo-strasbourg-desk');
      const made = await region.strasbourg.send('POST', 'Consent', consentNaming(UNKNOWN));
      const id = (made.headers.get('location') ?? '').split('/').at(-3) ?? '';
      expect(await tasksOf(desk)).to.have.length(1);
      expect((await region.patient.send('DELETE', `Consent/${id}`)).status).to.be.oneOf([200, 204]);
      expect((await region.patient.get(`Consent/${id}`)).json<Consent>().status).to.equal('inactive');
      expect(await tasksOf(desk)).to.deep.equal([]);
    });

    it('whom she ends while one waits are in it no more, by reference or by a number of theirs', async () => {
      const stranger = { reference: 'Practitioner/demo-stranger' };
      const ids: string[] = [];
      for (const references of [[stranger, UNKNOWN], [UNKNOWN]]) {
        const consent = consentNaming(UNKNOWN);
        const actor = references.flatMap((reference) => consentNaming(reference).provision?.actor ?? []);
        const sent = { ...consent, provision: { ...consent.provision, actor } };
        const made = await region.strasbourg.send('POST', 'Consent', sent);
        expect(made.status, made.text).to.equal(201);
        ids.push((made.headers.get('location') ?? '').split('/').at(-3) ?? '');
      }
      const said = await declare(region.patient, stranger);
      expect((await region.patient.send('DELETE', said)).status).to.be.oneOf([200, 204]);
      const standing = async () => {
        const found = [];
        for (const id of ids) found.push((await region.patient.get(`Consent/${id}`)).json<Consent>());
        return found.map(({ status, provision }) => [status, provision?.actor?.map(({ reference }) => reference)]);
      };
      const waiting = ['proposed', [UNKNOWN]];
      expect(await standing()).to.deep.equal([waiting, waiting]);
      const known = { identifier: [UNKNOWN.identifier] } as Partial<Practitioner>;
      await load((edited) => changeResource(edited, 'Practitioner/demo-stranger', known));
      await eventually(async () => ((await standing()).every(([status]) => status !== 'proposed') ? true : undefined));
      expect((await standing()).map(([status]) => status)).to.deep.equal(['inactive', 'inactive']);
      expect(await seenBy(region.stranger)).to.equal(0);
      await load();
    });

    it('a number that waits is taken up when the directory knows it, without being sent again', async () => {
      const desk = await personCaller(server, 'demo-strasbourg-desk');
      const period = { end: '2999-12-31' };
      const { provision, ...sent } = consentNaming(UNKNOWN);
      const made = await region.strasbourg.send('POST', 'Consent', { ...sent, provision: { ...provision, period } });
      expect(made.status, made.text).to.equal(201);
      const id = (made.headers.get('location') ?? '').split('/').at(-3) ?? '';
      expect((await tasksOf(desk)).map(({ focus }) => focus?.reference)).to.deep.equal([`Consent/${id}`]);
      const known = { identifier: [UNKNOWN.identifier] } as Partial<Practitioner>;
      const knowing = (edited: EditedRegion) => changeResource(edited, 'Practitioner/demo-stranger', known);
      const change = async (operation: string) =>
        expect(
          (await region.patient.send('POST', `Patient/${operation}`, { resourceType: 'Parameters' })).status,
        ).to.equal(201);
      // While she shares nothing it waits, so that she is told of it when it gives something.
      await change('$withdraw');
      await load(knowing);
      await eventually(async () => {
        const { jobs } = (await (await fetch(`${server.url}/health/ready`)).json()) as {
          jobs: Record<string, Record<'waiting' | 'running', number>>;
        };
        const { waiting = 1, running = 1 } = jobs['declare-named'] ?? {};
        return waiting + running === 0 ? true : undefined;
      });
      await change('$reconsent');
      expect((await region.patient.get(`Consent/${id}`)).json<Consent>().status).to.equal('proposed');
      await load(knowing);
      await eventually(async () => ((await tasksOf(desk)).length === 0 ? true : undefined));
      const consent = (await region.patient.get(`Consent/${id}`)).json<Consent>();
      expect(consent.status).to.equal('active');
      expect(consent.provision?.actor?.[0]?.reference).to.deep.equal({
        ...UNKNOWN,
        reference: 'Practitioner/demo-stranger',
      });
      expect(await seenBy(region.stranger)).to.equal(2);
    });
  });
}
