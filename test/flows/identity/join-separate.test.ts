/** A desk says who is who: what joins parts again, and leaves everything as it was. */
import type { Parameters, Patient, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { expectOutcome, type FhirCaller } from '../../support/clients/fhir-caller.ts';
import { establishmentCaller, personCaller } from '../../support/demonstration.ts';
import { onEachStore } from '../support/each-store.ts';
import { openTrail } from '../support/trail.ts';
import { aLocalId, anINS, domainOf, feed, idIn, judge, somebody, type Somebody } from './people.ts';

type Two = readonly [one: string, other: string];

onEachStore('Patient/$join and $separate (identity.md section 2)', {}, (running) => {
  let strasbourg: FhirCaller;
  let nancy: FhirCaller;
  let regionDesk: FhirCaller;
  let strasbourgDesk: FhirCaller;
  before(async () => {
    const { server } = running();
    strasbourg = await establishmentCaller(server, 'strasbourg');
    nancy = await establishmentCaller(server, 'nancy');
    regionDesk = await personCaller(server, 'demo-region-desk');
    strasbourgDesk = await personCaller(server, 'demo-strasbourg-desk');
  });

  const fed = async (caller: FhirCaller, key: 'strasbourg' | 'nancy', one: Somebody): Promise<string> => {
    const answer = await feed(caller, key, aLocalId(), one);
    expect(answer.status, answer.text).to.equal(201);
    return idIn(answer);
  };
  /** One person whom two establishments know under local numbers alone. */
  const known = async (): Promise<Two> => {
    const one = somebody();
    return [await fed(strasbourg, 'strasbourg', one), await fed(nancy, 'nancy', one)];
  };
  const read = async (caller: FhirCaller, id: string): Promise<Patient> => {
    const answer = await caller.get(`Patient/${id}`);
    expect(answer.status, answer.text).to.equal(200);
    const { meta: _meta, ...patient } = answer.json<Patient>();
    return patient;
  };
  /** What both establishments are shown of both. */
  const shown = async ([one, other]: Two): Promise<unknown> => ({
    strasbourg: await read(strasbourg, one),
    nancy: await read(nancy, other),
    across: [(await strasbourg.get(`Patient/${other}`)).status, (await nancy.get(`Patient/${one}`)).status],
  });
  const reviews = async (caller: FhirCaller, id: string): Promise<readonly Task[]> =>
    (await caller.find<Task>('Task?_count=200')).filter((task) => JSON.stringify(task).includes(`Patient/${id}`));

  it('makes two identities one person, and two again: every reader sees what was seen before', async () => {
    const two = await known();
    const before = await shown(two);
    const joined = await judge(regionDesk, 'join', two);
    expect(joined.status, joined.text).to.equal(200);
    expect(joined.json()).to.deep.include({
      parameter: [{ name: 'return', valueReference: { reference: `Patient/${two[0]}` } }],
    });
    expect(await read(nancy, two[1])).to.deep.include({
      active: false,
      link: [{ other: { reference: `Patient/${two[0]}` }, type: 'replaced-by' }],
    });
    expect(await read(nancy, two[0])).to.include({ active: true });
    const separated = await judge(regionDesk, 'separate', two);
    expect(separated.status, separated.text).to.equal(200);
    expect(await shown(two)).to.deep.equal(before);
  });

  it('is undone when the desk erred against qualified numbers, too', async () => {
    const one = somebody({ numbers: [anINS()] });
    const two: Two = [await fed(strasbourg, 'strasbourg', one), await fed(nancy, 'nancy', one)];
    const before = await read(nancy, two[0]);
    expect((await judge(regionDesk, 'separate', two)).status).to.equal(200);
    expectOutcome(await nancy.get(`Patient/${two[0]}`), 404, 'not-found');
    expect((await read(nancy, two[1])).active).to.equal(true);
    expect((await judge(regionDesk, 'join', two)).status).to.equal(200);
    expect(await read(nancy, two[0])).to.deep.equal(before);
  });

  it('ends the review of two that bear one number and contradict each other', async () => {
    const numbers = [anINS()];
    const two: Two = [
      await fed(strasbourg, 'strasbourg', somebody({ numbers })),
      await fed(nancy, 'nancy', somebody({ numbers, given: 'Bérangère', birthDate: '1991-02-03' })),
    ];
    const [asked, ...more] = await reviews(regionDesk, two[1]);
    expect(more).to.deep.equal([]);
    expect(asked).to.include({ status: 'requested' });
    expect(JSON.stringify(asked?.reasonCode)).to.include('traits');
    for (const nobody of [nancy, strasbourg]) expect(await reviews(nobody, two[1])).to.deep.equal([]);
    expect(await reviews(strasbourgDesk, two[1])).to.have.lengthOf(1);
    expect((await judge(regionDesk, 'separate', two)).status).to.equal(200);
    expect((await reviews(regionDesk, two[1])).map(({ status }) => status)).to.deep.equal(['completed']);
  });

  it('is said by an establishment’s desk of its own identities alone', async () => {
    const one = somebody();
    const own: Two = [await fed(strasbourg, 'strasbourg', one), await fed(strasbourg, 'strasbourg', one)];
    expect((await judge(strasbourgDesk, 'join', own)).status).to.equal(200);
    expectOutcome(await judge(strasbourgDesk, 'join', await known()), 404, 'not-found');
    for (const caller of [strasbourg, await personCaller(running().server, 'demo-radiologist')])
      expectOutcome(await judge(caller, 'separate', own), 403, 'forbidden');
  });

  it('names identities by the numbers of their domains, too', async () => {
    const one = somebody();
    const [here, there] = [aLocalId(), aLocalId()];
    const older = idIn(await feed(strasbourg, 'strasbourg', here, one));
    const later = idIn(await feed(nancy, 'nancy', there, one));
    const named = (name: string, system: string, value: string) => ({
      name,
      valueReference: { identifier: { system, value } },
    });
    const body = (value: string): Parameters => ({
      resourceType: 'Parameters',
      parameter: [
        named('patient', domainOf('strasbourg'), here),
        named('other', domainOf('nancy'), value),
        { name: 'reason', valueString: 'Le livret de famille' },
      ],
    });
    expectOutcome(await regionDesk.send('POST', 'Patient/$join', body('unknown')), 404, 'not-found');
    const joined = await regionDesk.send('POST', 'Patient/$join', body(there));
    expect(joined.status, joined.text).to.equal(200);
    expect((await read(nancy, later)).link?.[0]?.other.reference).to.equal(`Patient/${older}`);
  });

  it('is refused where it says nothing, or nothing new', async () => {
    const two = await known();
    expectOutcome(await judge(regionDesk, 'join', two, null), 400, 'required');
    expectOutcome(await judge(regionDesk, 'join', [two[0], two[0]]), 400, 'invalid');
    expectOutcome(await judge(regionDesk, 'join', [two[0], 'nobody']), 404, 'not-found');
    expect((await judge(regionDesk, 'join', two)).status).to.equal(200);
    expectOutcome(await judge(regionDesk, 'join', two), 409, 'conflict');
  });

  it('is told to whom it is about, with the reason; of two who are parted each hears of her own identity', async () => {
    const two = await known();
    expect((await judge(regionDesk, 'join', two, 'Le livret de famille')).status).to.equal(200);
    expect((await judge(regionDesk, 'separate', two, 'Une erreur')).status).to.equal(200);
    const trail = await openTrail(running().store, running().server.dataDir);
    const told = async (reason: string): Promise<readonly string[]> =>
      (await trail.eventsNaming(reason)).map(({ event }) => JSON.stringify(event));
    try {
      const [joined, parted] = [await told('Le livret de famille'), await told('Une erreur')];
      for (const [own, foreign] of [two, two.toReversed()] as const) {
        expect(
          joined.filter((event) => event.includes(`Patient/${own}`)),
          'joined',
        ).to.not.deep.equal([]);
        const hers = parted.filter((event) => event.includes(`Patient/${own}`));
        expect(hers, 'parted').to.have.lengthOf(1);
        expect(hers[0]).to.not.include(`Patient/${foreign}`);
      }
    } finally {
      await trail.close();
    }
  });
});
