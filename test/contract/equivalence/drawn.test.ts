/** What random worlds hold: a relation, a mask or a switch that none has is one that the property says nothing of. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { LEVELS, MASKS } from '../../../profiles/confidentiality.ts';
import { DATES_OF_ROWS } from '../../../profiles/types/row-rules.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { RELATIONS } from '../../../server/access/right.ts';
import { SWITCHES } from '../../../server/access/rules/table.ts';
import { grant } from './asks.ts';
import { Model } from './model.ts';
import { beginnings, SLOTS } from './world.ts';

const WORLDS = 200;
const ASKERS = 6;
const SEED = 13;
const DATED = [...new Set(DATES_OF_ROWS.map(({ type }) => type))];

const drawn = fc.sample(fc.tuple(beginnings, fc.array(grant, { minLength: ASKERS, maxLength: ASKERS })), {
  numRuns: WORLDS,
  seed: SEED,
});

/** Of some types those whose rows are shown to somebody by a right of a scope, as its id begins to say it. */
function typesShown(scope: string, types: readonly StoredType[]): readonly StoredType[] {
  const slots = SLOTS.filter(({ type }) => types.includes(type));
  const shown = new Set<StoredType>();
  for (const [changes, askers] of drawn) {
    const model = new Model();
    for (const change of changes) model.apply(change);
    for (const asker of askers)
      for (const slot of slots)
        if (model.sees(asker, slot) && model.shownBy(asker, slot)?.rightId.includes(`|${scope}`) === true)
          shown.add(slot.type);
    if (shown.size === types.length) break;
  }
  return [...shown];
}

describe('Random worlds of the property of access', () => {
  it('hold rows that each relation of the table shows to somebody', function () {
    this.timeout(30_000);
    const shown = new Set<string | undefined>();
    for (const [changes, askers] of drawn) {
      const model = new Model();
      for (const change of changes) model.apply(change);
      for (const asker of askers)
        for (const slot of SLOTS) if (model.sees(asker, slot)) shown.add(model.shownBy(asker, slot)?.relation);
      if (RELATIONS.every((relation) => shown.has(relation))) break;
    }
    const missing = RELATIONS.filter((relation) => !shown.has(relation));
    expect(missing, 'relations that test/contract/equivalence/world.ts gives to nobody').to.deep.equal([]);
  });

  it('show an exam alone to somebody: the study, a report, a document, and who the patient is; a visit, too', () => {
    const types: readonly StoredType[] = [...DATED, 'Patient'];
    expect(typesShown('exam|', types)).to.have.members(types);
  });

  it('show what is of a time alone to somebody: each type that is of some time, and who the patient is', () => {
    const types: readonly StoredType[] = [...DATED, 'Patient'];
    expect(typesShown('data ', types)).to.have.members(types);
  });

  it('bar somebody from what they would see', () => {
    const isBarred = drawn.some(([changes, askers]) => {
      const model = new Model();
      for (const change of changes) model.apply(change);
      return askers.some((asker) => SLOTS.some((slot) => model.bars(asker, slot)));
    });
    expect(isBarred).to.equal(true);
  });

  it('bear each level and mask, and turn each switch on', () => {
    const changes = drawn.flatMap(([some]) => some);
    const puts = changes.flatMap((change) => change.puts);
    const said = changes.flatMap(({ states }) => states).map(({ change }) => change);
    expect(LEVELS.filter((level) => !puts.some((put) => put.level === level))).to.deep.equal([]);
    expect(MASKS.filter((mask) => !puts.some(({ masks }) => masks.includes(mask)))).to.deep.equal([]);
    expect(SWITCHES.filter((name) => !said.some((change) => change[name] === true))).to.deep.equal([]);
  });
});
