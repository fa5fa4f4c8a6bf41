/**
 * Schema 8: identities join and leave persons. Each knows who it is at present, through others no more, and an instance
 * the identity that it is filed under.
 */
import type { Db } from 'mongodb';
import type { FurtherSource } from '../../../ports/commit-plan.ts';
import type { ClaimDocument, InstanceDocument, PersonDocument } from '../documents.ts';

/** Studies, or instances, that are read at once. */
const AT_ONCE = 1_000;

/** What is done already stays, so that it may be run again. */
export async function separateIdentities(db: Db): Promise<void> {
  await flattenPersons(db);
  await db.collection('rows').createIndexes([{ key: { person: 1, type: 1 } }, { key: { person: 1, subject: 1 } }]);
  // They named persons; from now on identities hold numbers.
  await db.collection<ClaimDocument>('claims').deleteMany({ _id: { $gte: 'qualified|', $lt: 'qualified}' } });
  const instances = db.collection<InstanceDocument>('instances');
  const unfiled = { subject: { $exists: false } } as const;
  const byStudy = [{ $match: unfiled }, { $group: { _id: '$studyInstanceUID' } }];
  // A cursor that rests for ten minutes is closed: what comes at once must be done in them.
  const studies = instances.aggregate<{ _id: string }>(byStudy, { batchSize: AT_ONCE, allowDiskUse: true });
  for await (const { _id: studyInstanceUID } of studies) {
    const claim = await db.collection<ClaimDocument>('claims').findOne({ _id: `study|${studyInstanceUID}` });
    await instances.updateMany({ studyInstanceUID, ...unfiled }, { $set: { subject: claim?.value ?? '' } });
  }
  await nameSources(db);
}

/** Who sent an instance again is to have an identity: of what stands none is known. */
async function nameSources(db: Db): Promise<void> {
  const instances = db.collection<FormerInstance>('instances');
  const projection = { furtherSources: 1 } as const;
  for (let last = ''; ;) {
    // Each portion goes on where the one before ended: no index knows which are left.
    const former = { _id: { $gt: last }, furtherSources: { $type: 'string' } } as const;
    const found = await instances.find(former, { projection }).sort({ _id: 1 }).limit(AT_ONCE).toArray();
    const end = found.at(-1);
    if (end === undefined) return;
    await instances.bulkWrite(
      found.map(({ _id, furtherSources = [] }) => {
        const named = furtherSources.map((one) => (typeof one === 'string' ? { source: one } : one));
        return { updateOne: { filter: { _id }, update: { $set: { furtherSources: named } } } };
      }),
    );
    last = end._id;
  }
}

type FormerInstance = { readonly _id: string; readonly furtherSources?: readonly (string | FurtherSource)[] };

/** Who was joined through another is the one who stayed; the other has nobody any more. */
async function flattenPersons(db: Db): Promise<void> {
  const persons = db.collection<PersonDocument>('persons');
  const stayed = persons.find({ formerly: { $exists: true }, mergedInto: { $exists: false } });
  for await (const { _id, formerly = [] } of stayed)
    await persons.updateMany({ _id: { $in: [...formerly] } }, { $set: { mergedInto: _id }, $unset: { formerly: 1 } });
}
