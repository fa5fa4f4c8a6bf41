import type { CodeableConcept, Coding } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import type { StudyOverrides } from '../../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { oidUri } from '../../../profiles/codes.ts';

import type { DicomJson, JsonAttribute } from '../../../profiles/dicom/json/json.ts';
import { buildImagingStudy } from '../../../profiles/imaging/imaging-study-from-dicom.ts';
import type { ImagingStudyInput } from '../../../profiles/imaging/imaging-study-from-dicom.ts';
import type { StudySeries } from '../../../profiles/imaging/series.ts';
import type { Validate } from '../../../profiles/validation/validate.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';

import { seriesOf, withAttributes } from '../../support/imaging.ts';

const { strasbourg } = ESTABLISHMENTS;
const V2_TYPE = 'http://terminology.hl7.org/CodeSystem/v2-0203';
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
const pn = (...names: string[]): JsonAttribute => ({ vr: 'PN', Value: names.map((Alphabetic) => ({ Alphabetic })) });
const code = (value: string, scheme: string, meaning: string): DicomJson => ({
  '00080100': { vr: 'SH', Value: [value] },
  '00080102': { vr: 'SH', Value: [scheme] },
  '00080104': { vr: 'LO', Value: [meaning] },
});

function concept(system: string | undefined, value: string, text: string): CodeableConcept {
  return { coding: [{ ...(system !== undefined && { system }), code: value, display: text }], text };
}

/** The study built from a fixture whose headers are changed. */
function build(overrides: StudyOverrides, changes: Parameters<typeof withAttributes>[1] = {}) {
  const series = seriesOf(aStudy(overrides));
  return buildImagingStudy(
    inputOf(series.map((one) => ({ ...one, attributes: withAttributes(one.attributes, changes) }))),
  );
}

describe('ImagingStudy of DICOM headers (FHIR R4 ImagingStudy, DICOM mapping)', () => {
  let validate: Validate;

  before(async () => {
    ({ validate } = await loadDefinitions());
  });

  it('describes the study', () => {
    const source = aStudy({ key: 'mapped', modality: 'MR', series: 2, instances: 2 });
    const study = buildImagingStudy(inputOf(seriesOf(source), source.studyInstanceUID));
    expect(validate(study)).to.equal(study);
    const { series, identifier, contained, ...rest } = study;
    expect(contained).to.deep.equal([
      {
        resourceType: 'Endpoint',
        id: 'viewer',
        status: 'active',
        connectionType: {
          system: 'https://profiles.ihe.net/RAD/MADO/CodeSystem/MadoEndpointConnectionTypes',
          code: 'web-viewer',
          display: 'DICOM web viewer for the study',
        },
        payloadType: [
          { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/endpoint-payload-type', code: 'none' }] },
        ],
        payloadMimeType: ['text/html'],
        address: 'https://images.example/voir/study-1',
      },
    ]);
    expect(identifier?.map(({ system, value }) => `${system}|${value}`)).to.deep.equal([
      `urn:dicom:uid|urn:oid:${source.studyInstanceUID}`,
      `${oidUri(strasbourg.accessionDomain)}|${source.accessionNumber}`,
    ]);
    expect(identifier?.[1]?.type?.coding?.[0]?.code).to.equal('ACSN');
    expect(rest).to.deep.equal({
      resourceType: 'ImagingStudy',
      id: 'study-1',
      extension: [
        {
          url: 'urn:passerelle:StructureDefinition:ImagingStudy-study-id',
          valueString: source.accessionNumber.slice(-6),
        },
      ],
      meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }] },
      status: 'available',
      modality: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'MR' }],
      subject: { reference: 'Patient/p-1' },
      started: '2026-01-15T09:30:00+01:00',
      basedOn: [{ type: 'ServiceRequest', identifier: identifier?.[1] }],
      referrer: { type: 'Practitioner', display: 'Dr Maëlle Brandessart' },
      endpoint: [{ reference: 'Endpoint/wado' }, { reference: '#viewer', type: 'Endpoint', display: 'Voir l’examen' }],
      numberOfSeries: 2,
      numberOfInstances: 4,
      location: { type: 'Location', display: "Service d'imagerie médicale du CHU de l'Ill-aux-Cygnes" },
      description: 'Examen de contrôle',
    });
    expect(series).to.have.length(2);
  });

  it('ends with the series, without which lists read it', () => {
    expect(Object.keys(build({})).at(-1)).to.equal('series');
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
        {
          function: performing('PRF'),
          actor: { type: 'Organization', display: "Centre hospitalier universitaire de l'Ill-aux-Cygnes" },
        },
        {
          function: performing('DEV'),
          actor: {
            type: 'Device',
            identifier: { type: { coding: [{ system: V2_TYPE, code: 'SNO' }] }, value: 'DEMO-1' },
            display: 'Passerelle Fantôme (DEMO_MODALITY)',
          },
        },
        { function: performing('CST'), actor: { reference: strasbourg.organization } },
      ],
    });
    expect(instance?.[0]).to.deep.equal({
      uid: first?.sopInstanceUID,
      sopClass: { system: 'urn:ietf:rfc:3986', code: 'urn:oid:1.2.840.10008.5.1.4.1.1.2' },
      number: 1,
    });
  });

  const performing = (code: string) => ({
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code }],
  });

  const times: readonly [name: string, changes: Parameters<typeof withAttributes>[1], started: string | undefined][] = [
    [
      'the instance’s own offset',
      { TimezoneOffsetFromUTC: { vr: 'SH', Value: ['-0330'] } },
      '2026-01-15T09:30:00-03:30',
    ],
    ['the zone in winter', { TimezoneOffsetFromUTC: undefined }, '2026-01-15T09:30:00+01:00'],
    [
      'the zone in summer',
      { TimezoneOffsetFromUTC: undefined, StudyDate: { vr: 'DA', Value: ['20260715'] } },
      '2026-07-15T09:30:00+02:00',
    ],
    [
      'the zone just before summer time',
      {
        TimezoneOffsetFromUTC: undefined,
        StudyDate: { vr: 'DA', Value: ['20260329'] },
        StudyTime: { vr: 'TM', Value: ['0159'] },
      },
      '2026-03-29T01:59:00+01:00',
    ],
    [
      'the zone just after summer time began',
      {
        TimezoneOffsetFromUTC: undefined,
        StudyDate: { vr: 'DA', Value: ['20260329'] },
        StudyTime: { vr: 'TM', Value: ['0300'] },
      },
      '2026-03-29T03:00:00+02:00',
    ],
    [
      'an offset that does not exist as none',
      { TimezoneOffsetFromUTC: { vr: 'SH', Value: ['+9900'] } },
      '2026-01-15T09:30:00+01:00',
    ],
    ['the date alone without time', { StudyTime: { vr: 'TM' } }, '2026-01-15'],
    ['the date alone when the time is none', { StudyTime: { vr: 'TM', Value: ['25'] } }, '2026-01-15'],
    ['a time with fraction', { StudyTime: { vr: 'TM', Value: ['093000.125'] } }, '2026-01-15T09:30:00.125+01:00'],
    [
      'a leap second',
      { TimezoneOffsetFromUTC: undefined, StudyTime: { vr: 'TM', Value: ['235960'] } },
      '2026-01-15T23:59:60+01:00',
    ],
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
      {
        IssuerOfAccessionNumberSequence: undefined,
        RequestAttributesSequence: { vr: 'SQ', Value: [request, request] },
      },
    );
    validate(study);
    expect(
      study.basedOn?.map(
        ({ identifier }) => `${identifier?.system}|${identifier?.value}|${identifier?.assigner?.reference}`,
      ),
    ).to.deep.equal([
      `urn:oid:2.25.77|ORDER-1|${strasbourg.organization}`,
      `urn:oid:2.25.77|ORDER-2|${strasbourg.organization}`,
    ]);
  });

  it('takes an accession number without issuer as the one that is named with it elsewhere', () => {
    const issuedBy = (oid: string): JsonAttribute =>
      sq({ '00400032': { vr: 'UT', Value: [oid] }, '00400033': { vr: 'CS', Value: ['ISO'] } });
    const study = build(
      { key: 'issuers', instances: 1, accessionNumber: 'A-1' },
      {
        IssuerOfAccessionNumberSequence: undefined,
        RequestAttributesSequence: sq({ '00080050': { vr: 'SH', Value: ['A-1'] }, '00080051': issuedBy('1.2.3') }),
        ReferencedRequestSequence: sq({ '00080050': { vr: 'SH', Value: ['A-2'] } }),
      },
    );
    validate(study);
    expect(study.identifier?.slice(1).map(({ system, value }) => `${system}|${value}`)).to.deep.equal([
      'urn:oid:1.2.3|A-1',
      'urn:oid:2.25.77|A-2',
    ]);
    expect(study.basedOn?.map(({ type, identifier }) => `${type} ${identifier?.value}`)).to.deep.equal([
      'ServiceRequest A-1',
      'ServiceRequest A-2',
    ]);
  });

  it('takes codes of known schemes, of those that object or code identify, of others without system', () => {
    const codes = [
      code('24627-2', 'LN', 'CT Chest'),
      code('ZBQK002', 'CCAM', 'Radiographie du thorax'),
      code('X-1', '99LOCAL', 'Local'),
      { ...code('X-2', '99OTHER', 'By UID'), '0008010C': { vr: 'UI', Value: ['2.16.840.1.113883.6.96'] } },
      code('X-3', '99NOBODY', 'Unknown'),
      code('X-3', '99NOBODY', 'Unknown'),
      code('a  b', 'LN', 'Text only'),
    ] satisfies DicomJson[];
    const schemes = sq({ '00080102': { vr: 'SH', Value: ['99LOCAL'] }, '0008010C': { vr: 'UI', Value: ['1.2.3.4'] } });
    const study = build(
      { key: 'procedures', instances: 1 },
      { ProcedureCodeSequence: sq(...codes), CodingSchemeIdentificationSequence: schemes },
    );
    validate(study);
    expect(study.procedureCode).to.deep.equal([
      concept('http://loinc.org', '24627-2', 'CT Chest'),
      concept('urn:oid:1.2.250.1.213.2.5', 'ZBQK002', 'Radiographie du thorax'),
      concept('urn:oid:1.2.3.4', 'X-1', 'Local'),
      concept('http://snomed.info/sct', 'X-2', 'By UID'),
      concept(undefined, 'X-3', 'Unknown'),
      { text: 'Text only' },
    ]);
  });

  it('falls back to the procedures that were requested, then to their description', () => {
    const request = {
      '00321064': sq(code('24627-2', 'LN', 'CT Chest')),
      '00321060': { vr: 'LO', Value: ['TDM du thorax'] },
    } satisfies DicomJson;
    expect(
      build({ key: 'requested', instances: 1 }, { RequestAttributesSequence: sq(request) }).procedureCode,
    ).to.deep.equal([concept('http://loinc.org', '24627-2', 'CT Chest')]);
    const described = build(
      { key: 'described', instances: 1 },
      { RequestedProcedureDescription: { vr: 'LO', Value: ['TDM du thorax'] } },
    );
    expect(validate(described)).to.have.deep.property('procedureCode', [{ text: 'TDM du thorax' }]);
  });

  it('names referrer, readers, performers and operators, with what identifies them', () => {
    const physician = (value: string, name?: string): DicomJson => ({
      '00401101': sq(code(value, 'RPPS', name ?? '')),
    });
    const schemes = sq({
      '00080102': { vr: 'SH', Value: ['RPPS'] },
      '0008010C': { vr: 'UI', Value: ['1.2.250.1.71.4.2.1'] },
    });
    const study = build(
      { key: 'persons', instances: 1 },
      {
        CodingSchemeIdentificationSequence: schemes,
        ReferringPhysicianName: pn('Brandessart^Maëlle^^Dr'),
        ReferringPhysicianIdentificationSequence: sq(physician('899700000001')),
        NameOfPhysiciansReadingStudy: pn('Lecteur^Anaïs', 'Lectrice^Zoé'),
        PhysiciansReadingStudyIdentificationSequence: sq(physician('899700000002'), physician('899700000003')),
        PerformingPhysicianName: pn('Un^Premier', 'Deux^Second'),
        PerformingPhysicianIdentificationSequence: sq(physician('899700000004')),
        OperatorsName: undefined,
        OperatorIdentificationSequence: sq(physician('899700000005', 'Manip^Élodie')),
        InstitutionCodeSequence: sq(code('67000000', '99FINESS', 'CHU')),
      },
    );
    validate(study);
    const known = (value: string) => ({ system: 'urn:oid:1.2.250.1.71.4.2.1', value });
    expect(study.referrer).to.deep.equal({
      type: 'Practitioner',
      identifier: known('899700000001'),
      display: 'Dr Maëlle Brandessart',
    });
    expect(study.interpreter).to.deep.equal([
      { type: 'Practitioner', identifier: known('899700000002'), display: 'Anaïs Lecteur' },
      { type: 'Practitioner', identifier: known('899700000003'), display: 'Zoé Lectrice' },
    ]);
    expect(
      study.series?.[0]?.performer
        ?.slice(0, 4)
        .map(({ function: part, actor }) => [part?.coding?.[0]?.code, actor.display, actor.identifier?.value]),
    ).to.deep.equal([
      // One identifier for two names is nobody's.
      ['PRF', 'Premier Un', undefined],
      ['PRF', 'Second Deux', undefined],
      ['SPRF', 'Élodie Manip', '899700000005'],
      ['PRF', "Centre hospitalier universitaire de l'Ill-aux-Cygnes", '67000000'],
    ]);
  });

  it('says why it was done, once, and in which stay', () => {
    const reason = code('R91', 'I10', 'Nodule pulmonaire');
    const study = build(
      { key: 'reasons', instances: 1 },
      {
        ReasonForRequestedProcedureCodeSequence: sq(reason),
        ReasonForTheRequestedProcedure: { vr: 'LO', Value: ['Nodule pulmonaire', 'Toux'] },
        RequestAttributesSequence: sq({ '0040100A': sq(reason), '00401002': { vr: 'LO', Value: ['Toux'] } }),
        AdmissionID: { vr: 'LO', Value: ['V-1'] },
      },
    );
    validate(study);
    expect(study.reasonCode).to.deep.equal([
      concept('http://hl7.org/fhir/sid/icd-10', 'R91', 'Nodule pulmonaire'),
      { text: 'Toux' },
    ]);
    expect(study.encounter).to.deep.equal({
      type: 'Encounter',
      identifier: {
        type: { coding: [{ system: V2_TYPE, code: 'VN' }] },
        value: 'V-1',
        assigner: { reference: strasbourg.organization },
      },
    });
  });

  const sites: readonly [name: string, changes: Parameters<typeof withAttributes>[1], site: Coding | undefined][] = [
    [
      'a coded region before the term',
      { AnatomicRegionSequence: sq(code('39607008', 'SCT', 'Lung')) },
      { system: 'http://snomed.info/sct', code: '39607008', display: 'Lung' },
    ],
    [
      'the term before a region of an unknown scheme',
      { AnatomicRegionSequence: sq(code('T-28000', 'SRT', 'Lung')) },
      { system: 'http://snomed.info/sct', code: '816094009', display: 'Chest' },
    ],
    [
      'a region of an unknown scheme without term',
      { AnatomicRegionSequence: sq(code('T-28000', 'SRT', 'Lung')), BodyPartExamined: undefined },
      { code: 'T-28000', display: 'Lung' },
    ],
    [
      'a term that PS3.16 does not define',
      { BodyPartExamined: { vr: 'CS', Value: ['THORAX FACE'] } },
      { display: 'THORAX FACE' },
    ],
    ['nothing', { BodyPartExamined: undefined }, undefined],
  ];
  for (const [name, changes, site] of sites) {
    it(`bodySite: takes ${name}`, () => {
      const study = build({ key: 'sites', instances: 1 }, changes);
      validate(study);
      expect(study.series?.[0]?.bodySite).to.deep.equal(site);
    });
  }
});
