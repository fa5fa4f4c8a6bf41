/** The pages of an exam: its lasting link, and the viewer. */
import { expect } from 'chai';
import { getPage, type Door, type Reply, type Sent } from '../door.ts';
import type { ExamIds } from '../exam.ts';

const imagingStudy = ({ imagingStudy: id }: ExamIds): string => `ImagingStudy/${id}`;

/** The doors. */
export const PAGE_DOORS: readonly Door[] = [
  {
    name: 'Viewer (RAD-106)',
    event: { type: '110103', subtype: ['RAD-106'], action: 'R', touched: imagingStudy },
    isPage: true,
    ask: async (call) => await getPage(call, `/viewer/${call.ids.studyInstanceUID}`),
    expectShown: (reply, { ids }) => {
      expect(reply.status).to.equal(200);
      const page = reply.body.toString();
      for (const uid of ids.sopInstanceUIDs) expect(page).to.include(uid);
      expect(page).to.include(`/viewer/${ids.studyInstanceUID}/reports/${ids.reportDocument.binary}`);
    },
    expectHidden: isAbsentPage,
  },
  {
    name: 'Invoke Image Display',
    event: { type: '110112', subtype: ['RAD-106'], action: 'E' },
    isPage: true,
    ask: async (call) =>
      await getPage(call, `/IHEInvokeImageDisplay?requestType=STUDY&studyUID=${call.ids.studyInstanceUID}`),
    expectShown: isLedToViewer,
    expectHidden: isAbsentPage,
  },
  {
    name: 'Lasting link',
    event: { type: 'rest', subtype: ['read'], action: 'R', touched: imagingStudy },
    isPage: true,
    ask: async (call) => await getPage(call, `/voir/${call.ids.imagingStudy}`),
    expectShown: isLedToViewer,
    expectHidden: isAbsentPage,
  },
];

function isLedToViewer({ status, headers }: Reply, { ids }: Sent): void {
  expect([status, headers.get('Location')]).to.deep.equal([303, `/viewer/${ids.studyInstanceUID}`]);
}

function isAbsentPage({ status, headers }: Reply): void {
  expect([status, headers.get('Content-Type')]).to.deep.equal([404, 'text/html; charset=utf-8']);
}
