/** Answers to the questions of the port, inside one transaction. */
import { IDENTIFIER_SYSTEM, oidUri } from '../../../../profiles/codes.ts';
import type { SearchQuery } from '../../../../profiles/search/query.ts';
import type {
  AnswerTo,
  Question,
  ShownStudy,
  StudyInstances,
  StudyMetadata,
  VisibleRow,
} from '../../../ports/record-store.ts';
import { rowKey } from '../write/acl-rows.ts';
import { readAuditEvent, searchAuditEvents } from '../audit/audit.ts';
import type { Collections } from '../collections.ts';
import { toStoreFault } from '../errors.ts';
import { readInstances, readMetadata, type InstancesQuestion, type MetadataQuestion } from './instances.ts';
import { studyParts } from './parts.ts';
import { readVisible, toVisibleRow, type Reader } from './reader.ts';
import { searchRows } from './search.ts';

/** Answers a question under the reader's grant. */
export async function answer<Q extends Question>(reader: Reader, question: Q): Promise<AnswerTo<Q>> {
  // The compiler does not narrow the type of the answer with the kind of the question.
  return (await answerAny(reader, question)) as AnswerTo<Q>;
}

async function answerAny(reader: Reader, question: Question): Promise<AnswerTo<Question>> {
  switch (question.kind) {
    case 'resource':
      return await readResource(reader, question);
    case 'search':
      return question.query.type === 'AuditEvent'
        ? await searchAuditEvents(reader, question.query, question)
        : await searchRows(reader, question.query, question);
    case 'instances':
      return await readStudy(reader, question);
    case 'metadata':
      return await readStudyMetadata(reader, question);
    case 'parts':
      return await studyParts(reader, question);
  }
}

async function readResource(
  reader: Reader,
  question: Extract<Question, { kind: 'resource' }>,
): Promise<VisibleRow | undefined> {
  const { type, id, version } = question;
  if (type === 'AuditEvent') {
    const event = await readAuditEvent(reader, id);
    return version === undefined || version === event?.version ? event : undefined;
  }
  const [present] = await readVisible(reader, [rowKey(type, id)]);
  if (version === undefined || present?.version === version) return present;
  if (present === undefined && !reader.grant.system) return undefined;
  const { history } = reader.collections;
  const former = await history.findOne({ _id: `${rowKey(type, id)}/${version}` }, { session: reader.session });
  return former === null ? undefined : toVisibleRow(former, { right: present?.shownBy });
}

async function readStudy(reader: Reader, question: InstancesQuestion): Promise<StudyInstances> {
  const study = await shownStudy(reader, question.studyInstanceUID);
  // The server itself needs no row of the study: it may be building it.
  if (study === undefined && !reader.grant.system) return { study, instances: [] };
  return { study, instances: await readInstances(reader.collections, question, reader.session) };
}

async function readStudyMetadata(reader: Reader, question: MetadataQuestion): Promise<StudyMetadata> {
  const study = await shownStudy(reader, question.studyInstanceUID);
  if (study === undefined && !reader.grant.system) return { study, metadata: [] };
  return { study, metadata: await readMetadata(reader.collections, question, reader.session) };
}

async function shownStudy(reader: Reader, studyInstanceUID: string): Promise<ShownStudy | undefined> {
  const [study] = (await searchRows(reader, studyQuery(studyInstanceUID), {})).rows;
  if (study === undefined) return undefined;
  const { id, person, subject, shownBy } = study;
  return { id, person, subject, shownBy };
}

function studyQuery(studyInstanceUID: string): SearchQuery {
  const identifier = { system: IDENTIFIER_SYSTEM.dicomUid, code: oidUri(studyInstanceUID) };
  return {
    type: 'ImagingStudy',
    where: [{ kind: 'token', param: 'identifier', values: [identifier] }],
    count: 1,
    total: 'none',
    include: [],
  };
}

/** Names of all blobs that rows, former versions or instances refer to; a name may come more than once. */
export async function* listBlobNames({ standing, history, instances, quarantine }: Collections): AsyncIterable<string> {
  const projection = { 'blob.name': 1 } as const;
  try {
    const named = { 'blob.name': { $exists: true } };
    for (const found of [
      standing.find(named, { projection }),
      history.find(named, { projection }),
      instances.find({}, { projection }),
      quarantine.find({}, { projection }),
    ]) {
      for await (const { blob } of found) if (blob !== undefined) yield blob.name;
    }
  } catch (error) {
    throw toStoreFault(error);
  }
}
