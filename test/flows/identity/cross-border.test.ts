/** A patient on both sides of the border: INS and matricule meet by a source that is declared for both alone. */
import { expect } from 'chai';
import { IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { aLocalId, aMatricule, anINS, domainOf, feed, idIn, somebody, valuesOf } from './people.ts';
import {
  examsAt,
  examsOf,
  expectToldAsBefore,
  feedsOf,
  foundBy,
  ownPatient,
  portalOf,
  signInAtPortal,
  tellOnEachStore,
  toldToAll,
  uidsOf,
} from './story.ts';

const { insNirTest, matricule } = IDENTIFIER_SYSTEM;
const one = somebody();
const [ins, number] = [anINS(), aMatricule(one.birthDate)];
const REGION = { persons: { french: ins, luxembourgish: number }, qualifies: { strasbourg: [insNirTest, matricule] } };

tellOnEachStore('INS and matricule (identity.md section 2, rule 5)', REGION, (story) => {
  const accepted = feedsOf(story);
  const exam = examsOf(story);

  it('meet by a source that is declared for both, and part when it takes one back', async () => {
    const [inNancy, inLuxembourg, inStrasbourg] = [aLocalId(), aLocalId(), aLocalId()];
    const french = await accepted('nancy', inNancy, { ...one, numbers: [ins] });
    const luxembourgish = await accepted('luxembourg', inLuxembourg, { ...one, numbers: [number] });
    const both = await accepted('strasbourg', inStrasbourg, { ...one, numbers: [] });
    const idsAt = async (): Promise<readonly string[]> => [
      (await ownPatient(story(), 'nancy', inNancy)).id,
      (await ownPatient(story(), 'luxembourg', inLuxembourg)).id,
      (await ownPatient(story(), 'strasbourg', inStrasbourg)).id,
    ];
    const apart = [idIn(french), idIn(luxembourgish), idIn(both)];
    expect(await idsAt()).to.deep.equal(apart);
    const exams = [
      await exam('border', 'nancy', inNancy),
      await exam('border', 'luxembourg', inLuxembourg),
      await exam('border', 'strasbourg', inStrasbourg),
    ] as const;
    const sessions = [await signInAtPortal(story(), 'french'), await signInAtPortal(story(), 'luxembourgish')] as const;
    const told = async () =>
      await toldToAll(story(), { french: sessions[0].caller, luxembourgish: sessions[1].caller });
    const before = await told();

    // Nancy is declared for the INS alone: what it says of a matricule is kept, and joins nobody.
    await accepted('nancy', inNancy, { ...one, numbers: [ins, number] });
    expect(await idsAt()).to.deep.equal(apart);
    expect(valuesOf(await ownPatient(story(), 'nancy', inNancy), matricule)).to.deep.equal([number.value]);
    expect(await foundBy(sessions[1].caller, insNirTest, ins.value)).to.deep.equal([]);
    await accepted('nancy', inNancy, { ...one, numbers: [ins] });
    expectToldAsBefore(await told(), before);

    await accepted('strasbourg', inStrasbourg, { ...one, numbers: [ins, number] });
    expect(await idsAt()).to.deep.equal(apart.map(() => idIn(french)));
    for (const session of sessions) {
      const { patient, exams: shown, documents } = await portalOf(session);
      expect([patient.id, shown]).to.deep.equal([idIn(french), uidsOf(...exams)]);
      expect(documents).to.have.length(6);
      expect([valuesOf(patient, insNirTest), valuesOf(patient, matricule)]).to.deep.equal([
        [ins.value],
        [number.value],
      ]);
    }
    // Each establishment reads both numbers, its own local one, and its own exams.
    const seen = await ownPatient(story(), 'luxembourg', inLuxembourg);
    expect([valuesOf(seen, insNirTest), valuesOf(seen, matricule)]).to.deep.equal([[ins.value], [number.value]]);
    expect(valuesOf(seen, domainOf('nancy')).concat(valuesOf(seen, domainOf('strasbourg')))).to.deep.equal([]);
    expect(await examsAt(story(), 'luxembourg', inLuxembourg)).to.deep.equal(uidsOf(exams[1]));
    expect(await foundBy(story().stranger, matricule, number.value)).to.deep.equal([]);

    await accepted('strasbourg', inStrasbourg, { ...one, numbers: [ins] });
    expect(await idsAt()).to.deep.equal([idIn(french), idIn(luxembourgish), idIn(french)]);
    expect((await portalOf(sessions[0])).exams).to.deep.equal(uidsOf(exams[0], exams[2]));
    expect((await portalOf(sessions[1])).exams).to.deep.equal(uidsOf(exams[1]));
    await accepted('strasbourg', inStrasbourg, { ...one, numbers: [] });
    expectToldAsBefore(await told(), before);
  });

  it('a matricule of eleven digits joins nobody', async () => {
    const who = somebody();
    const short = { ...aMatricule(who.birthDate), value: aMatricule(who.birthDate).value?.slice(0, 11) ?? '' };
    const [inLuxembourg, inStrasbourg] = [aLocalId(), aLocalId()];
    const made = [
      await feed(story().luxembourg, 'luxembourg', inLuxembourg, { ...who, numbers: [short] }),
      await feed(story().strasbourg, 'strasbourg', inStrasbourg, { ...who, numbers: [short] }),
    ];
    expect(made.map(({ status }) => status)).to.deep.equal([201, 201]);
    expect([
      (await ownPatient(story(), 'luxembourg', inLuxembourg)).id,
      (await ownPatient(story(), 'strasbourg', inStrasbourg)).id,
    ]).to.deep.equal(made.map(idIn));
  });
});
