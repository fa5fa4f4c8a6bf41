import { expect } from 'chai';
import * as fc from 'fast-check';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { StudyOverrides } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { oidUri } from '../../profiles/codes.ts';
import { toDicomJson } from '../../profiles/dicom/json.ts';
import type { DicomJson } from '../../profiles/dicom/json.ts';
import { buildImagingStudy } from '../../profiles/imaging-study-from-dicom.ts';
import type { ImagingStudyInput } from '../../profiles/imaging-study-from-dicom.ts';
import type { StudySeries } from '../../profiles/imaging-study-series.ts';
import type { Validate } from '../../profiles/validate.ts';
import { loadDefinitions } from '../../server/runtime/definitions.ts';
import { faultOf } from '../support/thrown-fault.ts';
import { sample, sampleNames } from './dicom/samples.ts';
import { headerOf, seriesOf, withAttributes } from '../support/imaging.ts';

const { strasbourg } = ESTABLISHMENTS;
/** Samples that are no Part 10 file, on purpose. */
const UNREADABLE: ReadonlySet<string> = new Set(['broken_missing_transfer_syntax.dcm', 'rtstruct.dcm']);

function inputOf(series: readonly StudySeries[]): ImagingStudyInput {
  return {
    id: 'study-1',
    patient: 'Patient/p-1',
    endpoint: 'Endpoint/wado',
    organization: strasbourg.organization,
    accessionSystem: 'urn:oid:2.25.77',
    timeZone: 'Europe/Paris',
    series,
  };
}

/** The study built from a fixture whose headers are changed. */
function build(overrides: StudyOverrides, changes: Parameters<typeof withAttributes>[1] = {}) {
  const series = seriesOf(aStudy(overrides));
  return buildImagingStudy(inputOf(series.map((one) => ({ ...one, attributes: withAttributes(one.attributes, changes) }))));
}

describe('ImagingStudy of DICOM headers (FHIR R4 ImagingStudy, DICOM mapping)', () => {
  let validate: Validate;

  before(async () => {
    ({ validate } = await loadDefinitions());
  });

  it('describes the study', () => {
    const source = aStudy({ key: 'mapped', modality: 'MR', series: 2, instances: 2 });
    const study = buildImagingStudy(inputOf(seriesOf(source)));
    expect(validate(study)).to.equal(study);
    const { series, identifier, ...rest } = study;
    expect(identifier?.map(({ system, value }) => `${system}|${value}`)).to.deep.equal([
      `urn:dicom:uid|urn:oid:${source.studyInstanceUID}`,
      `${oidUri(strasbourg.accessionDomain)}|${source.accessionNumber}`,
    ]);
    expect(identifier?.[1]?.type?.coding?.[0]?.code).to.equal('ACSN');
    expect(rest).to.deep.equal({
      resourceType: 'ImagingStudy',
      id: 'study-1',
      extension: [{ url: 'urn:passerelle:StructureDefinition:ImagingStudy-study-id', valueString: source.accessionNumber.slice(-6) }],
      meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }] },
      status: 'available',
      modality: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'MR' }],
      subject: { reference: 'Patient/p-1' },
      started: '2026-01-15T09:30:00+01:00',
      basedOn: [{ type: 'ServiceRequest', identifier: identifier?.[1] }],
      referrer: { type: 'Practitioner', display: 'Dr Maëlle Brandessart' },
      endpoint: [{ reference: 'Endpoint/wado' }],
      numberOfSeries: 2,
      numberOfInstances: 4,
      description: 'Examen de contrôle',
    });
    expect(series).to.have.length(2);
  });

  it('describes each series and instance', () => {
    const [series] = seriesOf(aStudy({ key: 'one series' }));
    const [first] = series?.instances ?? [];
    const study = build({ key: 'one series' });
    const { instance, ...rest } = study.series?.[0] ?? { uid: '', modality: {} };
    expect(rest).to.deep.equal({
      uid: series?.attributes['0020000E']?.Value?.[0],
      number: 1,
      modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CT' },
      description: 'Série 1',
      numberOfInstances: 3,
      endpoint: [{ reference: 'Endpoint/wado' }],
      bodySite: { system: 'http://snomed.info/sct', code: '816094009', display: 'Chest' },
      started: '2026-01-15T09:30:00+01:00',
      performer: [
        { function: performing('PRF'), actor: { type: 'Practitioner', display: 'Dr Solène Hartmannsweil' } },
        { function: performing('PRF'), actor: { type: 'Organization', display: "Centre hospitalier universitaire de l'Ill-aux-Cygnes" } },
        { function: performing('CST'), actor: { reference: strasbourg.organization } },
      ],
    });
    expect(instance?.[0]).to.deep.equal({
      uid: first?.sopInstanceUID,
      sopClass: { system: 'urn:ietf:rfc:3986', code: 'urn:oid:1.2.840.10008.5.1.4.1.1.2' },
      number: 1,
    });
  });

  const performing = (code: string) => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code }] });

  const times: readonly [name: string, changes: Parameters<typeof withAttributes>[1], started: string | undefined][] = [
    ['the instance’s own offset', { TimezoneOffsetFromUTC: { vr: 'SH', Value: ['-0330'] } }, '2026-01-15T09:30:00-03:30'],
    ['the zone in winter', { TimezoneOffsetFromUTC: undefined }, '2026-01-15T09:30:00+01:00'],
    ['the zone in summer', { TimezoneOffsetFromUTC: undefined, StudyDate: { vr: 'DA', Value: ['20260715'] } }, '2026-07-15T09:30:00+02:00'],
    ['the zone just before summer time', { TimezoneOffsetFromUTC: undefined, StudyDate: { vr: 'DA', Value: ['20260329'] }, StudyTime: { vr: 'TM', Value: ['0159'] } }, '2026-03-29T01:59:00+01:00'],
    ['the zone just after summer time began', { TimezoneOffsetFromUTC: undefined, StudyDate: { vr: 'DA', Value: ['20260329'] }, StudyTime: { vr: 'TM', Value: ['0300'] } }, '2026-03-29T03:00:00+02:00'],
    ['an offset that does not exist as none', { TimezoneOffsetFromUTC: { vr: 'SH', Value: ['+9900'] } }, '2026-01-15T09:30:00+01:00'],
    ['the date alone without time', { StudyTime: { vr: 'TM' } }, '2026-01-15'],
    ['the date alone when the time is none', { StudyTime: { vr: 'TM', Value: ['25'] } }, '2026-01-15'],
    ['a time with fraction', { StudyTime: { vr: 'TM', Value: ['093000.125'] } }, '2026-01-15T09:30:00.125+01:00'],
    ['a leap second', { TimezoneOffsetFromUTC: undefined, StudyTime: { vr: 'TM', Value: ['235960'] } }, '2026-01-15T23:59:60+01:00'],
    ['nothing without date', { StudyDate: undefined }, undefined],
    ['nothing for a day that does not exist', { StudyDate: { vr: 'DA', Value: ['20260230'] } }, undefined],
  ];
  for (const [name, changes, started] of times) {
    it(`started: takes ${name}`, () => {
      const study = build({ key: 'times', instances: 1 }, changes);
      validate(study);
      expect(study.started).to.equal(started);
    });
  }

  it('names the establishment as assigner of accession numbers without issuer, and every order of the study', () => {
    const request: DicomJson = { '00080050': { vr: 'SH', Value: ['ORDER-2'] } };
    const study = build(
      { key: 'orders', instances: 1, accessionNumber: 'ORDER-1' },
      { IssuerOfAccessionNumberSequence: undefined, RequestAttributesSequence: { vr: 'SQ', Value: [request, request] } },
    );
    validate(study);
    expect(study.basedOn?.map(({ identifier }) => `${identifier?.system}|${identifier?.value}|${identifier?.assigner?.reference}`)).to.deep.equal([
      `urn:oid:2.25.77|ORDER-1|${strasbourg.organization}`,
      `urn:oid:2.25.77|ORDER-2|${strasbourg.organization}`,
    ]);
  });

  it('takes procedure codes of known schemes, and those of others without system', () => {
    const code = (value: string, scheme: string, meaning: string): DicomJson => ({
      '00080100': { vr: 'SH', Value: [value] },
      '00080102': { vr: 'SH', Value: [scheme] },
      '00080104': { vr: 'LO', Value: [meaning] },
    });
    const codes = [code('24627-2', 'LN', 'CT Chest'), code('ZBQK002', 'CCAM', 'Radiographie du thorax'), code('a  b', 'LN', 'Text only')];
    const study = build({ key: 'procedures', instances: 1 }, { ProcedureCodeSequence: { vr: 'SQ', Value: codes } });
    validate(study);
    expect(study.procedureCode).to.deep.equal([
      { coding: [{ system: 'http://loinc.org', code: '24627-2', display: 'CT Chest' }], text: 'CT Chest' },
      { coding: [{ code: 'ZBQK002', display: 'Radiographie du thorax' }], text: 'Radiographie du thorax' },
      { text: 'Text only' },
    ]);
  });

  it('stays valid with headers that hold next to nothing, or odd values', () => {
    const bare = seriesOf(aStudy({ key: 'bare', instances: 1 })).map(({ attributes, instances }) => ({
      attributes: { '0020000D': attributes['0020000D'] ?? { vr: 'UI' as const }, '0020000E': attributes['0020000E'] ?? { vr: 'UI' as const } },
      instances,
    }));
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

  it('is valid for every sample image that names its study and series', function () {
    const names = sampleNames();
    if (names.length === 0) return this.skip();
    let built = 0;
    for (const name of names.filter((one) => !UNREADABLE.has(one))) {
      const attributes = toDicomJson(headerOf(sample(name)));
      if (attributes['0020000D'] === undefined || attributes['0020000E'] === undefined) continue;
      const instances = [{ sopInstanceUID: '1.2.3', sopClassUID: '1.2.4', instanceNumber: 1 }];
      validate(buildImagingStudy(inputOf([{ attributes, instances }])));
      built += 1;
    }
    expect(built).to.be.above(50);
  });

  it('refuses series without identity, or of several studies', () => {
    expect(faultOf(() => buildImagingStudy(inputOf([]))).kind).to.equal('required');
    expect(faultOf(() => build({ key: 'a' }, { SeriesInstanceUID: undefined })).expression).to.equal('SeriesInstanceUID');
    const mixed = [...seriesOf(aStudy({ key: 'a', instances: 1 })), ...seriesOf(aStudy({ key: 'b', instances: 1 }))];
    expect(faultOf(() => buildImagingStudy(inputOf(mixed))).kind).to.equal('invalid');
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
        shuffled.map(({ attributes, instances }, at) => ({
          attributes,
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
  return series.map(({ attributes, instances }, at) => ({
    attributes: withAttributes(attributes, {
      SeriesNumber: at < 2 ? { vr: 'IS', Value: [7] } : undefined,
      StudyDescription: { vr: 'LO', Value: [`As series ${at} says`] },
    }),
    instances: instances.map((one, index) => ({ ...one, instanceNumber: index === 0 ? undefined : 5 })),
  }));
}
