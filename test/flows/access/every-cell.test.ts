/**
 * Every relation at every door, by the table of decisions: `prove -- access` asks the whole matrix, these each label in
 * each single state on SQLite, and on MongoDB cells in which every two things meet; then what emergencies show without
 * the settings of the region file.
 */
import { expect } from 'chai';
import { hasProgram } from '../../profiles/dicom/samples.ts';
import { EACH_STORE } from '../../support/peers/each-store.ts';
import { askAll } from './ask-all.ts';
import { countsOf, type Chosen } from './cells.ts';
import { CASES, isOfSetting, ITEM_STATES, LABELS, MATRIX_RELATIONS, PATIENT_STATES, SINGLE_CASES } from './matrix.ts';
import type { Case } from './matrix.ts';
import { MATRIX_DOORS } from './matrix-doors.ts';
import { reckonMatrix } from './reckoned.ts';
import { oneOf, pairedCases, pairedCells, pairsOf } from './pairwise.ts';

const SINGLE_STATES = PATIENT_STATES.filter((state) => state.length <= 1);
const PAIRED_CASES = pairedCases(SINGLE_STATES);
const PAIRED_CELLS = pairedCells(PAIRED_CASES);

const CHOICE: Readonly<Record<string, { readonly cases: readonly Case[]; readonly chosen?: Chosen }>> = {
  SQLite: { cases: SINGLE_CASES },
  MongoDB: { cases: PAIRED_CASES, chosen: oneOf(PAIRED_CELLS) },
};

describe('The matrix of access', () => {
  it('has every relation, label, state of the patient and of the item, and door', () => {
    expect(countsOf(CASES)).to.deep.equal(reckonMatrix());
    expect(new Set(CASES.map(({ label, state, item }) => `${label.name} ${state.join('+')} ${item}`)).size).to.equal(
      CASES.length,
    );
  });

  it('is chosen from so that every two things meet', () => {
    const all = MATRIX_RELATIONS.length * MATRIX_DOORS.length - MATRIX_DOORS.filter((door) => door.isPage).length;
    const others = LABELS.length + SINGLE_STATES.length + ITEM_STATES.length;
    const ofCases = new Set(
      PAIRED_CASES.flatMap(({ label, state, item }) => [
        `${label.name} ${state.join('+')}`,
        `${label.name} ${item}`,
        `${state.join('+')} ${item}`,
      ]),
    ).size;
    const pairs = all + (MATRIX_RELATIONS.length + MATRIX_DOORS.length) * others + ofCases;
    expect(new Set(PAIRED_CELLS.flatMap(pairsOf)).size).to.equal(pairs);
  });

  for (const { name, missing, open } of EACH_STORE) {
    it(`shows over the wire what the table of decisions says, and nothing else, on ${name}`, async function () {
      this.timeout(600_000);
      if (!hasProgram('storescu') || missing() !== undefined) this.skip();
      const { cases, chosen } = CHOICE[name] ?? { cases: [] };
      const { store, close } = await open();
      try {
        const { cells, shown, failures, unset } = await askAll(store, cases, chosen);
        process.stdout.write(`${cells} cells on ${name}, ${shown} of which show something\n`);
        expect(failures.join('\n')).to.equal('');
        expect({ cells, shown }).to.deep.equal(countsOf(cases, chosen));
        expect(unset.failures.join('\n'), 'without the settings of emergencies').to.equal('');
        expect({ cells: unset.cells, shown: unset.shown }).to.deep.equal(countsOf(cases, isOfSetting, false));
      } finally {
        await close();
      }
    });
  }
});
