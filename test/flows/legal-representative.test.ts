/**
 * Who represents a patient before the law (access.md section 3, 10.3, R-47, R-48, R-73, R-74; smart-security.md C13,
 * C14, N07): she signs in as herself, opens the record of one whom she represents, and speaks for that one.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import type { AuditEvent, Communication, Consent, Parameters, Patient, RelatedPerson } from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { patientIdentifier, toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { clientToken, signIn, signInFully } from '../../fixtures/sign-in.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { onEachWorld } from './support/each-store.ts';
import { find } from './support/fhir.ts';
import type { PersonKey } from './support/people.ts';
import { ask, birthday, LOGIN, refusedSignIn, representing, visiting } from '../support/clients/representing.ts';
import { callOf } from './support/world.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
const { helene, gaetan, josee } = PATIENTS;
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const NOT_FOR_REPRESENTATIVES = { system: 'urn:oid:1.2.250.1.213.1.1.4.13', code: 'INVISIBLE_REPRESENTANTS_LEGAUX' };

onEachWorld('A legal representative', (world) => {
  let establishment: string;
  const url = (): string => world().server.url;
  const asPerson = async (who: PersonKey, method: string, path: string, body?: object): ReturnType<typeof ask> =>
    await ask(url(), callOf(world(), who).token, method, path, body);
  const asStrasbourg = async (method: string, path: string, body?: object): ReturnType<typeof ask> =>
    await ask(url(), establishment, method, path, body);

  before(async () => {
    establishment = await clientToken({ url: url(), client: strasbourg.clientId });
  });

  const feed = async (patient: typeof helene | typeof gaetan, birthDate?: string): Promise<string> => {
    const { birthDate: _, ...resource } = toPatient(patient, strasbourg);
    const [{ system, value } = {}] = resource.identifier ?? [];
    const said: Patient = { ...resource, ...(birthDate === undefined ? {} : { birthDate }) };
    const { status, id } = await asStrasbourg('PUT', `Patient?identifier=${system}|${value}`, said);
    expect(status).to.be.oneOf([200, 201]);
    return id;
  };
  const exam = (): string => `ImagingStudy/${world().ids.imagingStudy}`;
  const sees = async (token: string): Promise<boolean> => {
    const { status } = await ask(url(), token, 'GET', exam());
    const found = status === 401 ? [] : await find({ url: url(), token }, `ImagingStudy?_id=${exam().split('/')[1]}`);
    expect(found.length, 'a search says what a read says').to.equal(status === 200 ? 1 : 0);
    return status === 200;
  };
  /** Names her for a while: a token of hers, and the row that says who she is. */
  const named = async (code = 'PRN', parts: Partial<RelatedPerson> = {}): Promise<{ id: string; token: string }> => {
    const { status, id } = await asStrasbourg('POST', 'RelatedPerson', representing(world().ids.patient, code, parts));
    expect(status).to.equal(201);
    return { id, token: await signIn({ url: url(), person: LOGIN }) };
  };
  const ended = async (id: string): Promise<void> =>
    void expect((await asStrasbourg('DELETE', `RelatedPerson/${id}`)).status).to.be.oneOf([200, 204]);

  it('C14 signs in to the record of the child until its 18th birthday, as its birth date stands', async () => {
    await feed(helene, birthday(18, 1));
    expect(await refusedSignIn(url())).to.match(/^Sign-in stopped \(403\)/);
    const { id } = await named();
    const answer = await signInFully({ url: url(), person: LOGIN });
    expect(answer['patient']).to.equal(world().ids.patient);
    const { fhirUser } = decodeJwt(String(answer['id_token']));
    expect(fhirUser).to.equal(`${url()}/fhir/RelatedPerson/${id}`);
    const token = answer.access_token;
    expect((await ask(url(), token, 'GET', `RelatedPerson/${id}`)).status).to.equal(200);
    expect((await ask(url(), token, 'GET', `Patient/${world().ids.patient}`)).status).to.equal(200);
    expect(await sees(token)).to.equal(true);
    const [event] = await find<AuditEvent>(callOf(world(), 'patient'), 'AuditEvent?_count=1');
    const reader = event?.agent.find(({ requestor }) => requestor);
    expect(reader).to.deep.include({
      who: { reference: `RelatedPerson/${id}`, display: 'Josée Klärenbusch' },
      name: 'Josée Klärenbusch',
    });
    expect(reader?.purposeOfUse?.[0]?.coding?.[0]?.code).to.equal('FAMRQT');
    const relations = (event?.entity ?? []).flatMap(({ detail = [] }) => detail.map((one) => one.valueString));
    expect(relations).to.include('representative');
    await feed(helene, birthday(18));
    expect((await ask(url(), token, 'GET', exam())).status).to.equal(401);
    expect(await refusedSignIn(url())).to.match(/^Sign-in stopped \(403\)/);
    await feed(helene);
    expect((await ask(url(), token, 'GET', exam())).status, 'without a birth date').to.equal(401);
    await feed(helene, birthday(10));
    expect(await sees(token)).to.equal(true);
    await ended(id);
    expect((await ask(url(), token, 'GET', exam())).status).to.equal(401);
  });

  it('sees normal and confidential items, and none that is private or not for representatives', async () => {
    await feed(helene, birthday(10));
    const { id, token } = await named('GUARD');
    const label = async (...codings: readonly object[]): Promise<boolean> => {
      const parameter = codings.map((valueCoding) => ({ name: 'confidentiality', valueCoding }));
      const body = { resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) };
      expect((await asPerson('patient', 'POST', `${exam()}/$set-confidentiality`, body)).status).to.equal(200);
      return await sees(token);
    };
    expect(await label({ system: CONFIDENTIALITY, code: 'R' })).to.equal(true);
    expect(await label({ system: CONFIDENTIALITY, code: 'V' })).to.equal(false);
    expect(await label(NOT_FOR_REPRESENTATIVES)).to.equal(false);
    expect(await label({ ...NOT_FOR_REPRESENTATIVES, code: 'MASQUE_PS' })).to.equal(true);
    expect(await label()).to.equal(true);
    await ended(id);
  });

  it('tells the patient of her', async () => {
    await feed(helene, birthday(10));
    const { id } = await named('PRN');
    const representatives = async (): Promise<readonly Communication[]> => {
      const all = await find<Communication>(callOf(world(), 'patient'), 'Communication?category=representative');
      return all.filter(({ about = [] }) => about.some(({ reference }) => reference === `RelatedPerson/${id}`));
    };
    const [notice] = await eventually(async () => {
      const found = await representatives();
      return found.length === 0 ? undefined : found;
    });
    expect(notice?.payload?.[0]?.contentString).to.match(/^Votre représentant légal .*Josée Klärenbusch\.$/);
    await ended(id);
  });

  it('C13 opens one record at a time: of another child it is another sign-in', async () => {
    const [first, second] = [await feed(helene, birthday(10)), await feed(gaetan, birthday(12))];
    const { id } = await named();
    expect((await asStrasbourg('POST', 'Encounter', visiting(second))).status).to.equal(201);
    const { id: other } = await asStrasbourg('POST', 'RelatedPerson', representing(second));
    const [token, ofOther] = [
      await signIn({ url: url(), person: LOGIN, record: `RelatedPerson/${id}` }),
      await signInFully({ url: url(), person: LOGIN, record: `RelatedPerson/${other}` }),
    ];
    expect([await sees(token), await sees(ofOther.access_token)]).to.deep.equal([true, false]);
    expect(ofOther['patient']).to.equal(second);
    const unknown = await ask(url(), token, 'GET', `Patient/${randomUUID()}`);
    const hidden = await ask(url(), token, 'GET', `Patient/${second}`);
    expect([hidden.status, unknown.status]).to.deep.equal([404, 404]);
    expect((await ask(url(), ofOther.access_token, 'GET', `Patient/${first}`)).status).to.equal(404);
    const declared = await ask(url(), token, 'POST', 'Consent', demoConsent(`Patient/${second}`));
    expect(declared.status).to.be.oneOf([400, 403, 404]);
    await ended(id);
    await ended(other);
  });

  it('speaks for the patient: declares, withdraws, gives back, and reads who may open the record', async () => {
    await feed(helene, birthday(10));
    const { id, token } = await named();
    const consents = await find<Consent>({ url: url(), token }, 'Consent?status=active');
    const hers = await find<Consent>(callOf(world(), 'patient'), 'Consent?status=active');
    expect(consents.map((one) => one.id)).to.have.members(hers.map((one) => one.id));
    const said = {
      ...demoConsent(`Patient/${world().ids.patient}`),
      performer: [{ reference: `RelatedPerson/${id}` }],
      provision: {
        type: 'permit',
        purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'TREAT' }],
        actor: [
          {
            role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
            reference: { reference: 'Practitioner/demo-stranger' },
          },
        ],
      },
    };
    const declared = await ask(url(), token, 'POST', 'Consent', said);
    expect(declared.status).to.equal(201);
    expect((await asPerson('stranger', 'GET', exam())).status).to.equal(200);
    expect((await asPerson('patient', 'GET', `Consent/${declared.id}`)).status).to.equal(200);
    expect((await ask(url(), token, 'DELETE', `Consent/${declared.id}`)).status).to.be.oneOf([200, 204]);
    expect((await asPerson('stranger', 'GET', exam())).status).to.equal(404);

    const made = await ask(url(), token, 'POST', 'Patient/$presence-code');
    const code = ((made.body as unknown as Parameters).parameter ?? []).find(({ name }) => name === 'code');
    const redeemed = await asPerson('stranger', 'POST', 'Patient/$redeem-presence-code', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'identifier', valueIdentifier: patientIdentifier(helene, strasbourg) },
        { name: 'code', valueString: code?.valueString },
      ],
    });
    expect([made.status, redeemed.status]).to.deep.equal([200, 201]);
    expect((await asPerson('stranger', 'GET', exam())).status).to.equal(200);

    expect((await ask(url(), token, 'POST', 'Patient/$withdraw')).status).to.be.oneOf([200, 201]);
    expect([(await asPerson('declared', 'GET', exam())).status, await sees(token)]).to.deep.equal([404, true]);
    const [withdrawal] = (await find<Consent>({ url: url(), token }, 'Consent?status=active')).filter(
      ({ provision }) => provision?.type === 'deny',
    );
    expect(withdrawal?.performer).to.deep.equal([{ reference: `RelatedPerson/${id}` }]);
    expect((await ask(url(), token, 'POST', 'Patient/$reconsent')).status).to.be.oneOf([200, 201]);
    expect((await asPerson('declared', 'GET', exam())).status).to.equal(200);

    for (const list of [
      await ask(url(), token, 'GET', 'Patient/$who-can-access'),
      await asPerson('patient', 'GET', 'Patient/$who-can-access'),
    ]) {
      const entries = ((list.body as unknown as Parameters).parameter ?? []).filter(({ name }) => name === 'access');
      const hersOf = entries.map(({ part = [] }) => part.find(({ name }) => name === 'who')?.valueReference);
      expect(hersOf).to.deep.include({
        reference: `RelatedPerson/${id}`,
        identifier: josee.national,
        display: 'Josée Klärenbusch',
      });
    }
    await ended(id);
  });

  it('reads no share of the patient: what is shared may be hidden from her', async () => {
    await feed(helene, birthday(10));
    const { id, token } = await named();
    const made = await asPerson('patient', 'POST', `${exam()}/$share`, {
      resourceType: 'Parameters',
      parameter: [
        { name: 'email', valueString: 'medecin@example.org' },
        { name: 'reason', valueString: 'Un avis' },
      ],
    });
    expect(made.status, JSON.stringify(made.body)).to.equal(201);
    const shares = async (by: { readonly url: string; readonly token: string }): Promise<readonly string[]> =>
      (await find<Consent>(by, 'Consent?category=urn:passerelle:CodeSystem:temporary-access|share')).map(
        (one) => one.id ?? '',
      );
    const [share = ''] = await shares(callOf(world(), 'patient'));
    expect(await shares({ url: url(), token })).to.deep.equal([]);
    expect((await ask(url(), token, 'GET', `Consent/${share}`)).status).to.equal(404);
    expect((await asPerson('patient', 'POST', `Consent/${share}/$revoke-share`)).status).to.equal(200);
    expect((await ask(url(), token, 'GET', `Consent/${share}`)).status, 'ended').to.equal(404);
    await ended(id);
  });

  it('is the same person as long as the row stands: another one is another RelatedPerson', async () => {
    await feed(helene, birthday(10));
    const { id, token } = await named();
    const other = { identifier: [gaetan.national] };
    const replaced = await asStrasbourg('PUT', `RelatedPerson/${id}`, {
      ...representing(world().ids.patient, 'PRN', other),
      id,
    });
    expect(replaced.status).to.equal(422);
    const corrected = { name: [{ family: josee.familyName, given: [josee.givenName, 'Marie'] }] };
    const kept = await asStrasbourg('PUT', `RelatedPerson/${id}`, {
      ...representing(world().ids.patient, 'PRN', corrected),
      id,
    });
    expect(kept.status).to.equal(200);
    expect(await sees(token)).to.equal(true);
    await ended(id);
  });

  it('N07 neither erases, nor breaks the glass, nor labels, nor names others, nor reads the trail', async () => {
    await feed(helene, birthday(10));
    const { id, token } = await named();
    const { patient } = world().ids;
    const refused = [
      ['POST', 'Patient/$request-erasure', undefined],
      ['POST', 'Patient/$cancel-erasure', undefined],
      [
        'POST',
        'Patient/$set-account',
        { resourceType: 'Parameters', parameter: [{ name: 'off', valueBoolean: true }] },
      ],
      ['POST', 'Patient/$break-glass', { resourceType: 'Parameters' }],
      ['POST', `${exam()}/$set-confidentiality`, { resourceType: 'Parameters' }],
      ['POST', 'RelatedPerson', representing(patient)],
      ['PUT', `RelatedPerson/${id}`, { ...representing(patient), id }],
      ['DELETE', `RelatedPerson/${id}`, undefined],
      [
        'POST',
        'CareTeam',
        { resourceType: 'CareTeam', status: 'active', subject: { reference: `Patient/${patient}` } },
      ],
      ['POST', 'Patient', toPatient(helene, strasbourg)],
    ] as const;
    for (const [method, path, body] of refused)
      expect((await ask(url(), token, method, path, body)).status, `${method} ${path}`).to.equal(403);
    expect(await find({ url: url(), token }, 'AuditEvent')).to.deep.equal([]);
    expect(await find({ url: url(), token }, 'Communication')).to.deep.equal([]);
    await ended(id);
  });

  it('is told in the access list of nobody whose right an item gives that is not for her', async () => {
    await feed(helene, birthday(10));
    const { id, token } = await named();
    const listed = async (): Promise<readonly string[]> => {
      const { body } = await ask(url(), token, 'GET', 'Patient/$who-can-access');
      const entries = ((body as unknown as Parameters).parameter ?? []).filter(({ name }) => name === 'access');
      return entries.map(({ part = [] }) =>
        ['who', 'relation']
          .map((name) => part.find((one) => one.name === name))
          .map((one) => one?.valueReference?.reference ?? one?.valueCode)
          .join(' '),
      );
    };
    const label = async (...valueCoding: readonly object[]): Promise<void> => {
      const parameter = valueCoding.map((one) => ({ name: 'confidentiality', valueCoding: one }));
      const body = { resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) };
      for (const item of [exam(), `DiagnosticReport/${world().ids.diagnosticReport}`])
        expect((await asPerson('patient', 'POST', `${item}/$set-confidentiality`, body)).status).to.equal(200);
    };
    const service = 'Practitioner/demo-radiologist imaging-service';
    const author = 'Practitioner/demo-radiologist author';
    expect(await listed()).to.include.members([service, author]);
    await label(NOT_FOR_REPRESENTATIVES);
    const hidden = await listed();
    expect(hidden).to.not.include.oneOf([service, author]);
    expect(hidden).to.include('Practitioner/demo-declared declared');
    await label();
    expect(await listed()).to.include.members([service, author]);
    await ended(id);
  });

  it('is signed out with the account of the patient', async () => {
    await feed(helene, birthday(10));
    const { id, token } = await named();
    const account = async (active: boolean, by: string): Promise<number> => {
      const parameter = [
        { name: 'active', valueBoolean: active },
        { name: 'patient', valueReference: { reference: `Patient/${world().ids.patient}` } },
      ];
      return (await ask(url(), by, 'POST', 'Patient/$set-account', { resourceType: 'Parameters', parameter })).status;
    };
    expect(await account(false, callOf(world(), 'patient').token)).to.equal(200);
    expect((await ask(url(), token, 'GET', exam())).status).to.equal(401);
    expect(await refusedSignIn(url())).to.match(/^Sign-in stopped \(403\)/);
    const desk = await signIn({ url: url(), person: 'demo-region-desk' });
    expect(await account(true, desk)).to.equal(200);
    expect((await ask(url(), token, 'GET', exam())).status).to.equal(200);
    await ended(id);
  });

  it('counts while the row is active, in its period, and of an establishment that feeds the patient', async () => {
    await feed(helene, birthday(10));
    const { id, token } = await named();
    const put = async (parts: Partial<RelatedPerson>, code = 'PRN'): Promise<number> => {
      const said = { ...representing(world().ids.patient, code, parts), id };
      expect((await asStrasbourg('PUT', `RelatedPerson/${id}`, said)).status).to.equal(200);
      return (await ask(url(), token, 'GET', exam())).status;
    };
    expect(await put({ active: false })).to.equal(401);
    expect(await put({})).to.equal(200);
    expect(await put({ period: { end: '2020-01-01' } })).to.equal(401);
    expect(await put({ period: { start: '2020-01-01' } })).to.equal(200);
    expect(await put({}, 'SIB')).to.equal(401);
    await ended(id);
    const other = await clientToken({ url: url(), client: nancy.clientId });
    const foreign = await ask(url(), other, 'POST', 'RelatedPerson', representing(world().ids.patient));
    expect(foreign.status).to.be.oneOf([400, 403, 404, 422]);
  });

  it('of an adult: by a mandate that begins after she came of age, which she may give herself', async () => {
    const mandate = (parts: Partial<RelatedPerson> = {}, code = 'POWATT'): RelatedPerson =>
      representing(world().ids.patient, code, { period: { start: '2026-01-01' }, ...parts });
    await feed(helene, birthday(10));
    expect((await asPerson('patient', 'POST', 'RelatedPerson', mandate())).status, 'a child').to.equal(403);
    await feed(helene, helene.birthDate);
    expect((await asPerson('patient', 'POST', 'RelatedPerson', mandate({}, 'GUARD'))).status).to.equal(403);
    expect((await asPerson('patient', 'POST', 'RelatedPerson', mandate({}, 'SIB'))).status).to.equal(201);
    expect(await refusedSignIn(url())).to.match(/^Sign-in stopped \(403\)/);
    const endless = mandate({ period: { end: '2050-01-01' } });
    expect((await asPerson('patient', 'POST', 'RelatedPerson', endless)).status, 'no begin').to.equal(400);
    const { status, id } = await asPerson('patient', 'POST', 'RelatedPerson', mandate());
    expect(status).to.equal(201);
    const token = await signIn({ url: url(), person: LOGIN });
    expect(await sees(token)).to.equal(true);
    const over = { ...mandate({ period: { start: '2026-01-01', end: '2026-02-01' } }), id };
    expect((await asPerson('patient', 'PUT', `RelatedPerson/${id}`, over)).status).to.equal(200);
    expect((await ask(url(), token, 'GET', exam())).status).to.equal(401);
  });

  it('C10 says what the patient takes back, for whichever of her identities', async () => {
    await feed(helene, birthday(10));
    const another = await clientToken({ url: url(), client: nancy.clientId });
    const said = { ...toPatient(helene, nancy), birthDate: birthday(10) };
    const inNancy = await ask(url(), another, 'POST', 'Patient', said);
    expect(inNancy.status, JSON.stringify(inNancy.body)).to.equal(201);
    expect((await ask(url(), another, 'POST', 'Encounter', visiting(inNancy.id))).status).to.equal(201);
    // She signs in as one of them; the representative is named for the other.
    const { patient: account } = await signInFully({ url: url(), person: 'demo-patient' });
    const [by, patient] =
      account === inNancy.id ? [establishment, world().ids.patient] : ([another, inNancy.id] as const);
    const row = await ask(url(), by, 'POST', 'RelatedPerson', representing(patient));
    expect(row.status, JSON.stringify(row.body)).to.equal(201);
    const token = await signIn({ url: url(), person: LOGIN });
    expect((await ask(url(), token, 'POST', 'Patient/$withdraw')).status).to.equal(201);
    expect((await asPerson('declared', 'GET', exam())).status).to.equal(404);
    expect((await asPerson('patient', 'POST', 'Patient/$reconsent')).status).to.equal(201);
    expect((await asPerson('declared', 'GET', exam())).status).to.equal(200);
    expect((await ask(url(), by, 'DELETE', `RelatedPerson/${row.id}`)).status).to.be.oneOf([200, 204]);
  });
});
