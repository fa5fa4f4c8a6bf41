/**
 * Whom the images of an exam name as correspondents is declared where the region file attests that the establishment
 * records the patient's word there (access.md R-16), and nowhere else; what she says goes before it.
 */
import type { AuditEvent, BundleEntry, Communication, Consent, ImagingStudy, Patient, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../fixtures/consent.ts';
import { aStudy, type StudyOverrides } from '../../fixtures/dicom/a-study.ts';
import type { Dataset } from '../../fixtures/dicom/part10.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { byStudyUid, establishmentCaller, personCaller } from '../support/demonstration.ts';
import { onEachStore } from './support/each-store.ts';
import { feed } from './support/feed.ts';

const { strasbourg: STRASBOURG } = ESTABLISHMENTS;
const STRANGER = 'Practitioner/demo-stranger';
const DECLARED = 'Practitioner/demo-declared';
const NIGHT = 'Practitioner/demo-radiologist-nancy';
const NUMBER = { [STRANGER]: '899700990049', [DECLARED]: '899700990031', [NIGHT]: '899700990023' } as const;

const NATIONAL = 'urn:oid:1.2.250.1.71.4.2.1';

/** An item of an identification sequence: a number of the national directory (PS3.3 table 10-1). */
function numbered(value: string, CodingSchemeUID = NATIONAL.replace('urn:oid:', '')): readonly Dataset[] {
  return [{ PersonIdentificationCodeSequence: [{ CodeValue: value, CodingSchemeUID }] }];
}

/** Numbers of somebody who has left, and of two people. */
const LEFT = '899700999999';
const SHARED = '899700999998';

const somebody = (id: string, value: string, active: boolean): BundleEntry => ({
  resource: { resourceType: 'Practitioner', id, identifier: [{ system: NATIONAL, value }], active },
  request: { method: 'PUT', url: `Practitioner/${id}` },
});

const referring = (who: keyof typeof NUMBER): Dataset => ({
  ReferringPhysicianIdentificationSequence: numbered(NUMBER[who]),
});
const consulting = (who: keyof typeof NUMBER): Dataset => ({
  ConsultingPhysicianName: 'Nom^Autre',
  ConsultingPhysicianIdentificationSequence: numbered(NUMBER[who]),
});

onEachStore(
  'Correspondents whom images name',
  {
    region: (file) => {
      file.bundle.entry?.push(
        somebody('left', LEFT, false),
        somebody('one', SHARED, true),
        somebody('two', SHARED, true),
      );
      file.identifierDomains = file.identifierDomains.map((domain) =>
        domain.organization === STRASBOURG.organization ? { ...domain, recordsPatientsWord: '2026-01-10' } : domain,
      );
    },
  },
  (running) => {
    let callers: Readonly<Record<'strasbourg' | 'nancy' | 'patient' | 'stranger' | 'declared', FhirCaller>>;
    let patients: { readonly helene: string; readonly gaetan: string };
    before(async () => {
      const { server } = running();
      callers = {
        strasbourg: await establishmentCaller(server, 'strasbourg'),
        nancy: await establishmentCaller(server, 'nancy'),
        patient: await fedPatient(),
        stranger: await personCaller(server, 'demo-stranger'),
        declared: await personCaller(server, 'demo-declared'),
      };
      const idOf = async (family: string): Promise<string> =>
        (await callers.strasbourg.findOne<Patient>(`Patient?family=${encodeURIComponent(family)}`)).id;
      patients = { helene: await idOf('Valbrémont'), gaetan: await idOf('Fréminval') };
    });

    const fedPatient = async (): Promise<FhirCaller> => {
      const { server } = running();
      const strasbourg = await establishmentCaller(server, 'strasbourg');
      await feed(strasbourg, PATIENTS.helene, 'strasbourg');
      await feed(strasbourg, PATIENTS.gaetan, 'strasbourg');
      await feed(await establishmentCaller(server, 'nancy'), PATIENTS.helene, 'nancy');
      return await personCaller(server, 'demo-patient');
    };
    /** Sends an exam of Hélène's and waits until all that follows is done. */
    const send = async (
      key: string,
      attributes: Dataset,
      changes: StudyOverrides & { readonly establishment?: 'strasbourg' | 'nancy' } = {},
      isShared = true,
    ): Promise<DemoStudy> => {
      const study = aStudy({ key: `named/${key}`, patient: PATIENTS.helene, instances: 1, attributes, ...changes });
      const statuses = await sendStudy(running().server, study);
      expect(new Set(statuses)).to.deep.equal(new Set([0]));
      // What looks at the names is asked for as the exam is written; a new one is from the first image on.
      if (isShared)
        await eventually(async () => {
          const found = await callers[changes.establishment ?? 'strasbourg'].find<ImagingStudy>(
            `ImagingStudy?${byStudyUid(study)}`,
          );
          return found[0]?.numberOfInstances === statuses.length ? true : undefined;
        });
      await done();
      return study;
    };
    const done = async (): Promise<void> =>
      void (await eventually(async () => {
        const { jobs } = (await (await fetch(`${running().server.url}/health/ready`)).json()) as {
          jobs: Record<string, Record<'waiting' | 'running' | 'later', number>>;
        };
        const kinds = ['refresh-study', 'declare-named', 'tell-news'];
        const isBusy = kinds.some((kind) => {
          const { waiting = 1, running: now = 1, later = 1 } = jobs[kind] ?? {};
          return waiting + now + later > 0;
        });
        return isBusy ? undefined : true;
      }, 30));
    const exams = async (caller: FhirCaller): Promise<number> =>
      (await caller.find<ImagingStudy>('ImagingStudy')).length;
    const naming = async (actor: string): Promise<(Consent & { id: string })[]> =>
      await callers.patient.find<Consent & { id: string }>(`Consent?actor=${actor}`);
    const declare = async (caller: FhirCaller, type: 'permit' | 'deny', reference: string): Promise<string> => {
      const { provision, policy: _, ...consent } = demoConsent(`Patient/${patients.helene}`);
      const actor = (provision?.actor ?? []).map((one) => ({ ...one, reference: { reference } }));
      const policy = [{ uri: `https://profiles.ihe.net/ITI/PCF/Policy-${type === 'deny' ? 'deny' : 'basic-normal'}` }];
      const made = await caller.send('POST', 'Consent', {
        ...consent,
        policy,
        provision: { ...provision, type, actor },
      });
      expect(made.status, made.text).to.equal(201);
      return (made.headers.get('location') ?? '').split('/').at(-3) ?? '';
    };
    const end = async (id: string): Promise<void> => {
      expect((await callers.patient.send('DELETE', `Consent/${id}`)).status).to.be.oneOf([200, 204]);
    };

    it('give nothing where nothing attests it, and of exams before the day since which it does', async () => {
      await send('nancy', referring(STRANGER), { establishment: 'nancy' });
      await send('before', referring(STRANGER), { started: '2026-01-09T23:30:00' });
      expect(await exams(callers.stranger)).to.equal(0);
      expect(await naming(STRANGER)).to.deep.equal([]);
    });

    it('give nothing of whoever passes on what another sent', async () => {
      // Both number her alike, and the images name no issuer.
      const patient = { ...PATIENTS.gaetan, localId: { strasbourg: 'ALIKE-7', nancy: 'ALIKE-7' } };
      await feed(callers.strasbourg, patient, 'strasbourg');
      await feed(callers.nancy, patient, 'nancy');
      const attributes = { ...referring(STRANGER), IssuerOfPatientIDQualifiersSequence: [] };
      const study = await send('passed-on', attributes, { patient, establishment: 'nancy' });
      expect(await sendStudy(running().server, study, STRASBOURG.aeTitle)).to.deep.equal([0]);
      await eventually(async () => (await callers.strasbourg.find(`ImagingStudy?${byStudyUid(study)}`))[0]);
      await done();
      expect(await exams(callers.stranger)).to.equal(0);
    });

    it('are declared, to the record: the one who is named, and nobody else', async () => {
      await send('first', referring(STRANGER));
      expect(await exams(callers.stranger)).to.equal(3);
      expect(await exams(callers.declared)).to.equal(0);
      const [consent, ...others] = await naming(STRANGER);
      expect(others).to.deep.equal([]);
      expect(consent?.status).to.equal('active');
      expect(consent?.organization).to.deep.equal([{ reference: STRASBOURG.organization }]);
      expect(consent?.performer).to.deep.equal([{ reference: `Patient/${patients.helene}` }]);
      expect(consent?.provision?.actor?.[0]?.reference).to.deep.equal({
        reference: STRANGER,
        display: 'Dr Côme Vaudrémont-Ciel',
      });
      expect((await callers.strasbourg.find(`Consent?actor=${STRANGER}`)).length).to.equal(1);
      expect((await callers.nancy.find(`Consent?actor=${STRANGER}`)).length).to.equal(0);
    });

    it('are told to the patient: a notice, an event, the list of who may open her record', async () => {
      const notices = await callers.patient.find<Communication>('Communication?_count=100');
      const told = notices.filter(({ category }) => category?.[0]?.coding?.[0]?.code === 'correspondent');
      expect(told.map(({ payload }) => payload?.[0]?.contentString).join()).to.include('Dr Côme Vaudrémont-Ciel');
      const [consent] = await naming(STRANGER);
      const events = await callers.patient.find<AuditEvent>('AuditEvent?_count=200');
      const made = events.filter(
        ({ action, entity }) => action === 'C' && JSON.stringify(entity).includes(`Consent/${consent?.id}`),
      );
      expect(made).to.have.length(1);
      const list = await callers.patient.get('Patient/$who-can-access');
      expect(list.text).to.include('Vaudrémont-Ciel');
    });

    it('are declared by each name of the exam, once, however many images say so', async () => {
      await send('second', { ...referring(STRANGER), ...consulting(DECLARED) });
      await send('second', { ...referring(STRANGER), ...consulting(DECLARED) }, { instances: 3, series: 2 });
      expect(await exams(callers.declared)).to.equal(4);
      for (const who of [STRANGER, DECLARED]) {
        const all = await naming(who);
        expect(all.map(({ meta, status }) => [meta?.versionId, status])).to.deep.equal([['1', 'active']]);
      }
    });

    it('are ended by the patient, and not made again by a further image or exam, but by a declaration', async () => {
      const [consent] = await naming(STRANGER);
      await end(consent?.id ?? '');
      expect(await exams(callers.stranger)).to.equal(0);
      await send('second', referring(STRANGER), { instances: 4, series: 2 });
      await send('third', referring(STRANGER));
      expect(await exams(callers.stranger)).to.equal(0);
      expect((await naming(STRANGER)).map(({ status }) => status)).to.deep.equal(['inactive']);
      const said = await declare(callers.strasbourg, 'permit', STRANGER);
      expect(await exams(callers.stranger)).to.equal(5);
      await end(said);
    });

    it('are nobody whom she blocks, and nobody by what was named while she shared nothing', async () => {
      const block = await declare(callers.patient, 'deny', NIGHT);
      await send('blocked', referring(NIGHT));
      await end(block);
      expect((await callers.patient.send('POST', 'Patient/$withdraw', { resourceType: 'Parameters' })).status).to.equal(
        201,
      );
      await send('withdrawn', referring(NIGHT), {}, false);
      expect(
        (await callers.patient.send('POST', 'Patient/$reconsent', { resourceType: 'Parameters' })).status,
      ).to.equal(201);
      for (const key of ['blocked', 'withdrawn']) await send(key, referring(NIGHT), { instances: 2 });
      expect((await naming(NIGHT)).map(({ provision, status }) => [provision?.type, status])).to.deep.equal([
        ['deny', 'inactive'],
      ]);
      const ofHospital = await declare(callers.patient, 'deny', 'Organization/demo-nancy');
      await send('hospital-blocked', referring(NIGHT));
      expect((await naming(NIGHT)).filter(({ status }) => status === 'active')).to.deep.equal([]);
      await end(ofHospital);
      await send('afterwards', referring(NIGHT));
      expect((await naming(NIGHT)).filter(({ status }) => status === 'active')).to.have.length(1);
    });

    const tasksOf = async (caller: FhirCaller, status: string): Promise<Task[]> =>
      await caller.find<Task>(`Task?code=correspondent-unknown&status=${status}&_count=100`);
    const decide = async (caller: FhirCaller, task: Task | undefined, verdict: string, professional?: string) =>
      await caller.send('POST', `Task/${task?.id ?? ''}/$decide`, {
        resourceType: 'Parameters',
        parameter: [
          { name: 'verdict', valueCode: verdict },
          { name: 'comment', valueString: 'Appelé au cabinet' },
          ...(professional === undefined
            ? []
            : [{ name: 'professional', valueReference: { reference: professional } }]),
        ],
      });
    const named = ({ input = [] }: Task): string | undefined => input[0]?.valueReference?.display;

    it('wait for the desk of the establishment where the directory does not know them, and give nothing', async () => {
      for (const [ReferringPhysicianName, value] of [
        ['Partie^Zoé', LEFT],
        ['Double^Max', SHARED],
      ] as const)
        await send(value, { ReferringPhysicianName, ReferringPhysicianIdentificationSequence: numbered(value) });
      await send('local', {
        ReferringPhysicianName: 'Maison^Luc',
        ReferringPhysicianIdentificationSequence: numbered(NUMBER[STRANGER], '2.25.4711'),
      });
      await send('alone', { ReferringPhysicianName: 'Vaudrémont-Ciel^Côme^^Dr' });
      const { server } = running();
      const [desk, others] = [
        await personCaller(server, 'demo-strasbourg-desk'),
        [callers.stranger, callers.patient, callers.strasbourg, await personCaller(server, 'demo-region-desk')],
      ];
      const waiting = await tasksOf(desk, 'requested');
      expect(waiting.map(named)).to.include.members([
        'Zoé Partie',
        'Max Double',
        'Luc Maison',
        'Dr Côme Vaudrémont-Ciel',
      ]);
      const [task] = waiting.filter((one) => named(one) === 'Luc Maison');
      for (const other of others) {
        expect(await tasksOf(other, 'requested')).to.deep.equal([]);
        const refused = await decide(other, task, 'declared', STRANGER);
        expect(refused.status, refused.text).to.be.oneOf([403, 404]);
        expect(refused.text).not.to.include('Maison');
      }
      expect(await exams(callers.stranger)).to.equal(0);
      const held = (await callers.patient.get(task?.focus?.reference ?? '')).json<Consent>();
      expect([held.status, held.provision?.actor?.[0]?.reference.display]).to.deep.equal(['proposed', 'Luc Maison']);
    });

    it('are declared or refused by the desk, once; whom the patient has ended are not', async () => {
      const desk = await personCaller(running().server, 'demo-strasbourg-desk');
      const waiting = await tasksOf(desk, 'requested');
      const of = (name: string): Task | undefined => waiting.find((one) => named(one) === name);
      for (const wrong of [undefined, 'Practitioner/nobody', 'Organization/demo-nancy'])
        expect((await decide(desk, of('Luc Maison'), 'declared', wrong)).status, wrong).to.equal(400);
      expect((await decide(desk, of('Luc Maison'), 'justified', STRANGER)).status).to.equal(400);
      expect((await decide(desk, of('Luc Maison'), 'declared', 'Practitioner/demo-strasbourg-desk')).status).to.equal(
        403,
      );
      expect((await decide(desk, of('Zoé Partie'), 'refused')).status).to.equal(200);
      expect(
        (await decide(desk, of('Luc Maison'), 'declared', 'Practitioner/demo-radiologist-luxembourg')).status,
      ).to.equal(200);
      // Hélène has ended every declaration of him.
      expect((await decide(desk, of('Dr Côme Vaudrémont-Ciel'), 'declared', STRANGER)).status).to.equal(200);
      const statuses: Record<string, readonly [string?, string?]> = {};
      for (const one of waiting.filter((task) => named(task) !== undefined)) {
        const consent = (await callers.patient.get(one.focus?.reference ?? '')).json<Consent>();
        const { status } = (await desk.get(`Task/${one.id}`)).json<Task>();
        statuses[named(one) ?? ''] = [status, consent.status];
      }
      expect(statuses['Zoé Partie']).to.deep.equal(['rejected', 'inactive']);
      expect(statuses['Luc Maison']).to.deep.equal(['completed', 'active']);
      expect(statuses['Dr Côme Vaudrémont-Ciel']).to.deep.equal(['completed', 'inactive']);
      expect(await exams(callers.stranger)).to.equal(0);
      expect((await decide(desk, of('Luc Maison'), 'refused')).status, 'once').to.equal(409);
      await done();
      const notices = await callers.patient.find<Communication>('Communication?_count=100');
      expect(notices.map(({ payload }) => payload?.[0]?.contentString).join()).to.include('Wëltermännchen');
      // Refused by the number, he is not declared by a name alone.
      expect((await decide(desk, of('Max Double'), 'refused')).status).to.equal(200);
      await send('name-alone', { ReferringPhysicianName: 'Double^Maxime' });
      const later = (await tasksOf(desk, 'requested')).find((one) => named(one) === 'Maxime Double');
      expect((await decide(desk, later, 'declared', 'Practitioner/one')).status).to.equal(200);
      expect((await callers.patient.get(later?.focus?.reference ?? '')).json<Consent>().status).to.equal('inactive');
      await send('alone', { ReferringPhysicianName: 'Vaudrémont-Ciel^Côme^^Dr' }, { instances: 2 });
      await send('again', {
        ReferringPhysicianName: 'Partie^Zoé',
        ReferringPhysicianIdentificationSequence: numbered(LEFT),
      });
      expect((await tasksOf(desk, 'requested')).map(named)).not.to.include.members(['Zoé Partie']);
      expect((await tasksOf(desk, 'requested')).map(named)).not.to.include.members(['Dr Côme Vaudrémont-Ciel']);
    });

    const move = async (study: DemoStudy): Promise<void> => {
      const { id } = await callers.strasbourg.findOne<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`);
      const moved = await callers.strasbourg.send('POST', `ImagingStudy/${id}/$move`, {
        resourceType: 'Parameters',
        parameter: [{ name: 'patient', valueReference: { reference: `Patient/${patients.helene}` } }],
      });
      expect(moved.status, moved.text).to.equal(200);
      await done();
    };

    it('go with an exam that was another person’s', async () => {
      const [standing] = await naming(DECLARED);
      await end(standing?.id ?? '');
      const gone = aStudy({
        key: 'named/moved',
        patient: PATIENTS.gaetan,
        instances: 1,
        attributes: referring(DECLARED),
      });
      expect(await sendStudy(running().server, gone)).to.deep.equal([0]);
      await done();
      const hers = async (): Promise<readonly (string | undefined)[]> =>
        (await callers.declared.find<ImagingStudy>(`ImagingStudy?${byStudyUid(gone)}`)).map(
          ({ subject }) => subject.reference,
        );
      expect(await hers()).to.deep.equal([`Patient/${patients.gaetan}`]);
      await move(gone);
      const left = await callers.strasbourg.find<Consent>(`Consent?patient=Patient/${patients.gaetan}`);
      expect(new Set(left.map(({ status }) => status))).to.deep.equal(new Set(['inactive']));
      // Hélène has ended hers.
      expect(await hers()).to.deep.equal([]);
    });

    it('stay where another exam names them, or the establishment declared them itself', async () => {
      const sent = async (key: string, attributes: Dataset): Promise<DemoStudy> =>
        await send(key, attributes, { patient: PATIENTS.gaetan });
      const [first, third] = [await sent('stays-1', referring(NIGHT)), await sent('stays-2', consulting(STRANGER))];
      const second = await sent('stays-3', consulting(NIGHT));
      const of = async (actor: string): Promise<readonly (string | undefined)[]> => {
        const hers = `Consent?patient=Patient/${patients.gaetan}&actor=${actor}&status=active`;
        return (await callers.strasbourg.find<Consent>(hers)).map(({ id }) => id);
      };
      const [night, stranger] = [await of(NIGHT), await of(STRANGER)];
      const { provision, ...consent } = demoConsent(`Patient/${patients.gaetan}`);
      const actor = (provision?.actor ?? []).map((one) => ({ ...one, reference: { reference: STRANGER } }));
      const said = await callers.strasbourg.send('POST', 'Consent', { ...consent, provision: { ...provision, actor } });
      expect([said.status, [said.headers.get('location')?.split('/').at(-3)]]).to.deep.equal([200, stranger]);
      const [one, other] = await Promise.all(
        [first, second].map(async (study) => {
          const { id } = await callers.strasbourg.findOne<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`);
          return { meaning: 'instance', reference: { reference: `ImagingStudy/${id}` } };
        }),
      );
      const both = { ...consent, provision: { ...provision, data: [one, other] } };
      expect((await callers.strasbourg.send('POST', 'Consent', both)).status).to.equal(201);
      const seen = async (): Promise<number> =>
        (await callers.declared.find(`ImagingStudy?patient=Patient/${patients.gaetan}`)).length;
      expect(await seen()).to.equal(2);
      await move(first);
      expect(await seen(), 'of two items one went').to.equal(1);
      await move(third);
      expect([await of(NIGHT), await of(STRANGER)]).to.deep.equal([night, stranger]);
      await move(second);
      expect([await of(NIGHT), await of(STRANGER)]).to.deep.equal([[], stranger]);
    });
  },
);
