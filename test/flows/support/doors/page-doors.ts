/** The pages of an exam: its lasting link, and the viewer. */
import { expect } from 'chai';
import { getPage, type Door, type Reply, type Sent } from '../door.ts';
import type { ExamIds } from '../exam.ts';

const imagingStudy = ({ imagingStudy: id }: ExamIds): string => `ImagingStudy/${id}`;

const VIEWED = { type: '110103', subtype: ['RAD-106'], action: 'R', touched: imagingStudy } as const;

/** The doors. */
export const PAGE_DOORS: readonly Door[] = [
  {
    name: 'Viewer (RAD-106)',
    event: VIEWED,
    isPage: true,
    ask: async (call) => await getPage(call, `/viewer/${call.ids.studyInstanceUID}`),
    expectShown: isViewer,
    expectHidden: isAbsentPage,
  },
  {
    name: 'Lasting link',
    event: VIEWED,
    isPage: true,
    ask: async (call) => await getPage(call, `/voir/${call.ids.imagingStudy}`),
    expectShown: isViewer,
    expectHidden: isAbsentPage,
  },
  {
    name: 'Invoke Image Display',
    event: { type: '110112', subtype: ['RAD-106'], action: 'E' },
    isPage: true,
    ask: async (call) =>
      await getPage(call, `/IHEInvokeImageDisplay?requestType=STUDY&studyUID=${call.ids.studyInstanceUID}`),
    expectShown: ({ status, headers }, { ids }) =>
      expect([status, headers.get('Location')]).to.deep.equal([303, `/viewer/${ids.studyInstanceUID}`]),
    expectHidden: isAbsentPage,
  },
];

function isViewer({ status, body }: Reply, { ids }: Sent): void {
  expect(status).to.equal(200);
  const page = body.toString();
  for (const uid of ids.sopInstanceUIDs) expect(page).to.include(uid);
  expect(page).to.include(`/viewer/${ids.studyInstanceUID}/reports/${ids.reportDocument.binary}`);
}

function isAbsentPage({ status, headers }: Reply): void {
  expect([status, headers.get('Content-Type')]).to.deep.equal([404, 'text/html; charset=utf-8']);
}
