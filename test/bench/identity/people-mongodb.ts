/** The same region on MongoDB. */
import { BSON, MongoClient } from 'mongodb';
import { groupsOf, partsOf, type Part } from './people-world.ts';

/** The collections that an identity has documents in. */
const COLLECTIONS = ['rows', 'rights', 'acl', 'claims', 'persons'] as const;
const AT_ONCE = 1_000;

type Document = { readonly _id: string; readonly type?: string; readonly id?: string };

/** Copies the two that are in a database which no server has open, until there are so many identities. */
export async function copyPeopleInMongo(uri: string, identities: number): Promise<void> {
  const client = await new MongoClient(uri).connect();
  try {
    const db = client.db();
    const patients = await db
      .collection<Document>('rows')
      .find({ type: { $in: ['Patient', 'Person'] } })
      .toArray();
    const persons = await db.collection<Document>('persons').find().toArray();
    const uuids = [...patients.flatMap(({ id = '' }) => id), ...persons.map(({ _id }) => _id)];
    const parts = partsOf([...new Set(uuids)]);
    for (const name of COLLECTIONS) {
      const collection = db.collection<Document>(name);
      const copied = (await collection.find().toArray())
        .map((document) => BSON.EJSON.stringify(document, { relaxed: false }))
        .filter((text) => parts.some((part) => text.includes(part.text)));
      for (const portion of portionsOf(copied, groupsOf(identities), parts)) await collection.insertMany(portion);
    }
  } finally {
    await client.close();
  }
}

function* portionsOf(texts: readonly string[], groups: number, parts: readonly Part[]): Generator<Document[], void> {
  let portion: Document[] = [];
  for (let group = 1; group < groups; group += 1) {
    const own = parts.map(({ text, of }) => ({ text, becomes: of(group) }));
    for (const text of texts) portion.push(copyOf(text, own));
    if (portion.length < AT_ONCE) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}

function copyOf(text: string, own: readonly { readonly text: string; readonly becomes: string }[]): Document {
  const copied = own.reduce((all, { text: former, becomes }) => all.replaceAll(former, becomes), text);
  return BSON.EJSON.parse(copied, { relaxed: false }) as Document;
}
