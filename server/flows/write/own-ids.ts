/**
 * Ids that clients choose. An establishment may choose them under its own prefix: the id of its Organization and a full
 * stop, as `demo-strasbourg.a1`. Ids that the server makes have no full stop, so no id that is chosen meets one, and
 * whether an id is taken is told to its establishment alone.
 */

/** The establishment (`Organization/id`) under whose prefix an id lies; of several the one with the longest. */
export function ownerOfId(establishments: readonly string[], id: string): string | undefined {
  const owners = establishments.filter((name) => id.startsWith(prefixOf(name)));
  return owners.toSorted((one, other) => other.length - one.length)[0];
}

function prefixOf(establishment: string): string {
  return `${establishment.slice('Organization/'.length)}.`;
}
