/** One exam that a server took in by its own doors, and the same exam of as many further persons, as rows. */
import { createHash } from 'node:crypto';
import type { DocumentReference, Resource } from '@medplum/fhirtypes';
import { codingsOf, LEVELS, MASKS, type Label } from '../../../profiles/confidentiality.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import { filedBy, putOf, type PlanParts, type PutFacts } from '../../../server/flows/write/plan-parts.ts';
import { claimKey } from '../../../server/ports/claim-key.ts';
import type { InstanceRow, Put } from '../../../server/ports/commit-plan.ts';
import type { BlobRef, ImageStore } from '../../../server/ports/image-store.ts';
import { openedResource } from '../../../server/ports/internal-row.ts';
import type { RecordStore } from '../../../server/ports/record-store.ts';
import { NOW, SYSTEM } from '../../support/plans.ts';
import type { Sent } from '../support/door.ts';
import { dataSetDigest, unknownIds, withNamesOf } from '../support/exam.ts';
import { AUTHOR } from './holders.ts';
import type { Case, MatrixLabel } from './matrix.ts';

/** What stands of the exam that others are copies of, and the bytes of its manifest. */
export type Template = Sent & {
  readonly rows: Readonly<Record<Row, Resource>>;
  readonly instances: readonly InstanceRow[];
  readonly manifestBytes: Buffer;
};

type Row = 'study' | 'report' | 'manifest' | 'document' | 'manifestBytes' | 'reportBytes';

/** Reads the exam where it stands. */
export async function readTemplate(records: RecordStore, sent: Sent, manifestBytes: Buffer): Promise<Template> {
  const { ids } = sent;
  const at = async (type: StoredType, id: string): Promise<Resource> => {
    const row = await records.peek(SYSTEM, { kind: 'resource', type, id });
    if (row === undefined) throw new Error(`The exam has no ${type}/${id}`);
    return openedResource(row);
  };
  const rows = {
    study: await at('ImagingStudy', ids.imagingStudy),
    report: await at('DiagnosticReport', ids.diagnosticReport),
    manifest: await at('DocumentReference', ids.manifest.id),
    document: await at('DocumentReference', ids.reportDocument.id),
    manifestBytes: await at('Binary', ids.manifest.binary),
    reportBytes: await at('Binary', ids.reportDocument.binary),
  };
  const { studyInstanceUID } = ids;
  const held = await records.peek(SYSTEM, { kind: 'instances', studyInstanceUID, offset: 0, limit: 10 });
  return { ...sent, rows, instances: held.instances, manifestBytes };
}

/** Whose copy it is: the id of her Patient, and her number at the author's. */
export type Owner = { readonly person: PersonKey; readonly patient: string; readonly patientNumber: string };

/** What copies are written with: the product's own indexer, and where bytes are kept. */
export type Writing = { readonly indexer: Indexer; readonly images: ImageStore };

/** Copies the exam for a person: what writes it, and what its doors must show. */
export async function copyExam(
  writing: Writing,
  template: Template,
  owner: Owner,
  about: Case,
): Promise<{ readonly parts: PlanParts; readonly sent: Sent }> {
  const copy = copySent(template, owner);
  const instances = await copyInstances(writing.images, template, copy, owner);
  const parts =
    about.item === 'kept aside'
      ? { quarantined: instances.map((one) => keptAside(one)) }
      : await standingParts(writing, template, { copy, owner, about, instances });
  return { parts, sent: copy.sent };
}

/** What is sent, under new names, and how whatever tells of the exam is renamed. */
type Copy = {
  readonly sent: Sent;
  readonly manifestBytes: Buffer;
  readonly renamed: <T>(value: T) => T;
};

function copySent(template: Template, { patient, patientNumber }: Owner): Copy {
  const ids = { ...unknownIds(template.ids), patient, patientNumber };
  const renamed = <T>(value: T): T => JSON.parse(withNamesOf(JSON.stringify(value), template.ids, ids)) as T;
  const inBytes = (bytes: Uint8Array): Buffer =>
    Buffer.from(withNamesOf(Buffer.from(bytes).toString('latin1'), template.ids, ids), 'latin1');
  const instances = template.exam.instances.map(({ bytes, ...names }) => ({
    ...renamed(names),
    bytes: inBytes(bytes),
  }));
  const exam = {
    ...template.exam,
    instances,
    dataSets: new Map(instances.map((one) => [one.sopInstanceUID, dataSetDigest(one.bytes)])),
    report: renamed(template.exam.report),
  };
  const manifestBytes = inBytes(template.manifestBytes);
  const hash = createHash('sha1').update(manifestBytes).digest('base64');
  const manifest = { ...renamed(template.manifest), size: manifestBytes.length, hash };
  return { sent: { exam, ids, manifest }, manifestBytes, renamed };
}

async function copyInstances(
  images: ImageStore,
  template: Template,
  { sent, renamed }: Copy,
  { person, patient }: Owner,
): Promise<readonly InstanceRow[]> {
  const subject = `Patient/${patient}`;
  const rows: InstanceRow[] = [];
  for (const standing of template.instances) {
    const row = renamed(standing);
    const { bytes } = sent.exam.instances.find((one) => one.sopInstanceUID === row.sopInstanceUID) ?? {};
    if (bytes === undefined) throw new Error('An instance of the exam was not sent');
    const dataSet = sent.exam.dataSets.get(row.sopInstanceUID) ?? '';
    rows.push({ ...row, blob: await keep(images, bytes), dataSetDigest: dataSet, person, subject });
  }
  return rows;
}

function keptAside(row: InstanceRow): NonNullable<PlanParts['quarantined']>[number] {
  const { studyInstanceUID, sopInstanceUID, blob, dataSetDigest: digest, source, subject, person } = row;
  const names = { studyInstanceUID, sopInstanceUID, blob, dataSetDigest: digest, source, subject, person };
  return { ...names, reason: 'other-data-set', receivedAt: NOW };
}

type Standing = {
  readonly copy: Copy;
  readonly owner: Owner;
  readonly about: Case;
  readonly instances: readonly InstanceRow[];
};

async function standingParts({ indexer, images }: Writing, template: Template, all: Standing): Promise<PlanParts> {
  const { copy, owner, about, instances } = all;
  const { sent, renamed } = copy;
  const { ids } = sent;
  const { study, report, manifest, document, manifestBytes, reportBytes } = renamed(template.rows);
  const isReleased = about.item === 'released';
  const subject = `Patient/${owner.patient}`;
  const label = labelFor(about.label);
  const put = (resource: Resource, facts: PutFacts): Put => {
    const labelled = { ...resource, meta: { ...resource.meta, security: [...codingsOf(label)] } };
    const row = putOf(indexer, labelled, NOW, { person: owner.person, subject, released: isReleased, ...facts });
    return { ...row, ...label };
  };
  // Its service opens no record by it: it sees what is not shared.
  const origin = { ...filedBy(AUTHOR.organization), ownServices: [AUTHOR.service] };
  const content = (manifest as DocumentReference).content.map((one) => ({ ...one, attachment: sent.manifest }));
  const puts = [
    put(study, { origin }),
    put({ ...manifest, content } as Resource, { origin }),
    put(manifestBytes, {
      parent: `DocumentReference/${ids.manifest.id}`,
      blob: await keep(images, copy.manifestBytes),
    }),
    put({ ...report, ...(isReleased ? {} : { status: 'preliminary' }) } as Resource, { origin }),
    put(reportBytes, {
      parent: `DiagnosticReport/${ids.diagnosticReport}`,
      blob: await keep(images, template.exam.pdf),
    }),
    ...(isReleased ? [put(document, { origin })] : []),
  ];
  const claims = [
    { key: claimKey.study(ids.studyInstanceUID), value: subject },
    { key: claimKey.studySource(ids.studyInstanceUID), value: AUTHOR.organization },
    { key: claimKey.imagingStudy(ids.studyInstanceUID), value: ids.imagingStudy },
  ];
  return { claims, puts, instances };
}

/** The label as the product keeps it. */
export function labelFor({ level, mask }: MatrixLabel): Label {
  const known = LEVELS.find((one) => one === level);
  if (known === undefined) throw new Error(`No level is ${level}`);
  return { level: known, masks: MASKS.filter((one) => one === mask) };
}

async function keep(images: ImageStore, bytes: Uint8Array): Promise<BlobRef> {
  const writer = await images.create();
  await writer.write(bytes);
  return await writer.finish();
}
