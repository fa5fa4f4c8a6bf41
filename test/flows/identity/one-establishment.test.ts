/** What one establishment knows of a person under several numbers: duplicates, merges (ITI-104), and their end. */
import type { Patient, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { expectOutcome, type FhirAnswer } from '../../support/clients/fhir-caller.ts';
import { transactionOf } from '../support/fhir-write.ts';
import { aLocalId, anINS, domainOf, feed, idIn, patientOf, somebody, valuesOf, type Somebody } from './people.ts';
import {
  examsAt,
  examsOf,
  expectToldAsBefore,
  feedsOf,
  foundBy,
  openPortal,
  ownPatient,
  signInAtPortal,
  tellOnEachStore,
  toldToAll,
  uidsOf,
} from './story.ts';

const { insNirTest } = IDENTIFIER_SYSTEM;
const numbers = { everywhere: anINS(), doubled: anINS(), merged: anINS(), found: anINS() };
const REGION = { persons: numbers, qualifies: { luxembourg: [insNirTest] } };

tellOnEachStore('Several numbers of one person (identity.md sections 1 and 2)', REGION, (story) => {
  const known = (login: keyof typeof numbers): Somebody => somebody({ numbers: [numbers[login]] });
  const accepted = feedsOf(story);
  const exam = examsOf(story);
  const replacedBy = (localId: string): Partial<Patient> => ({
    active: false,
    link: [{ other: { identifier: { system: domainOf('strasbourg'), value: localId } }, type: 'replaced-by' }],
  });

  it('A15 the Patient of the launch context has the exams of every establishment', async () => {
    const one = known('everywhere');
    const places = [
      ['strasbourg', aLocalId()],
      ['nancy', aLocalId()],
      ['luxembourg', aLocalId()],
    ] as const;
    const exams = [];
    for (const [at, localId] of places) {
      await accepted(at, localId, one);
      exams.push(await exam('everywhere', at, localId));
    }
    const portal = await openPortal(story(), 'everywhere');
    expect(portal.exams).to.deep.equal(uidsOf(...exams));
    expect(portal.documents).to.have.length(2 * exams.length);
    for (const [at, localId] of places) {
      expect(valuesOf(portal.patient, domainOf(at))).to.deep.equal([localId]);
      expect(await examsAt(story(), at, localId)).to.have.length(1);
      expect(JSON.stringify(portal.events), at).to.include(ESTABLISHMENTS[at].organization);
    }
    expect(await foundBy(story().stranger, insNirTest, numbers.everywhere.value)).to.deep.equal([]);
    expect(await story().stranger.find(`ImagingStudy?patient=${portal.patient.id}`)).to.deep.equal([]);
  });

  it('two numbers with one INS are one Patient with both, hidden from others, until one is corrected', async () => {
    const [first, second] = [aLocalId(), aLocalId()];
    const one = known('doubled');
    const older = await accepted('strasbourg', first, one);
    const later = await accepted('strasbourg', second, { ...one, numbers: [] });
    const exams = [await exam('doubled/1', 'strasbourg', first), await exam('doubled/2', 'strasbourg', second)];
    const { caller } = await signInAtPortal(story(), 'doubled');
    const before = await toldToAll(story(), { patient: caller });
    await accepted('strasbourg', second, one);
    for (const localId of [first, second]) {
      const seen = await ownPatient(story(), 'strasbourg', localId);
      expect(seen.id).to.equal(idIn(older));
      expect(valuesOf(seen, domainOf('strasbourg'))).to.have.members([first, second]);
      expect(await examsAt(story(), 'strasbourg', localId)).to.deep.equal(uidsOf(...exams));
    }
    const asked = await story().strasbourg.find<Task>('Task?code=identity-review&status=requested&_count=200');
    const named = asked.map(({ input = [] }) => input.map(({ valueReference }) => valueReference?.reference));
    expect(named, 'both are named').to.deep.include([`Patient/${idIn(later)}`, `Patient/${idIn(older)}`]);
    const elsewhere = aLocalId();
    await accepted('nancy', elsewhere, one);
    const inNancy = await ownPatient(story(), 'nancy', elsewhere);
    expect([inNancy.id, valuesOf(inNancy, domainOf('strasbourg'))]).to.deep.equal([idIn(older), []]);
    expect((await openPortal(story(), 'doubled')).exams).to.deep.equal(uidsOf(...exams));
    await accepted('nancy', elsewhere, somebody());
    await accepted('strasbourg', second, { ...one, numbers: [] });
    expect((await ownPatient(story(), 'strasbourg', second)).id).to.equal(idIn(later));
    const after = await toldToAll(story(), { patient: caller });
    expectToldAsBefore({ ...after, 'nancy: Patient': [] }, { ...before, 'nancy: Patient': [] });
  });

  it('A16 a merge gives the exams of the former number to the other, and the next update takes them back', async () => {
    const [kept, former] = [aLocalId(), aLocalId()];
    const one = known('merged');
    const survivor = await accepted('strasbourg', kept, one);
    const merged = await accepted('strasbourg', former, { ...one, numbers: [] });
    const exams = [await exam('merged/1', 'strasbourg', kept), await exam('merged/2', 'strasbourg', former)];
    const { caller } = await signInAtPortal(story(), 'merged');
    const before = await toldToAll(story(), { patient: caller });
    await accepted('strasbourg', former, { ...one, numbers: [] }, replacedBy(kept));
    expect((await openPortal(story(), 'merged')).exams).to.deep.equal(uidsOf(...exams));
    expect(await examsAt(story(), 'strasbourg', kept)).to.deep.equal(uidsOf(...exams));
    const read = await story().strasbourg.get(`Patient/${idIn(merged)}`);
    expect(read.json<Patient>(), read.text).to.deep.include({
      active: false,
      link: [{ other: { reference: `Patient/${idIn(survivor)}` }, type: 'replaced-by' }],
    });
    const bySearch = await story().strasbourg.find(`ImagingStudy?patient=${idIn(merged)}`);
    expect(bySearch, 'found by the former id').to.have.length(2);
    for (const other of [story().nancy, story().stranger])
      expectOutcome(await other.get(`Patient/${idIn(merged)}`), 404, 'not-found');
    await accepted('strasbourg', former, { ...one, numbers: [] });
    expectToldAsBefore(await toldToAll(story(), { patient: caller }), before);
    expect((await story().strasbourg.get(`Patient/${idIn(merged)}`)).json<Patient>()).to.deep.include({ active: true });
  });

  it('A16 a merge names a Patient of the same establishment, and one that is not active any more', async () => {
    const [own, foreign] = [aLocalId(), aLocalId()];
    const one = somebody();
    const made = await accepted('strasbourg', own, one);
    const theirs = await accepted('nancy', foreign, somebody());
    const before = await toldToAll(story());
    const link = (other: object): Partial<Patient> => ({ active: false, link: [{ other, type: 'replaced-by' }] });
    for (const more of [
      link({ reference: `Patient/${idIn(theirs)}` }),
      link({ identifier: { system: domainOf('nancy'), value: foreign } }),
      link({ reference: `Patient/${idIn(made)}` }),
      link({ reference: 'Patient/nobody' }),
      { ...replacedBy(own), active: true },
    ]) {
      const answer: FhirAnswer = await feed(story().strasbourg, 'strasbourg', own, one, more);
      expectOutcome(answer, 422, 'business-rule');
    }
    expectToldAsBefore(await toldToAll(story()), before);
  });

  it('A16 merges that lead back are refused: one Patient is left of them', async () => {
    const one = somebody();
    const numbers = [aLocalId(), aLocalId(), aLocalId()] as const;
    for (const localId of numbers) await accepted('strasbourg', localId, one);
    const [first, second, third] = numbers;
    await accepted('strasbourg', first, one, replacedBy(second));
    await accepted('strasbourg', second, one, replacedBy(third));
    const before = await toldToAll(story());
    for (const [localId, into] of [
      [second, first],
      [third, first],
      [third, second],
    ] as const) {
      const answer = await feed(story().strasbourg, 'strasbourg', localId, one, replacedBy(into));
      expectOutcome(answer, 422, 'business-rule');
    }
    expectToldAsBefore(await toldToAll(story()), before);
    for (const localId of numbers)
      expect((await ownPatient(story(), 'strasbourg', localId)).active, localId).to.equal(true);
  });

  it('two Patients of one person are not changed by one transaction: one after the other', async () => {
    const numbers = [aLocalId(), aLocalId()] as const;
    const entryOf = (localId: string, one: Somebody, more: Partial<Patient> = {}) => ({
      resource: { ...patientOf('strasbourg', localId, one), ...more },
      request: { method: 'PUT', url: `Patient?identifier=${domainOf('strasbourg')}|${localId}` } as const,
    });
    for (const one of [somebody(), somebody({ numbers: [anINS()] })]) {
      for (const localId of numbers) await accepted('strasbourg', localId, one);
      const [first, second] = numbers;
      const before = await toldToAll(story());
      const merges = [entryOf(first, one, replacedBy(second)), entryOf(second, one, replacedBy(first))];
      const answer = await story().strasbourg.send('POST', '', transactionOf(...merges));
      expect(expectOutcome(answer, 400, 'invalid')).to.match(/one after the other/);
      expectToldAsBefore(await toldToAll(story()), before);
      const resent = [entryOf(first, one), entryOf(second, one, { maritalStatus: { text: 'mariée' } })];
      const again = await story().strasbourg.send('POST', '', transactionOf(...resent));
      expect(again.status, again.text).to.equal(200);
    }
  });

  it('an unknown in an emergency is merged into whom she was found to be, and given back', async () => {
    const [known1, inNancy, unknown] = [aLocalId(), aLocalId(), aLocalId()];
    const one = known('found');
    await accepted('strasbourg', known1, one);
    await accepted('nancy', inNancy, one);
    const inconnue: Somebody = {
      family: 'INCONNUE',
      given: 'X',
      birthDate: '1900-01-01',
      gender: 'female',
      status: 'PROV',
    };
    const arrived = await accepted('strasbourg', unknown, inconnue);
    const [earlier, night] = [await exam('found/1', 'nancy', inNancy), await exam('found/2', 'strasbourg', unknown)];
    const { caller } = await signInAtPortal(story(), 'found');
    const before = await toldToAll(story(), { patient: caller });
    expect(await examsAt(story(), 'strasbourg', unknown)).to.deep.equal(uidsOf(night));
    await accepted('strasbourg', unknown, inconnue, replacedBy(known1));
    const portal = await openPortal(story(), 'found');
    expect(portal.exams).to.deep.equal(uidsOf(earlier, night));
    expect(portal.patient.name?.[0]?.family).to.equal(one.family);
    expect(portal.patient.active).to.equal(true);
    expect(JSON.stringify(await ownPatient(story(), 'nancy', inNancy))).to.not.match(/INCONNUE/);
    expect(await examsAt(story(), 'nancy', inNancy)).to.deep.equal(uidsOf(earlier));
    expect(await story().stranger.find('Patient?family=INCONNUE')).to.deep.equal([]);
    // She was somebody else after all.
    await accepted('strasbourg', unknown, inconnue);
    expectToldAsBefore(await toldToAll(story(), { patient: caller }), before);
    expect((await ownPatient(story(), 'strasbourg', unknown)).id).to.equal(idIn(arrived));
  });
});
