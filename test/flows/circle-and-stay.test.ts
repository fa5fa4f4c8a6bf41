/**
 * Who sees a record for a while or as close to the patient: her médecin référent, circle and assistant (access.md R-70,
 * R-73; smart-security.md C03), and the people of a stay (R-71, C11).
 */
import { expect } from 'chai';
import type { AuditEvent, CareTeam, Coding, Communication, Encounter, Patient } from '@medplum/fhirtypes';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { clientToken } from '../../fixtures/sign-in.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { onEachWorld } from './support/each-store.ts';
import { find } from './support/fhir.ts';
import type { PersonKey } from './support/people.ts';
import { callOf } from './support/world.ts';

const { nancy } = ESTABLISHMENTS;
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const DAY_MS = 86_400_000;
const dayFromNow = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

type Reply = { readonly status: number; readonly id: string; readonly code: string };

async function ask(url: string, token: string, method: string, path: string, body?: object): Promise<Reply> {
  const reply = await fetch(`${url}/fhir/${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/fhir+json',
      Prefer: 'return=representation',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  const said = (text === '' ? {} : JSON.parse(text)) as { id?: string; issue?: { code: string }[] };
  return { status: reply.status, id: said.id ?? '', code: said.issue?.[0]?.code ?? '' };
}

onEachWorld('The circle of a record and the people of a stay', (world) => {
  const asPerson = async (who: PersonKey, method: string, path: string, body?: object): Promise<Reply> => {
    const { url, token } = callOf(world(), who);
    return await ask(url, token, method, path, body);
  };
  const sees = async (who: PersonKey): Promise<boolean> => {
    const exam = await asPerson(who, 'GET', `ImagingStudy/${world().ids.imagingStudy}`);
    const { length } = await find(callOf(world(), who), `ImagingStudy?_id=${world().ids.imagingStudy}`);
    expect(length, 'a search says what a read says').to.equal(exam.status === 200 ? 1 : 0);
    return exam.status === 200;
  };
  const label = async (...codings: readonly Coding[]): Promise<void> => {
    const parameter = codings.map((valueCoding) => ({ name: 'confidentiality', valueCoding }));
    const body = { resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) };
    const path = `ImagingStudy/${world().ids.imagingStudy}/$set-confidentiality`;
    expect((await asPerson('patient', 'POST', path, body)).status).to.equal(200);
  };
  const level = (code: string): Coding => ({
    system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
    code,
  });
  const aTeam = (code: string, parts: Partial<CareTeam> = {}): CareTeam => ({
    resourceType: 'CareTeam',
    status: 'active',
    category: [{ coding: [{ system: 'urn:passerelle:CodeSystem:record-circle', code }] }],
    subject: { reference: `Patient/${world().ids.patient}` },
    participant: [{ member: { reference: 'Practitioner/demo-stranger' } }],
    ...parts,
  });

  for (const code of ['referent', 'circle', 'assistant'] as const) {
    it(`${code}: sees normal and confidential items until the patient removes her, and no private one`, async () => {
      expect(await sees('stranger')).to.equal(false);
      const { status, id } = await asPerson('patient', 'POST', 'CareTeam', aTeam(code));
      expect(status).to.equal(201);
      expect(await sees('stranger')).to.equal(true);
      const [event] = await find<AuditEvent>(callOf(world(), 'patient'), 'AuditEvent?_count=1');
      const relations = (event?.entity ?? []).flatMap(({ detail = [] }) => detail.map((one) => one.valueString));
      expect(relations).to.include(code);
      await label(level('R'));
      expect([await sees('stranger'), await sees('declared')]).to.deep.equal([true, false]);
      await label(level('V'));
      expect(await sees('stranger')).to.equal(false);
      await label({ system: 'urn:oid:1.2.250.1.213.1.1.4.13', code: 'MASQUE_PS' });
      expect(await sees('stranger')).to.equal(false);
      await label();
      expect(await sees('stranger')).to.equal(true);
      const ended = { ...aTeam(code), id, status: 'inactive' };
      expect((await asPerson('patient', 'PUT', `CareTeam/${id}`, ended)).status).to.equal(200);
      expect(await sees('stranger')).to.equal(false);
    });
  }

  it('a function or an organization counts, in the time of both periods, and not when it is deleted', async () => {
    const member = (reference: string, end?: string) => ({
      member: { reference },
      ...(end === undefined ? {} : { period: { end } }),
    });
    const teams = [
      aTeam('circle', { participant: [member('PractitionerRole/demo-stranger-role')] }),
      aTeam('circle', { participant: [member('Organization/demo-cardiology')] }),
    ];
    for (const team of teams) {
      const { id } = await asPerson('patient', 'POST', 'CareTeam', team);
      expect(await sees('stranger')).to.equal(true);
      expect((await asPerson('patient', 'DELETE', `CareTeam/${id}`)).status).to.be.oneOf([200, 204]);
      expect(await sees('stranger')).to.equal(false);
    }
    const over = [
      aTeam('circle', { participant: [member('Practitioner/demo-stranger', dayFromNow(-2))] }),
      aTeam('circle', { period: { end: dayFromNow(-2) } }),
      aTeam('circle', { period: { start: dayFromNow(2) } }),
      aTeam('circle', { status: 'proposed' }),
    ];
    for (const team of over) expect((await asPerson('patient', 'POST', 'CareTeam', team)).status).to.equal(201);
    expect(await sees('stranger')).to.equal(false);
  });

  it('has so many participants at most, in all that stand', async () => {
    const participant = Array.from({ length: 100 }, (_, at) => ({
      member: { reference: 'Practitioner/demo-stranger' },
      period: { end: dayFromNow(-2 - at) },
    }));
    const ids: string[] = [];
    const send = async (id?: string) =>
      await asPerson('patient', id === undefined ? 'POST' : 'PUT', id === undefined ? 'CareTeam' : `CareTeam/${id}`, {
        ...aTeam('circle', { participant }),
        ...(id === undefined ? {} : { id, name: 'again' }),
      });
    let last = await send();
    for (; last.status === 201 && ids.length < 6; last = await send()) ids.push(last.id);
    expect([last.status, last.code]).to.deep.equal([413, 'too-costly']);
    expect(ids.length, 'with those of other tests').to.be.oneOf([4, 5]);
    expect((await send(ids[0])).status, 'the next version of one').to.equal(200);
    for (const id of ids) {
      const { status } = await asPerson('patient', 'DELETE', `CareTeam/${id}`);
      expect(status).to.be.oneOf([200, 204]);
    }
  });

  it('is said by the patient alone, of people of the directory; a team of care opens nothing', async () => {
    expect(await asPerson('author', 'POST', 'CareTeam', aTeam('circle'))).to.include({ status: 403 });
    const unknown = [{ member: { reference: 'Practitioner/nobody' } }];
    expect(await asPerson('patient', 'POST', 'CareTeam', aTeam('circle', { participant: unknown }))).to.include({
      status: 400,
    });
    const { category: _, ...plain } = aTeam('circle');
    expect((await asPerson('author', 'POST', 'CareTeam', plain)).status).to.equal(201);
    const { status, id } = await asPerson('patient', 'POST', 'CareTeam', plain);
    expect([status, await sees('stranger')]).to.deep.equal([201, false]);
    // What a team says later counts as what it says at first.
    expect((await asPerson('patient', 'PUT', `CareTeam/${id}`, { ...aTeam('circle'), id })).status).to.equal(200);
    expect(await sees('stranger')).to.equal(true);
    expect((await asPerson('patient', 'PUT', `CareTeam/${id}`, { ...plain, id })).status).to.equal(200);
    expect(await sees('stranger')).to.equal(false);
  });

  it('a stay: the people of the establishment see normal items while it lasts and some days after', async () => {
    const { url } = callOf(world(), 'patient');
    const token = await clientToken({ url, client: nancy.clientId });
    const { id: patient } = await ask(url, token, 'POST', 'Patient', toPatient(PATIENTS.helene, nancy) as Patient);
    const aStay = (parts: Partial<Encounter>): Encounter => ({
      resourceType: 'Encounter',
      status: 'in-progress',
      class: { system: ACT_CODE, code: 'IMP' },
      subject: { reference: `Patient/${patient}` },
      serviceProvider: { reference: nancy.organization },
      period: { start: dayFromNow(-40) },
      ...parts,
    });
    expect(await sees('emergency')).to.equal(false);
    const { status, id } = await ask(url, token, 'POST', 'Encounter', aStay({}));
    expect([status, await sees('emergency'), await sees('stranger')]).to.deep.equal([201, true, false]);
    const told = await eventually(async () => {
      const notices = await find<Communication>(callOf(world(), 'patient'), 'Communication');
      return notices.find(({ category = [] }) => category.some(({ coding }) => coding?.[0]?.code === 'stay'));
    });
    expect(told.payload?.[0]?.contentString).to.match(/^Pendant votre séjour, /);
    await label(level('R'));
    expect(await sees('emergency')).to.equal(false);
    await label();
    const put = async (parts: Partial<Encounter>): Promise<boolean> => {
      expect((await ask(url, token, 'PUT', `Encounter/${id}`, { ...aStay(parts), id })).status).to.equal(200);
      return await sees('emergency');
    };
    const until = (days: number) => ({ start: dayFromNow(-40), end: dayFromNow(days) });
    expect(await put({ status: 'finished', period: until(-5) })).to.equal(true);
    expect(await put({ status: 'finished', period: until(-9) })).to.equal(false);
    expect(await put({ status: 'onleave' })).to.equal(true);
    expect(await put({ status: 'planned' })).to.equal(false);
    expect(await put({ status: 'in-progress', period: { start: dayFromNow(-400) } })).to.equal(false);
    expect(await put({ status: 'in-progress' })).to.equal(true);
    for (const code of ['AMB', 'EMER', 'VR'])
      expect(await put({ class: { system: ACT_CODE, code } }), code).to.equal(false);
    expect(await put({ status: 'cancelled' })).to.equal(false);
    expect(await put({ serviceProvider: { reference: `${nancy.organization}-imaging` } })).to.equal(true);
    const { serviceProvider: _, ...ofNobody } = { ...aStay({}), id };
    expect((await ask(url, token, 'PUT', `Encounter/${id}`, ofNobody)).status).to.equal(200);
    expect(await sees('emergency')).to.equal(false);
    expect(await put({})).to.equal(true);
    expect((await ask(url, token, 'DELETE', `Encounter/${id}`)).status).to.be.oneOf([200, 204]);
    expect(await sees('emergency')).to.equal(false);
  });

  it('a stay of another establishment, or of nobody, opens nothing', async () => {
    const { url } = callOf(world(), 'patient');
    const token = await clientToken({ url, client: nancy.clientId });
    const [mine] = await find<Patient>({ url, token }, `Patient?birthdate=${PATIENTS.helene.birthDate}`);
    const stay = (reference?: string) => ({
      resourceType: 'Encounter',
      status: 'in-progress',
      class: { system: ACT_CODE, code: 'IMP' },
      subject: { reference: `Patient/${mine?.id}` },
      period: { start: dayFromNow(-1) },
      ...(reference === undefined ? {} : { serviceProvider: { reference } }),
    });
    for (const other of ['Organization/demo-cardiology', ESTABLISHMENTS.strasbourg.organization])
      expect(await ask(url, token, 'POST', 'Encounter', stay(other)), other).to.include({ status: 422 });
    expect((await ask(url, token, 'POST', 'Encounter', stay())).status).to.equal(201);
    expect([await sees('emergency'), await sees('stranger')]).to.deep.equal([false, false]);
  });
});
