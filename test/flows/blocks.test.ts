/**
 * A patient blocks somebody (access.md R-50, C3, C12; smart-security.md C09): her record is closed to them at every
 * door from the next request on, whatever is declared later, until she ends the block.
 */
import { expect } from 'chai';
import type { Communication, Consent, Parameters } from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { clientToken } from '../../fixtures/sign-in.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { expectHidden, expectShown } from './support/cell.ts';
import { DOORS } from './support/doors/doors.ts';
import { onEachWorld } from './support/each-store.ts';
import { find } from './support/fhir.ts';
import { canAsk, PEOPLE, type PersonKey } from './support/people.ts';
import { breakGlass, callOf } from './support/world.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
const DECLARED = 'Practitioner/demo-declared';
const RPPS = 'urn:oid:1.2.250.1.71.4.2.1';

type Reply = { readonly status: number; readonly id: string; readonly code: string };

onEachWorld('Blocks', (world, store) => {
  const ask = async (
    who: PersonKey | { token: string },
    method: string,
    path: string,
    body?: object,
  ): Promise<Reply> => {
    const { url } = callOf(world(), 'patient');
    const { token } = typeof who === 'string' ? callOf(world(), who) : who;
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
  };
  /** A Consent about an actor; one that denies says so by its policy, too. */
  const consentOf = (type: 'deny' | 'permit', reference: object, parts: Partial<Consent> = {}): Consent => {
    const { provision, policy: _, ...consent } = demoConsent(`Patient/${world().ids.patient}`);
    const actor = (provision?.actor ?? []).map((one) => ({ ...one, reference }));
    return { ...consent, policy: [{ uri: POLICIES[type] }], provision: { ...provision, type, actor }, ...parts };
  };
  const block = (reference: string, parts: Partial<Consent> = {}) => consentOf('deny', { reference }, parts);
  const sees = async (who: PersonKey, item = `ImagingStudy/${world().ids.imagingStudy}`): Promise<boolean> => {
    const { status } = await ask(who, 'GET', item);
    const [type = '', id = ''] = item.split('/');
    expect((await find(callOf(world(), who), `${type}?_id=${id}`)).length, item).to.equal(status === 200 ? 1 : 0);
    return status === 200;
  };
  const blocked = async (reference: string, who: PersonKey | { token: string } = 'patient'): Promise<string> => {
    const { status, id, code } = await ask(who, 'POST', 'Consent', block(reference));
    expect([status, code]).to.deep.equal([201, '']);
    return id;
  };
  const listed = async (): Promise<readonly string[]> => {
    const { url, token } = callOf(world(), 'patient');
    const reply = await fetch(`${url}/fhir/Patient/$who-can-access`, { headers: { Authorization: `Bearer ${token}` } });
    const { parameter = [] } = (await reply.json()) as Parameters;
    return parameter.flatMap(({ part = [] }) => {
      const said = (name: string) => part.find((one) => one.name === name);
      const [who, relation, reach] = [said('who')?.valueReference, said('relation'), said('reach')];
      return reach?.valueCode === undefined ? [] : [`${who?.reference} ${relation?.valueCode} ${reach.valueCode}`];
    });
  };
  /** The texts of what she is told of a Consent, the last first. */
  const told = async (id: string): Promise<readonly string[]> => {
    const notices = await find<Communication>(callOf(world(), 'patient'), 'Communication?_count=100');
    const ofIt = notices.filter(({ about = [] }) => about.some(({ reference }) => reference === `Consent/${id}`));
    return ofIt.map(({ payload = [] }) => payload[0]?.contentString ?? '');
  };
  /** Of these persons and what each is asked for at every door, what is not as it is to be. */
  const failuresAt = async (hidden: readonly PersonKey[], shown: readonly PersonKey[]): Promise<string> => {
    const failures: string[] = [];
    for (const person of [...hidden, ...shown])
      for (const door of DOORS.filter((one) => canAsk(person, one))) {
        const answer = hidden.includes(person)
          ? expectHidden(world(), door, person)
          : expectShown(world(), door, person);
        await answer.catch((error: Error) => failures.push(`${person} ${door.name}: ${error.message}`));
      }
    return failures.join('\n');
  };

  before(async () => await breakGlass(world()));

  it('C09 closes every door to the one who is blocked, and none to others', async () => {
    expect(await sees('declared')).to.equal(true);
    const id = await blocked(DECLARED);
    const others = store === 'SQLite' ? (['patient', 'author', 'radiologist', 'emergency'] as const) : [];
    expect(await failuresAt(['declared'], others)).to.equal('');
    expect((await ask('patient', 'DELETE', `Consent/${id}`)).status).to.be.oneOf([200, 204]);
    expect(await failuresAt([], ['declared'])).to.equal('');
  });

  it('C12 outlives what is declared later, and ends alone', async () => {
    const id = await blocked(DECLARED);
    for (const who of ['author', 'patient'] as const) {
      const declared = await ask(who, 'POST', 'Consent', consentOf('permit', { reference: DECLARED }));
      expect(declared.status).to.be.oneOf([200, 201]);
      expect([await sees('declared'), (await listed()).filter((one) => one.startsWith(DECLARED))]).to.deep.equal([
        false,
        [],
      ]);
    }
    const again = await ask('patient', 'POST', 'Consent', block(DECLARED, { dateTime: '2026-01-02' }));
    expect(again, 'said again it is the one that stands').to.include({ status: 200, id });
    const ended = { ...block(DECLARED, { dateTime: '2026-01-02' }), id, status: 'inactive' };
    expect((await ask('patient', 'PUT', `Consent/${id}`, ended)).status).to.equal(200);
    expect(await sees('declared')).to.equal(true);
    expect(await listed()).to.include(`${DECLARED} declared record`);
  });

  it('is against a function, or an organization with its parts; who wrote an item sees it still', async () => {
    const report = `DiagnosticReport/${world().ids.diagnosticReport}`;
    for (const reference of [strasbourg.service, strasbourg.organization, 'PractitionerRole/demo-radiologist-role']) {
      expect(await sees('radiologist')).to.equal(true);
      const id = await blocked(reference);
      expect([await sees('radiologist'), await sees('radiologist', report)], reference).to.deep.equal([false, true]);
      expect([await sees('author'), await sees('emergency'), await sees('patient')]).to.deep.equal([true, true, true]);
      expect((await listed()).filter((one) => one.startsWith(`${PEOPLE.radiologist.agent} `))).to.deep.equal([
        `${PEOPLE.radiologist.agent} author items`,
      ]);
      expect((await ask('patient', 'DELETE', `Consent/${id}`)).status).to.be.oneOf([200, 204]);
    }
  });

  it('Q1 is not passed by an emergency, which is answered as any, told of and listed', async () => {
    const id = await blocked(PEOPLE.emergency.agent);
    expect(await sees('emergency')).to.equal(false);
    await breakGlass(world());
    expect(await sees('emergency')).to.equal(false);
    const [notice] = await find<Communication>(callOf(world(), 'patient'), 'Communication?_count=1');
    expect(notice?.payload?.[0]?.contentString).to.include('Vous lui avez fermé votre dossier');
    expect(notice?.about).to.equal(undefined);
    const own = (await listed()).filter((one) => one.startsWith(PEOPLE.emergency.agent));
    expect(new Set(own)).to.deep.equal(new Set([`${PEOPLE.emergency.agent} break-glass nothing`]));
    expect((await ask('patient', 'DELETE', `Consent/${id}`)).status).to.be.oneOf([200, 204]);
    expect(await sees('emergency')).to.equal(true);
  });

  it('C10 of hers is ended by her alone, one that an establishment recorded by that one, too', async () => {
    const { url } = callOf(world(), 'patient');
    const other = { token: await clientToken({ url, client: nancy.clientId }) };
    const end = async (who: PersonKey | { token: string }, id: string): Promise<number> =>
      (await ask(who, 'DELETE', `Consent/${id}`)).status;
    const hers = await blocked(DECLARED);
    // To who does not see it, it is absent: a delete of that is one of nothing.
    for (const who of ['author', 'declared', other] as const) await end(who, hers);
    const standing = { ...block(DECLARED), id: hers, status: 'inactive' };
    for (const who of ['author', 'declared', other] as const)
      expect((await ask(who, 'PUT', `Consent/${hers}`, standing)).status).to.be.oneOf([403, 404]);
    expect(await sees('declared')).to.equal(false);
    const recorded = await blocked(DECLARED, 'author');
    expect(recorded).to.not.equal(hers);
    await end(other, recorded);
    expect((await find(callOf(world(), 'patient'), `Consent?_id=${recorded}&status=active`)).length).to.equal(1);
    expect(await end('author', recorded)).to.be.oneOf([200, 204]);
    expect(await sees('declared'), 'hers stands').to.equal(false);
    expect(await end('patient', hers)).to.be.oneOf([200, 204]);
    expect(await sees('declared')).to.equal(true);
    const further = await blocked(DECLARED, 'author');
    expect(await end('patient', further)).to.be.oneOf([200, 204]);
    expect(await sees('declared')).to.equal(true);
  });

  it('ends with its period, by a job', async () => {
    const end = new Date(Date.now() + 2_500).toISOString();
    const { provision } = block(DECLARED);
    const { status, id } = await ask(
      'patient',
      'POST',
      'Consent',
      block(DECLARED, { provision: { ...provision, period: { end } } }),
    );
    expect([status, await sees('declared')]).to.deep.equal([201, false]);
    await eventually(async () => {
      const [consent] = await find<Consent>(callOf(world(), 'patient'), `Consent?_id=${id}&status=inactive`);
      return consent;
    });
    expect(await sees('declared')).to.equal(true);
    const [notice, ...others] = await eventually(async () => {
      const found = await told(id);
      return found.length === 0 ? undefined : found;
    });
    expect([notice?.startsWith('Un blocage de votre dossier a pris fin'), others]).to.deep.equal([true, []]);
  });

  it('she is told of one that another sets, and of its end by another; of her own she knows', async () => {
    const hers = await blocked(DECLARED);
    expect((await ask('patient', 'DELETE', `Consent/${hers}`)).status).to.be.oneOf([200, 204]);
    const id = await blocked(DECLARED, 'author');
    const notices = async (count: number): Promise<string> =>
      await eventually(async () => {
        const found = await told(id);
        return found.length < count ? undefined : found[0];
      });
    expect(await notices(1)).to.match(/^Un blocage a été enregistré en votre nom\. Votre dossier .* fermé à : \S+/);
    expect((await ask('author', 'DELETE', `Consent/${id}`)).status).to.be.oneOf([200, 204]);
    expect(await notices(2)).to.match(/^Un blocage de votre dossier a pris fin\. .* : \S+/);
    expect(await told(hers)).to.deep.equal([]);
  });

  it('names whom the directory knows, by a number, too; what would not be enforced is refused', async () => {
    const number = { identifier: { system: RPPS, value: '899700990031' } };
    const { status, id } = await ask('patient', 'POST', 'Consent', consentOf('deny', number));
    expect([status, await sees('declared')]).to.deep.equal([201, false]);
    expect((await ask('patient', 'DELETE', `Consent/${id}`)).status).to.be.oneOf([200, 204]);
    const { provision } = block(DECLARED);
    const optOut = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] };
    const payment = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HPAYMT' };
    const study = {
      meaning: 'instance' as const,
      reference: { reference: `ImagingStudy/${world().ids.imagingStudy}` },
    };
    const refused: readonly (readonly [Consent, number])[] = [
      [consentOf('deny', { reference: 'Practitioner/nobody' }), 400],
      [consentOf('deny', { identifier: { system: RPPS, value: '899700990999' } }), 400],
      [block(DECLARED, { policyRule: optOut }), 501],
      [block(DECLARED, { policy: [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-break-glass-only' }] }), 501],
      [block(DECLARED, { provision: { ...provision, purpose: [payment] } }), 501],
      [block(DECLARED, { provision: { ...provision, data: [study] } }), 501],
      [block(DECLARED, { provision: { ...provision, provision: [{ type: 'permit' }] } }), 501],
    ];
    for (const [consent, status] of refused)
      expect((await ask('patient', 'POST', 'Consent', consent)).status, JSON.stringify(consent)).to.equal(status);
    expect((await ask('declared', 'POST', 'Consent', block(PEOPLE.stranger.agent))).status).to.be.oneOf([400, 403]);
    expect(await sees('declared')).to.equal(true);
  });
});

const POLICIES = {
  deny: 'https://profiles.ihe.net/ITI/PCF/Policy-deny',
  permit: 'https://profiles.ihe.net/ITI/PCF/Policy-basic-normal',
} as const;
