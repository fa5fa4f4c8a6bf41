/**
 * A Consent that names a CareTeam (ITI-108; access.md ): who is in the team has what is declared, as long as
 * the Consent stands and they are in it.
 */
import type { AuditEvent, CareTeam, Communication, Consent, Parameters, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../fixtures/consent.ts';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { clientToken } from '../../fixtures/sign-in.ts';
import { maskCoding } from '../../profiles/confidentiality.ts';
import { eventually, expectOutcome, fhirCaller, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { visiting } from '../support/clients/representing.ts';
import { expectHidden, expectShown } from './support/cell.ts';
import { DOORS } from './support/doors/doors.ts';
import { onEachWorld } from './support/each-store.ts';
import { canAsk, type PersonKey } from './support/people.ts';

const { nancy, strasbourg } = ESTABLISHMENTS;
const DECLARED = 'Practitioner/demo-declared';
const STRANGER = 'Practitioner/demo-stranger';
const NIGHT = 'Practitioner/demo-radiologist-nancy';
const DAY_MS = 86_400_000;
const day = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();
const inTeam = (reference: string, end?: string) => ({
  member: { reference },
  ...(end === undefined ? {} : { period: { end } }),
});

onEachWorld('A Consent that names a CareTeam', (world) => {
  const by = (who: PersonKey): FhirCaller => fhirCaller(world().server.url, world().tokens.get(who));
  const exam = (): string => `ImagingStudy/${world().ids.imagingStudy}`;
  const sees = async (who: PersonKey): Promise<boolean> => {
    const { status } = await by(who).get(exam());
    const { length } = await by(who).find(`ImagingStudy?_id=${world().ids.imagingStudy}`);
    expect(length, 'a search says what a read says').to.equal(status === 200 ? 1 : 0);
    return status === 200;
  };
  const aTeam = (parts: Partial<CareTeam> = {}): CareTeam => ({
    resourceType: 'CareTeam',
    status: 'active',
    name: 'RCP de sénologie',
    subject: { reference: `Patient/${world().ids.patient}` },
    participant: [inTeam(STRANGER)],
    ...parts,
  });
  const naming = (references: readonly string[], provision: Partial<Consent['provision']> = {}): Consent => {
    const consent = demoConsent(`Patient/${world().ids.patient}`);
    const [first] = consent.provision?.actor ?? [];
    const actor = references.map((reference) => ({ role: first?.role ?? {}, reference: { reference } }));
    return { ...consent, provision: { ...consent.provision, ...provision, actor } };
  };
  const made = async (caller: FhirCaller, resource: CareTeam | Consent, status = 201): Promise<string> => {
    const answer = await caller.send('POST', resource.resourceType, resource, { Prefer: 'return=representation' });
    expect(answer.status, answer.text).to.equal(status);
    return `${resource.resourceType}/${answer.json<{ id: string }>().id}`;
  };
  const put = async (caller: FhirCaller, team: string, parts: Partial<CareTeam>, status = 200): Promise<void> => {
    const answer = await caller.send('PUT', team, { ...aTeam(parts), id: team.slice('CareTeam/'.length) });
    expect(answer.status, answer.text).to.equal(status);
  };
  const gone = async (caller: FhirCaller, row: string): Promise<void> =>
    void expect((await caller.send('DELETE', row)).status).to.be.oneOf([200, 204]);

  it('who is in it opens the record at every door until it ends; she is told, and reads by which Consent', async () => {
    for (const { id } of await by('patient').find<Consent>(`Consent?actor=${DECLARED}`))
      await gone(by('patient'), `Consent/${id}`);
    const team = await made(by('author'), aTeam({ participant: [inTeam(DECLARED)] }));
    expect(await sees('declared'), 'a team that no Consent names').to.equal(false);
    const consent = await made(by('patient'), naming([team]));
    const doors = DOORS.filter((one) => canAsk('declared', one));
    for (const door of doors) await expectShown(world(), door, 'declared');
    expect(await made(by('patient'), naming([team]), 200), 'said again').to.equal(consent);
    const [event] = await by('patient').find<AuditEvent>(`AuditEvent?agent=${DECLARED}&_count=1`);
    const cited = (event?.entity ?? []).map(({ what }) => what?.reference);
    expect(cited).to.include(consent);
    const listed = (await by('patient').get('Patient/$who-can-access')).json<Parameters>().parameter ?? [];
    const hers = listed.find(({ part = [] }) => part.some((one) => one.valueReference?.reference === DECLARED));
    const said = new Map((hers?.part ?? []).map(({ name, ...value }) => [name, Object.values(value)[0] as unknown]));
    expect([said.get('relation'), said.get('reach'), said.get('consent')]).to.deep.equal([
      'declared',
      'record',
      { reference: consent },
    ]);
    const told = await eventually(async () => {
      const notices = await by('patient').find<Communication>('Communication?_count=100');
      return notices.find(({ about = [] }) => about.some(({ reference }) => reference === consent));
    });
    expect(told.payload?.[0]?.contentString).to.include('Brandessart');
    await gone(by('patient'), consent);
    for (const door of doors) await expectHidden(world(), door, 'declared');
    await gone(by('author'), team);
  });

  it('each change of the team counts from the next request on: members, periods, status, its end', async () => {
    const team = await made(by('author'), aTeam({ participant: [inTeam('RelatedPerson/1')] }));
    const consent = await made(by('author'), naming([team, 'Organization/demo-practice']));
    const seen = async (): Promise<readonly boolean[]> => [await sees('stranger'), await sees('emergency')];
    expect(await seen()).to.deep.equal([false, false]);
    for (const [what, parts, expected] of [
      ['a member', {}, [true, false]],
      ['two', { participant: [inTeam(STRANGER), inTeam(NIGHT)] }, [true, true]],
      ['one of whom is ended', { participant: [inTeam(STRANGER, day(-1)), inTeam(NIGHT)] }, [false, true]],
      ['a function', { participant: [inTeam('PractitionerRole/demo-stranger-role')] }, [true, false]],
      ['an establishment', { participant: [inTeam('Organization/demo-cardiology')] }, [true, false]],
      ['a team', { participant: [inTeam(team)] }, [false, false]],
      ['the patient', { participant: [inTeam(`Patient/${world().ids.patient}`)] }, [false, false]],
      ['later', { period: { start: day(2) } }, [false, false]],
      ['in its time', { period: { start: day(-2), end: day(2) } }, [true, false]],
      ['over', { period: { end: day(-2) } }, [false, false]],
      ['inactive', { status: 'inactive' }, [false, false]],
      ['an error', { status: 'entered-in-error' }, [false, false]],
      ['again', {}, [true, false]],
    ] as const) {
      await put(by('author'), team, parts as Partial<CareTeam>);
      expect(await seen(), what).to.deep.equal(expected);
    }
    const patched = await fetch(`${world().server.url}/fhir/${team}`, {
      method: 'PATCH',
      headers: {
        Authorization: `Bearer ${world().tokens.get('author')}`,
        'Content-Type': 'application/json-patch+json',
      },
      body: JSON.stringify([{ op: 'replace', path: '/participant/0/member/reference', value: NIGHT }]),
    });
    expect(patched.status, await patched.text()).to.equal(200);
    expect(await seen(), 'patched').to.deep.equal([false, true]);
    await gone(by('author'), team);
    expect(await seen(), 'deleted').to.deep.equal([false, false]);
    await put(by('author'), team, {}, 201);
    expect(await seen(), 'put again').to.deep.equal([true, false]);
    await gone(by('author'), consent);
    expect(await seen()).to.deep.equal([false, false]);
    await put(by('author'), team, { participant: [inTeam(NIGHT)] });
    expect(await seen(), 'no Consent stands').to.deep.equal([false, false]);
    await gone(by('author'), team);
  });

  it('it is ended by a transaction that changes the team, too, or deletes it', async () => {
    const ends = async (...entry: readonly object[]): Promise<void> => {
      const answer = await by('author').send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
      expect(answer.status, answer.text).to.equal(200);
      expect([await sees('stranger'), await sees('emergency')]).to.deep.equal([false, false]);
    };
    const team = await made(by('author'), aTeam());
    const consent = await made(by('author'), naming([team]));
    const resource = { ...aTeam({ participant: [inTeam(NIGHT)] }), id: team.slice('CareTeam/'.length) };
    const changed = { resource, request: { method: 'PUT', url: team } };
    await ends({ request: { method: 'DELETE', url: consent } }, changed);
    const again = await made(by('author'), naming([team]));
    const inactive = { ...(await by('author').get(again)).json<Consent>(), status: 'inactive' };
    const ended = { resource: inactive, request: { method: 'PUT', url: again } };
    await ends(ended, { request: { method: 'DELETE', url: team } });
    expect((await by('author').get(again)).json<Consent>().status).to.equal('inactive');
  });

  it('it is declared by no transaction that hides the team, too', async () => {
    const team = await made(by('patient'), aTeam());
    const meta = { security: [maskCoding('representatives')] };
    const entry = [
      {
        resource: { ...aTeam({ meta }), id: team.slice('CareTeam/'.length) },
        request: { method: 'PUT' as const, url: team },
      },
      { resource: naming([team]), request: { method: 'POST' as const, url: 'Consent' } },
    ];
    const answer = await by('patient').send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
    expectOutcome(answer, 400, 'invalid');
    await gone(by('patient'), team);
  });

  it('a Consent that is written while the team changes has it as it is afterwards', async () => {
    for (let round = 0; round < 4; round += 1) {
      const team = await made(by('author'), aTeam());
      const [consent] = await Promise.all([
        made(by('patient'), naming([team])),
        put(by('author'), team, { participant: [inTeam(NIGHT)] }),
      ]);
      expect([await sees('stranger'), await sees('emergency')]).to.deep.equal([false, true]);
      await Promise.all([gone(by('author'), team), gone(by('patient'), consent)]);
      expect([await sees('stranger'), await sees('emergency')]).to.deep.equal([false, false]);
    }
  });

  it('opens what the Consent says, while it says so: one exam, its period; and nothing beside a block', async () => {
    const team = await made(by('patient'), aTeam());
    const data = [{ meaning: 'instance' as const, reference: { reference: exam() } }];
    const ofExam = await made(by('patient'), naming([team], { data }));
    expect(await sees('stranger')).to.equal(true);
    const seesTeam = async () => (await by('stranger').get(team)).status;
    expect(await seesTeam(), 'the exam alone').to.equal(404);
    await gone(by('patient'), ofExam);
    const later = await made(by('patient'), naming([team], { period: { start: day(2) } }));
    expect(await sees('stranger')).to.equal(false);
    await gone(by('patient'), later);
    const consent = await made(by('patient'), naming([team]));
    expect(await seesTeam()).to.equal(200);
    const block = await made(by('patient'), naming([STRANGER], { type: 'deny' }));
    await put(by('patient'), team, { participant: [inTeam(STRANGER), inTeam(NIGHT)] });
    expect([await sees('stranger'), await sees('emergency')]).to.deep.equal([false, true]);
    await gone(by('patient'), block);
    expect(await sees('stranger')).to.equal(true);
    expect((await by('patient').send('POST', 'Patient/$withdraw')).status).to.equal(201);
    expect(await sees('stranger')).to.equal(false);
    expect((await by('patient').send('POST', 'Patient/$reconsent')).status).to.equal(201);
    await gone(by('patient'), consent);
    await gone(by('patient'), team);
  });

  it('names one team of hers that who declares sees; a block, a Group, a number name none', async () => {
    const gaetan = toPatient(PATIENTS.gaetan, strasbourg) as Patient;
    const sent = await by('author').send('POST', 'Patient', gaetan, { Prefer: 'return=representation' });
    const subject = { reference: `Patient/${sent.json<Patient>().id}` };
    const other = await made(by('author'), aTeam({ subject }));
    const hers = await made(by('patient'), aTeam());
    const refusals = [];
    for (const [caller, team] of [
      [by('patient'), 'CareTeam/nowhere'],
      [by('patient'), other],
      [by('author'), other],
      [by('author'), hers],
    ] as const) {
      const answer = await caller.send('POST', 'Consent', naming([team]));
      expectOutcome(answer, 422, 'business-rule');
      refusals.push(answer.json<{ issue: object[] }>().issue);
    }
    expect(refusals[0], 'hidden equals absent').to.deep.equal(refusals[1]);
    const block = naming([hers], { type: 'deny' });
    const two = naming([hers, await made(by('patient'), aTeam())]);
    const byNumber = naming([hers]);
    for (const { reference } of byNumber.provision?.actor ?? []) {
      delete reference.reference;
      Object.assign(reference, { type: 'CareTeam', identifier: { system: 'urn:oid:2.25.1', value: '1' } });
    }
    for (const consent of [block, two, byNumber, naming(['Group/1'])])
      expectOutcome(await by('patient').send('POST', 'Consent', consent), 501, 'not-supported');
    expect(await sees('stranger')).to.equal(false);
  });

  it('is bounded: 100 participants, whether it is named or grows', async () => {
    const crowd = Array.from({ length: 101 }, (_, at) => inTeam(`Practitioner/p${at}`));
    const team = await made(by('patient'), aTeam({ participant: crowd }));
    expectOutcome(await by('patient').send('POST', 'Consent', naming([team])), 413, 'too-costly');
    await put(by('patient'), team, { participant: crowd.slice(1) });
    const consent = await made(by('patient'), naming([team]));
    await put(by('patient'), team, { participant: crowd }, 413);
    await gone(by('patient'), consent);
    await put(by('patient'), team, { participant: crowd });
    await gone(by('patient'), team);
  });

  it('an establishment lets nobody in by its team that it could not declare; a professional writes none', async () => {
    const { url } = world().server;
    const nancys = fhirCaller(url, await clientToken({ url, client: nancy.clientId }));
    const sent = await nancys.send('POST', 'Patient', toPatient(PATIENTS.helene, nancy) as Patient, {
      Prefer: 'return=representation',
    });
    const { id: patient = '' } = sent.json<Patient>();
    const subject = { reference: `Patient/${patient}` };
    const team = await made(nancys, aTeam({ subject, participant: [inTeam(NIGHT)] }));
    expectOutcome(await by('author').send('POST', 'Consent', naming([team])), 422, 'business-rule');
    const consent = await made(by('patient'), naming([team]));
    expect([await sees('emergency'), await sees('stranger')]).to.deep.equal([true, false]);
    const both = { subject, participant: [inTeam(NIGHT), inTeam(STRANGER)] };
    await put(nancys, team, both, 403);
    await put(nancys, team, { subject, name: 'RCP', participant: [inTeam(NIGHT)] });
    const visit = await nancys.send('POST', 'Encounter', visiting(patient));
    expect(visit.status, visit.text).to.equal(201);
    expect((await by('patient').send('POST', 'Patient/$withdraw')).status).to.equal(201);
    await put(nancys, team, both, 403);
    expect((await by('patient').send('POST', 'Patient/$reconsent')).status).to.equal(201);
    expect(await sees('stranger')).to.equal(false);
    await put(nancys, team, both);
    expect([await sees('emergency'), await sees('stranger')]).to.deep.equal([true, true]);
    const shown = (await by('stranger').get(team)).json<CareTeam>();
    for (const method of ['PUT', 'DELETE']) expectOutcome(await by('stranger').send(method, team, shown), 403);
    expectOutcome(await by('stranger').send('POST', 'CareTeam', { ...shown, id: undefined }), 403);
    expectOutcome(await by('author').send('PUT', team, shown), 404);
    await gone(nancys, team);
    expect([await sees('emergency'), await sees('stranger')]).to.deep.equal([false, false]);
    await gone(by('patient'), consent);
  });
});
