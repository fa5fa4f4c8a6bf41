/**
 * Schema 9: a report that nobody has validated is for who wrote it, for the imaging service and for emergencies:
 * earlier servers showed it to declared correspondents, too.
 */
import type { Db } from 'mongodb';
import type { AclDocument, StoredRow } from '../documents.ts';

const AT_ONCE = 1_000;

/** What is hidden already stays so, so that it may be run again. */
export async function hideUnreleasedReports(db: Db): Promise<void> {
  const acl = db.collection<AclDocument>('acl');
  const reports = db
    .collection<StoredRow>('rows')
    .find({ type: 'DiagnosticReport', released: false })
    .project<{ _id: string }>({ _id: 1 });
  let items: string[] = [];
  const hide = async (): Promise<void> => {
    if (items.length > 0) await acl.deleteMany({ item: { $in: items }, relation: 'declared' });
    items = [];
  };
  for await (const { _id } of reports) {
    items.push(_id);
    if (items.length === AT_ONCE) await hide();
  }
  await hide();
}
