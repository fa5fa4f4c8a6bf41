/** QIDO-RS and WADO-RS. */
import { expect } from 'chai';
import { get, partsOf, type Door, type Reply } from '../door.ts';
import { dataSetDigest, type ExamIds } from '../exam.ts';
import { isNotFound } from './fhir-doors.ts';

const DICOM_JSON = 'application/dicom+json';
const EVERY_SYNTAX = 'multipart/related; type="application/dicom"; transfer-syntax=*';

const EVERY_FRAME = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';
const PIXEL_DATA_OW = Buffer.from('e07f10004f570000', 'hex');

type Matches = readonly Readonly<Record<string, { readonly Value?: readonly unknown[] }>>[];

const imagingStudy = ({ imagingStudy: id }: ExamIds): string => `ImagingStudy/${id}`;

/** The doors. */
export const DICOMWEB_DOORS: readonly Door[] = [
  {
    name: 'QIDO-RS studies',
    event: { type: '110112', subtype: ['RAD-129'], action: 'E' },
    ask: async (call) =>
      await get(call, `/dicom-web/studies?StudyInstanceUID=${call.ids.studyInstanceUID}`, DICOM_JSON),
    expectShown: (reply, { exam, ids }) => {
      expect(reply.status).to.equal(200);
      const found = matchesOf(reply).map((match) =>
        [match['0020000D'], match['00201208'], match['00100020']].map((attribute) => attribute?.Value?.[0]),
      );
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
  {
    name: 'QIDO-RS instances',
    event: { type: '110112', subtype: ['RAD-129'], action: 'E' },
    ask: async (call) => await get(call, `/dicom-web/studies/${call.ids.studyInstanceUID}/instances`, DICOM_JSON),
    expectShown: (reply, { ids }) => {
      expect(reply.status).to.equal(200);
      expect(matchesOf(reply).map((match) => match['00080018']?.Value?.[0])).to.have.members([...ids.sopInstanceUIDs]);
    },
    expectHidden: (reply) => expect([reply.status, reply.body.toString()]).to.deep.equal([200, '[]']),
  },
  {
    name: 'QIDO-RS across studies',
    event: { type: '110112', subtype: ['RAD-129'], action: 'E' },
    ask: async (call) =>
      await get(call, `/dicom-web/instances?SOPInstanceUID=${call.ids.sopInstanceUIDs[0]}`, DICOM_JSON),
    expectShown: (reply, { ids }) => {
      expect(reply.status).to.equal(200);
      const found = matchesOf(reply).map((match) =>
        [match['00080018'], match['0020000D'], match['00100020']].map((attribute) => attribute?.Value?.[0]),
      );
      expect(found).to.deep.equal([[ids.sopInstanceUIDs[0], ids.studyInstanceUID, ids.patientNumber]]);
    },
    expectHidden: (reply) => expect([reply.status, reply.body.toString()]).to.deep.equal([200, '[]']),
  },
  {
    name: 'WADO-RS frame',
    event: { type: '110104', subtype: ['RAD-107'], action: 'R', touched: imagingStudy },
    viewing: 'frames',
    ask: async (call) =>
      await get(
        call,
        `/dicom-web/studies/${call.ids.studyInstanceUID}/series/${call.ids.seriesInstanceUID}` +
          `/instances/${call.ids.sopInstanceUIDs[0]}/frames/1`,
        EVERY_FRAME,
      ),
    expectShown: (reply, { exam, ids }) => {
      expect(reply.status).to.equal(200);
      const [frame, ...others] = partsOf(reply);
      const bytes = Buffer.from(
        exam.instances.find(({ sopInstanceUID }) => sopInstanceUID === ids.sopInstanceUIDs[0])?.bytes ?? [],
      );
      // The pixels are the last of the file, and of 16 bits.
      expect([others.length, frame?.content.length]).to.deep.equal([
        0,
        bytes.length - bytes.indexOf(PIXEL_DATA_OW) - PIXEL_DATA_OW.length - 4,
      ]);
      expect(bytes.subarray(-(frame?.content.length ?? 0)).equals(frame?.content ?? Buffer.alloc(0))).to.equal(true);
    },
    expectHidden: isNotFound,
  },
];

function matchesOf({ body }: Reply): Matches {
  return JSON.parse(body.toString()) as Matches;
}
