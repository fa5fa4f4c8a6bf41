/** Twins: what one of them is said to have is not the other's, whichever number is typed. */
import { expect } from 'chai';
import type { EstablishmentKey } from '../../../fixtures/people.ts';
import { IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { aLocalId, anINS, idIn, somebody } from './people.ts';
import {
  examsAt,
  examsOf,
  expectToldAsBefore,
  feedsOf,
  foundBy,
  openPortal,
  ownPatient,
  portalOf,
  signInAtPortal,
  tellOnEachStore,
  toldToAll,
  uidsOf,
  type Session,
} from './story.ts';

const { insNirTest } = IDENTIFIER_SYSTEM;
const NUMBERS = { first: anINS(), second: anINS() };
const BORN = { family: 'Ormélac-Vauzélac', birthDate: '2014-03-02', birthPlace: '67999' } as const;
const first = somebody({ ...BORN, given: 'Ysoline', birthOrder: 1, numbers: [NUMBERS.first] });
const second = somebody({ ...BORN, given: 'Ysée', birthOrder: 2, numbers: [NUMBERS.second] });

tellOnEachStore('Twins (identity.md section 2, rule 3)', { persons: NUMBERS }, (story) => {
  const local = { first: aLocalId(), second: aLocalId() };
  let exams: { readonly first: readonly string[]; readonly second: readonly string[] };
  let sessions: { readonly first: Session; readonly second: Session };

  const accepted = feedsOf(story);
  const exam = async (name: string, at: EstablishmentKey, localId: string) =>
    uidsOf(await examsOf(story)(`twins/${name}`, at, localId));
  const told = async () => await toldToAll(story(), { first: sessions.first.caller, second: sessions.second.caller });
  const eachSeesOwn = async (): Promise<void> => {
    for (const who of ['first', 'second'] as const) {
      expect((await portalOf(sessions[who])).exams, who).to.deep.equal(exams[who]);
      expect(await examsAt(story(), 'strasbourg', local[who]), who).to.deep.equal(exams[who]);
    }
  };

  before(async () => {
    await accepted('strasbourg', local.first, first);
    await accepted('strasbourg', local.second, second);
    exams = {
      first: await exam('first', 'strasbourg', local.first),
      second: await exam('second', 'strasbourg', local.second),
    };
    sessions = { first: await signInAtPortal(story(), 'first'), second: await signInAtPortal(story(), 'second') };
  });

  it('are two Patients, and neither sees the other', async () => {
    await eachSeesOwn();
    for (const [who, other] of [
      ['first', 'second'],
      ['second', 'first'],
    ] as const) {
      const { caller } = sessions[who];
      expect(await foundBy(caller, insNirTest, NUMBERS[other].value)).to.deep.equal([]);
      const { id } = await ownPatient(story(), 'strasbourg', local[other]);
      expect((await caller.get(`Patient/${id}`)).status).to.equal(404);
      expect(await caller.find(`ImagingStudy?patient=${id}`)).to.deep.equal([]);
      expect(JSON.stringify((await portalOf(sessions[who])).events)).to.not.include(id);
    }
  });

  it('the number of one on the name of the other joins nobody', async () => {
    const before = await told();
    const localId = aLocalId();
    const mistaken = await accepted('nancy', localId, { ...second, numbers: [NUMBERS.first] });
    await eachSeesOwn();
    expect((await ownPatient(story(), 'nancy', localId)).id).to.equal(idIn(mistaken));
    expect(await examsAt(story(), 'nancy', localId)).to.deep.equal([]);
    // Her own number makes her one Patient with what Strasbourg knows of her.
    await accepted('nancy', localId, second);
    const further = await exam('third', 'nancy', localId);
    expect((await openPortal(story(), 'second')).exams).to.deep.equal([...exams.second, ...further].toSorted());
    expect((await portalOf(sessions.first)).exams).to.deep.equal(exams.first);
    await accepted('nancy', localId, { ...second, numbers: [] });
    expectToldAsBefore(withoutNancy(await told()), withoutNancy(before));
    await eachSeesOwn();
  });

  it('a twin is joined by all given names and the place of birth alone', async () => {
    const { birthPlace: _place, ...unplaced } = first;
    const before = await told();
    const localId = aLocalId();
    const made = await accepted('nancy', localId, unplaced);
    const idAt = async (): Promise<string> => (await ownPatient(story(), 'nancy', localId)).id;
    expect(await idAt()).to.equal(idIn(made));
    await accepted('nancy', localId, { ...first, birthPlace: '54999' });
    expect(await idAt()).to.equal(idIn(made));
    const name = [{ use: 'official', family: first.family, given: ['Ysoline', 'Maud'] }] as const;
    await accepted('nancy', localId, first, { name: name.map((one) => ({ ...one, given: [...one.given] })) });
    expect(await idAt(), 'of further given names').to.equal(idIn(made));
    // That she is a twin is said by one of the two: it counts.
    const { birthOrder: _order, ...unordered } = unplaced;
    await accepted('nancy', localId, unordered);
    expect(await idAt()).to.equal(idIn(made));
    await eachSeesOwn();
    await accepted('nancy', localId, first);
    expect(await idAt()).to.equal((await portalOf(sessions.first)).patient.id);
    await accepted('nancy', localId, { ...first, numbers: [] });
    expect(await idAt()).to.equal(idIn(made));
    expectToldAsBefore(withoutNancy(await told()), withoutNancy(before));
  });
});

/** What is told to others than the establishment that makes mistakes, which made Patients of its own. */
function withoutNancy(told: Awaited<ReturnType<typeof toldToAll>>): typeof told {
  return Object.fromEntries(Object.entries(told).filter(([name]) => !name.startsWith('nancy')));
}
