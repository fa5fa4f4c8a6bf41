/**
 * Two persons who were one by a mistake are two again: what was given to the wrong one on the strength of it ends, what
 * is clearly of one stays with her, and who looks after data protection is told what was opened meanwhile.
 */
import type { AuditEvent, CareTeam, Consent, Identifier, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { eventually, type FhirCaller } from '../../support/clients/fhir-caller.ts';
import { personCaller } from '../../support/demonstration.ts';
import { consentFor, count } from '../support/fhir-write.ts';
import { aLocalId, anINS, feed, idIn, judge, somebody } from './people.ts';
import { publish, signInAtPortal, tellOnEachStore, type Session } from './story.ts';

const NUMBERS = {
  'first-wrong': anINS(),
  'first-right': anINS(),
  namesake: anINS(),
  off: anINS(),
  on: anINS(),
  team: anINS(),
};
const EXAMS = 'ImagingStudy';
const CODE = 'Task?code=opened-meanwhile';

tellOnEachStore('Parted again (identity.md section 1)', { persons: NUMBERS }, (story) => {
  let doctor: FhirCaller;
  let emergency: FhirCaller;
  let office: FhirCaller;
  before(async () => {
    const { server } = story();
    doctor = await personCaller(server, 'demo-declared');
    emergency = await personCaller(server, 'demo-stranger');
    office = await personCaller(server, 'demo-region-dpo');
  });

  /** Nancy gives its patient the number of Strasbourg's, before or after Strasbourg knows her, and corrects it. */
  async function mistake(login: 'first-wrong' | 'first-right') {
    const isFirst = login === 'first-wrong';
    const [one, hers, others] = [somebody(), NUMBERS[login], isFirst ? NUMBERS.namesake : anINS()];
    const localIds = { strasbourg: aLocalId(), nancy: aLocalId() };
    const fed = async (at: 'strasbourg' | 'nancy', number: Identifier): Promise<string> => {
      const answer = await feed(story()[at], at, localIds[at], { ...one, numbers: [number] });
      expect(answer.status, answer.text).to.be.oneOf([200, 201]);
      return idIn(answer);
    };
    const published = async (at: 'strasbourg' | 'nancy') =>
      await publish(story(), { key: `${login}/${at}/${story().server.url}`, at, localId: localIds[at] });
    const wrong = isFirst ? await fed('nancy', hers) : undefined;
    if (isFirst) await published('nancy');
    const right = isFirst ? undefined : await fed('strasbourg', hers);
    if (!isFirst) await published('strasbourg');
    const earlier = await signInAtPortal(story(), login);
    const ids = [right ?? (await fed('strasbourg', hers)), wrong ?? (await fed('nancy', hers))] as const;
    await published(isFirst ? 'strasbourg' : 'nancy');
    const meanwhile = await signInAtPortal(story(), login);
    const declared = await emergency.send('POST', 'Patient/$break-glass', emergencyOf(hers));
    expect(declared.status, declared.text).to.equal(201);
    const { caller: patient, launched } = meanwhile;
    const shared = await patient.send('POST', 'Consent', consentFor(launched, 'Practitioner/demo-declared'));
    expect(shared.status, shared.text).to.equal(201);
    const waiting = consentFor(launched, '') as Consent;
    const identifier = { system: 'https://rpps.esante.gouv.fr', value: '10000000007' };
    const actor = (waiting.provision?.actor ?? []).map((each) => ({ ...each, reference: { identifier } }));
    const waits = await patient.send('POST', 'Consent', { ...waiting, provision: { ...waiting.provision, actor } });
    expect(waits.status, waits.text).to.equal(201);
    const circle = await patient.send('POST', 'CareTeam', circleWith(launched, 'Practitioner/demo-declared'));
    expect(circle.status, circle.text).to.equal(201);
    for (const caller of [earlier.caller, patient, doctor, emergency])
      expect(await caller.find(`ImagingStudy?patient=${ids[0]}`)).to.have.length(2);
    await fed('nancy', others);
    return { ids, earlier, meanwhile };
  }

  const taskOf = async (id: string): Promise<Task> =>
    await eventually(async () => (await office.find<Task>(CODE)).find((task) => JSON.stringify(task).includes(id)));

  describe('where the wrong one bore the number first', () => {
    let ids: readonly [string, string];
    let meanwhile: Session;
    before(async () => void ({ ids, meanwhile } = await mistake('first-wrong')));

    it('ends what was signed in to meanwhile', async () => {
      await eventually(async () => ((await meanwhile.caller.get(EXAMS)).status === 401 ? true : undefined));
      expect(await count((await signInAtPortal(story(), 'first-wrong')).caller, EXAMS)).to.equal(1);
    });

    it('ends emergencies, what the patient declared and her circle of meanwhile, and it is told', async () => {
      for (const caller of [doctor, emergency])
        for (const id of ids)
          await eventually(async () => ((await count(caller, `ImagingStudy?patient=${id}`)) === 0 ? true : undefined));
      const { caller } = await signInAtPortal(story(), 'namesake');
      const consents = await caller.find<Consent>('Consent');
      expect(consents.map(({ status }) => status)).to.deep.equal(['inactive', 'inactive', 'inactive']);
      const desk = await personCaller(story().server, 'demo-region-desk');
      const open = await desk.find<Task>('Task?code=correspondent-unknown&status=requested');
      expect(open.filter(({ for: whose }) => ids.some((id) => whose?.reference === `Patient/${id}`))).to.deep.equal([]);
      const teams = await caller.find<CareTeam>('CareTeam');
      expect(teams.map(({ status }) => status)).to.deep.equal(['inactive']);
      const events = await caller.find<AuditEvent>('AuditEvent?_count=100');
      const words = JSON.stringify(events).match(/ended: given while two persons were one/g);
      expect(words).to.have.length(4);
    });

    it('tells the data protection officer who opened what meanwhile, and nobody else', async () => {
      const task = await taskOf(ids[1]);
      const told = (task.input ?? []).flatMap(({ valueReference: { display } = {} }) => display ?? []);
      for (const who of ['Practitioner/demo-stranger', 'Practitioner/demo-declared', `Patient/${ids[1]}`])
        expect(told.join('\n')).to.include(` ${who} search-type Patient/${ids[1]}`);
      expect(JSON.stringify(task)).not.to.match(/2\.25\.|ID-\d|Ormélac/);
      const { validate } = await loadDefinitions();
      expect(() => validate(task)).to.not.throw();
      const passages = passagesOf(task);
      expect(passages).to.have.length(told.length);
      const emergencies = passages.filter((one) => one.who === 'Practitioner/demo-stranger');
      expect(emergencies.map(({ how }) => how)).to.include.members(['110127', 'search-type']);
      for (const { at, what } of emergencies) {
        expect(Date.parse(at)).to.be.within(startOf(task), endOf(task));
        expect(ids.map((id) => `Patient/${id}`)).to.include(what[0]);
      }
      // What was asked, from where, and by which token is for the person herself.
      expect(JSON.stringify(task.contained)).not.to.match(/"query"|"detail"|"network"|"policy"/);
      const { caller } = await signInAtPortal(story(), 'first-wrong');
      for (const other of [caller, emergency, doctor, story().nancy])
        expect(await other.find<Task>(CODE)).to.deep.equal([]);
    });
  });

  it('a team that was the other one’s goes out of her Consent, and whom she named beside it stays', async () => {
    const one = somebody();
    const localId = aLocalId();
    const hers = await feed(story().strasbourg, 'strasbourg', localId, { ...one, numbers: [NUMBERS.team] });
    const theirs = await feed(story().nancy, 'nancy', aLocalId(), one);
    await publish(story(), { key: `team/${story().server.url}`, at: 'strasbourg', localId });
    const desk = await personCaller(story().server, 'demo-region-desk');
    const two = [idIn(hers), idIn(theirs)] as const;
    expect((await judge(desk, 'join', two)).status).to.equal(200);
    const participant = [{ member: { reference: 'Practitioner/demo-stranger' } }];
    const subject = { reference: `Patient/${two[1]}` };
    const team = { resourceType: 'CareTeam', status: 'active', subject, participant };
    const filed = await story().nancy.send('POST', 'CareTeam', team);
    expect(filed.status, filed.text).to.equal(201);
    const { caller: patient, launched } = await signInAtPortal(story(), 'team');
    const consent = consentFor(launched, `CareTeam/${idIn(filed)}`) as Consent;
    const [ofTeam] = consent.provision?.actor ?? [];
    const beside = { role: ofTeam?.role ?? {}, reference: { reference: 'Practitioner/demo-declared' } };
    const actor = [...(consent.provision?.actor ?? []), beside];
    const said = await patient.send('POST', 'Consent', { ...consent, provision: { ...consent.provision, actor } });
    expect(said.status, said.text).to.equal(201);
    const exams = `${EXAMS}?patient=${two[0]}`;
    const seen = async () => [await count(emergency, exams), await count(doctor, exams)];
    expect(await seen()).to.deep.equal([1, 1]);
    expect((await judge(desk, 'separate', two)).status).to.equal(200);
    await eventually(async () => ((await seen())[0] === 0 ? true : undefined));
    expect(await seen()).to.deep.equal([0, 1]);
    const left = (await patient.get(`Consent/${idIn(said)}`)).json<Consent>();
    expect([left.status, left.provision?.actor]).to.deep.equal(['active', [beside]]);
  });

  it('leaves the account of the other one as it was, whoever turned hers off meanwhile', async () => {
    const one = somebody();
    const [localId, others] = [aLocalId(), aLocalId()];
    const fed = async (at: 'strasbourg' | 'nancy', number: Identifier): Promise<void> => {
      const answer = await feed(story()[at], at, at === 'strasbourg' ? localId : others, { ...one, numbers: [number] });
      expect(answer.status, answer.text).to.be.oneOf([200, 201]);
    };
    await fed('strasbourg', NUMBERS.off);
    await fed('nancy', NUMBERS.off);
    const { caller } = await signInAtPortal(story(), 'off');
    const off = { resourceType: 'Parameters', parameter: [{ name: 'active', valueBoolean: false }] };
    expect((await caller.send('POST', 'Patient/$set-account', off)).status).to.equal(200);
    expect((await caller.get(EXAMS)).status).to.equal(401);
    await fed('nancy', NUMBERS.on);
    const other = await signInAtPortal(story(), 'on');
    expect((await other.caller.get(EXAMS)).status).to.equal(200);
    expect((await caller.get(EXAMS)).status).to.equal(401);
  });

  it('leaves with each what is clearly hers: the number is hers alone', async () => {
    const { ids, earlier, meanwhile } = await mistake('first-right');
    await taskOf(ids[0]);
    for (const caller of [earlier.caller, meanwhile.caller, doctor, emergency]) {
      expect(await count(caller, `ImagingStudy?patient=${ids[0]}`)).to.equal(1);
      expect(await count(caller, `ImagingStudy?patient=${ids[1]}`)).to.equal(0);
    }
    const events = await earlier.caller.find<AuditEvent>('AuditEvent?_count=100');
    expect(JSON.stringify(events)).not.to.include('ended: given while');
  });
});

/** The passages of a Task, each by the event that it contains. */
function passagesOf({ input = [], contained = [] }: Task) {
  const references = input
    .flatMap(({ valueReference }) => valueReference ?? [])
    .filter(({ type }) => type !== undefined);
  return references.map(({ reference = '' }) => {
    const event = contained.find((one): one is AuditEvent => `#${one.id}` === reference);
    const { recorded = '', subtype = [], agent = [], entity = [] } = event ?? expect.fail(`${reference} is nowhere`);
    return {
      at: recorded,
      who: agent.find(({ requestor }) => requestor)?.who?.reference,
      how: subtype[0]?.code,
      what: entity.map(({ what }) => what?.reference),
    };
  });
}

function startOf({ executionPeriod }: Task): number {
  return Date.parse(executionPeriod?.start ?? '');
}

function endOf({ executionPeriod }: Task): number {
  return Date.parse(executionPeriod?.end ?? '');
}

function circleWith(patient: string, reference: string): CareTeam {
  return {
    resourceType: 'CareTeam',
    status: 'active',
    category: [{ coding: [{ system: CODE_SYSTEM.recordCircle, code: 'circle' }] }],
    subject: { reference: `Patient/${patient}` },
    participant: [{ member: { reference } }],
  };
}

function emergencyOf(identifier: Identifier): object {
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'identifier', valueIdentifier: identifier },
      { name: 'reason', valueCode: 'ETREAT' },
      { name: 'justification', valueString: 'Patiente inconsciente aux urgences' },
    ],
  };
}
