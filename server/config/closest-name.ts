/** The hint for a misspelt name. */

// More letters than these are no slip of the hand.
const MAX_DISTANCE = 3;

/** Finds the known name that a misspelt one is closest to; undefined when none is near. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(name.slice(0, 60), candidate) }))
    .filter(({ distance }) => distance <= MAX_DISTANCE);
  return near.sort((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** Levenshtein: how many letters to put in, take out or change. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const changed = (row[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
