/**
 * Who may be named to represent a patient before the law, and by whom (access.md section 3, 10.3; smart-security.md
 * C14): an establishment where she was, while she shares her record.
 */
import { expect } from 'chai';
import type { AuditEvent, Bundle, Patient, RelatedPerson } from '@medplum/fhirtypes';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { clientToken, signIn } from '../../fixtures/sign-in.ts';
import { ask, birthday, LOGIN, representing, visiting, type Reply } from '../support/clients/representing.ts';
import { onEachWorld } from './support/each-store.ts';
import { find } from './support/fhir.ts';
import { callOf } from './support/world.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
const { helene, gaetan, josee } = PATIENTS;
type Establishment = (typeof ESTABLISHMENTS)['strasbourg' | 'nancy'];

onEachWorld('Naming who represents a patient', (world) => {
  const tokens = new Map<string, string>();
  const url = (): string => world().server.url;
  const asPatient = async (method: string, path: string, body?: object): Promise<Reply> =>
    await ask(url(), callOf(world(), 'patient').token, method, path, body);
  const by = async (at: Establishment, method: string, path: string, body?: object): Promise<Reply> =>
    await ask(url(), tokens.get(at.clientId) ?? '', method, path, body);
  const feed = async (at: Establishment, birthDate: string): Promise<string> => {
    const said: Patient = { ...toPatient(helene, at), birthDate };
    const [{ system, value } = {}] = said.identifier ?? [];
    const { status, id, body } = await by(at, 'PUT', `Patient?identifier=${system}|${value}`, said);
    expect(status, JSON.stringify(body)).to.be.oneOf([200, 201]);
    return id;
  };
  const naming = async (at: Establishment, patient: string, parts: Partial<RelatedPerson> = {}): Promise<Reply> =>
    await by(at, 'POST', 'RelatedPerson', representing(patient, 'PRN', parts));
  const ended = async (at: Establishment, id: string): Promise<void> =>
    void expect((await by(at, 'DELETE', `RelatedPerson/${id}`)).status).to.be.oneOf([200, 204]);

  before(async () => {
    for (const { clientId } of [strasbourg, nancy])
      tokens.set(clientId, await clientToken({ url: url(), client: clientId }));
    await feed(strasbourg, birthday(10));
  });

  it('takes an exam, a report or a visit with the establishment, and not the feed of the Patient alone', async () => {
    const patient = await feed(nancy, birthday(10));
    expect((await naming(nancy, patient)).status).to.equal(403);
    const chosen = { ...representing(patient), id: 'naming-by-put' };
    expect((await by(nancy, 'PUT', 'RelatedPerson/naming-by-put', chosen)).status).to.not.be.oneOf([200, 201]);
    const sibling = await by(nancy, 'POST', 'RelatedPerson', representing(patient, 'SIB'));
    expect(sibling.status).to.equal(201);
    const grown = { ...representing(patient), id: sibling.id };
    expect((await by(nancy, 'PUT', `RelatedPerson/${sibling.id}`, grown)).status).to.equal(403);
    expect((await by(nancy, 'POST', 'Encounter', visiting(patient))).status).to.equal(201);
    expect((await by(nancy, 'PUT', `RelatedPerson/${sibling.id}`, grown)).status).to.equal(200);
    await ended(nancy, sibling.id);
  });

  it('C10 is refused while she shares nothing: her nominee would end what she said', async () => {
    const { patient } = world().ids;
    const standing = await naming(strasbourg, patient);
    expect(standing.status, JSON.stringify(standing.body)).to.equal(201);
    const over = { ...representing(patient, 'PRN', { period: { end: '2020-01-01' } }), id: standing.id };
    expect((await asPatient('POST', 'Patient/$withdraw')).status).to.equal(201);
    expect((await naming(strasbourg, patient)).status).to.equal(403);
    expect((await by(strasbourg, 'PUT', `RelatedPerson/${standing.id}`, over)).status, 'ended').to.equal(200);
    const again = { ...representing(patient), id: standing.id };
    expect((await by(strasbourg, 'PUT', `RelatedPerson/${standing.id}`, again)).status).to.equal(403);
    expect((await asPatient('POST', 'Patient/$reconsent')).status).to.equal(201);
    expect((await by(strasbourg, 'PUT', `RelatedPerson/${standing.id}`, again)).status).to.equal(200);
    await ended(strasbourg, standing.id);
  });

  it('C14 never names another by the row of one who was ended: what was given to that one is not back', async () => {
    const { patient } = world().ids;
    const another = { identifier: [gaetan.national] };
    const put = async (id: string, parts: Partial<RelatedPerson>): Promise<number> =>
      (await by(strasbourg, 'PUT', `RelatedPerson/${id}`, { ...representing(patient, 'PRN', parts), id })).status;
    const sees = async (token: string): Promise<number> =>
      (await ask(url(), token, 'GET', `ImagingStudy/${world().ids.imagingStudy}`)).status;
    const { id } = await naming(strasbourg, patient);
    const token = await signIn({ url: url(), person: LOGIN });
    expect(await sees(token)).to.equal(200);
    await ended(strasbourg, id);
    expect(await put(id, another), 'deleted').to.equal(422);
    expect(await put(id, { ...another, active: false }), 'deleted, and named by two steps').to.equal(422);
    expect(await put(id, {}), 'the same person').to.be.oneOf([200, 201]);
    expect(await put(id, { active: false })).to.equal(200);
    expect(await put(id, { ...another, active: false }), 'inactive').to.equal(422);
    expect(await put(id, another), 'inactive, and named again').to.equal(422);
    expect(await sees(token)).to.equal(401);
    await ended(strasbourg, id);
  });

  it('C13 opens one of several records: she reads that her name was shown, and none is being erased', async () => {
    const { patient } = world().ids;
    await feed(strasbourg, birthday(10));
    const { id } = await naming(strasbourg, patient);
    const shown = async (): Promise<readonly AuditEvent[]> => {
      const all = await find<AuditEvent>(callOf(world(), 'patient'), `AuditEvent?entity=Patient/${patient}&_count=200`);
      return all.filter(({ source }) => source.site === 'auth');
    };
    const before = (await shown()).length;
    await signIn({ url: url(), person: LOGIN });
    const [event, ...others] = await shown();
    expect(others.length, 'once').to.equal(before);
    const [reader] = (event?.agent ?? []).filter(({ requestor }) => requestor);
    expect(reader?.who).to.deep.equal({ reference: `RelatedPerson/${id}`, display: 'Josée Klärenbusch' });
    expect(reader?.purposeOfUse?.[0]?.coding?.[0]?.code).to.equal('FAMRQT');
    const asked = await asPatient('POST', 'Patient/$request-erasure');
    expect(asked.status, JSON.stringify(asked.body)).to.be.oneOf([200, 201, 202]);
    const refused = await signIn({ url: url(), person: LOGIN }).catch((error: Error) => error.message);
    expect(refused).to.match(/^Sign-in stopped \(403\)/);
    expect((await asPatient('POST', 'Patient/$cancel-erasure')).status).to.equal(200);
    expect(await shown()).to.have.length(before + 1);
    await signIn({ url: url(), person: LOGIN });
    await ended(strasbourg, id);
  });

  it('tells professionals who a relative is to the patient, and no number, address or birth date', async () => {
    const { patient } = world().ids;
    const reached = {
      telecom: [{ system: 'phone' as const, value: '+33 3 88 00 00 00' }],
      address: [{ city: 'Kehl' }],
    };
    const { id } = await naming(strasbourg, patient, reached);
    const other = await by(strasbourg, 'POST', 'RelatedPerson', representing(patient, 'SIB', reached));
    const itself = { url: url(), token: await signIn({ url: url(), person: LOGIN }) };
    const professional = callOf(world(), 'declared');
    const keysOf = (one: object | undefined): string =>
      Object.keys(one ?? {})
        .toSorted()
        .join(' ');
    const part = 'active id meta name patient relationship resourceType';
    const read = async (caller: { readonly token: string }, path: string): Promise<RelatedPerson> => {
      const { status, body } = await ask(url(), caller.token, 'GET', path);
      expect(status, path).to.equal(200);
      return body as unknown as RelatedPerson;
    };
    for (const path of [`RelatedPerson/${id}`, `RelatedPerson/${id}/_history/1`])
      expect(keysOf(await read(professional, path)), path).to.equal(part);
    expect((await read(professional, `RelatedPerson/${id}`)).meta?.tag?.[0]?.code).to.equal('SUBSETTED');
    const history = (await read(professional, `RelatedPerson/${id}/_history`)) as unknown as Bundle;
    expect((history.entry ?? []).map(({ resource }) => keysOf(resource))).to.deep.equal([part]);
    const found = await find<RelatedPerson>(professional, `RelatedPerson?patient=${patient}&_id=${id},${other.id}`);
    expect(found.map(keysOf)).to.deep.equal([part, part]);
    const patients = `Patient?_id=${patient}&_revinclude=RelatedPerson:patient`;
    const beside = (await find<RelatedPerson>(professional, patients)).filter((one) => one.id === id);
    expect(beside.map(keysOf)).to.deep.equal([part]);

    const wholes = [callOf(world(), 'patient'), { token: tokens.get(strasbourg.clientId) ?? '' }, itself];
    for (const whole of wholes)
      expect(await read(whole, `RelatedPerson/${id}`)).to.deep.include({ ...reached, birthDate: josee.birthDate });
    expect(keysOf(await read(itself, `RelatedPerson/${other.id}`)), 'another relative').to.equal(part);

    const number = encodeURIComponent(`|${josee.national.value}`);
    const searches = [
      `RelatedPerson?identifier=${number}`,
      'RelatedPerson?phone=1',
      'RelatedPerson?birthdate:missing=true',
      'RelatedPerson?_sort=identifier&_count=1',
      'RelatedPerson?_sort=name,-birthdate',
      `Patient?_has:RelatedPerson:patient:identifier=${number}`,
      'Encounter?participant:RelatedPerson.address-city=Kehl',
    ];
    for (const search of searches) {
      expect((await ask(url(), professional.token, 'GET', search)).status, search).to.equal(403);
      expect((await asPatient('GET', search)).status, search).to.equal(200);
    }
    for (const search of ['name=kla&active=true', '_sort=name,_lastUpdated,_id'])
      expect((await ask(url(), professional.token, 'GET', `RelatedPerson?${search}`)).status, search).to.equal(200);
    for (const one of [id, other.id]) await ended(strasbourg, one);
  });
});
