/** Pictures of WADO-RS, and WADO-URI. */
import { inflateSync } from 'node:zlib';
import { expect } from 'chai';
import { get, type Door, type Reply } from '../door.ts';
import { dataSetDigest, type ExamIds } from '../exam.ts';
import { isNotFound } from './fhir-doors.ts';

const PNG = 'image/png';
const imagingStudy = ({ imagingStudy: id }: ExamIds): string => `ImagingStudy/${id}`;
const RETRIEVED = { type: '110104', subtype: ['RAD-107'], action: 'R', touched: imagingStudy } as const;

/** The doors. */
export const PICTURE_DOORS: readonly Door[] = [
  {
    name: 'WADO-RS rendered',
    event: RETRIEVED,
    viewing: 'rendered',
    ask: async (call) =>
      await get(
        call,
        `/dicom-web/studies/${call.ids.studyInstanceUID}/series/${call.ids.seriesInstanceUID}` +
          `/instances/${call.ids.sopInstanceUIDs[0]}/frames/1/rendered`,
        PNG,
      ),
    expectShown: (reply) => expect(sizeOf(reply)).to.deep.equal([256, 256]),
    expectHidden: isNotFound,
  },
  {
    name: 'WADO-RS thumbnail',
    event: RETRIEVED,
    viewing: 'rendered',
    ask: async (call) => await get(call, `/dicom-web/studies/${call.ids.studyInstanceUID}/thumbnail`, PNG),
    expectShown: (reply) => expect(Math.max(...sizeOf(reply))).to.be.within(64, 256),
    expectHidden: isNotFound,
  },
  {
    name: 'WADO-URI object',
    event: RETRIEVED,
    viewing: 'instances',
    ask: async (call) =>
      await get(
        call,
        `/wado?requestType=WADO&studyUID=${call.ids.studyInstanceUID}&seriesUID=${call.ids.seriesInstanceUID}` +
          `&objectUID=${call.ids.sopInstanceUIDs[0]}&contentType=application/dicom`,
        'application/dicom',
      ),
    expectShown: (reply, { exam, ids }) => {
      expect(reply.status).to.equal(200);
      expect(dataSetDigest(reply.body)).to.equal(exam.dataSets.get(ids.sopInstanceUIDs[0] ?? ''));
    },
    expectHidden: isNotFound,
  },
];

/** Width and height of a PNG that is not blank. @see PNG (W3C) sections 11.2.1 and 11.2.3 */
function sizeOf({ status, body }: Reply): [number, number] {
  expect(status, body.toString('latin1', 0, 200)).to.equal(200);
  const chunks: Buffer[] = [];
  for (let at = 8; at + 8 < body.length; at += 12 + body.readUInt32BE(at)) {
    const content = body.subarray(at + 8, at + 8 + body.readUInt32BE(at));
    if (body.toString('latin1', at + 4, at + 8) === 'IDAT') chunks.push(content);
  }
  expect(new Set(inflateSync(Buffer.concat(chunks))).size, 'values of pixels').to.be.greaterThan(20);
  return [body.readUInt32BE(16), body.readUInt32BE(20)];
}
