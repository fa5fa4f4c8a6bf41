/**
 * The visible rows of a type that satisfy criteria, in list order. Either the list drives a statement (each principal's
 * access in list order, merged lazily, or the rows of an open type), or one criterion does, when its matches are few.
 * What drives is chosen by what is counted at the moment: a criterion with very few matches; else the top of the list,
 * if it fills the page; else a criterion with not too many; else the list to its end. A part of a text is looked for in
 * all texts: at first where they are not too many, else only when the top of the list did not decide. What the server
 * reads of one person is found by her.
 */
import type { SortSpan } from '../../../../profiles/search/query.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import type { PersonKey } from '../../../access/requester.ts';
import type { PageEnd } from '../../../ports/record-store.ts';
import { boundPerson } from '../../granted.ts';
import { heldNow, isBarred, showingNow } from './access.ts';
import { holdsAtLeast } from './held-counts.ts';
import { conditionsOf, isScan, ridSource, type PlainCriterion, type Sql } from './criteria.ts';
import type { Bindable, Database } from '../database.ts';
import { isOpen, isPart, newestRid, visibleCondition } from './visible.ts';

/** A row's place in its list. */
export type Place = { readonly sort: number; readonly id: string; readonly rid: number };

/** The candidates of a search. */
export type Candidates = {
  /** Places after a page's end, at most `limit`. */
  readonly page: (after: PageEnd | undefined, limit: number) => Place[];
  /** Number of all candidates, at most `limit`. */
  readonly count: (limit: number) => number;
};

/** Up to this many matches, a criterion drives without a look at the list. */
const FEW = 256;
/** So much of the list's top is tried first. An entry costs about a fifth of what a match of a criterion costs. */
const WINDOW = 4_000;
/** Up to this many matches, a criterion drives when the top of the list does not suffice. */
const MANY = 50_000;

/**
 * Up to so many rows, all texts of a parameter are looked through first: a text costs a hundredth of an entry of the
 * list.
 */
const ROWS_OF_FEW_TEXTS = 500_000;

/** Which part of a list, from which end (latest first, or `isReversed`), and what its rows are beside what is asked. */
export type ListPart = {
  readonly span?: SortSpan | undefined;
  readonly isReversed?: boolean;
  readonly only?: PlainCriterion | undefined;
};

/** Makes the candidates of a search; of a span, those alone that lie in it. */
export function candidatesOf(
  db: Database,
  grant: AnyGrant,
  type: StoredType,
  criteria: readonly PlainCriterion[],
  { span = WHOLE, isReversed = false }: ListPart = {},
): Candidates {
  const way = isReversed ? FROM_THE_END : FROM_THE_TOP;
  const person = boundPerson(grant, type);
  if (person !== undefined)
    return listDriven(db, personList(person, type, way), conditionsOf(type, criteria), { span, way }).whole;
  const list = isOpen(grant, type) || isPart(type) ? rowList(grant, type, way) : accessList(db, grant, type, way);
  if (list === undefined) return { page: () => [], count: () => 0 };
  const listed = listDriven(db, list, conditionsOf(type, criteria), { span, way });
  const leads = criteria.filter((criterion) => ridSource(type, criterion) !== undefined);
  if (leads.length === 0) return listed.whole;
  const isSought = hasFewTexts(db) ? () => true : (criterion: PlainCriterion) => !isScan(criterion);
  const [sought, scanned] = [leads.filter(isSought), leads.filter((criterion) => !isSought(criterion))];
  const ledBy = (most: number, among: readonly PlainCriterion[]): Candidates | undefined => {
    const lead = among.find((criterion) => countOf(db, ridSource(type, criterion), most + 1) <= most);
    return lead && criterionDriven(db, { grant, type, lead, criteria, span, way });
  };
  let counted: { readonly by: Candidates | undefined } | undefined;
  const few = (): Candidates | undefined => (counted ??= { by: ledBy(FEW, sought) }).by;
  const many = (): Candidates => ledBy(MANY, [...sought, ...scanned]) ?? listed.whole;
  return {
    page: (after, limit) => few()?.page(after, limit) ?? listed.topPage(after, limit) ?? many().page(after, limit),
    count: (limit) =>
      few()?.count(limit) ?? (limit > WINDOW ? undefined : listed.topCount(limit)) ?? many().count(limit),
  };
}

function hasFewTexts(db: Database): boolean {
  return newestRid(db) <= ROWS_OF_FEW_TEXTS;
}

function countOf(db: Database, source: Sql | undefined, most: number): number {
  if (source === undefined) return most;
  return db.get<{ n: number }>(`SELECT count(*) AS n FROM (${source.text} LIMIT ${most})`, ...source.values)?.n ?? 0;
}

/** Entries of a list in order, as a table `x` with sort, id and rid; and what beside the criteria they must satisfy. */
type List = {
  readonly entries: (end: Sql) => Sql;
  readonly condition: Sql;
  /** Whether somebody alone holds so many rows of it. */
  readonly holdsAtLeast?: (limit: number) => boolean;
};

const NONE: Sql = { text: '', values: [] };

const WHOLE: SortSpan = { from: undefined, before: undefined };

/** A way through a list, as SQL: what follows a place in it, the first comparison being for the index. */
type Way = { readonly order: string; readonly merged: string; readonly following: string };

const FROM_THE_TOP: Way = {
  order: 'x.sort DESC, x.id',
  merged: '1 DESC, 2',
  following: ' AND x.sort <= ? AND (x.sort < ? OR x.id > ?)',
};
const FROM_THE_END: Way = {
  order: 'x.sort, x.id DESC',
  merged: '1, 2 DESC',
  following: ' AND x.sort >= ? AND (x.sort > ? OR x.id < ?)',
};

/** A part of a list and the way through it. */
type Part = { readonly span: SortSpan; readonly way: Way };

/** What of a span follows a page's end. */
function boundsOf({ span: { from, before }, way }: Part, after: PageEnd | undefined): Sql {
  const bounds: readonly (readonly [text: string, ...values: Bindable[]])[] = [
    ...(from === undefined ? [] : [[' AND x.sort >= ?', from] as const]),
    ...(before === undefined ? [] : [[' AND x.sort < ?', before] as const]),
    ...(after === undefined ? [] : [[way.following, after.sort, after.sort, after.id] as const]),
  ];
  if (bounds.length === 0) return NONE;
  return { text: bounds.map(([text]) => text).join(''), values: bounds.flatMap(([, ...values]) => values) };
}

/** The rows of a type that are a person's: they are few, whatever else the store holds. */
function personList(person: PersonKey, type: StoredType, { order }: Way): List {
  const [rows, values] = type === 'Person' ? [IDENTITIES, [person]] : [ROWS_OF_PERSON, [person, type]];
  return {
    entries: (end) => ({
      text: `SELECT x.sort, x.id, x.rid FROM resource x ${rows}${end.text} ORDER BY ${order}`,
      values: [...values, ...end.values],
    }),
    condition: NONE,
  };
}

const ROWS_OF_PERSON = 'INDEXED BY resource_person WHERE x.person = ? AND x.type = ?';
const IDENTITIES = "INDEXED BY resource_identity WHERE x.person = ? AND x.type = 'Person'";

/** The rows of a type: the directory, the server itself, and parts, which are few a question. */
function rowList(grant: AnyGrant, type: StoredType, { order }: Way): List {
  return {
    entries: (end) => ({
      text: `SELECT x.sort, x.id, x.rid, x.parent_type, x.parent_id FROM resource x WHERE x.type = ?${end.text}
        ORDER BY ${order}`,
      values: [type, ...end.values],
    }),
    condition: visibleCondition(grant, type),
  };
}

/** Each principal's access; the lists are merged as they are read, and a row that several show comes once. */
function accessList(db: Database, grant: AnyGrant, type: StoredType, { merged }: Way): List | undefined {
  const holders = holdersOf(db, grant, type);
  if (holders.length === 0) return undefined;
  // UNION drops what comes twice; one principal alone may hold several rights to a row as well.
  const [rid, group] = holders.length > 1 ? ['x.rid', ''] : ['min(x.rid) AS rid', ' GROUP BY x.sort, x.id'];
  const showing = showingNow(grant, 'x');
  const valuesOf = (holder: string, end: Sql): readonly Bindable[] => [holder, type, ...showing.values, ...end.values];
  const list: List = {
    entries: (end) => {
      const text = `SELECT x.sort, x.id, ${rid} FROM acl x
        WHERE x.principal = ? AND x.type = ? AND ${showing.text}${end.text}${group}`;
      return {
        text: `${holders.map(() => text).join(' UNION ')} ORDER BY ${merged}`,
        values: holders.flatMap((holder) => valuesOf(holder, end)),
      };
    },
    condition: NONE,
    holdsAtLeast: (limit) => holders.some((holder) => holdsAtLeast(db, holder, type, limit, grant.now)),
  };
  // What is kept counts what she is barred from, too.
  return isBarred(grant) ? { entries: list.entries, condition: NONE } : list;
}

/** Those principals of a grant that hold anything of a type: a list of one is not merged. */
function holdersOf(db: Database, grant: AnyGrant, type: StoredType): readonly string[] {
  return db
    .all<{ holder: string }>(
      `SELECT j.value AS holder FROM json_each(?) j
       WHERE EXISTS (SELECT 1 FROM acl WHERE principal = j.value AND type = ?)`,
      JSON.stringify(grant.principals),
      type,
    )
    .map(({ holder }) => holder);
}

/** Candidates by the list; those by its top are undefined when the top does not decide. */
type ListDriven = {
  readonly whole: Candidates;
  readonly topPage: (after: PageEnd | undefined, limit: number) => Place[] | undefined;
  readonly topCount: (limit: number) => number | undefined;
};

function listDriven(db: Database, list: List, criteria: Sql, part: Part): ListDriven {
  // The inner LIMIT, even one without effect, keeps the inner order and keeps the conditions out of the merge.
  const select = (columns: string, end: Sql, window: number, limit: number): Sql => {
    const entries = list.entries(end);
    const text = `SELECT ${columns} FROM (${entries.text} LIMIT ${window}) x WHERE
      TRUE${criteria.text}${list.condition.text} LIMIT ${limit}`;
    return { text, values: [...entries.values, ...criteria.values, ...list.condition.values] };
  };
  const page = (after: PageEnd | undefined, limit: number, window: number): Place[] => {
    const { text, values } = select('x.sort, x.id, x.rid', boundsOf(part, after), window, limit);
    return db.all<Place>(text, ...values);
  };
  const count = (limit: number, window: number): number => {
    const isWhole = criteria.text === '' && part.span === WHOLE && window < 0;
    if (isWhole && limit < WINDOW && list.holdsAtLeast?.(limit) === true) return limit;
    const { text, values } = select('1', boundsOf(part, undefined), window, limit);
    return db.get<{ n: number }>(`SELECT count(*) AS n FROM (${text})`, ...values)?.n ?? 0;
  };
  const endsInWindow = (end: Sql): boolean => {
    const { text, values } = list.entries(end);
    return db.get(`SELECT 1 FROM (${text} LIMIT 1 OFFSET ${WINDOW})`, ...values) === undefined;
  };
  return {
    whole: { page: (after, limit) => page(after, limit, -1), count: (limit) => count(limit, -1) },
    topPage: (after, limit) => {
      const places = page(after, limit, WINDOW);
      return places.length >= limit || endsInWindow(boundsOf(part, after)) ? places : undefined;
    },
    topCount: (limit) => {
      const counted = count(limit, WINDOW);
      return counted >= limit || endsInWindow(boundsOf(part, undefined)) ? counted : undefined;
    },
  };
}

type Led = Part & {
  readonly grant: AnyGrant;
  readonly type: StoredType;
  readonly lead: PlainCriterion;
  readonly criteria: readonly PlainCriterion[];
};

/** Candidates by the matches of one criterion; the others are conditions. */
function criterionDriven(db: Database, { grant, type, lead, criteria, ...part }: Led): Candidates {
  const source = ridSource(type, lead) ?? NONE;
  const others = conditionsOf(
    type,
    criteria.filter((criterion) => criterion !== lead),
  );
  const access = isOpen(grant, type) || isPart(type) ? rowsOf(grant, type) : accessOf(grant);
  const from = `(SELECT DISTINCT rid FROM (${source.text})) t CROSS JOIN ${access.text}${others.text}`;
  const values = [...source.values, ...access.values, ...others.values];
  return {
    page: (after, limit) => {
      const end = boundsOf(part, after);
      const text = `SELECT DISTINCT x.sort, x.id, x.rid FROM ${from}${end.text} ORDER BY ${part.way.order}
        LIMIT ${limit}`;
      return db.all<Place>(text, ...values, ...end.values);
    },
    count: (limit) => {
      const within = boundsOf(part, undefined);
      if (within !== NONE) {
        const text = `SELECT count(*) AS n FROM (SELECT DISTINCT x.rid FROM ${from}${within.text} LIMIT ${limit})`;
        return db.get<{ n: number }>(text, ...values, ...within.values)?.n ?? 0;
      }
      const visible = visibleCondition(grant, type);
      const matches = `(SELECT DISTINCT rid FROM (${source.text}))`;
      const table = isPart(type) ? `${matches} t CROSS JOIN resource x ON x.rid = t.rid` : `${matches} x`;
      const text = `SELECT 1 FROM ${table} WHERE TRUE${others.text}${visible.text} LIMIT ${limit}`;
      return (
        db.get<{ n: number }>(
          `SELECT count(*) AS n FROM (${text})`,
          ...source.values,
          ...others.values,
          ...visible.values,
        )?.n ?? 0
      );
    },
  };
}

function rowsOf(grant: AnyGrant, type: StoredType): Sql {
  const visible = visibleCondition(grant, type);
  return { text: `resource x ON x.rid = t.rid WHERE x.type = ?${visible.text}`, values: [type, ...visible.values] };
}

function accessOf(grant: AnyGrant): Sql {
  const held = heldNow(grant, 'x');
  return { text: `acl x INDEXED BY acl_row ON x.rid = t.rid WHERE ${held.text}`, values: held.values };
}
