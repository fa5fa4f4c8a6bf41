/** Few cells in which every two of relation, label, state, state of the item and door meet. */
import type { AskingRelation } from './holders.ts';
import { canAsk, type Chosen } from './cells.ts';
import { ITEM_STATES, LABELS, MATRIX_RELATIONS, type Case } from './matrix.ts';
import { MATRIX_DOORS, type MatrixDoor } from './matrix-doors.ts';

/** A cell of the choice. */
export type ChosenCell = { readonly relation: AskingRelation; readonly about: Case; readonly door: MatrixDoor };

/** A case for each two of label and state: the states of the item turn, so that each meets every label and state. */
export function pairedCases(states: readonly (readonly string[])[]): readonly Case[] {
  return LABELS.flatMap((label, row) =>
    states.map((state, column) => ({
      label,
      state,
      item: ITEM_STATES[(row + column) % ITEM_STATES.length] ?? 'released',
    })),
  );
}

/** Each relation at each door that its holder can ask at, of the case in which the most comes together anew. */
export function pairedCells(cases: readonly Case[]): readonly ChosenCell[] {
  const met = new Set<string>();
  const cells = askable().flatMap(({ relation, door }) => mostNew(cases, met, relation, door));
  // What still never met: a relation and a state, say, of which every cell was better used for another pair.
  for (const { relation, door } of askable())
    for (const about of cases)
      if (pairsOf({ relation, about, door }).some((pair) => !met.has(pair))) {
        cells.push({ relation, about, door });
        for (const pair of pairsOf({ relation, about, door })) met.add(pair);
      }
  return cells;
}

function mostNew(
  cases: readonly Case[],
  met: Set<string>,
  relation: AskingRelation,
  door: MatrixDoor,
): readonly ChosenCell[] {
  const candidates = cases.map((about) => ({ relation, about, door }));
  const counts = candidates.map((cell) => pairsOf(cell).filter((pair) => !met.has(pair)).length);
  const best = candidates[counts.indexOf(Math.max(...counts))];
  if (best === undefined) return [];
  for (const pair of pairsOf(best)) met.add(pair);
  return [best];
}

/** The pairs of a cell; that of label and state is of its case. */
export function pairsOf({ relation, about, door }: ChosenCell): readonly string[] {
  const values = [relation, about.label.name, about.state.join('+'), about.item, door.name];
  return values.flatMap((one, at) =>
    values.slice(at + 1).map((other, next) => `${at}:${one} ${at + next + 1}:${other}`),
  );
}

/** That a cell is one of these. */
export function oneOf(cells: readonly ChosenCell[]): Chosen {
  const names = new Set(cells.map(nameOf));
  return (relation, about, door) => names.has(nameOf({ relation, about, door }));
}

function nameOf({ relation, about, door }: ChosenCell): string {
  return [relation, about.label.name, about.state.join('+'), about.item, door.name].join('|');
}

function askable(): readonly Omit<ChosenCell, 'about'>[] {
  return (MATRIX_RELATIONS as readonly AskingRelation[]).flatMap((relation) =>
    MATRIX_DOORS.filter((door) => canAsk(relation, door)).map((door) => ({ relation, door })),
  );
}
