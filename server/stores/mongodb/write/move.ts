/** Identities that join and leave persons: what is filed under one moves from one person key to another. */
import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import type { PersonKey } from '../../../access/requester.ts';
import { personOf, principal, type Principal } from '../../../access/right.ts';
import type { Move } from '../../../ports/commit-plan.ts';
import { personMoved } from '../../refused.ts';
import type { Collections } from '../collections.ts';
import type { PersonDocument, RowDocument } from '../documents.ts';
import { shownRef } from './index-arrays.ts';
import { PORTION, portionsInTurns } from './portions.ts';

/** A row that moved: as it stood, and as it is. */
export type MovedRow = { readonly before: RowDocument; readonly after: RowDocument };

/** What moved. */
export type Moved = {
  /** Standing rows by `Type/id`. */
  readonly rows: ReadonlyMap<string, MovedRow>;
  /** Each row (`Type/id`), deleted ones included, that became another person's: one after the other. */
  readonly steps: readonly { readonly key: string; readonly from: PersonKey; readonly to: PersonKey }[];
};

/**
 * Moves what is filed under identities, but for the rights and the access that follow from it.
 * @throws {Fault} conflict - an identity is another person's, a person that one joins is no more, or one who is no more
 * has identities left
 */
export async function moveIdentities(
  collections: Collections,
  moves: readonly Move[],
  session: ClientSession,
): Promise<Moved> {
  const rows = new Map<string, MovedRow>();
  const steps: Moved['steps'][number][] = [];
  for (const move of moves) {
    await changePersons(collections, move, session);
    const { from, to, identity } = move;
    if (from === to) continue;
    const moved = await moveRows(collections, move, session);
    for (const { before, after } of moved)
      rows.set(after._id, { before: rows.get(after._id)?.before ?? before, after });
    const keys = [...moved.map(({ after }) => after._id), ...(await moveDeleted(collections, move, session))];
    steps.push(...keys.map((key) => ({ key, from, to })));
    const [filed, becomes] = [{ person: from, subject: identity }, { $set: { person: to } }];
    await collections.instances.updateMany(filed, becomes, { session });
    await collections.quarantine.updateMany(filed, becomes, { session });
  }
  await requireWhole(collections, moves, session);
  return { rows, steps };
}

/**
 * A plan that takes a person elsewhere was made before another identity joined her, if it leaves that one behind. Keys
 * of earlier servers, under which nothing is filed any more, go along by the one that they became.
 */
async function requireWhole(
  { persons, standing }: Collections,
  moves: readonly Move[],
  session: ClientSession,
): Promise<void> {
  if (moves.length === 0) return;
  const ended = { _id: { $in: moves.map(({ home }) => home) }, mergedInto: { $exists: true } };
  const gone = await persons.find(ended, { session, projection: { _id: 1 } }).toArray();
  const left = { type: 'Person', person: { $in: gone.map(({ _id }) => _id) } } as const;
  if (gone.length > 0 && (await standing.findOne(left, { session, projection: { _id: 1 } })) !== null)
    throw personMoved();
}

async function changePersons({ persons }: Collections, move: Move, session: ClientSession): Promise<void> {
  const { home, from, to } = move;
  const found = await persons.find({ _id: { $in: [home, from, to] } }, { session }).toArray();
  const intoOf = (person: PersonKey) => found.find(({ _id }) => _id === person)?.mergedInto;
  if (intoOf(to) !== undefined && to !== home) throw personMoved();
  if ((intoOf(home) ?? home) !== from) throw personMoved();
  const becomes = home === to ? { $unset: { mergedInto: '' as const } } : { $set: { mergedInto: to } };
  const operations: AnyBulkWriteOperation<PersonDocument>[] = [
    { updateOne: { filter: { _id: home }, update: { $inc: { writes: 1 }, ...becomes }, upsert: true } },
    { updateOne: { filter: { _id: from }, update: { $inc: { writes: 1 }, $pull: { formerly: home } }, upsert: true } },
    home === to
      ? { updateOne: { filter: { _id: to }, update: { $inc: { writes: 1 } }, upsert: true } }
      : {
          updateOne: {
            filter: { _id: to },
            update: { $inc: { writes: 1 }, $addToSet: { formerly: home } },
            upsert: true,
          },
        },
  ];
  await persons.bulkWrite(operations, { session });
}

async function moveRows(
  { standing, rows }: Collections,
  { identity, from, to, patient }: Move,
  session: ClientSession,
): Promise<readonly MovedRow[]> {
  const filed = { person: from, subject: identity };
  const found = await standing.find(filed, { session, batchSize: PORTION.rows }).sort({ _id: 1 }).toArray();
  const shown = { subject: identity, patient: patient === identity ? undefined : patient };
  const moved: MovedRow[] = [];
  for await (const portion of portionsInTurns(found, PORTION.rows)) {
    const operations = portion.map((before) => {
      const after = { ...before, ...shown, ...shownRef(before.filedRef ?? before.ref, shown), person: to };
      moved.push({ before, after });
      return { replaceOne: { filter: { _id: after._id }, replacement: after } };
    });
    await rows.bulkWrite(operations, { session });
  }
  return moved;
}

/** Former versions go along; the patient who saw a row before it was deleted is the person that it is of. */
async function moveDeleted(
  { history }: Collections,
  { identity, from, to, patient }: Move,
  session: ClientSession,
): Promise<readonly string[]> {
  const filed = { person: from, subject: identity };
  const gone = await history.find({ ...filed, isDeletion: true, readers: { $exists: true } }, { session }).toArray();
  const [reader, present] = [principal.patient(from), principal.patient(to)];
  await history.updateMany({ ...filed, readers: reader }, { $set: { 'readers.$': present } }, { session });
  const shown = patient === identity ? { $unset: { patient: '' as const } } : { $set: { patient } };
  await history.updateMany(filed, { ...shown, $set: { ...shown.$set, person: to } }, { session });
  return gone.map(({ type, id }) => `${type}/${id}`);
}

/**
 * The principals under which events are read: a person reads those of every identity that is she at present, whenever
 * they were recorded, and nobody else does.
 */
export async function presentPrincipals(
  { persons }: Collections,
  principals: readonly Principal[],
  session: ClientSession,
): Promise<readonly Principal[]> {
  const keys = principals.flatMap((name) => personOf(name) ?? []);
  if (keys.length === 0) return principals;
  const found = await persons
    .find({ _id: { $in: keys } }, { session, projection: { mergedInto: 1, formerly: 1 } })
    .toArray();
  const gone = new Set(
    found.filter(({ mergedInto }) => mergedInto !== undefined).map(({ _id }) => principal.patient(_id)),
  );
  const former = found.filter(({ mergedInto }) => mergedInto === undefined).flatMap(({ formerly = [] }) => formerly);
  const all = new Set(former);
  // What earlier servers joined to each of them for good.
  for (let next = former; next.length > 0;) {
    const more = await persons.find({ _id: { $in: [...next] } }, { session, projection: { formerly: 1 } }).toArray();
    next = more.flatMap(({ formerly = [] }) => formerly).filter((key) => !all.has(key));
    for (const key of next) all.add(key);
  }
  return [...principals.filter((name) => !gone.has(name)), ...[...all].map(principal.patient)];
}
