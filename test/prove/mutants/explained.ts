/** Mutants that survive and may: nothing that anybody can observe depends on them. */

/** A surviving mutant: its file, what was done, the line as it stands without its indent, and why no test can fail. */
export type Explained = {
  readonly path: string;
  readonly what: string;
  readonly line: string;
  readonly reason: string;
};

/** The list. */
export const EXPLAINED: readonly Explained[] = [
  {
    path: 'server/flows/write/work-acts.ts',
    what: 'element 1 removed',
    line:
      'return { ...made, parts: { ...made.parts, preconditions: ' +
      '[...(made.parts.preconditions ?? []), ...preconditions] } };',
    reason: 'no hook has conditions for a row that does not stand',
  },
  {
    path: 'server/flows/write/links.ts',
    what: '>= instead',
    line: 'const isTouched = named.size > 0 || referencesOf(resource).some((text) => relative(text) !== text);',
    reason: 'it spares the walk through what has no link to change',
  },
  {
    path: 'server/stores/sqlite/rights/materialise.ts',
    what: 'OR in the statement',
    line: 'WHERE person = ?1 AND type = ?2 AND id = ?3 AND parent_type IS NULL`;',
    reason: 'a right to an item permits that item alone, whatever else is looked at',
  },
  {
    path: 'profiles/canonical-text.ts',
    what: '<= instead',
    line: 'const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));',
    reason: 'no two members have one name',
  },
  {
    path: 'server/stores/sqlite/read/include.ts',
    what: '<= instead',
    line: 'for (let at = 0; at < wanted.length && included.length <= MAX_INCLUDED_ROWS; at += MAX_INCLUDED_ROWS) {',
    reason: 'a last turn looks for no rows',
  },
  {
    path: 'server/access/may-attempt.ts',
    what: 'filter dropped',
    line: 'export const WRITTEN_TYPES: readonly StoredType[] = STORED_TYPES.filter((type) => {',
    reason: 'what is attempted on any other type is refused, too, and the first refusal is that of a Patient',
  },
  {
    path: 'server/stores/mongodb/write/materialise.ts',
    what: 'filter dropped',
    line: 'const items = rows.filter(({ before }) => standingRow(before) !== undefined).map(({ after }) => after._id);',
    reason: 'a row that did not stand has no access that could be removed',
  },
  ...(
    [
      ['plan.ts', 'return ids.length > MAX_NAMED ? undefined : { id: { $in: [...ids] } };'],
      ['listing.ts', 'if (candidates.length > limit) return undefined;'],
    ] as const
  ).map(([name, line]) => ({
    path: `server/stores/mongodb/read/${name}`,
    what: '>= instead',
    line,
    reason: 'at the bound both ways find the same',
  })),
  {
    path: 'server/stores/sqlite/read/links.ts',
    what: '>= instead',
    line: 'return ids === undefined || ids.length > LINK_BOUND',
    reason: 'at the bound both ways find the same',
  },
  ...['server/stores/mongodb/read/search.ts', 'server/stores/sqlite/read/include.ts'].map((path) => ({
    path,
    what: '&& instead',
    line: 'if (rows.length === 0 || include.length + revinclude.length === 0) return { included: [] };',
    reason: 'it spares the search for what comes beside no rows',
  })),
  {
    path: 'server/stores/mongodb/read/listing.ts',
    what: '>= instead',
    line: 'if (batch.length > 0) yield batch;',
    reason: 'a batch of no rows leads to none',
  },
  {
    path: 'server/stores/mongodb/write/materialise.ts',
    what: '|| instead',
    line: 'return hasAcl(row.type) && isSeenOtherwise(old, row);',
    reason: 'it spares that access is removed and made again as it was',
  },
  ...(
    [
      ['!== instead', 'if (leads.length === 0) return listed.whole;'],
      ['=== instead', 'const leads = criteria.filter((criterion) => ridSource(type, criterion) !== undefined);'],
      [
        'filter dropped',
        'const [sought, scanned] = [leads.filter(isSought), leads.filter((criterion) => !isSought(criterion))];',
      ],
      [
        'every instead',
        'holdsAtLeast: (limit) => holders.some((holder) => holdsAtLeast(db, holder, type, limit, grant.now)),',
      ],
    ] as const
  ).map(([what, line]) => ({
    path: 'server/stores/sqlite/read/candidates.ts',
    what,
    line,
    reason: 'it says which way is tried first: each finds the same',
  })),
  {
    path: 'server/stores/sqlite/read/candidates.ts',
    what: '!== instead',
    line: "const isWhole = criteria.text === '' && part.span === WHOLE && window < 0;",
    reason: 'a span comes with its conditions; the whole list is counted to the same number one by one',
  },
];

/** Why a mutant may survive; undefined when nobody said so. */
export function explanationOf(path: string, what: string, line: string): string | undefined {
  return EXPLAINED.find((one) => one.path === path && one.what === what && one.line === line.trim())?.reason;
}
