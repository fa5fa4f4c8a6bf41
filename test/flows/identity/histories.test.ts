/** People whose identity changes: what is joined follows what their sources say, and comes back when they say so. */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { EstablishmentKey } from '../../../fixtures/people.ts';
import { IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { aLocalId, anINS, domainOf, idIn, somebody, valuesOf, type Somebody } from './people.ts';
import {
  examsAt,
  examsOf,
  expectToldAsBefore,
  feedsOf,
  openPortal,
  ownPatient,
  signInAtPortal,
  tellOnEachStore,
  toldToAll,
  uidsOf,
  withoutManifests,
} from './story.ts';

const { insNir, insNia, insNirTest } = IDENTIFIER_SYSTEM;
const aNIA = (): Identifier => ({ use: 'temp', system: insNia, value: anINS('8').value ?? '' });
const [nia, nir] = [aNIA(), { ...anINS(), system: insNir }];
const PEOPLE = { newborn: anINS(), changed: anINS('2'), registered: nir, lowered: anINS() };
const FRENCH = [insNirTest, insNir, insNia];
const REGION = { persons: PEOPLE, qualifies: { strasbourg: FRENCH, nancy: FRENCH } };

tellOnEachStore('Identities that change (identity.md section 2)', REGION, (story) => {
  const accepted = feedsOf(story);
  const exam = examsOf(story);
  const idAt = async (at: EstablishmentKey, localId: string): Promise<string> =>
    (await ownPatient(story(), at, localId)).id;

  it('a newborn without a first name joins nobody, and joins when she has one', async () => {
    const [maternity, elsewhere] = [aLocalId(), aLocalId()];
    const one = somebody({ given: 'Lou', birthDate: '2026-11-20', numbers: [PEOPLE.newborn] });
    const unnamed: Partial<Patient> = { name: [{ use: 'official', family: one.family }] };
    const older = await accepted('strasbourg', maternity, one, unnamed);
    const later = await accepted('nancy', elsewhere, { ...one, numbers: [] });
    const exams = [await exam('newborn', 'strasbourg', maternity), await exam('newborn', 'nancy', elsewhere)];
    const { caller } = await signInAtPortal(story(), 'newborn');
    const before = await toldToAll(story(), { newborn: caller });
    await accepted('nancy', elsewhere, one);
    expect(await idAt('nancy', elsewhere)).to.equal(idIn(later));
    expect(await examsAt(story(), 'strasbourg', maternity)).to.deep.equal(uidsOf(...exams.slice(0, 1)));
    await accepted('strasbourg', maternity, one);
    const portal = await openPortal(story(), 'newborn');
    expect([portal.exams, portal.patient.id]).to.deep.equal([uidsOf(...exams), idIn(older)]);
    expect(await idAt('nancy', elsewhere)).to.equal(idIn(older));
    await accepted('strasbourg', maternity, one, unnamed);
    expect(await idAt('nancy', elsewhere)).to.equal(idIn(later));
    await accepted('nancy', elsewhere, { ...one, numbers: [] });
    // Each name that she was given made a manifest that bears it.
    const others = withoutManifests(await toldToAll(story(), { newborn: caller }));
    expectToldAsBefore(others, withoutManifests(before));
  });

  it('a change of sex: the former INS, marked old, joins what was known by it', async () => {
    const [formerId, presentId] = [aLocalId(), aLocalId()];
    const formerly = anINS('1');
    const traits = somebody({ given: 'Camille' });
    const then: Somebody = { ...traits, gender: 'male', numbers: [formerly] };
    const now: Somebody = { ...traits, gender: 'female', numbers: [PEOPLE.changed] };
    const older = await accepted('strasbourg', formerId, then);
    const later = await accepted('nancy', presentId, now);
    const exams = [await exam('changed', 'strasbourg', formerId), await exam('changed', 'nancy', presentId)];
    const { caller } = await signInAtPortal(story(), 'changed');
    const asBefore = await toldToAll(story(), { changed: caller });
    expect((await openPortal(story(), 'changed')).exams).to.deep.equal(uidsOf(...exams.slice(1)));
    await accepted('nancy', presentId, { ...now, numbers: [PEOPLE.changed, { ...formerly, use: 'old' }] });
    const portal = await openPortal(story(), 'changed');
    expect([portal.exams, portal.patient.id]).to.deep.equal([uidsOf(...exams), idIn(older)]);
    const ins = portal.patient.identifier?.filter(({ system }) => system === insNirTest) ?? [];
    expect(ins.map(({ value, use }) => [value, use])).to.deep.equal([
      [PEOPLE.changed.value, 'official'],
      [formerly.value, 'old'],
    ]);
    expect(portal.patient.gender).to.equal('female');
    expect(await examsAt(story(), 'strasbourg', formerId)).to.deep.equal(uidsOf(...exams.slice(0, 1)));
    // Strasbourg finds her by the number that it knows, and reads the present one.
    const inStrasbourg = await ownPatient(story(), 'strasbourg', formerId);
    expect(valuesOf(inStrasbourg, insNirTest)).to.have.members([PEOPLE.changed.value, formerly.value]);
    await accepted('nancy', presentId, now);
    expectToldAsBefore(await toldToAll(story(), { changed: caller }), asBefore);
    expect(await idAt('nancy', presentId)).to.equal(idIn(later));
  });

  it('a change of sex that no source tells of joins nothing: two current numbers contradict', async () => {
    const [one, other] = [aLocalId(), aLocalId()];
    const traits = somebody({ given: 'Camille' });
    const first = await accepted('strasbourg', one, { ...traits, gender: 'male', numbers: [anINS('1')] });
    const second = await accepted('nancy', other, { ...traits, gender: 'female', numbers: [anINS('2')] });
    expect([await idAt('strasbourg', one), await idAt('nancy', other)]).to.deep.equal([idIn(first), idIn(second)]);
  });

  it('NIA, then NIR: whoever knows her by either knows one person', async () => {
    const [waiting, registered] = [aLocalId(), aLocalId()];
    const one = somebody();
    const older = await accepted('strasbourg', waiting, { ...one, numbers: [nia] });
    const later = await accepted('nancy', registered, { ...one, numbers: [nir] });
    const exams = [await exam('registered', 'strasbourg', waiting), await exam('registered', 'nancy', registered)];
    const { caller } = await signInAtPortal(story(), 'registered');
    const before = await toldToAll(story(), { registered: caller });
    expect([await idAt('strasbourg', waiting), await idAt('nancy', registered)]).to.deep.equal([
      idIn(older),
      idIn(later),
    ]);
    // The NIR that she got, with the former number; Nancy never knew that one.
    await accepted('strasbourg', waiting, { ...one, numbers: [nir, { ...nia, use: 'old' }] });
    const portal = await openPortal(story(), 'registered');
    expect([portal.exams, portal.patient.id]).to.deep.equal([uidsOf(...exams), idIn(older)]);
    expect(valuesOf(portal.patient, insNir)).to.deep.equal([nir.value]);
    expect(valuesOf(portal.patient, insNia)).to.deep.equal([nia.value]);
    expect(await idAt('nancy', registered)).to.equal(idIn(older));
    await accepted('strasbourg', waiting, { ...one, numbers: [nia] });
    expectToldAsBefore(await toldToAll(story(), { registered: caller }), before);
  });

  it('the NIR of one beside the NIA of another joins neither of them, whosever traits it bears', async () => {
    const [one, other] = [somebody(), somebody({ given: 'Bérangère', birthDate: '1991-02-03' })];
    const [nir, nia] = [anINS(), { ...anINS(), system: insNia }];
    const apart = [
      idIn(await accepted('nancy', aLocalId(), { ...one, numbers: [nir] })),
      idIn(await accepted('nancy', aLocalId(), { ...other, numbers: [nia] })),
    ];
    const localId = aLocalId();
    for (const traits of [one, other]) {
      await accepted('strasbourg', localId, { ...traits, numbers: [nir, { ...nia, use: 'temp' }] });
      expect(apart).to.not.include(await idAt('strasbourg', localId));
    }
    // Once it bears the number of one alone, it is hers.
    await accepted('strasbourg', localId, { ...one, numbers: [nir] });
    expect(await idAt('strasbourg', localId)).to.equal(apart[0]);
  });

  it('a qualification that is lowered ends what rested on it, and raised again joins the same', async () => {
    const [kept, wavering] = [aLocalId(), aLocalId()];
    const one = somebody({ numbers: [PEOPLE.lowered] });
    const older = await accepted('nancy', kept, one);
    const later = await accepted('strasbourg', wavering, one);
    const exams = [await exam('lowered', 'nancy', kept), await exam('lowered', 'strasbourg', wavering)];
    const { caller } = await signInAtPortal(story(), 'lowered');
    const joined = await toldToAll(story(), { lowered: caller });
    expect((await openPortal(story(), 'lowered')).exams).to.deep.equal(uidsOf(...exams));
    for (const status of ['PROV', 'VALI', 'RECUP']) {
      await accepted('strasbourg', wavering, { ...one, status });
      const portal = await openPortal(story(), 'lowered');
      expect([portal.exams, portal.patient.id], status).to.deep.equal([uidsOf(...exams.slice(0, 1)), idIn(older)]);
      expect(valuesOf(portal.patient, domainOf('strasbourg')), status).to.deep.equal([]);
      expect(await idAt('strasbourg', wavering), status).to.equal(idIn(later));
      expect(await examsAt(story(), 'strasbourg', wavering)).to.deep.equal(uidsOf(...exams.slice(1)));
      await accepted('strasbourg', wavering, one);
      expectToldAsBefore(await toldToAll(story(), { lowered: caller }), joined);
    }
  });
});
