/** Numbers that a source may not rest on: they are kept as it said them, shown to it alone, and join nobody. */
import type { OperationOutcome } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { expectOutcome } from '../../support/clients/fhir-caller.ts';
import { visited } from '../support/feed.ts';
import { consentFor } from '../support/fhir-write.ts';
import { aLocalId, aMatricule, anINS, domainOf, feed, idIn, patientOf, somebody, valuesOf } from './people.ts';
import {
  examsAt,
  expectToldAsBefore,
  foundBy,
  openPortal,
  ownPatient,
  portalOf,
  publish,
  signInAtPortal,
  tellOnEachStore,
  toldToAll,
  uidsOf,
  type Session,
  type Told,
} from './story.ts';

const { insNirTest, matricule } = IDENTIFIER_SYSTEM;
const [ins, number] = [anINS(), aMatricule('1983-02-09')];
/** Under which the region names whoever has no other number. */
const OWN_SYSTEM = 'urn:oid:2.25.186985072874225505166103600283483536615';
const french = somebody({ numbers: [ins] });
const luxembourgish = somebody({ given: 'Maëva', birthDate: '1983-02-09', numbers: [number], status: 'QUAL' });
const REGION = {
  persons: { french: ins, luxembourgish: number },
  qualifies: { strasbourg: [insNirTest, matricule] },
};

tellOnEachStore('Numbers that join nobody (identity.md section 2)', REGION, (story) => {
  const [inNancy, inLuxembourg] = [aLocalId(), aLocalId()];
  let sessions: { readonly french: Session; readonly luxembourgish: Session };
  const told = async (): Promise<Told> =>
    await toldToAll(story(), { french: sessions.french.caller, luxembourgish: sessions.luxembourgish.caller });
  let exams: { readonly french: readonly string[]; readonly luxembourgish: readonly string[] };

  before(async () => {
    for (const fed of [
      await feed(story().nancy, 'nancy', inNancy, french),
      await feed(story().luxembourg, 'luxembourg', inLuxembourg, luxembourgish),
    ])
      expect(fed.status, fed.text).to.equal(201);
    const prefix = `unqualified/${story().server.url}`;
    exams = {
      french: uidsOf(await publish(story(), { key: `${prefix}/french`, at: 'nancy', localId: inNancy })),
      luxembourgish: uidsOf(await publish(story(), { key: `${prefix}/lu`, at: 'luxembourg', localId: inLuxembourg })),
    };
    sessions = {
      french: await signInAtPortal(story(), 'french'),
      luxembourgish: await signInAtPortal(story(), 'luxembourgish'),
    };
  });

  it('A2 the numbers of two persons in one Patient join nobody, and what made them known is undone', async () => {
    const { strasbourg, nancy, luxembourg } = story();
    const before = await told();
    const localId = aLocalId();
    const both = { ...french, numbers: [ins, number] };
    const posted = await strasbourg.send('POST', 'Patient', patientOf('strasbourg', localId, both));
    expect(posted.status, posted.text).to.equal(201);
    for (const who of ['french', 'luxembourgish'] as const) {
      expect((await portalOf(sessions[who])).exams, who).to.deep.equal(exams[who]);
      // A number that two bear signs nobody in by itself.
      const refused = await signInAtPortal(story(), who).catch(String);
      expect(refused, who).to.include('Sign-in stopped (403)');
    }
    expect(await examsAt(story(), 'strasbourg', localId)).to.deep.equal([]);
    expect((await ownPatient(story(), 'strasbourg', localId)).id).to.equal(idIn(posted));
    for (const [caller, theirs, id] of [
      [nancy, ins, inNancy],
      [luxembourg, number, inLuxembourg],
    ] as const) {
      const [found, ...others] = await foundBy(caller, theirs.system ?? '', theirs.value);
      expect(others).to.deep.equal([]);
      expect(JSON.stringify(found)).to.include(id).and.not.include(localId);
    }
    const corrected = await feed(strasbourg, 'strasbourg', localId, { ...somebody(), numbers: [] });
    expect(corrected.status, corrected.text).to.equal(200);
    const after = await told();
    expectToldAsBefore(withoutOwn(after, idIn(posted)), before);
  });

  it('A2 one image with the numbers of both joins nobody, either', async () => {
    const localId = aLocalId();
    const others = [ins, number].map(({ system = '', value = '' }) => ({
      PatientID: value,
      TypeOfPatientID: 'TEXT',
      IssuerOfPatientIDQualifiersSequence: [
        { UniversalEntityID: system.replace('urn:oid:', ''), UniversalEntityIDType: 'ISO' },
      ],
    }));
    const attributes = { OtherPatientIDsSequence: others };
    const key = `unqualified/${story().server.url}/image`;
    const study = await publish(story(), { key, at: 'strasbourg', localId, attributes });
    for (const who of ['french', 'luxembourgish'] as const)
      expect((await portalOf(sessions[who])).exams, who).to.deep.equal(exams[who]);
    expect(await examsAt(story(), 'strasbourg', localId)).to.deep.equal(uidsOf(study));
    expect(await examsAt(story(), 'nancy', inNancy)).to.deep.equal(exams.french);
    // Until the establishment says who it is.
    const fed = await feed(story().strasbourg, 'strasbourg', localId, somebody());
    expect(fed.status, fed.text).to.equal(200);
    for (const who of ['french', 'luxembourgish'] as const)
      expect((await openPortal(story(), who)).exams, who).to.deep.equal(exams[who]);
    expect(await examsAt(story(), 'strasbourg', localId)).to.deep.equal(uidsOf(study));
  });

  for (const status of ['PROV', 'VALI', 'RECUP', 'VIDE']) {
    it(`A3 another’s INS of status ${status} is shown to its source alone`, async () => {
      const { strasbourg, nancy } = story();
      const localId = aLocalId();
      const fed = await feed(strasbourg, 'strasbourg', localId, { ...french, status });
      expect(fed.status, fed.text).to.equal(201);
      const own = await ownPatient(story(), 'strasbourg', localId);
      expect([own.id, valuesOf(own, insNirTest)]).to.deep.equal([idIn(fed), [ins.value]]);
      expect((await foundBy(strasbourg, insNirTest, ins.value)).map(({ id }) => id)).to.include(own.id);
      expect((await foundBy(nancy, insNirTest, ins.value)).map(({ id }) => id)).to.deep.equal([
        (await ownPatient(story(), 'nancy', inNancy)).id,
      ]);
      expectOutcome(await nancy.get(`Patient/${own.id}`), 404, 'not-found');
      expect((await openPortal(story(), 'french')).exams).to.deep.equal(exams.french);
      expect((await openPortal(story(), 'french')).patient.id).to.equal(sessions.french.launched);
      // Without the number the same Patient is found by it no more.
      expect((await feed(strasbourg, 'strasbourg', localId, { ...french, numbers: [] })).status).to.equal(200);
      expect((await foundBy(strasbourg, insNirTest, ins.value)).map(({ id }) => id)).to.not.include(own.id);
    });
  }

  it('A3 a qualified INS with traits of somebody else joins nobody', async () => {
    for (const traits of [
      { birthDate: '1980-01-01' },
      { gender: 'male' },
      { family: 'Quermélian' },
      { given: 'Bérangère' },
    ] as const) {
      const localId = aLocalId();
      const fed = await feed(story().strasbourg, 'strasbourg', localId, { ...french, ...traits });
      expect(fed.status, fed.text).to.equal(201);
      expect((await ownPatient(story(), 'strasbourg', localId)).id, JSON.stringify(traits)).to.equal(idIn(fed));
      expect((await portalOf(sessions.french)).exams).to.deep.equal(exams.french);
      expect(
        (await feed(story().strasbourg, 'strasbourg', localId, { ...french, ...traits, numbers: [] })).status,
      ).to.equal(200);
    }
  });

  it('A3 a number that cannot be one of its system is refused, naming it, and nothing stands', async () => {
    const wrongKey = `${ins.value?.slice(0, 13)}${ins.value?.endsWith('01') === true ? '02' : '01'}`;
    for (const [system, value] of [
      [insNirTest, '000000000000000'],
      [insNirTest, 'hello'],
      [insNirTest, wrongKey],
      [insNirTest, ins.value?.slice(0, 13) ?? ''],
      [matricule, 'ABC'],
      [matricule, '1983023000199'],
    ] as const) {
      const localId = aLocalId();
      const answer = await feed(story().strasbourg, 'strasbourg', localId, { ...french, numbers: [{ system, value }] });
      expectOutcome(answer, 400, 'invalid');
      expect(answer.json<OperationOutcome>().issue[0]?.expression, value).to.deep.equal(['Patient.identifier[1]']);
      expect(await foundBy(story().strasbourg, domainOf('strasbourg'), localId)).to.deep.equal([]);
    }
  });

  it('A3 a correction takes everything with it, and gives everything back', async () => {
    const { strasbourg } = story();
    const localId = aLocalId();
    const traits = { ...french, numbers: [] };
    const fed = await feed(strasbourg, 'strasbourg', localId, traits);
    const study = await publish(story(), {
      key: `unqualified/${story().server.url}/wrong`,
      at: 'strasbourg',
      localId,
    });
    const before = await told();
    expect((await feed(strasbourg, 'strasbourg', localId, { ...french, numbers: [ins] })).status).to.equal(200);
    const portal = await openPortal(story(), 'french');
    expect(portal.exams).to.deep.equal([...exams.french, ...uidsOf(study)].toSorted());
    expect(portal.documents).to.have.length(4);
    expect((await ownPatient(story(), 'strasbourg', localId)).id)
      .to.equal(portal.patient.id)
      .and.not.equal(idIn(fed));
    expect(await examsAt(story(), 'nancy', inNancy)).to.deep.equal(exams.french);
    expect(portal.events.filter(({ agent }) => JSON.stringify(agent).includes('demo-strasbourg'))).to.not.have.length(
      0,
    );
    expect((await feed(strasbourg, 'strasbourg', localId, { ...traits, numbers: [anINS()] })).status).to.equal(200);
    expect((await openPortal(story(), 'french')).exams).to.deep.equal(exams.french);
    expect((await ownPatient(story(), 'strasbourg', localId)).id).to.equal(idIn(fed));
    expect((await feed(strasbourg, 'strasbourg', localId, traits)).status).to.equal(200);
    expectToldAsBefore(await told(), before);
  });

  it('A4 an identifier of another establishment’s domain names no Patient of the sender’s', async () => {
    const { strasbourg, nancy } = story();
    const unused = aLocalId();
    const answer = await strasbourg.send(
      'PUT',
      `Patient?identifier=${domainOf('nancy')}|${unused}`,
      patientOf('nancy', unused, french),
    );
    expectOutcome(answer, 422, 'business-rule');
    expect(answer.json<OperationOutcome>().issue[0]?.expression).to.deep.equal(['Patient.identifier']);
    // Nor does a system that is nobody's: the region's own, and those of what names itself.
    for (const system of [OWN_SYSTEM, IDENTIFIER_SYSTEM.dicomUid, IDENTIFIER_SYSTEM.uri]) {
      const { identifier: _own, ...nobody } = patientOf('strasbourg', unused, french);
      const identifier = [{ system, value: inNancy }];
      const reserved = await strasbourg.send('PUT', `Patient?identifier=${system}|${inNancy}`, {
        ...nobody,
        identifier,
      });
      expectOutcome(reserved, 422, 'business-rule');
      expectOutcome(await strasbourg.send('POST', 'Patient', { ...nobody, identifier }), 400, 'required');
    }
    const posted = await strasbourg.send('POST', 'Patient', patientOf('nancy', unused, french));
    expect(posted.status, posted.text).to.be.oneOf([400, 422]);
    for (const caller of [strasbourg, nancy])
      expect(await foundBy(caller, domainOf('nancy'), unused)).to.deep.equal([]);
    // The number is still free for whose it is.
    const made = await feed(nancy, 'nancy', unused, somebody());
    expect(made.status, made.text).to.equal(201);
    await visited(nancy, idIn(made));
    const consent = await nancy.send('POST', 'Consent', consentFor(idIn(made), 'Practitioner/demo-stranger'));
    expect(consent.status, consent.text).to.equal(201);
    expect(await strasbourg.find(`Consent?patient=${idIn(made)}`)).to.deep.equal([]);
  });

  it('A4 a Patient of another establishment is written by no way: by id, condition, patch or delete', async () => {
    const { strasbourg, nancy } = story();
    const localId = aLocalId();
    const made = await feed(nancy, 'nancy', localId, french);
    expect(made.status, made.text).to.equal(201);
    const [path, byNumber] = [`Patient/${idIn(made)}`, `Patient?identifier=${domainOf('nancy')}|${localId}`];
    const before = await told();
    const said = patientOf('strasbourg', aLocalId(), french);
    const patch = [{ op: 'replace', path: '/gender', value: 'male' }];
    const noneThere = { 'if-none-exist': byNumber.replace('Patient?', '') };
    for (const [status, answer] of [
      [404, await strasbourg.send('PUT', path, { ...said, id: idIn(made) })],
      [404, await strasbourg.send('PATCH', path, patch, { 'content-type': 'application/json-patch+json' })],
      [422, await strasbourg.send('PATCH', byNumber, patch, { 'content-type': 'application/json-patch+json' })],
      [422, await strasbourg.send('POST', 'Patient', said, noneThere)],
      [405, await strasbourg.send('DELETE', path)],
      [405, await strasbourg.send('DELETE', byNumber)],
      [501, await strasbourg.send('PUT', `Patient?identifier=${ins.system}|${ins.value}`, said)],
    ] as const)
      expectOutcome(answer, status);
    expectToldAsBefore(await told(), before);
  });

  it('A4 a further identifier of another establishment is told to its source alone, and joins nobody', async () => {
    const { strasbourg, nancy, stranger } = story();
    const before = await told();
    const localId = aLocalId();
    const foreign = { ...somebody(), numbers: [{ system: domainOf('nancy'), value: inNancy }] };
    const fed = await feed(strasbourg, 'strasbourg', localId, foreign);
    expect(fed.status, fed.text).to.equal(201);
    const found = async (caller: typeof strasbourg): Promise<readonly (string | undefined)[]> =>
      (await foundBy(caller, domainOf('nancy'), inNancy)).map(({ id }) => id);
    expect(await found(strasbourg)).to.deep.equal([idIn(fed)]);
    expect(await found(nancy)).to.deep.equal([(await ownPatient(story(), 'nancy', inNancy)).id]);
    expect(await found(stranger)).to.deep.equal([]);
    const withoutNew = withoutOwn(await told(), idIn(fed));
    expectToldAsBefore(withoutNew, before);
    await visited(strasbourg, idIn(fed));
    const consent = await strasbourg.send('POST', 'Consent', consentFor(idIn(fed), 'Practitioner/demo-stranger'));
    expect(consent.status, consent.text).to.equal(201);
    expect(await stranger.find(`ImagingStudy?patient.identifier=${domainOf('nancy')}|${inNancy}`)).to.deep.equal([]);
  });
});

/** What is told but for one Patient. */
function withoutOwn(told: Told, id: string): Told {
  const without = (values: readonly unknown[]): readonly unknown[] =>
    values.filter((one) => (one as { readonly id?: string }).id !== id);
  return Object.fromEntries(Object.entries(told).map(([name, values]) => [name, without(values)]));
}
