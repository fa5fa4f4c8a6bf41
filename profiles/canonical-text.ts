/** JSON with the members of each object in one order: the same text of the same values. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(sorted(value));
}

/** Members in one order, on every level. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return members.map(([name, member]) => [name, sorted(member)]);
}
