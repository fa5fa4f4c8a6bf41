/** The doors of the matrix, and what of an exam each can show. */
import { expect } from 'chai';
import type { Bundle } from '@medplum/fhirtypes';
import { get, type Door, type Reply } from '../support/door.ts';
import { isNotFound } from '../support/doors/fhir-doors.ts';
import { DOORS } from '../support/doors/doors.ts';
import type { ExamIds } from '../support/exam.ts';
import { taskOf } from './holders.ts';
import type { Part } from './matrix.ts';

/** A door, and the parts that it shows, each as far as the asker sees it. */
export type MatrixDoor = Door & { readonly parts: readonly Part[] };

const JSON_TYPE = 'application/fhir+json';

/** Doors that list documents, and pages that show images with the report beside them. */
const OF_IMAGES_AND_DOCUMENT = [
  'FHIR DocumentReference search',
  'ITI-67 by patient',
  'ITI-18 FindDocuments',
  'ITI-18 FindDocumentsByReferenceId',
  'ITI-18 GetDocuments',
  'Viewer (RAD-106)',
  'Lasting link',
];
/** Doors of the document that a validated report is published as. */
const OF_DOCUMENT = ['FHIR DocumentReference read (PDF)', 'ITI-43 report (PDF)'];

const task = ({ patient }: ExamIds): string => taskOf(patient);

/** A row of the own class, which names somebody. */
const NAMED_DOORS: readonly MatrixDoor[] = [
  {
    name: 'FHIR Task read',
    parts: ['named'],
    event: { type: 'rest', subtype: ['read'], action: 'R', touched: (ids) => `Task/${task(ids)}` },
    ask: async (call) => await get(call, `/fhir/Task/${task(call.ids)}`, JSON_TYPE),
    expectShown: (reply, { ids }) => {
      expect(reply.status).to.equal(200);
      expect((JSON.parse(reply.body.toString()) as { id?: string }).id).to.equal(task(ids));
    },
    expectHidden: isNotFound,
  },
  {
    name: 'FHIR Task search',
    parts: ['named'],
    event: { type: 'rest', subtype: ['search-type'], action: 'E' },
    ask: async (call) => await get(call, `/fhir/Task?_id=${task(call.ids)}`, JSON_TYPE),
    expectShown: (reply, { ids }) => expect(tasksOf(reply)).to.deep.equal([200, 1, [task(ids)]]),
    expectHidden: (reply) => expect(tasksOf(reply)).to.deep.equal([200, 0, []]),
  },
];

/** Every door. */
export const MATRIX_DOORS: readonly MatrixDoor[] = [
  ...DOORS.map((door) => ({ ...door, parts: partsOfDoor(door) })),
  ...NAMED_DOORS,
];

/** The names that a door tells of what a part is: those of a part that is hidden are in no answer. */
export function namesOfPart(part: Part, ids: ExamIds): readonly string[] {
  switch (part) {
    case 'images':
      return [ids.manifest.id, ids.manifest.uniqueId, ...ids.sopInstanceUIDs];
    case 'report':
      return [ids.diagnosticReport, ids.reportDocument.binary];
    case 'document':
      return [ids.reportDocument.id, ids.reportDocument.uniqueId];
    case 'named':
      return [task(ids)];
  }
}

function partsOfDoor({ name, isOfReport }: Door): readonly Part[] {
  if (OF_IMAGES_AND_DOCUMENT.includes(name)) return ['images', 'document'];
  if (OF_DOCUMENT.includes(name)) return ['document'];
  return isOfReport === true ? ['report'] : ['images'];
}

function tasksOf({ status, body }: Reply): readonly unknown[] {
  const { total, entry = [] } = JSON.parse(body.toString()) as Bundle;
  return [status, total, entry.map(({ resource }) => resource?.id)];
}
