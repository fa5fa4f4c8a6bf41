/** What hangs together. */

/** Groups items that have a key in common, directly or by others. */
export function connected<Item>(items: readonly Item[], keysOf: (item: Item) => readonly string[]): Item[][] {
  const keys = new Map(items.map((item) => [item, keysOf(item)]));
  const byKey = Map.groupBy(
    [...keys].flatMap(([item, own]) => own.map((key) => ({ key, item }))),
    ({ key }) => key,
  );
  const seen = new Set<Item>();
  const groupFrom = (first: Item): Item[] => {
    const group = new Set([first]);
    for (const item of group) {
      for (const key of keys.get(item) ?? []) {
        for (const { item: other } of byKey.get(key) ?? []) group.add(other);
        byKey.delete(key);
      }
      seen.add(item);
    }
    return [...group];
  };
  return items.flatMap((item) => (seen.has(item) ? [] : [groupFrom(item)]));
}
