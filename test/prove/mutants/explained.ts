/** Mutants that survive and may: nothing that anybody can observe depends on them. */

/** A surviving mutant: its file, what was done, the line as it stands without its indent, and why no test can fail. */
export type Explained = {
  readonly path: string;
  readonly what: string;
  readonly line: string;
  readonly reason: string;
};

/** The list. */
export const EXPLAINED: readonly Explained[] = [];

/** Why a mutant may survive; undefined when nobody said so. */
export function explanationOf(path: string, what: string, line: string): string | undefined {
  return EXPLAINED.find((one) => one.path === path && one.what === what && one.line === line.trim())?.reason;
}
