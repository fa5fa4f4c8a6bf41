/**
 * DICOM that means harm, at the running server. README.md beside tells where each row is; the protocol is told PDU by
 * PDU in server/endpoints/dimse.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { deflateRawSync } from 'node:zlib';
import type { ImagingStudy, Patient, Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { DICOM_UID, oidUri } from '../../profiles/codes.ts';
import { formatCommandSet, parseCommandSet } from '../../ihe/dimse/command-set.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { CT_IMAGE, dataPDU, echoRequest, RawCaller } from '../server/endpoints/dimse/door.ts';
import { runProgram } from '../support/peers/dcmtk.ts';
import { establishmentCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { AcceptedStudy } from './dicom/accepted.ts';
import { COSTLY_HEADERS } from './dicom/costly-headers.ts';
import { expectAlive, readBeginning, sendSlowly, sopInstanceOf, us } from './dicom/slow-sender.ts';
import { element, hostileDataSet, hostileUids } from './dicom/raw-data-set.ts';
import { associateModality, costOf, storeBytes } from './dicom/store.ts';
import { referredBlobs, rowsOfStudy, storedBlobs } from './kill/data-folder.ts';
import { descriptorsOf, expectNothingLeft } from './server-state.ts';

const { strasbourg } = ESTABLISHMENTS;
const MARKUP = '<script>alert("x")</script>';
const MISMATCH = 0xa900;
const PDF_STORAGE = `${DICOM_UID.storageClassPrefix}104.1`;

describe('Hostile DICOM', function () {
  this.timeout(60_000);
  let server: TestServer;
  let caller: FhirCaller;
  let slow: { readonly since: number; readonly ends: Promise<number> };
  let isSlowOpen = true;
  let atFirst: ReturnType<typeof descriptorsOf>;
  let accepted = new AcceptedStudy('dicom/accepted');
  before(async () => {
    server = await startServer({ env: { STUDY_QUIET_SECONDS: '3600' } });
    caller = await establishmentCaller(server, 'strasbourg');
    await accepted.grow(server);
    atFirst = descriptorsOf(server);
    slow = sendSlowly(await associateModality(server));
  });
  after(async () => await server?.stop());
  afterEach(async () => {
    await expectAlive(server);
    await accepted.grow(server);
  });

  const store = async (name: string, dataSet: Buffer, sopClassUID = CT_IMAGE): Promise<number> => {
    const association = await associateModality(server, DICOM_UID.explicitLittleEndian, sopClassUID);
    try {
      return await storeBytes(association, hostileUids(name).sopInstanceUID, dataSet, sopClassUID);
    } finally {
      association.socket.destroy();
    }
  };
  const studyOf = async (name: string): Promise<ImagingStudy> => {
    const path = `ImagingStudy?identifier=urn:dicom:uid|${oidUri(hostileUids(name).studyInstanceUID)}`;
    return await eventually(async () => (await caller.find<ImagingStudy>(path))[0]);
  };
  /** What was refused left no file; the object that comes slowly has one until it ends. */
  const expectNoOrphans = async (): Promise<void> => {
    const referred = referredBlobs(server.dataDir);
    const orphans = (await storedBlobs(server.dataDir)).filter((name) => !referred.includes(name));
    expect(orphans.length).to.be.at.most(isSlowOpen ? 1 : 0);
  };
  const dicomweb = async (path: string, accept: string): Promise<Response> =>
    await fetch(`${server.url}/dicom-web/${path}`, {
      headers: { Authorization: `Bearer ${caller.token}`, Accept: accept },
    });

  it('I02 answers a peer that announces a maximum length of 1 byte, or none', async () => {
    const contexts = [
      { id: 1, abstractSyntax: DICOM_UID.verification, transferSyntaxes: [DICOM_UID.implicitLittleEndian] },
    ];
    for (const maxLength of [0, 1]) {
      const association = await RawCaller.associate({ address: server.dimse }, contexts, {
        calling: strasbourg.aeTitle,
        called: server.dimse.aeTitle,
        maxLength,
      });
      association.socket.write(echoRequest());
      expect((await association.pdu())?.[0]).to.equal(0x04);
      association.socket.destroy();
    }
  });

  it('I03 serves others beside 1 000 silent connections, and holds little for them', async () => {
    const { result: silent, megabytes } = await costOf(server, async () => {
      const callers = await Promise.all(
        Array.from({ length: 1_000 }, async () => await RawCaller.connect({ address: server.dimse })),
      );
      await expectAlive(server);
      return callers;
    });
    await eventually(async () => (silent.filter(({ socket }) => !socket.closed).length <= 100 ? true : undefined));
    for (const { socket } of silent) socket.destroy();
    expect(megabytes).to.be.lessThan(256);
  });

  it('I04 ends an association request of 128 contexts with 100 syntaxes each', async () => {
    const transferSyntaxes = Array.from({ length: 100 }, (_, at) => `1.2.840.10008.1.2.4.${at + 50}`);
    const contexts = Array.from({ length: 128 }, (_, at) => ({
      id: 2 * at + 1,
      abstractSyntax: CT_IMAGE,
      transferSyntaxes,
    }));
    const refused = await RawCaller.associate({ address: server.dimse }, contexts, {
      calling: strasbourg.aeTitle,
      called: server.dimse.aeTitle,
    }).then(() => '', String);
    expect(refused).to.include('No association: 07');
  });

  describe('Headers that are made to cost', () => {
    for (const [name, { dataSet, statuses, transferSyntaxUID }] of Object.entries(COSTLY_HEADERS)) {
      const number = name.includes('deflated') ? 'I06' : 'I05';
      it(`${number} answers ${name} within 2 s of processor time and 256 MB`, async () => {
        const bytes = dataSet();
        const sopInstanceUID = sopInstanceOf(bytes);
        const association = await associateModality(server, transferSyntaxUID);
        const { result, processorMs, megabytes } = await costOf(
          server,
          async () => await storeBytes(association, sopInstanceUID, bytes),
        );
        expect(statuses, result.toString(16)).to.include(result);
        expect(processorMs).to.be.lessThan(2_000);
        expect(megabytes).to.be.lessThan(256);
        // The association survives.
        expect(await storeBytes(association, sopInstanceUID, Buffer.from('no data set'))).to.equal(0xc000);
        association.socket.destroy();
      });
    }
  });

  it('I07 makes no pixels out of what a header claims', async () => {
    const large = Buffer.from([0xff, 0xff]);
    const claims = {
      '00280002': us('00280002', 1),
      '00280010': element('00280010', 'US', large),
      '00280011': element('00280011', 'US', large),
      '00280100': us('00280100', 16),
    };
    const pixels = { '7FE00010': element('7FE00010', 'OW', Buffer.alloc(64)) };
    expect(await store('pixels', hostileDataSet('pixels', { ...claims, ...pixels }))).to.be.oneOf([0, 0xc000]);
    const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = hostileUids('pixels');
    const path = `studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}/frames/1`;
    const { result, megabytes } = await costOf(
      server,
      async () => await dicomweb(path, 'multipart/related; type="application/octet-stream"; transfer-syntax=*'),
    );
    expect((await result.arrayBuffer()).byteLength).to.be.lessThan(1_000);
    expect(megabytes).to.be.lessThan(100);
  });

  it('I06 stores pixels that inflate a thousandfold as they are, and holds few of them in memory', async () => {
    const pixels = element('7FE00010', 'OW', Buffer.alloc(256 * 1024 * 1024));
    const described = {
      '00280002': us('00280002', 1),
      '00280010': us('00280010', 16),
      '00280011': us('00280011', 16),
      '00280100': us('00280100', 16),
    };
    const dataSet = deflateRawSync(Buffer.concat([hostileDataSet('inflating', described), pixels]), { level: 1 });
    const { sopInstanceUID, studyInstanceUID, seriesInstanceUID } = hostileUids('inflating');
    const instance = `studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`;
    const association = await associateModality(server, DICOM_UID.deflatedExplicitLittleEndian);
    expect(await storeBytes(association, sopInstanceUID, dataSet)).to.equal(0);
    association.socket.destroy();
    await studyOf('inflating');
    for (const path of [`${instance}/frames/1`, `${instance}/bulkdata/7FE00010`, `${instance}/metadata`]) {
      const { processorMs, megabytes } = await costOf(
        server,
        async () => await readBeginning(await dicomweb(path, '*/*')),
      );
      expect(processorMs, path).to.be.lessThan(2_000);
      expect(megabytes, path).to.be.lessThan(256);
    }
  });

  it('I08 refuses UIDs that are paths in the command or in the data set, and names its files itself', async () => {
    const association = await associateModality(server);
    const wrong = ['../../x', '/etc/passwd', '1.2\0.3', `1.${'2'.repeat(64)}`, '', '..', '1..2', '1.2/3'];
    for (const uid of wrong) expect(await storeBytes(association, uid, hostileDataSet('uid')), uid).to.equal(0xc000);
    for (const tag of ['00080018', '0020000D', '0020000E']) {
      for (const uid of wrong) {
        const dataSet = hostileDataSet('uid', { [tag]: element(tag, 'UI', uid) });
        expect(await storeBytes(association, hostileUids('uid').sopInstanceUID, dataSet), `${tag} ${uid}`).to.equal(
          MISMATCH,
        );
      }
    }
    association.socket.destroy();
    expect(rowsOfStudy(server.dataDir, hostileUids('uid').studyInstanceUID)).to.deep.equal([]);
    for (const name of await storedBlobs(server.dataDir)) expect(name).to.match(/^[0-9a-f-]{36}$/);
    await expectNoOrphans();
  });

  it('I09 gives back a file with a preamble of zeros, whatever preamble was sent', async function preamble() {
    if (!hasProgram('storescu')) this.skip();
    const study = aStudy({ key: 'hostile/preamble', instances: 1 });
    const bytes = Buffer.from([...study.instances()][0]?.bytes ?? []);
    bytes.write('MZ\x90\0\x7fELF', 0, 'latin1');
    const path = join(server.dataDir, 'preamble.dcm');
    await writeFile(path, bytes);
    const { host, port, aeTitle } = server.dimse;
    const ran = await runProgram('storescu', ['-aet', strasbourg.aeTitle, '-aec', aeTitle, host, String(port), path]);
    await rm(path);
    expect(ran.code, ran.output).to.equal(0);
    const body = await eventually(async () => {
      const response = await dicomweb(
        `studies/${study.studyInstanceUID}`,
        'multipart/related; type="application/dicom"; transfer-syntax=*',
      );
      return response.status === 200 ? Buffer.from(await response.arrayBuffer()) : undefined;
    });
    expect(body.includes('ELF')).to.equal(false);
    const magic = body.indexOf('DICM');
    expect(body.subarray(magic - 128, magic)).to.deep.equal(Buffer.alloc(128));
  });

  it('I10 stores text whose character set is garbage, and shows what can be read', async () => {
    const garbage = Buffer.from('1b24297a1b285affc0c11b2d4141425e43', 'hex');
    const names = ['ISO 2022 IR 999', '\\ISO 2022 IR 149\\ISO 2022 IR 87\\', 'x'.repeat(600), '\x1b\x1b'];
    for (const [at, characterSet] of names.entries()) {
      const name = `garbage-${at}`;
      const changes = {
        '00080005': element('00080005', 'CS', characterSet),
        '00100010': element('00100010', 'PN', garbage),
        '00081030': element('00081030', 'LO', garbage),
      };
      expect(await store(name, hostileDataSet(name, changes)), characterSet.slice(0, 20)).to.equal(0);
      expect(JSON.stringify(await studyOf(name))).to.not.match(/\\u00[01]/);
    }
  });

  it('I11 gives markup in names and descriptions back as data, and puts none of it into narratives', async () => {
    const changes = {
      '00081030': element('00081030', 'LO', MARKUP),
      '00100010': element('00100010', 'PN', `${MARKUP}^Zoé`),
      '00100020': element('00100020', 'LO', 'MARKUP-1'),
    };
    expect(await store('markup', hostileDataSet('markup', changes))).to.equal(0);
    const study = await studyOf('markup');
    expect(study.description).to.equal(MARKUP);
    const patient = await caller.findOne<Patient>('Patient?identifier=MARKUP-1');
    expect(patient.name?.[0]?.family).to.equal(MARKUP);
    for (const resource of [study, patient] as Resource[])
      expect(JSON.stringify('text' in resource ? resource.text : {})).to.not.include('<script');
    const answer = await caller.get(`Patient/${patient.id}`);
    expect(answer.headers.get('content-type')).to.include('application/fhir+json');
    expect(answer.headers.get('x-content-type-options')).to.equal('nosniff');
    const found = await dicomweb(
      `studies?StudyInstanceUID=${hostileUids('markup').studyInstanceUID}`,
      'application/dicom+json',
    );
    expect(found.headers.get('content-type')).to.include('application/dicom+json');
    expect(found.headers.get('x-content-type-options')).to.equal('nosniff');
  });

  it('I12 refuses lengths and VRs that lie, and serves the next object on the association', async () => {
    const lies = {
      'an odd length': element('00211001', 'LO', 'abc ', 3),
      'a length beyond the end': element('00211001', 'LO', 'ab', 60_000),
      'a VR that is none': element('00211001', '??', 'ab'),
      'a group length that is cut': element('00210000', 'UL', Buffer.alloc(2)).subarray(0, 9),
      'an item outside a sequence': Buffer.from('feff00e000000000', 'hex'),
    };
    const association = await associateModality(server);
    for (const [name, lie] of Object.entries(lies)) {
      const status = await storeBytes(
        association,
        hostileUids('lies').sopInstanceUID,
        hostileDataSet('lies', { '00210000': lie }),
      );
      expect(status.toString(16), name).to.equal('c000');
    }
    const misled = hostileDataSet('group', {
      '00080000': element('00080000', 'UL', Buffer.from([0xff, 0xff, 0xff, 0x7f])),
    });
    expect(await storeBytes(association, hostileUids('group').sopInstanceUID, misled)).to.equal(0);
    association.socket.destroy();
    expect(rowsOfStudy(server.dataDir, hostileUids('lies').studyInstanceUID)).to.deep.equal([]);
  });

  it('I13 refuses a data set of another SOP class or instance than the command says', async () => {
    const others = {
      '00080016': element('00080016', 'UI', PDF_STORAGE),
      '00080018': element('00080018', 'UI', '2.25.99'),
    };
    for (const [tag, other] of Object.entries(others))
      expect(await store('mismatch', hostileDataSet('mismatch', { [tag]: other }))).to.equal(MISMATCH);
    for (const missing of Object.keys(others))
      expect(await store('mismatch', hostileDataSet('mismatch', { [missing]: Buffer.alloc(0) }))).to.equal(MISMATCH);
    expect(rowsOfStudy(server.dataDir, hostileUids('mismatch').studyInstanceUID)).to.deep.equal([]);
    await expectNoOrphans();
  });

  it('I16, I17 offers neither C-MOVE nor C-FIND: no context is accepted, a command is not known', async () => {
    const models = [
      '1.2.840.10008.5.1.4.1.2.1.1',
      '1.2.840.10008.5.1.4.1.2.1.2',
      '1.2.840.10008.5.1.4.1.2.2.1',
      '1.2.840.10008.5.1.4.1.2.2.2',
    ];
    const contexts = models.map((abstractSyntax, at) => ({
      id: 2 * at + 5,
      abstractSyntax,
      transferSyntaxes: [DICOM_UID.implicitLittleEndian],
    }));
    const ct = { id: 3, abstractSyntax: CT_IMAGE, transferSyntaxes: [DICOM_UID.explicitLittleEndian] };
    const association = await RawCaller.associate({ address: server.dimse }, [ct, ...contexts], {
      calling: strasbourg.aeTitle,
      called: server.dimse.aeTitle,
    });
    for (const [at, commandField] of [0x0020, 0x0021].entries()) {
      association.socket.write(
        dataPDU(3, formatCommandSet({ commandField, hasDataSet: true, messageID: at + 1 }), { isCommand: true }),
      );
      association.socket.write(dataPDU(3, element('00100010', 'PN', '*')));
      expect(parseCommandSet((await association.pdu())?.subarray(12) ?? Buffer.alloc(0)).status).to.equal(0x0211);
    }
    association.socket.write(
      dataPDU(5, formatCommandSet({ commandField: 0x0020, hasDataSet: true, messageID: 9 }), { isCommand: true }),
    );
    expect((await association.pdu())?.[0]).to.equal(0x07);
    await association.closed();
  });

  it('I18 serves scripts in private attributes and in a PDF as bytes that no browser opens', async () => {
    const script = Buffer.from('%PDF-1.7\n<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>\n');
    const changes = {
      '00080016': element('00080016', 'UI', PDF_STORAGE),
      '00091001': element('00091001', 'LO', MARKUP),
      '00420011': element('00420011', 'OB', script),
      '00420012': element('00420012', 'LO', 'application/pdf'),
    };
    expect(await store('pdf', hostileDataSet('pdf', changes), PDF_STORAGE)).to.equal(0);
    await studyOf('pdf');
    const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = hostileUids('pdf');
    const instance = `studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`;
    for (const [path, accept] of [
      [instance, 'multipart/related; type="application/dicom"; transfer-syntax=*'],
      [`${instance}/bulkdata/00420011`, '*/*'],
      [`${instance}/metadata`, 'application/dicom+json'],
    ] as const) {
      const response = await dicomweb(path, accept);
      await response.arrayBuffer();
      expect(response.headers.get('x-content-type-options'), path).to.equal('nosniff');
      expect(response.headers.get('content-type'), path).to.not.match(/html|pdf|svg|^text/);
    }
    expect((await dicomweb(`${instance}/rendered`, 'text/html')).status).to.be.at.least(400);
  });

  describe('after all of it', () => {
    it('I19 has ended a sender of one byte a second within the time of a PDU, and keeps nothing of it', async () => {
      const ended = await slow.ends;
      expect(ended - slow.since).to.be.within(25_000, 45_000);
      isSlowOpen = false;
      await eventually(
        async () =>
          await expectNoOrphans().then(
            () => true,
            () => undefined,
          ),
      );
    });

    it('has lost nothing that it accepted, and leaves no file, descriptor or connection of the rest', async () => {
      await accepted.expectWhole(server);
      await expectNothingLeft(server, atFirst);
    });

    it('tells no patient in its log and no error, and ends in order', async () => {
      for (const text of [PATIENTS.gaetan.familyName, MARKUP, 'HOSTILE-1', '"level":"error"'])
        expect(server.log()).to.not.include(text);
      expect(await server.stop()).to.equal(0);
      server = await startServer({ env: { STUDY_QUIET_SECONDS: '3600' } });
      accepted = new AcceptedStudy('dicom/after');
    });
  });
});
