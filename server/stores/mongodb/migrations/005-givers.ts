/**
 * Schema 5: rights are derived from rows. A row says whom it comes from (`origin`), and a right which rows give it, the
 * earliest first. There is one right for a principal, a relation, a scope and a time, so that those of several Consents
 * become one.
 *
 * What earlier servers named is derived so: a right to a row comes from that row, a person's own from each Patient of
 * hers, one that a Consent gave from it, that of an imaging service from each exam and report of the person, until the
 * next version of one says its services.
 */
import type { Collection, Db } from 'mongodb';
import type { Origin } from '../../../access/rights-of.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { consentOf, rightId } from '../../../access/right.ts';
import type { AclDocument, RightDocument, RowDocument } from '../documents.ts';
import { fromRightDocument } from '../write/acl-rows.ts';

/** A right as schema 4 kept it. */
type FormerRight = Omit<RightDocument, 'givers'> & {
  readonly givers?: readonly string[];
  readonly source?: string | undefined;
};

type GivingRow = Pick<RowDocument, '_id' | 'type' | 'id' | 'subject'>;

const EXAMS: readonly string[] = ['ImagingStudy', 'DiagnosticReport'];

/** Goes person by person: what is derived already stays, so that it may be run again. */
export async function deriveRights(db: Db): Promise<void> {
  const rights = db.collection<FormerRight>('rights');
  await rights.createIndex({ givers: 1 });
  for (;;) {
    const one = await rights.findOne({ givers: { $exists: false } }, { projection: { person: 1 } });
    if (one === null) return;
    await derivePerson(db, rights, one.person);
  }
}

async function derivePerson(db: Db, rights: Collection<FormerRight>, person: PersonKey): Promise<void> {
  const rows = db.collection<RowDocument>('rows');
  const held = await rights.find({ person }).sort({ _id: 1 }).toArray();
  const standing = await rows.find<GivingRow>({ person }, { projection: GIVING, sort: { sort: 1, _id: 1 } }).toArray();
  for (const row of standing) {
    const origin = originOf(row, held);
    if (origin !== undefined) await rows.updateOne({ _id: row._id }, { $set: { origin } });
  }
  const derived = derivedFrom(held, standing);
  // Those that keep their id come last: until then the person is found again.
  const former = new Set(held.map(({ _id }) => _id));
  const isKept = (id: string): boolean => former.has(id) && derived.has(id);
  for (const right of derived.values()) if (!isKept(right._id)) await putRight(rights, right);
  for (const right of held) if (!isKept(right._id)) await dropRight(db, rights, right, derived);
  for (const right of derived.values()) if (isKept(right._id)) await putRight(rights, right);
}

const GIVING = { type: 1, id: 1, subject: 1 } as const;

async function putRight(rights: Collection<FormerRight>, { _id, ...right }: RightDocument): Promise<void> {
  await rights.replaceOne({ _id }, right, { upsert: true });
}

/** Its access is that of the right that stands for it, when there is one. */
async function dropRight(
  db: Db,
  rights: Collection<FormerRight>,
  former: FormerRight,
  derived: ReadonlyMap<string, RightDocument>,
): Promise<void> {
  const acl = db.collection<AclDocument>('acl');
  const present = derived.get(idOf(former));
  if (present !== undefined) {
    const right = fromRightDocument(present);
    for await (const { _id, item, source: _source, ...shown } of acl.find({ rightId: former._id })) {
      const renamed = { ...shown, item, rightId: right.id, source: consentOf(right) };
      await acl.replaceOne({ _id: `${right.id} ${item}` }, renamed, { upsert: true });
    }
  }
  await acl.deleteMany({ rightId: former._id });
  await rights.deleteOne({ _id: former._id });
}

/** What a right says makes its id. */
function idOf({ person, principal: holder, relation, item, from, to }: FormerRight): string {
  const scope = item === undefined || item === null ? ('record' as const) : { item };
  return rightId({ person, principal: holder, relation, scope, from, to });
}

function derivedFrom(held: readonly FormerRight[], standing: readonly GivingRow[]): ReadonlyMap<string, RightDocument> {
  const derived = new Map<string, RightDocument>();
  for (const right of held) {
    const { source: _source, givers: _givers, ...said } = right;
    const id = idOf(right);
    const givers = [...new Set([...(derived.get(id)?.givers ?? []), ...giversOf(right, standing)])];
    if (givers.length > 0) derived.set(id, { ...said, _id: id, givers });
  }
  return derived;
}

function giversOf({ givers, item, source, relation }: FormerRight, standing: readonly GivingRow[]): readonly string[] {
  if (givers !== undefined) return givers;
  if (item !== undefined && item !== null) return [item];
  if (source !== undefined && source !== null) return [source];
  const isGiver = ({ type }: GivingRow): boolean =>
    relation === 'self' ? type === 'Patient' : relation === 'imaging-service' && EXAMS.includes(type);
  return standing.filter(isGiver).map(({ _id }) => _id);
}

function originOf({ _id, type, subject }: GivingRow, held: readonly FormerRight[]): Origin | undefined {
  const ofRow = held.filter(({ item }) => item === _id);
  const sources = ofRow.flatMap(({ principal: holder, relation }) => {
    if (!holder.startsWith('pat:')) return [holder.slice(2)];
    return relation === 'author' && subject !== undefined && subject !== null ? [subject] : [];
  });
  const readers = held.filter(
    ({ relation, item }) => relation === 'imaging-service' && (item ?? undefined) === undefined,
  );
  const services = EXAMS.includes(type) ? readers.map(({ principal: holder }) => holder.slice(2)) : [];
  if (sources.length === 0 && services.length === 0) return undefined;
  return { sources: [...new Set(sources)], services: [...new Set(services)] };
}
