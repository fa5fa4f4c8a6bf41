/** Answers to the questions of the port, inside one transaction. */
import { decodeLabel } from '../../../../profiles/confidentiality.ts';
import { headOf, STUDY_TAIL } from '../../../../profiles/search/json-tail.ts';
import { sourcesShown } from '../../../access/decide.ts';
import { claimKey } from '../../../ports/claim-key.ts';
import type {
  AnswerTo,
  Question,
  RowVersion,
  SearchPage,
  ShownStudy,
  StudyInstances,
  StudyMetadata,
  StudyParts,
} from '../../../ports/record-store.ts';
import { identitiesShown, openToPatient, shownInstances, studyAsItIs, type ShownPart } from '../../granted.ts';
import { isOfShownVersions } from '../../patient-versions.ts';
import { shownSubject } from '../../shown-patient.ts';
import { rowKey } from '../write/acl-rows.ts';
import { readAuditEvent, searchAuditEvents } from '../audit/audit.ts';
import type { Collections } from '../collections.ts';
import { toStoreFault } from '../errors.ts';
import { readHistory, rowOrVersion } from './history.ts';
import { readInstances, readMetadata, type InstancesQuestion, type MetadataQuestion } from './instances.ts';
import { studyParts } from './parts.ts';
import { patientHistory, patientVersion } from './patient-versions.ts';
import { rowsAsSeen } from './patients.ts';
import { shownOf, type Reader } from './reader.ts';
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
        : await pageAsSeen(reader, await searchRows(reader, question.query, question));
    case 'history':
      return isOfShownVersions(reader.grant, question)
        ? await patientHistory(reader, question)
        : await readHistory(reader, question);
    case 'instances':
      return await readStudy(reader, question);
    case 'metadata':
      return await readStudyMetadata(reader, question);
    case 'parts':
      return await studyPartsAsSeen(reader, question);
  }
}

async function pageAsSeen(reader: Reader, page: SearchPage): Promise<SearchPage> {
  const [rows, included] = [await rowsAsSeen(reader, page.rows), await rowsAsSeen(reader, page.included)];
  return { ...page, rows, included };
}

async function studyPartsAsSeen(reader: Reader, question: Extract<Question, { kind: 'parts' }>): Promise<StudyParts> {
  const parts = await studyParts(reader, question);
  return { ...parts, included: await rowsAsSeen(reader, parts.included) };
}

async function readResource(
  reader: Reader,
  question: Extract<Question, { kind: 'resource' }>,
): Promise<RowVersion | undefined> {
  const { type, id, version } = question;
  if (type !== 'AuditEvent') {
    if (version !== undefined && isOfShownVersions(reader.grant, question))
      return await patientVersion(reader, id, version);
    const found = await rowOrVersion(reader, question);
    const row = found && (await rowsAsSeen(reader, [found]))[0];
    return row !== undefined && question.withItem === true ? await withItem(reader, row) : row;
  }
  const event = await readAuditEvent(reader, id);
  return version === undefined || version === event?.version ? event : undefined;
}

/** A part with the item that it belongs to. */
async function withItem({ collections, session }: Reader, row: RowVersion): Promise<RowVersion> {
  const { standing } = collections;
  const part = await standing.findOne({ _id: rowKey(row.type, row.id) }, { session, projection: { parent: 1 } });
  if (part?.parent === undefined) return row;
  const projection = { type: 1, id: 1, json: 1, level: 1, released: 1 } as const;
  const item = await standing.findOne({ _id: part.parent, gone: { $exists: false } }, { session, projection });
  if (item === null) return row;
  const { type, id, json } = item;
  return { ...row, item: { type, id, json, ...openToPatient(type, item) } };
}

async function readStudy(reader: Reader, question: InstancesQuestion): Promise<StudyInstances> {
  const shown = await shownStudy(reader, question);
  // The server itself needs no row of the study: it may be building it.
  if (shown === undefined && !reader.grant.system) return { study: undefined, instances: [] };
  const instances = await readInstances(reader.collections, question, reader.session, shown?.part);
  return { study: shown?.study, instances: shownInstances(instances) };
}

async function readStudyMetadata(reader: Reader, question: MetadataQuestion): Promise<StudyMetadata> {
  const shown = await shownStudy(reader, question);
  if (shown === undefined && !reader.grant.system) return { study: undefined, metadata: [] };
  const found = await readMetadata(reader.collections, question, reader.session, shown?.part);
  return {
    study: shown?.study,
    metadata: found.map(({ metadata }) => metadata),
    ...identitiesShown(reader.grant, found),
  };
}

/** A study that is shown, and which instances of it. */
type StudyWithPart = { readonly study: ShownStudy; readonly part: ShownPart };

/** The study whose claim names a row, when it is visible; with its resource but the series, where it is asked for. */
async function shownStudy(
  reader: Reader,
  { studyInstanceUID, withStudy }: InstancesQuestion | MetadataQuestion,
): Promise<StudyWithPart | undefined> {
  const { collections, session, grant } = reader;
  const claim = await collections.claims.findOne({ _id: claimKey.imagingStudy(studyInstanceUID) }, { session });
  if (claim === null) return undefined;
  const key = rowKey('ImagingStudy', claim.value);
  const projection = { ...STUDY_PROJECTION, ...(withStudy === true ? { json: 1 } : {}) } as const;
  const row = await collections.standing.findOne({ _id: key, gone: { $exists: false } }, { session, projection });
  const shown = row === null ? undefined : (await shownOf(reader, [row])).get(key);
  if (row === null || shown === undefined) return undefined;
  const study = {
    id: row.id,
    person: row.person,
    ...shownSubject(grant, row),
    shownBy: shown.right,
    ...(withStudy === true ? studyAsItIs({ ...row, json: headOf(row.json, STUDY_TAIL) }) : {}),
  };
  if (grant.system) return { study, part: {} };
  const sources = sourcesShown(grant, shown.right?.relation, decodeLabel(row.level));
  return { study, part: { person: row.person ?? undefined, sources } };
}

const STUDY_PROJECTION = {
  type: 1,
  id: 1,
  parent: 1,
  person: 1,
  subject: 1,
  patient: 1,
  level: 1,
  released: 1,
} as const;

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
