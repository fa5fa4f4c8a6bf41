import { expect } from 'chai';
import * as fc from 'fast-check';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import type { StudyOverrides } from '../../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';

import { toDicomJson } from '../../../profiles/dicom/json/json.ts';
import type { DicomJson, JsonAttribute } from '../../../profiles/dicom/json/json.ts';
import { buildImagingStudy } from '../../../profiles/imaging/imaging-study-from-dicom.ts';
import type { ImagingStudyInput } from '../../../profiles/imaging/imaging-study-from-dicom.ts';
import type { StudySeries } from '../../../profiles/imaging/series.ts';
import type { Validate } from '../../../profiles/validation/validate.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { faultOf } from '../../support/thrown-fault.ts';
import { sample, sampleNames } from '../dicom/samples.ts';
import { headerOf, seriesOf, withAttributes } from '../../support/imaging.ts';

const { strasbourg } = ESTABLISHMENTS;
/** Samples that are no Part 10 file, on purpose. */
const UNREADABLE: ReadonlySet<string> = new Set(['broken_missing_transfer_syntax.dcm', 'rtstruct.dcm']);

function inputOf(series: readonly StudySeries[], studyInstanceUID = '2.25.70'): ImagingStudyInput {
  return {
    id: 'study-1',
    studyInstanceUID,
    patient: 'Patient/p-1',
    endpoint: 'Endpoint/wado',
    viewer: 'https://images.example/voir/study-1',
    organization: strasbourg.organization,
    accessionSystem: 'urn:oid:2.25.77',
    timeZone: 'Europe/Paris',
    series,
  };
}

const sq = (...items: DicomJson[]): JsonAttribute => ({ vr: 'SQ', Value: items });
/** The study built from a fixture whose headers are changed. */
function build(overrides: StudyOverrides, changes: Parameters<typeof withAttributes>[1] = {}) {
  const series = seriesOf(aStudy(overrides));
  return buildImagingStudy(
    inputOf(series.map((one) => ({ ...one, attributes: withAttributes(one.attributes, changes) }))),
  );
}

describe('ImagingStudy of DICOM headers: what series say, odd values and order', () => {
  let validate: Validate;

  before(async () => {
    ({ validate } = await loadDefinitions());
  });

  it('laterality: takes that of the series, else that of its instances, both when they differ', () => {
    const sideOf = (series: string | undefined, ...sides: readonly ('L' | 'R' | undefined)[]): string | undefined => {
      const [one] = seriesOf(aStudy({ key: 'sides', instances: sides.length }));
      if (one === undefined) throw new Error('no series');
      const instances = one.instances.map((instance, at) => ({
        ...instance,
        ...(sides[at] !== undefined && { side: sides[at] }),
      }));
      const named: JsonAttribute | undefined = series === undefined ? undefined : { vr: 'CS', Value: [series] };
      const attributes = withAttributes(one.attributes, { Laterality: named });
      const study = buildImagingStudy(inputOf([{ ...one, attributes, instances }]));
      validate(study);
      return study.series?.[0]?.laterality?.code;
    };
    expect(sideOf('R', 'L')).to.equal('24028007');
    expect(sideOf(undefined, 'L', undefined)).to.equal('7771000');
    expect(sideOf(undefined, 'L', 'R')).to.equal('51440002');
    expect(sideOf(undefined, undefined)).to.equal(undefined);
    expect(sideOf('U', undefined)).to.equal(undefined);
  });

  it('names specimens by their issuer, else by their UID, else as the establishment’s', () => {
    const specimen = (id: string, more: DicomJson): DicomJson => ({ '00400551': { vr: 'LO', Value: [id] }, ...more });
    const study = build(
      { key: 'specimens', instances: 1 },
      {
        SpecimenDescriptionSequence: sq(
          specimen('S-1', {
            '00400562': sq({ '00400032': { vr: 'UT', Value: ['1.2.3'] }, '00400033': { vr: 'CS', Value: ['ISO'] } }),
            '00400554': { vr: 'UI', Value: ['1.2.9'] },
          }),
          specimen('S-2', { '00400554': { vr: 'UI', Value: ['1.2.9'] } }),
          specimen('S-3', { '00400600': { vr: 'LO', Value: ['Biopsie'] } }),
        ),
      },
    );
    validate(study);
    expect(study.series?.[0]?.specimen).to.deep.equal([
      { type: 'Specimen', identifier: { system: 'urn:oid:1.2.3', value: 'S-1' } },
      { type: 'Specimen', identifier: { system: 'urn:dicom:uid', value: 'urn:oid:1.2.9' }, display: 'S-2' },
      {
        type: 'Specimen',
        identifier: { value: 'S-3', assigner: { reference: strasbourg.organization } },
        display: 'Biopsie',
      },
    ]);
  });

  it('stays valid with headers that hold next to nothing, or odd values', () => {
    const bare = seriesOf(aStudy({ key: 'bare', instances: 1 })).map((one) => ({ ...one, attributes: {} }));
    const study = buildImagingStudy(inputOf(bare));
    validate(study);
    expect(study.modality?.[0]?.code).to.equal('OT');
    const odd = build(
      { key: 'odd', instances: 1 },
      {
        Modality: { vr: 'CS', Value: ['C  T'] },
        SeriesNumber: { vr: 'IS', Value: [-1] },
        BodyPartExamined: { vr: 'CS', Value: ['constructor'] },
        StudyDescription: { vr: 'LO', Value: ['Radio\u00a0: thorax'] },
        PerformingPhysicianName: { vr: 'PN', Value: [null] },
        Laterality: { vr: 'CS', Value: ['R'] },
      },
    );
    validate(odd);
    expect(odd.description).to.equal('Radio : thorax');
    expect(odd.series?.[0]?.bodySite).to.deep.equal({ display: 'constructor' });
    expect(odd.series?.[0]?.laterality?.code).to.equal('24028007');
    expect(odd.series?.[0]).to.not.have.property('number');
  });

  it('is valid for every sample image', function () {
    const names = sampleNames();
    if (names.length === 0) return this.skip();
    let built = 0;
    for (const name of names.filter((one) => !UNREADABLE.has(one))) {
      const attributes = toDicomJson(headerOf(sample(name)));
      const instances = [{ sopInstanceUID: '1.2.3', sopClassUID: '1.2.4', instanceNumber: 1 }];
      validate(buildImagingStudy(inputOf([{ seriesInstanceUID: '1.2.5', attributes, instances }])));
      built += 1;
    }
    expect(built).to.be.above(50);
  });

  it('is the study and the series that its instances were filed in, whatever their headers say', () => {
    const [one, ...others] = seriesOf(aStudy({ key: 'a', series: 3, instances: 1 }));
    if (one === undefined) throw new Error('no series');
    const other: JsonAttribute = { vr: 'UI', Value: ['1.2.3'] };
    const bytes: JsonAttribute = { vr: 'UN', InlineBinary: 'MS4yLjM=' };
    const headers = [
      withAttributes(one.attributes, { StudyInstanceUID: other, SeriesInstanceUID: other }),
      withAttributes(one.attributes, { StudyInstanceUID: bytes, SeriesInstanceUID: bytes }),
      withAttributes(one.attributes, { StudyInstanceUID: undefined, SeriesInstanceUID: undefined }),
    ];
    const filed = [one, ...others].map((series, at) => ({ ...series, attributes: headers[at] ?? {} }));
    const study = buildImagingStudy(inputOf(filed, '2.25.71'));
    validate(study);
    expect(study.identifier?.[0]?.value).to.equal('urn:oid:2.25.71');
    const uids = filed.map(({ seriesInstanceUID }) => seriesInstanceUID);
    expect(study.series?.map(({ uid }) => uid)).to.have.members(uids);
    expect(faultOf(() => buildImagingStudy(inputOf([]))).kind).to.equal('required');
  });

  it('is the same bytes in whatever order series and instances came', () => {
    const series = numberless(seriesOf(aStudy({ key: 'order', series: 4, instances: 3 })));
    const expected = JSON.stringify(buildImagingStudy(inputOf(series)));
    const anyOrder = fc
      .tuple(
        fc.shuffledSubarray(series, { minLength: series.length }),
        fc.array(fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), { minLength: 4, maxLength: 4 }),
      )
      .map(([shuffled, orders]) =>
        shuffled.map(({ instances, ...series }, at) => ({
          ...series,
          instances: (orders[at] ?? []).flatMap((index) => instances[index] ?? []),
        })),
      );
    fc.assert(
      fc.property(anyOrder, (shuffled) => {
        expect(JSON.stringify(buildImagingStudy(inputOf(shuffled)))).to.equal(expected);
      }),
      { numRuns: 100 },
    );
  });
});

/** Two series of one number, two without, and instances that share a number or have none: only UIDs tell them apart. */
function numberless(series: readonly StudySeries[]): StudySeries[] {
  return series.map(({ seriesInstanceUID, attributes, instances }, at) => ({
    seriesInstanceUID,
    attributes: withAttributes(attributes, {
      SeriesNumber: at < 2 ? { vr: 'IS', Value: [7] } : undefined,
      StudyDescription: { vr: 'LO', Value: [`As series ${at} says`] },
    }),
    instances: instances.map((one, index) => ({ ...one, instanceNumber: index === 0 ? undefined : 5 })),
  }));
}
