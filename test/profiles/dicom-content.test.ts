/** The resources that are made of a header, whatever the header holds. */
import type { Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { TAG } from '../../profiles/dicom/attributes.ts';
import { formatTag } from '../../profiles/dicom/data-element.ts';
import type { DicomJson, JsonAttribute, JsonValue } from '../../profiles/dicom/json/json.ts';
import { MAX_TEXT_LENGTH, MAX_VALUES } from '../../profiles/dicom/json/values.ts';
import { describeInstance, isDescribed } from '../../profiles/imaging/instance.ts';
import { buildImagingStudy } from '../../profiles/imaging/imaging-study-from-dicom.ts';
import { patientFromDicom } from '../../profiles/imaging/patient-from-dicom.ts';
import type { Validate } from '../../profiles/validation/validate.ts';
import { loadDefinitions } from '../../server/runtime/definitions.ts';
import { processorMsDuring } from '../support/run/cpu-time.ts';

const TAGS = Object.values(TAG).map(formatTag);
const SOURCE = { organization: 'Organization/clinic', patientIdSystem: 'urn:oid:1.2.3.4' };
const IDENTITY: DicomJson = {
  '0020000D': { vr: 'UI', Value: ['1.2.3'] },
  '0020000E': { vr: 'UI', Value: ['1.2.4'] },
  '00100020': { vr: 'LO', Value: ['77'] },
};

function studyOf(attributes: DicomJson) {
  const instances = [{ sopInstanceUID: '1.2.5', sopClassUID: '1.2.6', ...describeInstance(attributes) }];
  return buildImagingStudy({
    id: 'a',
    studyInstanceUID: '1.2.3',
    patient: 'Patient/p',
    endpoint: 'Endpoint/e',
    viewer: 'https://images.example/voir/study-1',
    organization: SOURCE.organization,
    accessionSystem: 'urn:oid:1.2.7',
    timeZone: 'Europe/Paris',
    series: [{ seriesInstanceUID: '1.2.4', attributes, instances }],
  });
}

/** Headers of any attributes that are known, with values that suit them and values that do not. */
function anyHeader(depth: number): fc.Arbitrary<DicomJson> {
  return fc
    .dictionary(fc.constantFrom(...TAGS), anyAttribute(depth), { maxKeys: depth === 0 ? 6 : 40, noNullPrototype: true })
    .map((json): DicomJson => json);
}

const texts = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'DCM',
    'SCT',
    'ISO',
    'URI',
    'UUID',
    'L',
    'R',
    '1.2.3',
    '0.0',
    'CHEST',
    '20260115',
    '093000',
    '+0100',
    'A^B^C^D^E',
    'a  b',
    'x\u00a0',
    '\u0000\u001b',
    'urn:x',
    'é|è',
    '\uFFFD',
    '268046799900163',
    'ASIP-SANTE-INS-NIR',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);

function anyAttribute(depth: number): fc.Arbitrary<JsonAttribute> {
  const name = fc.record({ Alphabetic: texts, Ideographic: texts, Phonetic: texts }, { requiredKeys: [] });
  const scalar: fc.Arbitrary<JsonValue> = fc.oneof(texts, fc.double(), fc.integer(), fc.constant(null), name);
  const plain = fc.record(
    { vr: fc.constantFrom('LO', 'PN', 'SQ', 'UI', 'IS', 'CS'), Value: fc.array(scalar, { maxLength: 4 }) },
    { requiredKeys: ['vr'] },
  );
  if (depth === 0) return plain as fc.Arbitrary<JsonAttribute>;
  const sequence = fc.record({ vr: fc.constant('SQ'), Value: fc.array(anyHeader(depth - 1), { maxLength: 3 }) });
  return fc.oneof(plain, sequence, sequence) as fc.Arbitrary<JsonAttribute>;
}

describe('Resources of an arbitrary header', function () {
  this.timeout(20_000);
  let validate: Validate;

  before(async () => {
    ({ validate } = await loadDefinitions());
  });

  it('are valid R4 and the same each time', () => {
    fc.assert(
      fc.property(anyHeader(2), (header) => {
        const json = { ...header, ...IDENTITY };
        const study = studyOf(json);
        expect(validate(study)).to.equal(study);
        expect(JSON.stringify(studyOf(json))).to.equal(JSON.stringify(study));
        const { patient } = patientFromDicom(json, SOURCE);
        expect(validate(patient)).to.equal(patient);
      }),
      { numRuns: 500 },
    );
  });

  it('stay small when each attribute has 100 000 values or items, or a text of 1 MB', async () => {
    const many = Array.from({ length: 100_000 }, (_, at): DicomJson => ({
      '00100020': { vr: 'LO', Value: [`${at}`] },
      '00080050': { vr: 'SH', Value: [`${at}`] },
      '00080104': { vr: 'LO', Value: [`${at}`] },
      '00400551': { vr: 'LO', Value: [`${at}`] },
      '00401101': { vr: 'SQ', Value: [{ '00080100': { vr: 'SH', Value: [`${at}`] } }] },
    }));
    const names = Array.from({ length: 100_000 }, (_, at): JsonValue => ({ Alphabetic: `N${at}^${'x'.repeat(20)}` }));
    const long = 'é'.repeat(1024 * 1024);
    for (const attribute of [
      { vr: 'SQ', Value: many },
      { vr: 'PN', Value: names },
      { vr: 'UT', Value: [long] },
      { vr: 'PN', Value: [{ Alphabetic: long }] },
    ] satisfies JsonAttribute[]) {
      const json: DicomJson = { ...Object.fromEntries(TAGS.map((tag) => [tag, attribute])), ...IDENTITY };
      const resources: Resource[] = [];
      const processorMs = await processorMsDuring(() => {
        resources.push(studyOf(json), patientFromDicom(json, SOURCE).patient);
      });
      expect(processorMs).to.be.lessThan(1_000);
      for (const resource of resources) {
        validate(resource);
        expect(JSON.stringify(resource).length).to.be.lessThan(20 * MAX_VALUES * 200 + 20 * MAX_TEXT_LENGTH);
      }
    }
  });
});

describe('What an instance says of itself (FHIR R4 ImagingStudy.series.instance.title)', () => {
  const text = (tag: number, value: string): DicomJson => ({ [formatTag(tag)]: { vr: 'LO', Value: [value] } });
  const concept: DicomJson = {
    [formatTag(TAG.ConceptNameCodeSequence)]: { vr: 'SQ', Value: [text(TAG.CodeMeaning, 'Compte rendu')] },
  };

  it('is the title of a document, the concept of a report, or the label of a presentation', () => {
    expect(
      describeInstance({ ...text(TAG.DocumentTitle, 'Lettre'), ...concept, ...text(TAG.ContentLabel, 'LABEL') }),
    ).to.deep.equal({ title: 'Lettre' });
    expect(describeInstance({ ...concept, ...text(TAG.ContentLabel, 'LABEL') })).to.deep.equal({
      title: 'Compte rendu',
    });
    expect(describeInstance(text(TAG.ContentLabel, 'LABEL'))).to.deep.equal({ title: 'LABEL' });
    expect(describeInstance({})).to.deep.equal({});
  });

  it('is the side of an image, and no other value', () => {
    for (const side of ['L', 'R', 'B'])
      expect(describeInstance(text(TAG.ImageLaterality, side))).to.deep.equal({ side });
    expect(describeInstance(text(TAG.ImageLaterality, 'U'))).to.deep.equal({});
  });

  it('is asked of reports, documents, presentations, mammograms, not of slices', () => {
    for (const end of ['88.59', '104.1', '11.1', '66.4', '1.2', '1.1.1', '13.1.3', '77.1.5.1'])
      expect(isDescribed(`1.2.840.10008.5.1.4.1.1.${end}`), end).to.equal(true);
    for (const end of ['2', '4', '128', '2.1', '4.1', '20', '481.3'])
      expect(isDescribed(`1.2.840.10008.5.1.4.1.1.${end}`), end).to.equal(false);
  });
});
