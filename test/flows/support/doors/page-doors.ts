/** The pages of an exam: its lasting link, and the viewer. */
import { expect } from 'chai';
import { getPage, type Door, type Reply } from '../door.ts';
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
    name: 'Lasting link',
    event: { type: 'rest', subtype: ['read'], action: 'R', touched: imagingStudy },
    isPage: true,
    ask: async (call) => await getPage(call, `/voir/${call.ids.imagingStudy}`),
    expectShown: (reply, { ids }) =>
      expect([reply.status, reply.headers.get('Location')]).to.deep.equal([303, `/viewer/${ids.studyInstanceUID}`]),
    expectHidden: isAbsentPage,
  },
];

function isAbsentPage({ status, headers }: Reply): void {
  expect([status, headers.get('Content-Type')]).to.deep.equal([404, 'text/html; charset=utf-8']);
}
