/** Figures of a run, and how they are printed. */

/** One line of a table. */
export type Row = { readonly name: string; readonly figures: Readonly<Record<string, number | string>> };

/** The median of numbers. */
export function medianOf(numbers: readonly number[]): number {
  return quantileOf(numbers, 0.5);
}

/** A quantile of numbers, by the nearest rank; NaN of none. */
export function quantileOf(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Rounds to what a reader needs: three figures after the point below ten, else one. */
export function msOf(number: number): number {
  return Number(number.toFixed(Math.abs(number) < 10 ? 3 : 1));
}

/** A figure beside the most that it may be. */
export type Budgeted = { readonly label: string; readonly measured: number; readonly most: number };

/** `within budget`, or which figures are over it and by how many percent, at least one. */
export function budgetOf(figures: readonly Budgeted[]): string {
  const over = figures.filter(({ measured, most }) => !(measured <= most));
  if (over.length === 0) return 'within budget';
  const told = over.map(({ label, measured, most }) => {
    const percent = Math.ceil((measured / most - 1) * 100);
    return `${percent} % (${label} ${msOf(measured)} of ${most})`;
  });
  return `over budget by ${told.join(', ')}`;
}

/** Prints rows under a title. */
export function printRows(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}`);
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { name, figures } of rows) {
    const cells = Object.entries(figures).map(([label, value]) => `${label} ${value}`);
    console.log(`  ${name.padEnd(width)}  ${cells.join('  ')}`);
  }
}
