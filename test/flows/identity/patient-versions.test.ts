/** Versions of a Patient count what their reader sees of her, on every way to them and on both stores. */
import type { Bundle, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import {
  eventsOf,
  eventually,
  expectOutcome,
  resourcesOf,
  type FhirCaller,
} from '../../support/clients/fhir-caller.ts';
import { aLocalId, anINS, domainOf, feed, idIn, patientOf, somebody, valuesOf, type Somebody } from './people.ts';
import { signInAtPortal, tellOnEachStore, type Session } from './story.ts';

const LOGINS = ['unseen', 'seen', 'former', 'apart', 'back', 'written'] as const;
type Login = (typeof LOGINS)[number];
const NUMBERS = Object.fromEntries(LOGINS.map((login) => [login, anINS()])) as Record<Login, ReturnType<typeof anINS>>;
const MAIL = [{ system: 'email' as const, value: 'ysoline@exemple.test' }];

tellOnEachStore('Versions of a Patient (identity.md section 1)', { persons: NUMBERS }, (story) => {
  /** Somebody whom Strasbourg knows; Nancy may come to say that it knows her, too, and take it back. */
  async function known(login: Login) {
    const [one, inStrasbourg, inNancy] = [somebody({ numbers: [NUMBERS[login]] }), aLocalId(), aLocalId()];
    const said = async (at: 'strasbourg' | 'nancy', localId: string, who: Somebody, more: Partial<Patient> = {}) => {
      const answer = await feed(story()[at], at, localId, who, more);
      expect(answer.status, answer.text).to.be.oneOf([200, 201]);
      return idIn(answer);
    };
    const id = await said('strasbourg', inStrasbourg, one);
    return {
      id,
      own: patientOf('strasbourg', inStrasbourg, one),
      herself: await signInAtPortal(story(), login),
      inNancy,
      inStrasbourg: async (more: Partial<Patient>) => await said('strasbourg', inStrasbourg, one, more),
      join: async (more: Partial<Patient> = {}) => await said('nancy', inNancy, one, more),
      part: async (more: Partial<Patient> = {}) => await said('nancy', inNancy, { ...one, numbers: [] }, more),
    };
  }

  const readBy = async (caller: FhirCaller, id: string) => {
    const answer = await caller.get(`Patient/${id}`);
    expect(answer.status, answer.text).to.equal(200);
    const { meta, ...patient } = answer.json<Patient>();
    const [version, updated] = [meta?.versionId ?? '', meta?.lastUpdated ?? ''];
    expect(answer.headers.get('etag')).to.equal(`W/"${version}"`);
    expect(answer.headers.get('last-modified')).to.equal(new Date(updated).toUTCString());
    return { version, updated, patient };
  };
  const textOf = async (caller: FhirCaller, path: string): Promise<string> => {
    const { status, text } = await caller.get(path);
    expect(status, text).to.equal(200);
    return text;
  };
  /** All that a reader is told of the versions of a Patient; `asOf` is when it last looked. */
  const toldOfVersions = async (caller: FhirCaller, id: string, asOf: string) => ({
    read: await readBy(caller, id),
    known: (await caller.get(`Patient/${id}`, { 'if-none-match': `W/"${(await readBy(caller, id)).version}"` })).status,
    since: (await caller.get(`Patient/${id}`, { 'if-modified-since': new Date(asOf).toUTCString() })).status,
    history: await textOf(caller, `Patient/${id}/_history`),
    pages: await textOf(caller, `Patient/${id}/_history?_count=1`),
    later: await textOf(caller, `Patient/${id}/_history?_since=${encodeURIComponent(after(asOf))}`),
    ofType: await textOf(caller, 'Patient/_history?_count=3'),
    newest: await textOf(caller, 'Patient?_count=3&_sort=-_lastUpdated'),
    oldest: await textOf(caller, `Patient?_count=3&_sort=_lastUpdated&_lastUpdated=ge${asOf}`),
    changed: await textOf(caller, `Patient?_lastUpdated=gt${asOf}&_summary=count`),
    byName: await textOf(caller, `Patient?_count=3&_sort=gender,-_lastUpdated`),
    entry: await caller
      .send('POST', '', {
        resourceType: 'Bundle',
        type: 'batch',
        entry: [{ request: { method: 'GET', url: `Patient/${id}` } }],
      })
      .then(({ text }) => text),
  });
  const after = (instant: string): string => new Date(Date.parse(instant) + 1).toISOString();
  const changedFor = async (caller: FhirCaller, id: string, asOf: string): Promise<boolean> =>
    (await caller.find<Patient>(`Patient?_id=${id}&_lastUpdated=gt${asOf}`)).length === 1;
  const herVersion = async ({ caller }: Session, id: string) => await readBy(caller, id);

  it('tell nothing of a join and its end that their reader sees nothing of', async () => {
    const { strasbourg } = story();
    const { id, herself, inNancy, join, part } = await known('unseen');
    await feed(strasbourg, 'strasbourg', aLocalId(), somebody());
    const before = await readBy(strasbourg, id);
    const told = await toldOfVersions(strasbourg, id, before.updated);
    const hers = [await herVersion(herself, id)];
    expect([before.version, told.known]).to.deep.equal(['1', 304]);

    await join();
    hers.push(await herVersion(herself, id));
    expect(valuesOf(hers[1]?.patient ?? before.patient, domainOf('nancy'))).to.deep.equal([inNancy]);
    expect(await toldOfVersions(strasbourg, id, before.updated)).to.deep.equal(told);

    await part();
    hers.push(await herVersion(herself, id));
    expect(await toldOfVersions(strasbourg, id, before.updated)).to.deep.equal(told);

    expect(hers.map(({ version }) => Number(version))).to.deep.equal([1, 2, 3]);
    const moments = hers.map(({ updated }) => updated);
    expect(moments).to.deep.equal([...new Set(moments)].toSorted());
    expect(await changedFor(herself.caller, id, moments[1] ?? '')).to.equal(true);
    expect(await changedFor(strasbourg, id, before.updated)).to.equal(false);
  });

  it('change with what their reader sees, and with nothing else', async () => {
    const { strasbourg, nancy } = story();
    const { id, herself, inStrasbourg, join } = await known('seen');
    await join();
    const asSeen = async () => ({
      strasbourg: await readBy(strasbourg, id),
      nancy: await readBy(nancy, id),
      herself: await herVersion(herself, id),
    });
    const steps = [
      { change: async () => await join({ telecom: MAIL }), seenBy: ['strasbourg', 'nancy', 'herself'] },
      {
        change: async () =>
          await inStrasbourg({
            telecom: MAIL,
            identifier: [{ system: 'urn:exemple:carte', value: '7' }, ...(await ownIdentifiers(strasbourg, id))],
          }),
        seenBy: ['strasbourg', 'herself'],
      },
      { change: async () => await join({ telecom: MAIL, active: true }), seenBy: [] },
    ] as const;
    for (const { change, seenBy } of steps) {
      const before = await asSeen();
      await change();
      const now = await asSeen();
      for (const name of ['strasbourg', 'nancy', 'herself'] as const) {
        const caller = name === 'herself' ? herself.caller : story()[name];
        const isSeen = seenBy.some((one) => one === name);
        const [was, is] = [before[name], now[name]];
        expect(JSON.stringify(is.patient) !== JSON.stringify(was.patient), `${name}: what is seen`).to.equal(isSeen);
        expect(is.version !== was.version, `${name}: version`).to.equal(isSeen);
        expect(is.updated > was.updated, `${name}: lastUpdated`).to.equal(isSeen);
        expect(await changedFor(caller, id, was.updated), `${name}: _lastUpdated`).to.equal(isSeen);
        const conditional = await caller.get(`Patient/${id}`, { 'if-none-match': `W/"${was.version}"` });
        expect(conditional.status, `${name}: If-None-Match`).to.equal(isSeen ? 200 : 304);
      }
    }
  });

  it('are kept as their reader saw them, each once', async () => {
    const { strasbourg } = story();
    const { id, inStrasbourg, join, part } = await known('former');
    const first = await readBy(strasbourg, id);
    await join();
    await inStrasbourg({ telecom: MAIL });
    const second = await readBy(strasbourg, id);
    await part();
    await inStrasbourg({ birthDate: '1979-05-15' });
    const third = await readBy(strasbourg, id);
    const history = await strasbourg.get(`Patient/${id}/_history`);
    const bundle = history.json<Bundle<Patient>>();
    const all = [third, second, first];
    expect(bundle.entry?.map(({ response }) => [response?.etag, response?.lastModified])).to.deep.equal(
      all.map(({ version, updated }) => [`W/"${version}"`, updated]),
    );
    expect(resourcesOf<Patient>(bundle).map(({ meta: _meta, ...patient }) => patient)).to.deep.equal(
      all.map(({ patient }) => patient),
    );
    expect(history.text).to.not.include('urn:passerelle');
    for (const { version, patient } of all) {
      const { meta, ...former } = (await strasbourg.get(`Patient/${id}/_history/${version}`)).json<Patient>();
      expect([meta?.versionId, former]).to.deep.equal([version, patient]);
    }
    expect(all.map(({ version }) => version)).to.deep.equal(['3', '2', '1']);
    for (const version of ['0', '4', '5'])
      expectOutcome(await strasbourg.get(`Patient/${id}/_history/${version}`), 404, 'not-found');
    const latest = await strasbourg.get(`Patient/${id}/_history?_since=${encodeURIComponent(third.updated)}`);
    expect(latest.json<Bundle>().entry).to.have.length(1);
  });

  it('tell what was taken for hers to nobody once it is apart', async () => {
    const { strasbourg } = story();
    const { id, herself, join, part } = await known('apart');
    await join({ telecom: MAIL });
    const joined = await readBy(strasbourg, id);
    expect(joined.patient.telecom).to.deep.equal(MAIL);
    await part({ telecom: MAIL });
    for (const caller of [strasbourg, herself.caller]) {
      expect(await textOf(caller, `Patient/${id}/_history`)).to.not.include(MAIL[0]?.value ?? '');
      expectOutcome(await caller.get(`Patient/${id}/_history/${joined.version}`), 404, 'not-found');
    }
    const now = await readBy(strasbourg, id);
    expect([Number(now.version) > Number(joined.version), now.updated > joined.updated]).to.deep.equal([true, true]);
  });

  it('of an identity are what its source writes on, and its readings name none', async () => {
    const { strasbourg } = story();
    const { id, herself, own, join, part } = await known('written');
    const write = async (version: string, birthDate: string) =>
      await strasbourg.send('PUT', `Patient/${id}`, { ...own, id, birthDate }, { 'if-match': `W/"${version}"` });
    await join();
    await part();
    const { version } = await readBy(strasbourg, id);
    const written = await write(version, '1979-05-16');
    expect(written.status, written.text).to.equal(200);
    expect(written.headers.get('etag')).to.equal('W/"2"');
    expect((await readBy(strasbourg, id)).version).to.equal('2');
    expectOutcome(await write(version, '1979-05-17'), 412, 'conflict');

    const named = await eventually(async () => {
      const events = await eventsOf(herself.caller, 'read');
      const all = events.flatMap(({ entity = [] }) => entity.flatMap(({ what }) => what?.reference ?? []));
      return all.filter((what) => what === `Patient/${id}`).length < 2 ? undefined : all;
    });
    expect(named.filter((what) => what.includes('_history'))).to.deep.equal([]);
  });

  it('go on when an identity is a person by itself again', async () => {
    const { nancy } = story();
    const { id, join, part } = await known('back');
    const own = await part();
    const alone = await readBy(nancy, own);
    expect(own).to.not.equal(id);
    await join();
    const replaced = (await nancy.get(`Patient/${own}/_history`)).json<Bundle<Patient>>();
    expect(replaced.entry?.map(({ resource }) => resource?.active)).to.deep.equal([false]);
    await part({ telecom: MAIL });
    const again = await readBy(nancy, own);
    expect([alone.version, again.version]).to.deep.equal(['1', '2']);
    expect(await changedFor(nancy, own, alone.updated)).to.equal(true);
    const bundle = (await nancy.get(`Patient/${own}/_history`)).json<Bundle<Patient>>();
    expect(bundle.entry?.map(({ response }) => response?.etag)).to.deep.equal(['W/"2"', 'W/"1"']);
  });
});

async function ownIdentifiers(caller: FhirCaller, id: string): Promise<NonNullable<Patient['identifier']>> {
  return (await caller.get(`Patient/${id}`)).json<Patient>().identifier ?? [];
}
