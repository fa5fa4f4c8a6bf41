/** `Patient/$who-can-access` (access.md ): the list says who may open the record, and they alone do. */
import { expect } from 'chai';
import type { AuditEvent, Consent, DiagnosticReport, Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { clientToken, signIn } from '../../fixtures/sign-in.ts';
import { eventsForPatient } from './support/cell.ts';
import { onEachWorld } from './support/each-store.ts';
import { find, send } from './support/fhir.ts';
import { PEOPLE, type PersonKey } from './support/people.ts';
import { breakGlass, callOf, reconsent, withdraw, type World } from './support/world.ts';

const { luxembourg } = ESTABLISHMENTS;

/** One entry: who, by what relation, and what it reaches. */
type Entry = readonly [who: string, relation: string, reach: string];

type Listed = { readonly total: number; readonly entries: readonly Entry[]; readonly parts: ParametersParameter[][] };

async function ask(world: World, who: PersonKey, query = '', requestId?: string): Promise<Response> {
  const { url, token, requestId: own } = callOf(world, who);
  const headers = { Authorization: `Bearer ${token}`, 'X-Request-Id': requestId ?? own };
  return await fetch(`${url}/fhir/Patient/$who-can-access${query}`, { headers });
}

async function list(world: World, query = ''): Promise<Listed> {
  const reply = await ask(world, 'patient', query);
  expect(reply.status).to.equal(200);
  return listed((await reply.json()) as Parameters);
}

function listed({ parameter = [] }: Parameters): Listed {
  const parts = parameter.flatMap(({ name, part = [] }) => (name === 'access' ? [part] : []));
  const entries = parts.map((part): Entry => {
    const [who, relation, reach] = ['who', 'relation', 'reach'].map((name) => part.find((one) => one.name === name));
    return [who?.valueReference?.reference ?? '', relation?.valueCode ?? '', reach?.valueCode ?? ''];
  });
  return { total: parameter.find(({ name }) => name === 'total')?.valueInteger ?? -1, entries, parts };
}

const DECLARED: Entry = ['Practitioner/demo-declared', 'declared', 'record'];
const SERVICE: Entry = ['Practitioner/demo-radiologist', 'imaging-service', 'record'];
const SIGNED: Entry = ['Practitioner/demo-radiologist', 'author', 'items'];
const ESTABLISHMENT: Entry = ['Organization/demo-strasbourg', 'author', 'items'];
const EMERGENCY = 'Practitioner/demo-radiologist-nancy';

/** Without those who hold an office, and see nothing. */
function openers({ entries }: Listed): readonly Entry[] {
  return entries.filter(([, relation]) => relation !== 'administrator');
}

function part(parts: readonly ParametersParameter[] | undefined, name: string): ParametersParameter | undefined {
  return parts?.find((one) => one.name === name);
}

onEachWorld('Who can access a record', (world) => {
  /** Who of the persons opens the exam is who is listed as one who reaches it. */
  const opensAsListed = async (): Promise<void> => {
    const reaching = (await list(world())).entries.filter(([, , reach]) => reach !== 'nothing').map(([who]) => who);
    for (const key of ['author', 'declared', 'radiologist', 'stranger', 'emergency'] as const) {
      const { url, token, ids } = callOf(world(), key);
      const headers = { Authorization: `Bearer ${token}` };
      const reply = await fetch(`${url}/fhir/ImagingStudy/${ids.imagingStudy}`, { headers });
      expect(reply.status === 200, key).to.equal(reaching.includes(PEOPLE[key].agent ?? ''));
    }
  };

  it('lists each relation with its holder, and administrators, who see nothing', async () => {
    const all = await list(world());
    expect(openers(all)).to.have.deep.members([DECLARED, SERVICE, SIGNED, ESTABLISHMENT]);
    const offices = all.entries.filter(([, relation]) => relation === 'administrator');
    expect(offices.map(([who]) => who)).to.include.members([
      'Practitioner/demo-region-desk',
      'Practitioner/demo-region-dpo',
    ]);
    expect(new Set(offices.map(([, , reach]) => reach))).to.deep.equal(new Set(['nothing']));
    expect(all.total).to.equal(all.entries.length);
    await opensAsListed();
  });

  it('says name, number, role, institution, since when, and the Consent', async () => {
    const { parts } = await list(world(), '?name=brandess');
    const who = part(parts[0], 'who')?.valueReference;
    expect([who?.display, who?.identifier?.value]).to.deep.equal(['Dr Maëlle Brandessart', '899700990031']);
    expect(part(parts[0], 'consent')?.valueReference?.reference).to.match(/^Consent\//);
    expect(part(parts[0], 'since')?.valueDateTime).to.equal(new Date(demoConsent().dateTime ?? '').toISOString());
    expect(part(parts[0], 'until')).to.equal(undefined);
    expect(part(parts[0], 'temporary')?.valueBoolean).to.equal(false);
    const service = await list(world(), '?name=&identifier=');
    const radiologist = service.parts.find((one) => part(one, 'relation')?.valueCode === 'imaging-service');
    expect(part(radiologist, 'institution')?.valueReference).to.include({
      reference: 'Organization/demo-strasbourg-imaging',
    });
    expect(part(radiologist, 'institution')?.valueReference?.display).to.not.equal(undefined);
    expect(part(radiologist, 'role') ?? part(radiologist, 'specialty')).to.not.equal(undefined);
  });

  it('is searched by words of a name and by a number in either form, and comes in parts', async () => {
    for (const query of [
      '?name=MAELLE%20brand',
      '?identifier=899700990031',
      '?identifier=urn:oid:1.2.250.1.71.4.2.1|899700990031',
      '?identifier=https://rpps.esante.gouv.fr|99700990031',
    ])
      expect((await list(world(), query)).entries, query).to.deep.equal([DECLARED]);
    for (const query of ['?name=aelle', '?identifier=urn:other|899700990031', '?name=Vaudremont'])
      expect(await list(world(), query), query).to.deep.include({ total: 0, entries: [] });
    const { total, entries } = await list(world());
    const [first, second] = [await list(world(), '?_count=2'), await list(world(), '?_count=500&_offset=2')];
    expect([first.total, ...first.entries, ...second.entries]).to.deep.equal([total, ...entries]);
  });

  it('is for the patient alone, by name of its parameters alone, and is one event of hers', async () => {
    for (const other of ['declared', 'author', 'stranger'] as const)
      expect((await ask(world(), other)).status, other).to.equal(403);
    for (const query of ['?other=a', '?_count=x', '?name=a&name=b'])
      expect((await ask(world(), 'patient', query)).status, query).to.equal(400);
    const requestId = `urn:uuid:${crypto.randomUUID()}`;
    await ask(world(), 'patient', '', requestId);
    const events: readonly AuditEvent[] = await eventsForPatient(world(), requestId);
    const queries = events.map(({ entity = [] }) => entity.find(({ query }) => query !== undefined)?.query);
    expect(queries.map((query) => Buffer.from(query ?? '', 'base64').toString())).to.deep.equal([
      'Patient/$who-can-access',
    ]);
  });

  it('of another patient names nobody of this one', async () => {
    const { url } = callOf(world(), 'patient');
    const feeder = { url, token: await clientToken({ url, client: luxembourg.clientId }) };
    await send(feeder, '/Patient', toPatient(PATIENTS.josee, luxembourg));
    const token = await signIn({ url, person: 'demo-patient-lu' });
    const headers = { Authorization: `Bearer ${token}` };
    const reply = await fetch(`${url}/fhir/Patient/$who-can-access`, { headers });
    expect(openers(listed((await reply.json()) as Parameters))).to.deep.equal([
      [luxembourg.organization, 'author', 'items'],
    ]);
  });

  it('names nobody as who signed a report that is hidden from her', async () => {
    const path = `/DiagnosticReport/${world().ids.diagnosticReport}/$set-confidentiality`;
    const valueCoding = { system: 'urn:oid:1.2.250.1.213.1.1.4.13', code: 'INVISIBLE_PATIENT' };
    const parameter = [{ name: 'confidentiality', valueCoding }];
    await send(callOf(world(), 'author'), path, { resourceType: 'Parameters', parameter });
    const open = await list(world());
    expect(openers(open)).to.have.deep.members([DECLARED, SERVICE, ESTABLISHMENT]);
    const [hidden] = await find<DiagnosticReport>(callOf(world(), 'author'), 'DiagnosticReport');
    expect(hidden?.issued).to.not.equal(undefined);
    for (const one of open.parts)
      expect(part(one, 'since')?.valueDateTime).to.not.equal(new Date(hidden?.issued ?? '').toISOString());
    await send(callOf(world(), 'author'), path, { resourceType: 'Parameters' });
    expect(openers(await list(world()))).to.have.deep.members([DECLARED, SERVICE, SIGNED, ESTABLISHMENT]);
  });

  it('lists an emergency as temporary with its end, and still when it is over', async () => {
    await breakGlass(world());
    const open = await list(world());
    expect(openers(open)).to.have.deep.members([
      DECLARED,
      SERVICE,
      SIGNED,
      ESTABLISHMENT,
      [EMERGENCY, 'break-glass', 'record'],
    ]);
    const parts = open.parts.find((one) => part(one, 'relation')?.valueCode === 'break-glass');
    expect(part(parts, 'temporary')?.valueBoolean).to.equal(true);
    const { reference = '' } = part(parts, 'consent')?.valueReference ?? {};
    const [consent] = await find<Consent>(callOf(world(), 'patient'), `Consent?_id=${reference.split('/')[1]}`);
    expect(part(parts, 'until')?.valueDateTime).to.equal(consent?.provision?.period?.end);
    await opensAsListed();
  });

  it('names nobody who opens it after a withdrawal, and whom she shares with after it ended', async () => {
    await withdraw(world());
    expect(openers(await list(world()))).to.deep.equal([[EMERGENCY, 'break-glass', 'nothing']]);
    await opensAsListed();
    await reconsent(world());
    expect(openers(await list(world()))).to.have.deep.members([
      DECLARED,
      SERVICE,
      SIGNED,
      ESTABLISHMENT,
      [EMERGENCY, 'break-glass', 'nothing'],
    ]);
    await opensAsListed();
  });

  it('names the persons behind a function, and behind an organization and its parts', async () => {
    const { patient } = world().ids;
    const consent = demoConsent(`Patient/${patient}`);
    const actors = ['PractitionerRole/demo-stranger-role', 'Organization/demo-nancy'];
    for (const reference of actors) {
      const actor = (consent.provision?.actor ?? []).map((one) => ({ ...one, reference: { reference } }));
      const provision = { ...consent.provision, actor };
      const { organization: _, ...own } = consent;
      await send(callOf(world(), 'patient'), '/Consent', { ...own, provision });
    }
    const named = (await list(world())).entries.filter(([, relation]) => relation === 'declared');
    expect(named).to.have.deep.members([
      DECLARED,
      ['Practitioner/demo-stranger', 'declared', 'record'],
      [EMERGENCY, 'declared', 'record'],
    ]);
    await opensAsListed();
  });
});
