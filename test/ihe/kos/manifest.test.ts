import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildManifest } from '../../../ihe/kos/manifest.ts';
import type { ManifestInput } from '../../../ihe/kos/manifest.ts';
import { referenceValueType } from '../../../ihe/kos/value-type.ts';
import { Fault } from '../../../profiles/fault.ts';

// dcmjs ships no type declarations.
const { data } = createRequire(import.meta.url)('dcmjs');

const CT = '1.2.840.10008.5.1.4.1.1.2';
const ENCAPSULATED_PDF = '1.2.840.10008.5.1.4.1.1.104.1';
const ECG = '1.2.840.10008.5.1.4.1.1.9.1.1';
const SERIES = 'https://images.example/dicom-web/studies/2.25.42421/series/';

const INPUT: ManifestInput = {
  sopInstanceUID: '2.25.1001',
  seriesInstanceUID: '2.25.1002',
  studyInstanceUID: '2.25.42421',
  patient: { name: 'LÉVÊQUE-TEST^Zoé', id: 'P-0001', issuer: { oid: '2.25.424210' }, birthDate: '19800101', sex: 'F' },
  accessionNumber: 'ACC-1',
  accessionIssuerOid: '2.25.424211',
  studyDate: '20260301',
  studyTime: '101500',
  studyId: 'S1',
  referringPhysicianName: 'ORME-TEST^Luc',
  institutionName: 'Hôpital des Tilleuls',
  manufacturer: 'Passerelle',
  contentDate: '20260302',
  contentTime: '090000',
  timezoneOffset: '+0100',
  description: 'Examen : Scanner thoracique\nAcquisition standard',
  repositoryUniqueId: '2.25.424212',
  retrieveAETitle: 'PASSERELLE',
  series: [
    {
      seriesInstanceUID: '2.25.42421.1',
      retrieveURL: `${SERIES}2.25.42421.1`,
      instances: [
        { sopClassUID: CT, sopInstanceUID: '2.25.42421.1.1' },
        { sopClassUID: CT, sopInstanceUID: '2.25.42421.1.2' },
      ],
    },
    {
      seriesInstanceUID: '2.25.42421.2',
      retrieveURL: `${SERIES}2.25.42421.2`,
      instances: [
        { sopClassUID: ENCAPSULATED_PDF, sopInstanceUID: '2.25.42421.2.1' },
        { sopClassUID: ECG, sopInstanceUID: '2.25.42421.2.2' },
      ],
    },
  ],
};

const MINIMAL: ManifestInput = {
  sopInstanceUID: '2.25.1001',
  seriesInstanceUID: '2.25.1002',
  studyInstanceUID: '2.25.42421',
  patient: { name: 'ESSAI^Un', id: 'P-0002' },
  manufacturer: '',
  contentDate: '20260302',
  contentTime: '090000',
  repositoryUniqueId: '2.25.424212',
  retrieveAETitle: 'PASSERELLE',
  series: [
    {
      seriesInstanceUID: '2.25.42421.1',
      retrieveURL: `${SERIES}2.25.42421.1`,
      instances: [{ sopClassUID: CT, sopInstanceUID: '2.25.42421.1.1' }],
    },
  ],
};

type Item = Record<string, unknown>;
type Naturalized = Record<string, unknown> &
  Record<'CurrentRequestedProcedureEvidenceSequence' | 'ContentSequence', Item[]>;

/** Reads the manifest with dcmjs, which shares no code with the writer. */
function readBack(bytes: Uint8Array): Naturalized {
  const { dict } = data.DicomMessage.readFile(Uint8Array.from(bytes).buffer);
  return JSON.parse(
    JSON.stringify(data.DicomMetaDictionary.naturalizeDataset(dict), (key, value) =>
      key === '_vrMap' ? undefined : value,
    ),
  );
}

function expectFault(input: ManifestInput, kind: string, message: RegExp): void {
  expect(() => buildManifest(input))
    .to.throw(Fault, message)
    .with.property('kind', kind);
}

describe('XDS-I.b imaging manifest (RAD TF-3 4.68.4.1.2.3, DICOM PS3.3 A.35.4)', () => {
  const manifest = readBack(buildManifest(INPUT));

  it('is a Key Object Selection of the study, in UTF-8', () => {
    expect(manifest).to.deep.include({
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.59',
      SOPInstanceUID: '2.25.1001',
      SeriesInstanceUID: '2.25.1002',
      StudyInstanceUID: '2.25.42421',
      Modality: 'KO',
      AccessionNumber: 'ACC-1',
      InstitutionName: 'Hôpital des Tilleuls',
      ContentDate: '20260302',
      ContentTime: '090000',
    });
    expect(JSON.stringify(manifest['PatientName'])).to.contain('LÉVÊQUE-TEST^Zoé');
  });

  it('titles itself Manifest by TID 2010 (113030 DCM)', () => {
    expect(JSON.stringify(manifest['ConceptNameCodeSequence'])).to.contain(
      '"CodeValue":"113030","CodingSchemeDesignator":"DCM"',
    );
    expect(JSON.stringify(manifest['ContentTemplateSequence'])).to.contain('"TemplateIdentifier":"2010"');
  });

  it('lists every instance in the evidence, with the places to retrieve each series from', () => {
    const [evidence] = manifest.CurrentRequestedProcedureEvidenceSequence;
    expect(evidence?.['StudyInstanceUID']).to.equal('2.25.42421');
    expect(evidence?.['ReferencedSeriesSequence']).to.deep.equal(
      INPUT.series.map(({ seriesInstanceUID, retrieveURL, instances }) => ({
        RetrieveAETitle: 'PASSERELLE',
        RetrieveURL: retrieveURL.length % 2 === 0 ? retrieveURL : `${retrieveURL} `,
        ReferencedSOPSequence: instances.map(({ sopClassUID, sopInstanceUID }) => ({
          ReferencedSOPClassUID: sopClassUID,
          ReferencedSOPInstanceUID: sopInstanceUID,
        })),
        SeriesInstanceUID: seriesInstanceUID,
        RetrieveLocationUID: '2.25.424212',
      })),
    );
  });

  it('refers to every instance in the content, by the value type of its SOP class', () => {
    const [text, ...references] = manifest.ContentSequence;
    expect(text).to.deep.include({ ValueType: 'TEXT', TextValue: INPUT.description });
    expect(references.map((item) => item['ValueType'])).to.deep.equal(['IMAGE', 'IMAGE', 'COMPOSITE', 'WAVEFORM']);
    expect(JSON.stringify(references)).to.contain('2.25.42421.1.1').and.contain('2.25.42421.2.2');
  });

  it('knows images, waveforms and objects without pixels by their SOP class', () => {
    const types = (suffixes: readonly string[]) =>
      new Set(suffixes.map((suffix) => referenceValueType(`1.2.840.10008.5.1.4.1.1.${suffix}`)));
    const images = [
      '1',
      '1.1',
      '2',
      '4',
      '7.2',
      '6.1',
      '12.1',
      '20',
      '30',
      '66.4',
      '77.1.6',
      '81.1',
      '128',
      '481.1',
      '481.2',
    ];
    const others = [
      '11.1',
      '66',
      '66.1',
      '67',
      '78.7',
      '79.1',
      '80.1',
      '88.33',
      '88.59',
      '91.1',
      '104.2',
      '200.1',
      '481.3',
      '481.5',
    ];
    expect([...types(images)]).to.deep.equal(['IMAGE']);
    expect([...types(others)]).to.deep.equal(['COMPOSITE']);
    expect([...types(['9.1.2', '9.4.1'])]).to.deep.equal(['WAVEFORM']);
    expect(referenceValueType('1.3.12.2.1107.5.9.1')).to.equal('COMPOSITE');
  });

  it('carries accession number and issuers for the request', () => {
    const request = JSON.stringify(manifest['ReferencedRequestSequence']);
    expect(request).to.contain('"AccessionNumber":"ACC-1"').and.contain('"UniversalEntityID":"2.25.424211"');
    expect(JSON.stringify(manifest['IssuerOfPatientIDQualifiersSequence'])).to.contain(
      '"UniversalEntityID":"2.25.424210"',
    );
  });

  it('is the same bytes for the same input, of even length', () => {
    const hash = (input: ManifestInput) => createHash('sha256').update(buildManifest(input)).digest('hex');
    expect(hash(INPUT)).to.equal(hash(structuredClone(INPUT)));
    expect(hash(INPUT)).to.not.equal(hash({ ...INPUT, contentTime: '090001' }));
    expect(buildManifest(INPUT).length % 2).to.equal(0);
  });

  it('refuses a study without instances and UIDs shared with the images', () => {
    expectFault({ ...INPUT, series: [] }, 'required', /at least one series/);
    expectFault(
      { ...INPUT, series: [{ seriesInstanceUID: '2.25.42421.1', retrieveURL: SERIES, instances: [] }] },
      'required',
      /one instance/,
    );
    expectFault({ ...INPUT, sopInstanceUID: '2.25.42421.1.1' }, 'invalid', /of its own/);
    expectFault({ ...INPUT, seriesInstanceUID: '2.25.42421.1' }, 'invalid', /of its own/);
    expectFault({ ...INPUT, retrieveAETitle: '' }, 'required', /retrieveAETitle/);
  });

  it('refuses a value that does not fit its VR, and names only the tag', () => {
    expectFault(
      { ...INPUT, patient: { ...INPUT.patient, id: 'A\\B' } },
      'invalid',
      /^A value of \(0010,0020\) does not fit LO$/,
    );
    expectFault({ ...INPUT, studyInstanceUID: '1..2' }, 'invalid', /\(0020,000D\) does not fit UI/);
    expectFault({ ...INPUT, studyDate: '2026-03-01' }, 'invalid', /\(0008,0020\) does not fit DA/);
    expectFault({ ...INPUT, retrieveAETitle: 'A_TITLE_OF_17_CHR' }, 'invalid', /\(0008,0054\) does not fit AE/);
    expectFault({ ...INPUT, institutionName: 'x'.repeat(70_000) }, 'invalid', /\(0008,0080\) is too long/);
  });
});

describe('XDS-I.b imaging manifest read by other tools', () => {
  const folder = mkdtempSync(join(tmpdir(), 'manifest-'));
  const file = join(folder, 'manifest.dcm');
  after(() => rmSync(folder, { recursive: true }));

  function isInstalled(tool: string): boolean {
    return spawnSync(tool, ['--version']).error === undefined;
  }

  for (const [label, input] of [
    ['full', INPUT],
    ['minimal', MINIMAL],
  ] as const) {
    it(`dcmdump reads the ${label} manifest to its end`, function skipWithoutDcmtk() {
      if (!isInstalled('dcmdump')) this.skip();
      writeFileSync(file, buildManifest(input));
      const { status, stderr } = spawnSync('dcmdump', ['+E', file], { encoding: 'utf8' });
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    });

    it(`dsrdump reads the ${label} manifest as a Key Object Selection`, function skipWithoutDcmtk() {
      if (!isInstalled('dsrdump')) this.skip();
      writeFileSync(file, buildManifest(input));
      const { status, stderr, stdout } = spawnSync('dsrdump', [file], { encoding: 'utf8' });
      expect(status).to.equal(0);
      expect(stderr).to.not.match(/^[EF]:/m);
      expect(stdout).to.contain('Key Object Selection Document').and.contain('Manifest');
    });

    it(`dciodvfy finds no error in the ${label} manifest`, function skipWithoutDicom3tools() {
      if (!isInstalled('dciodvfy')) this.skip();
      writeFileSync(file, buildManifest(input));
      const { stderr } = spawnSync('dciodvfy', [file], { encoding: 'utf8' });
      expect(stderr).to.contain('KeyObjectSelectionDocument').and.not.contain('Error');
    });
  }
});
