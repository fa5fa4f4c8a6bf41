/**
 * Presence codes, `Patient/$presence-code` and `$redeem-presence-code` (access.md 3 and R-70; smart-security.md C10): a
 * professional who is with the patient sees her record for a while, and nobody learns anything by guessing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AuditEvent, Communication, Consent, Identifier, Parameters } from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { patientIdentifier } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { eventually, fhirCaller, type FhirAnswer } from '../support/clients/fhir-caller.ts';
import { onEachWorld } from './support/each-store.ts';
import type { PersonKey } from './support/people.ts';
import { callOf, reconsent, withdraw } from './support/world.ts';

const DAY_MS = 86_400_000;
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const HELENE = PATIENTS.helene.national;
const WRONG = '0000-0000';
const BLOCKED = 'Practitioner/demo-radiologist-nancy';

const aNumber = (value: string): Identifier => ({ system: HELENE.system, value });

onEachWorld('Presence codes', (world) => {
  const caller = (who: PersonKey) => {
    const { url, token } = callOf(world(), who);
    return fhirCaller(url, token);
  };
  const make = async (who: PersonKey = 'patient'): Promise<FhirAnswer> =>
    await caller(who).send('POST', 'Patient/$presence-code');
  const code = async (): Promise<string> => {
    const answer = await make();
    expect(answer.status, answer.text).to.equal(200);
    const { parameter = [] } = answer.json<Parameters>();
    return parameter.find(({ name }) => name === 'code')?.valueString ?? '';
  };
  const redeem = async (who: PersonKey, valueString: string, valueIdentifier: Identifier = HELENE) =>
    await caller(who).send('POST', 'Patient/$redeem-presence-code', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'identifier', valueIdentifier },
        { name: 'code', valueString },
      ],
    });
  const sees = async (who: PersonKey): Promise<boolean> => {
    const { imagingStudy } = world().ids;
    return (await caller(who).send('GET', `ImagingStudy/${imagingStudy}`)).status === 200;
  };
  const label = async (level?: string): Promise<void> => {
    const parameter = [{ name: 'confidentiality', valueCoding: { system: CONFIDENTIALITY, code: level } }];
    const body = { resourceType: 'Parameters', ...(level === undefined ? {} : { parameter }) };
    const path = `ImagingStudy/${world().ids.imagingStudy}/$set-confidentiality`;
    expect((await caller('patient').send('POST', path, body)).status).to.equal(200);
  };
  const listed = async (): Promise<readonly string[]> => {
    const { parameter = [] } = (await caller('patient').send('GET', 'Patient/$who-can-access')).json<Parameters>();
    const all = parameter.map(({ part = [] }) => part);
    const said = all.filter((part) => part.some(({ valueCode }) => valueCode === 'presence'));
    return said.map((part) => {
      const of = (name: string) => part.find((one) => one.name === name);
      const until = of('until') === undefined ? 'for ever' : 'until';
      const time = of('temporary')?.valueBoolean === true ? 'temporary' : 'lasting';
      return [of('who')?.valueReference?.reference, of('reach')?.valueCode, time, until].join(' ');
    });
  };

  it('a code opens normal items to who redeems it, for 15 days, and the patient is told and ends it', async () => {
    const made = await code();
    expect(made).to.match(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(await sees('stranger')).to.equal(false);
    const redeemed = await redeem('stranger', made.toLowerCase().replace('-', ' '));
    expect(redeemed.status, redeemed.text).to.equal(201);
    expect(await sees('stranger')).to.equal(true);
    await label('R');
    expect(await sees('stranger')).to.equal(false);
    await label();
    const reference = redeemed.headers.get('location')?.replace(/.*\/fhir\//, '') ?? '';
    for (const who of ['stranger', 'patient'] as const) {
      const { provision } = (await caller(who).send('GET', reference)).json<Consent>();
      const { start = '', end = '' } = provision?.period ?? {};
      expect(Date.parse(end) - Date.parse(start)).to.equal(15 * DAY_MS);
    }
    expect(await listed()).to.deep.equal(['Practitioner/demo-stranger record temporary until']);
    const events = await caller('patient').find<AuditEvent>(`AuditEvent?entity=${reference}`);
    const shown = events.flatMap(({ entity = [] }) => entity.flatMap(({ detail = [] }) => detail));
    const said = shown.map(({ valueString }) => valueString);
    expect(said).to.include.members(['redeem-presence-code', 'presence']);
    const notice = await eventually(async () => {
      const all = await caller('patient').find<Communication>('Communication');
      return all.find(({ about = [] }) => about.some((one) => one.reference === reference));
    });
    const [payload] = notice.payload ?? [];
    expect(payload?.contentString).to.match(
      /^Le professionnel à qui vous avez donné votre code de présence peut consulter votre dossier jusqu’au \d+ .* : /,
    );
    expect(JSON.stringify(payload)).to.contain('Anwesenheitscode').and.contain('your presence code');
    expect((await caller('patient').send('DELETE', reference)).status).to.be.oneOf([200, 204]);
    expect(await sees('stranger')).to.equal(false);
    expect(await listed()).to.deep.equal(['Practitioner/demo-stranger nothing temporary until']);
  });

  it('answers the same of a code that is wrong, used, replaced or another’s, and of whom nobody knows', async () => {
    const replaced = await code();
    const made = await code();
    expect((await redeem('emergency', made)).status).to.equal(201);
    const answers = [
      await redeem('stranger', WRONG),
      await redeem('stranger', made),
      await redeem('stranger', replaced),
      await redeem('radiologist', await code(), PATIENTS.gaetan.national),
      await redeem('radiologist', await code(), aNumber('299999999999999')),
      await redeem('radiologist', 'what is this'),
    ];
    const bodies = answers.map(({ status, text }) => `${status} ${text}`);
    expect(new Set(bodies).size, bodies.join('\n')).to.equal(1);
    expect(bodies[0]).to.match(/^404 /);
    expect(await sees('stranger')).to.equal(false);
  });

  it('opens nothing to whom she blocks, and is answered as a wrong one', async () => {
    const given = async (): Promise<number> => {
      const all = await caller('patient').find<Consent>(`Consent?actor=${BLOCKED}`);
      return all.filter(({ provision }) => provision?.type === 'permit').length;
    };
    const before = await given();
    const { provision, policy: _, ...consent } = demoConsent(`Patient/${world().ids.patient}`);
    const actor = (provision?.actor ?? []).map((one) => ({ ...one, reference: { reference: BLOCKED } }));
    const blocked = await caller('patient').send('POST', 'Consent', {
      ...consent,
      policy: [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-deny' }],
      provision: { ...provision, type: 'deny', actor },
    });
    expect(blocked.status, blocked.text).to.equal(201);
    // By a number that nobody has guessed by yet.
    const number = patientIdentifier(PATIENTS.helene, ESTABLISHMENTS.strasbourg);
    const made = await code();
    const [refused, wrong] = [await redeem('emergency', made, number), await redeem('emergency', WRONG, number)];
    expect([refused.status, refused.text]).to.deep.equal([404, wrong.text]);
    const block = blocked.headers.get('location')?.replace(/.*\/fhir\/|\/_history.*/g, '') ?? '';
    expect((await caller('patient').send('DELETE', block)).status).to.be.oneOf([200, 204]);
    expect(await given(), 'nothing waits for the end of the block').to.equal(before);
  });

  it('is made by patients and redeemed by professionals only, of a record that is shared', async () => {
    for (const who of ['author', 'stranger'] as const) expect((await make(who)).status, who).to.equal(403);
    for (const who of ['author', 'patient'] as const) expect((await redeem(who, WRONG)).status, who).to.equal(403);
    const before = await code();
    await withdraw(world());
    expect((await make()).status).to.equal(422);
    expect((await redeem('stranger', before)).status).to.equal(404);
    await reconsent(world());
    expect(await sees('stranger')).to.equal(false);
  });

  it('is nowhere in the data as it was told', async function () {
    const made = await code();
    const { dataDir } = world().server;
    const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    const holds = (text: string): boolean =>
      files.some((one) => readFileSync(join(one.parentPath, one.name)).includes(text));
    expect(holds(made) || holds(made.replace('-', ''))).to.equal(false);
    if (this.test?.titlePath().some((title) => title.includes('SQLite')))
      expect(holds('presence-code|')).to.equal(true);
  });

  it('C10: five wrong codes of a professional, or for a number, and nothing is looked at for a while', async () => {
    const statuses = async (tries: readonly Promise<FhirAnswer>[]): Promise<readonly number[]> =>
      (await Promise.all(tries)).map(({ status }) => status);
    const wrong = async (who: PersonKey, of: string) => await redeem(who, WRONG, aNumber(of));
    const first = await statuses(Array.from({ length: 12 }, async (_, at) => await wrong('declared', `1${at}`)));
    expect(first.filter((status) => status === 404).length).to.be.within(1, 5);
    for (let at = 0; at < 5; at += 1) await wrong('declared', `2${at}`);
    const late = await redeem('declared', await code());
    expect(late.status).to.equal(429);
    // Neither the number nor who tries it tells whether somebody bears it.
    for (const who of ['radiologist', 'emergency'] as const) {
      expect((await wrong(who, '3')).status, who).to.equal(404);
      expect((await wrong(who, '3')).status, who).to.be.oneOf([404, 429]);
    }
    expect((await wrong('stranger', '3')).status).to.equal(404);
    expect((await wrong('emergency', '3')).status).to.equal(429);
  });
});
