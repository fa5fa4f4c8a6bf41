/** Keeps the access collection: what `permits` says of each right and each row of its person. */
import type { ClientSession, Filter } from 'mongodb';
import { stateAllows, type PatientState } from '../../../access/decide.ts';
import type { PersonKey } from '../../../access/requester.ts';
import {
  dataPeriodIn,
  examIn,
  isShowing,
  itemIn,
  RELATIONS,
  type Relation,
  type Right,
  type ShowingRight,
} from '../../../access/right.ts';
import {
  aclOf,
  fromRightDocument,
  hasAcl,
  isSeenOtherwise,
  rightsTo,
  shownWith,
  toState,
  type AclFacts,
} from './acl-rows.ts';
import type { Collections } from '../collections.ts';
import type { AclDocument, RightDocument, RowDocument, StoredRow } from '../documents.ts';
import type { RightChanges } from './give-rights.ts';
import { PORTION, portionsInTurns, portionsOf } from './portions.ts';
import { standingRow, type RowChange } from './row-changes.ts';

/** A person's state before and after a plan. */
export type StateChange = { readonly before: PatientState; readonly after: PatientState };

/** What of a plan changes who sees what. Rows, rights and states are written already. */
export type AccessChange = {
  readonly rows: readonly RowChange[];
  readonly rights: RightChanges;
  /** Of every person that the plan concerns. */
  readonly states: ReadonlyMap<PersonKey, StateChange>;
};

/** Brings the access collection to the rows, rights and states of a plan. */
export async function materialise(
  collections: Collections,
  change: AccessChange,
  session: ClientSession,
): Promise<void> {
  const rows = change.rows.filter(changesAccess);
  await forget(collections, rows, change, session);
  for (const [person, state] of change.states) {
    const flipped = flippedBy(state);
    await materialisePerson(collections, person, state.after, { rows, rights: change.rights.begun, flipped }, session);
  }
}

/** The same of rows whose search values alone are written anew: no right and no state changes. */
export async function materialiseRows(
  collections: Collections,
  changed: readonly { readonly after: AclFacts & { readonly _id: string } }[],
  session: ClientSession,
): Promise<void> {
  const byPerson = Map.groupBy(
    changed.map(({ after }) => after).filter(({ type }) => hasAcl(type)),
    ({ person }) => person,
  );
  for (const [person, rows] of byPerson) {
    await collections.acl.deleteMany({ item: { $in: rows.map(({ _id }) => _id) } }, { session });
    if (person === undefined) continue;
    const filter = rightsTo(person, ...rows.map(({ _id }) => _id));
    const found = await collections.rights.find(filter, { session, batchSize: PORTION.others }).toArray();
    const state = toState(await collections.persons.findOne({ _id: person }, { session }));
    await insert(collections, aclOf(found.map(fromRightDocument), rows, state), session);
  }
}

function changesAccess({ before, after }: RowChange): boolean {
  const [old, row] = [standingRow(before), standingRow(after)];
  if (old === undefined || row === undefined) return hasAcl((old ?? row)?.type ?? 'Binary');
  return hasAcl(row.type) && isSeenOtherwise(old, row);
}

async function forget(
  { acl }: Collections,
  rows: readonly RowChange[],
  change: AccessChange,
  session: ClientSession,
): Promise<void> {
  const items = rows.filter(({ before }) => standingRow(before) !== undefined).map(({ after }) => after._id);
  const rights = [...change.rights.ended, ...change.rights.begun].map(({ id }) => id);
  if (items.length > 0) await acl.deleteMany({ item: { $in: items } }, { session });
  if (rights.length > 0) await acl.deleteMany({ rightId: { $in: rights } }, { session });
}

/** The relations to which a change of state opens or closes the record. */
function flippedBy({ before, after }: StateChange): readonly Relation[] {
  return RELATIONS.filter((relation) => stateAllows(relation, before) !== stateAllows(relation, after));
}

async function materialisePerson(
  collections: Collections,
  person: PersonKey,
  after: PatientState,
  changed: {
    readonly rows: readonly RowChange[];
    readonly rights: readonly Right[];
    readonly flipped: readonly Relation[];
  },
  session: ClientSession,
): Promise<void> {
  const { flipped } = changed;
  const rows = changed.rows
    .map((change) => standingRow(change.after))
    .filter((row) => row?.person === person) as RowDocument[];
  const begun = changed.rights.filter((right) => right.person === person && isShowing(right));
  const isNew = new Set(begun.map(({ id }) => id));
  if (rows.length === 0 && flipped.length === 0 && isNew.size === 0) return;

  const filter = flipped.length > 0 ? { person } : rightsToRows(person, rows, isNew);
  const found = await collections.rights.find(filter, { session, batchSize: PORTION.others }).toArray();
  const rights = found.map(fromRightDocument).filter(isShowing);
  const isAnew = (right: ShowingRight): boolean => isNew.has(right.id) || flipped.includes(right.relation);
  const anew = rights.filter(isAnew);
  await forgetFlipped(collections, anew, isNew, session);
  const other = rights.filter((right) => !isAnew(right));
  const documents: AclDocument[] = [];
  for await (const portion of portionsInTurns(rows, PORTION.others)) documents.push(...aclOf(other, portion, after));
  documents.push(...(await aclOfStanding(collections, person, anew, after, session)));
  await insert(collections, documents, session);
}

/** Rights to the record and to some rows, and those that begin: a person may have those to thousands of other rows. */
function rightsToRows(
  person: PersonKey,
  rows: readonly RowDocument[],
  begun: ReadonlySet<string>,
): Filter<RightDocument> {
  return { $or: [rightsTo(person, ...rows.map(({ _id }) => _id)), { person, _id: { $in: [...begun] } }] };
}

async function forgetFlipped(
  { acl }: Collections,
  anew: readonly Right[],
  isNew: ReadonlySet<string>,
  session: ClientSession,
): Promise<void> {
  const ids = anew.filter(({ id }) => !isNew.has(id)).map(({ id }) => id);
  if (ids.length > 0) await acl.deleteMany({ rightId: { $in: ids } }, { session });
}

/** The documents of rights on all rows of their person that stand. */
async function aclOfStanding(
  { rows }: Collections,
  person: PersonKey,
  anew: readonly ShowingRight[],
  state: PatientState,
  session: ClientSession,
): Promise<AclDocument[]> {
  const rights = anew.filter(({ relation }) => stateAllows(relation, state));
  if (rights.length === 0) return [];
  const ref = rights.some(({ scope }) => examIn(scope) !== undefined) ? ({ ref: 1 } as const) : {};
  const dates = rights.some(({ scope }) => dataPeriodIn(scope) !== undefined) ? ({ dates: 1 } as const) : {};
  const projection = { type: 1, id: 1, sort: 1, level: 1, released: 1, person: 1, ...ref, ...dates } as const;
  const documents: AclDocument[] = [];
  const standing = await rows
    .find<AclFacts>(rowsInScope(person, rights), { session, projection, batchSize: PORTION.others })
    .toArray();
  for await (const portion of portionsInTurns(standing, PORTION.others))
    documents.push(...aclOf(rights, portion, state));
  return documents;
}

function rowsInScope(person: PersonKey, rights: readonly Right[]): Filter<StoredRow> {
  const scopes = rights.map(({ scope }) => scope);
  if (scopes.some((scope) => scope === 'record' || dataPeriodIn(scope) !== undefined)) return { person };
  const exams = scopes.flatMap((scope) => examIn(scope) ?? []);
  const items = { _id: { $in: [...scopes.flatMap((scope) => itemIn(scope) ?? []), ...exams] } };
  return exams.length === 0 ? { ...items, person } : { person, $or: [items, shownWith(exams)] };
}

async function insert({ acl }: Collections, documents: readonly AclDocument[], session: ClientSession): Promise<void> {
  for (const portion of portionsOf(documents, PORTION.others)) await acl.insertMany(portion, { session });
}
