import { expect } from 'chai';
import { toDicomJson } from '../../../profiles/dicom/json/json.ts';
import { StudyOutline } from '../../../profiles/imaging/study-outline.ts';
import { aStudy, type StudyOverrides } from '../../../fixtures/dicom/a-study.ts';
import { DICOM_UID } from '../../../profiles/codes.ts';
import { headerOf } from '../../support/imaging.ts';

/** The outline of a small study. */
function outlineOf(overrides: StudyOverrides): StudyOutline['series'] {
  const outline = new StudyOutline();
  for (const { bytes } of aStudy({ key: 'outline', ...overrides }).instances())
    outline.add(toDicomJson(headerOf(bytes)));
  return outline.series;
}

describe('The outline of a study', () => {
  it('lists its series with their images, sizes and windows', () => {
    const series = outlineOf({ series: 2, instances: 3 });
    expect(
      series.map(({ title, modality, number, instances }) => [title, modality, number, instances.length]),
    ).to.deep.equal([
      ['Série 1', 'CT', 1, 3],
      ['Série 2', 'CT', 2, 3],
    ]);
    const [{ uid, ...image } = { uid: '' }] = series[0]?.instances ?? [];
    expect(uid).to.match(/^2\.25\./);
    expect(image).to.deep.equal({
      frames: 1,
      rows: 16,
      columns: 16,
      spacing: [20, 20],
      window: [40, 400],
      isColour: false,
    });
  });

  it('tells the spacing of a detector from that of the patient, which counts more', () => {
    const spacingsOf = (overrides: StudyOverrides): unknown => {
      const [image] = outlineOf({ instances: 1, ...overrides })[0]?.instances ?? [];
      return [image?.spacing, image?.isAtDetector];
    };
    expect(spacingsOf({ modality: 'CR' })).to.deep.equal([undefined, undefined]);
    expect(spacingsOf({ modality: 'CR', attributes: { ImagerPixelSpacing: [0.1, 0.2] } })).to.deep.equal([
      [0.1, 0.2],
      true,
    ]);
    const both = { ImagerPixelSpacing: [0.1, 0.2], PixelSpacing: [0.3, 0.4] };
    expect(spacingsOf({ modality: 'CR', attributes: both })).to.deep.equal([[0.3, 0.4], undefined]);
  });

  it('lists documents apart, by their own title', () => {
    const attributes = { SOPClassUID: `${DICOM_UID.storageClassPrefix}104.1`, '00420010:ST': 'Lettre' } as const;
    const [series] = outlineOf({ instances: 1, attributes });
    expect(series?.instances).to.deep.equal([]);
    expect(series?.documents.map(({ title }) => title)).to.deep.equal(['Lettre']);
  });
});
