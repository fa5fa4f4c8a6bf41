/** PS3.3 Annex F, PS3.10 8: a DICOMDIR as others read it. */
import { expect } from 'chai';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { scanHeader } from '../../../../profiles/dicom/dataset.ts';
import { parseFileMeta } from '../../../../profiles/dicom/file/file-meta.ts';
import { toDicomJson, type DicomJson } from '../../../../profiles/dicom/json/json.ts';
import { studyRecords, writeDicomdir, type MediaInstance } from '../../../../profiles/dicom/media/dicomdir.ts';
import { recordTypeOf } from '../../../../profiles/dicom/media/record-type.ts';
import { addByDcmtk, readByPydicom } from '../../../support/peers/media-readers.ts';
import { runProgram } from '../../../support/peers/dcmtk.ts';
import { PYTHON } from '../../../support/peers/python-peers.ts';
import { hasProgram, sample, sampleNames, samplePath } from '../samples.ts';

/** A sample on the medium, with what it is filed by. */
type Filed = MediaInstance & { readonly name: string; readonly json: DicomJson };

const uidIn = (json: DicomJson, tag: string): string => String(json[tag]?.Value?.[0] ?? '');

/** Samples with a header, each in a folder of its own. */
function samples(): readonly Filed[] {
  const names = sampleNames().filter((name) => !name.startsWith('broken_'));
  return names.flatMap((name, at) => {
    const bytes = sample(name);
    if (Buffer.from(bytes.subarray(128, 132)).toString() !== 'DICM') return [];
    const meta = parseFileMeta(bytes);
    const header = scanHeader(bytes.subarray(meta.dataSetOffset), meta.transferSyntaxUID, { isWhole: true });
    if (header === 'incomplete') return [];
    const json = toDicomJson(header);
    const fileId = ['DICOM', `F${String(at).padStart(7, '0')}`];
    const transferSyntaxUID = meta.transferSyntaxUID;
    const [sopClassUID, sopInstanceUID] = [uidIn(json, '00080016'), uidIn(json, '00080018')];
    const number = json['00200013']?.Value?.[0];
    const instanceNumber = typeof number === 'number' ? number : undefined;
    const instance = { sopClassUID, sopInstanceUID, transferSyntaxUID, instanceNumber, fileId, header: json };
    return sopClassUID === '' ? [] : [{ ...instance, name, json }];
  });
}

function written(all: readonly Filed[]): Buffer {
  const studies = [...Map.groupBy(all, ({ json }) => uidIn(json, '0020000D')).values()];
  const records = studies.map((study, at) =>
    studyRecords(
      at + 1,
      [...Map.groupBy(study, ({ json }) => uidIn(json, '0020000E')).values()].map((instances) => ({
        header: instances[0]?.json ?? {},
        instances,
      })),
    ),
  );
  return Buffer.concat([...writeDicomdir('2.25.1', records)]);
}

describe('PS3.3 F: the DICOMDIR of a File-set', () => {
  let folder = '';
  let all: readonly Filed[] = [];
  before(function () {
    if (sampleNames().length === 0) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'passerelle-media-'));
    mkdirSync(join(folder, 'DICOM'));
    // The same patient, study or object in two samples is one on a medium.
    all = [...new Map(samples().map((one) => [one.sopInstanceUID, one])).values()];
    for (const { name, fileId } of all) cpSync(samplePath(name), join(folder, ...fileId));
    writeFileSync(join(folder, 'DICOMDIR'), written(all));
  });
  after(() => {
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  });

  it('leads pydicom’s FileSet to every file, under its patient, study and series', async function () {
    if (!hasProgram(PYTHON)) this.skip();
    const found = await readByPydicom(join(folder, 'DICOMDIR'));
    expect(found).to.have.length(all.length);
    for (const one of found) expect(one.loaded).to.equal(one.instance);
    const tell = (one: { readonly instance: string; readonly study: string; readonly series: string; type: string }) =>
      [one.instance, one.study, one.series, one.type].join(' ');
    const expected = all.map(({ json, sopInstanceUID: instance, sopClassUID }) => ({
      instance,
      study: uidIn(json, '0020000D'),
      series: uidIn(json, '0020000E'),
      type: recordTypeOf(sopClassUID),
    }));
    expect(found.map(tell).toSorted()).to.deep.equal(expected.map(tell).toSorted());
    expect(found.map(({ name }) => name).join('\n'))
      .to.include('Äneas')
      .and.to.include('قباني');
  }).timeout(60_000);

  it('is read by DCMTK, by dcmdump without a word and by dcmmkdir, which goes on with it', async function () {
    if (!hasProgram('dcmmkdir')) this.skip();
    const dumped = await runProgram('dcmdump', [join(folder, 'DICOMDIR')]);
    expect(dumped.code).to.equal(0);
    expect(dumped.output).to.not.match(/^[WE]:/m);
    expect(dumped.output.match(/DirectoryRecordType/g)?.length).to.be.greaterThan(all.length);
    cpSync(samplePath('ct_small.dcm'), join(folder, 'DICOM', 'ADDED'));
    const { code, output } = await addByDcmtk(folder, 'DICOM/ADDED');
    expect(code, output).to.equal(0);
    // It finds the records of the same patient, study, series and image, which say the same as the file in UTF-8.
    expect(output)
      .to.include('directory record for this SOP instance already exists')
      .and.to.not.match(/^[EF]:/m);
    const differing = output
      .split('\n')
      .filter((line) => /\([0-9a-f]{4},[0-9a-f]{4}\)=/.test(line) && !/Key:/.test(line));
    expect(differing.filter((line) => !line.includes('SpecificCharacterSet'))).to.deep.equal([]);
    expect(differing).to.have.length(8);
  }).timeout(60_000);

  it('knows the record type of each class, and takes a private one by itself', () => {
    const of = (number: string): string => recordTypeOf(`${DICOM_UID.storageClassPrefix}${number}`);
    expect(['2', '4.2', '11.1', '66.4', '88.33', '88.59', '104.1', '481.5'].map(of)).to.deep.equal([
      'IMAGE',
      'SPECTROSCOPY',
      'PRESENTATION',
      'IMAGE',
      'SR DOCUMENT',
      'KEY OBJECT DOC',
      'ENCAP DOC',
      'RT PLAN',
    ]);
    expect(recordTypeOf('1.2.840.113619.4.26')).to.equal('PRIVATE');
  });
});
