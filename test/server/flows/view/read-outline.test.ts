import { expect } from 'chai';
import { StudyOutline } from '../../../../profiles/imaging/study-outline.ts';
import { readOutline } from '../../../../server/flows/view/read-outline.ts';

/** Metadata of an instance of so many bytes at least. */
function metadataOf(at: number, bytes: number): Uint8Array {
  const text = (vr: string, value: string) => ({ vr, Value: [value] });
  return Buffer.from(
    JSON.stringify({
      '00080018': text('UI', `2.25.${at + 1}`),
      '0020000E': text('UI', '2.25.9'),
      '00080060': text('CS', 'CT'),
      '00280010': { vr: 'US', Value: [8] },
      '00280011': { vr: 'US', Value: [8] },
      '00104000': text('LT', 'x'.repeat(bytes)),
    }),
  );
}

describe('The outline of a study', () => {
  it('is read in turns: large headers of one study do not hold up the requests of others', async () => {
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const outline = new StudyOutline();
    await readOutline(
      outline,
      Array.from({ length: 6 }, (_, at) => metadataOf(at, 1_100_000)),
    );
    isDone = true;
    expect(turns).to.be.at.least(5);
    expect(outline.series.flatMap(({ instances }) => instances)).to.have.length(6);
  });
});
