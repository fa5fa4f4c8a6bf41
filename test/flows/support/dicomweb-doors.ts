/** QIDO-RS and WADO-RS. */
import { expect } from 'chai';
import { get, partsOf, type Door, type Reply } from './door.ts';
import { dataSetDigest, type ExamIds } from './exam.ts';
import { isNotFound } from './fhir-doors.ts';

const DICOM_JSON = 'application/dicom+json';
const EVERY_SYNTAX = 'multipart/related; type="application/dicom"; transfer-syntax=*';

type Matches = readonly Readonly<Record<string, { readonly Value?: readonly unknown[] }>>[];

const imagingStudy = ({ imagingStudy: id }: ExamIds): string => `ImagingStudy/${id}`;

/** The doors. */
export const DICOMWEB_DOORS: readonly Door[] = [
  {
    name: 'QIDO-RS studies',
    event: { type: '110112', subtype: ['RAD-129'], action: 'E' },
    ask: async (call) => await get(call, `/dicom-web/studies?StudyInstanceUID=${call.ids.studyInstanceUID}`, DICOM_JSON),
    expectShown: (reply, { exam, ids }) => {
      expect(reply.status).to.equal(200);
      const found = matchesOf(reply).map((match) => [match['0020000D'], match['00201208'], match['00100020']].map((attribute) => attribute?.Value?.[0]));
      expect(found).to.deep.equal([[ids.studyInstanceUID, exam.instances.length, ids.patientNumber]]);
    },
    expectHidden: (reply) => expect([reply.status, reply.body.toString()]).to.deep.equal([200, '[]']),
  },
  {
    name: 'WADO-RS study',
    event: { type: '110104', subtype: ['RAD-107'], action: 'R', touched: imagingStudy },
    ask: async (call) => await get(call, `/dicom-web/studies/${call.ids.studyInstanceUID}`, EVERY_SYNTAX),
    expectShown: (reply, { exam }) => {
      expect(reply.status).to.equal(200);
      const digests = partsOf(reply).map(({ content }) => dataSetDigest(content));
      expect(digests).to.have.members([...exam.dataSets.values()]);
    },
    expectHidden: isNotFound,
  },
  {
    name: 'WADO-RS metadata',
    event: { type: '110103', subtype: ['RAD-107'], action: 'R', touched: imagingStudy },
    ask: async (call) => await get(call, `/dicom-web/studies/${call.ids.studyInstanceUID}/metadata`, DICOM_JSON),
    expectShown: (reply, { ids }) => {
      expect(reply.status).to.equal(200);
      expect(matchesOf(reply).map((match) => match['00080018']?.Value?.[0])).to.have.members([...ids.sopInstanceUIDs]);
    },
    expectHidden: isNotFound,
  },
];

function matchesOf({ body }: Reply): Matches {
  return JSON.parse(body.toString()) as Matches;
}
