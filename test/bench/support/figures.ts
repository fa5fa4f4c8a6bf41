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

/** Prints rows under a title. */
export function printRows(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}`);
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { name, figures } of rows) {
    const cells = Object.entries(figures).map(([label, value]) => `${label} ${value}`);
    console.log(`  ${name.padEnd(width)}  ${cells.join('  ')}`);
  }
}
