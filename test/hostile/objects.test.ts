/**
 * Objects that are cut, misnamed or in another's place, by C-STORE and by STOW-RS: refused in the terms of each, with
 * nothing left of them.
 */
import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { DICOM_UID } from '../../profiles/codes.ts';
import { formatFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import { openTrail } from '../flows/support/trail.ts';
import { CT_IMAGE } from '../server/endpoints/dimse/door.ts';
import { establishmentCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { AcceptedStudy } from './dicom/accepted.ts';
import { element, hostileDataSet, hostileUids } from './dicom/raw-data-set.ts';
import { answerTo, associateModality, storeBytes } from './dicom/store.ts';
import { quarantinedCount, rowsOfStudy } from './kill/data-folder.ts';
import { dataSetOf, sendInstances } from './kill/store-sender.ts';
import { descriptorsOf, expectDiscreetLog, expectNothingLeft, residentMegabytes } from './server-state.ts';
import { stow, type Stowed } from './stow.ts';

const CANNOT_UNDERSTAND = 0xc000;
const MISMATCH = 0xa900;
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';
const FRAGMENTS = Buffer.concat([
  Buffer.from('feff00e000000000feff00e000000100', 'hex'),
  Buffer.alloc(65_536),
  Buffer.from('feffdde000000000', 'hex'),
]);

/** `name` is that of its UIDs. */
type Cut = {
  readonly name: string;
  readonly transferSyntaxUID: string;
  readonly whole: Buffer;
  readonly missing: readonly number[];
};

const CUTS: Readonly<Record<string, Cut>> = {
  'native pixels': {
    name: 'native',
    transferSyntaxUID: DICOM_UID.explicitLittleEndian,
    whole: hostileDataSet('native', { '7FE00010': element('7FE00010', 'OW', Buffer.alloc(300_000)) }),
    missing: [1, 1_000, 299_999, 300_004],
  },
  'encapsulated fragments': {
    name: 'fragments',
    transferSyntaxUID: JPEG_BASELINE,
    whole: hostileDataSet('fragments', {
      '7FE00010': Buffer.concat([element('7FE00010', 'OB', '', 0xffff_ffff), FRAGMENTS]),
    }),
    missing: [1, 8, 9, 60_000, 65_544, 65_552, 65_560],
  },
  'a document': {
    name: 'document',
    transferSyntaxUID: DICOM_UID.explicitLittleEndian,
    whole: hostileDataSet('document', { '00420011': element('00420011', 'OB', Buffer.alloc(100_000)) }),
    missing: [1, 50_000],
  },
  'a sequence': {
    name: 'sequence',
    transferSyntaxUID: DICOM_UID.explicitLittleEndian,
    whole: hostileDataSet('sequence', {
      '00400275': Buffer.concat([element('00400275', 'SQ', '', 0xffff_ffff), Buffer.from('feffdde000000000', 'hex')]),
    }),
    missing: [1, 8, 12],
  },
  'deflated pixels': {
    name: 'inflated',
    transferSyntaxUID: DICOM_UID.deflatedExplicitLittleEndian,
    whole: deflateRawSync(hostileDataSet('inflated', { '7FE00010': element('7FE00010', 'OW', randomBytes(300_000)) })),
    missing: [1, 100, 200_000],
  },
  'a deflated header': {
    name: 'deflated',
    transferSyntaxUID: DICOM_UID.deflatedExplicitLittleEndian,
    whole: deflateRawSync(hostileDataSet('deflated')),
    missing: [20, 100],
  },
};

describe('Hostile objects', function () {
  this.timeout(60_000);
  let server: TestServer;
  let caller: FhirCaller;
  let atFirst: ReturnType<typeof descriptorsOf>;
  let memory = 0;
  const accepted = new AcceptedStudy('objects/accepted');
  before(async () => {
    server = await startServer({ env: { STUDY_QUIET_SECONDS: '3600' } });
    caller = await establishmentCaller(server, 'strasbourg');
    await accepted.grow(server);
    atFirst = descriptorsOf(server);
    memory = residentMegabytes(server);
  });
  afterEach(async () => {
    await accepted.grow(server);
    await expectNothingLeft(server, atFirst);
  });
  after(async () => await server?.stop());

  const stowed = async (file: Buffer, path?: string): Promise<Stowed> =>
    await stow({ url: server.url, token: caller.token, ...(path === undefined ? {} : { path }) }, [file]);
  const fileOf = (dataSet: Buffer, transferSyntaxUID: string, sopInstanceUID: string): Buffer =>
    Buffer.concat([formatFileMeta({ sopClassUID: CT_IMAGE, sopInstanceUID, transferSyntaxUID }), dataSet]);

  for (const [where, { name, whole, missing, transferSyntaxUID }] of Object.entries(CUTS)) {
    it(`I12 refuses objects that are cut in ${where} as not understood, and serves the whole one`, async () => {
      const { sopInstanceUID, studyInstanceUID } = hostileUids(name);
      const association = await associateModality(server, transferSyntaxUID);
      for (const count of missing) {
        const part = whole.subarray(0, whole.length - count);
        const answer = await answerTo(association, sopInstanceUID, part, CT_IMAGE);
        expect(answer.status, `without the last ${count} bytes`).to.equal(CANNOT_UNDERSTAND);
        expect(answer.errorComment).to.be.a('string').that.is.not.empty;
        expect(
          await stowed(fileOf(part, transferSyntaxUID, sopInstanceUID)),
          `without the last ${count} bytes`,
        ).to.deep.equal({ status: 409, reasons: [CANNOT_UNDERSTAND] });
      }
      expect(rowsOfStudy(server.dataDir, studyInstanceUID)).to.deep.equal([]);
      expect(await storeBytes(association, sopInstanceUID, whole)).to.equal(0);
      expect(await stowed(fileOf(whole, transferSyntaxUID, sopInstanceUID))).to.deep.equal({
        status: 200,
        reasons: [],
      });
      association.socket.destroy();
      expect(rowsOfStudy(server.dataDir, studyInstanceUID)).to.have.length(1);
    });
  }

  it('I08 takes no paths for UIDs by STOW-RS either, in the address or in the object', async () => {
    const { sopInstanceUID } = hostileUids('paths');
    for (const uid of ['../../x', '/etc/passwd', '1.2\0.3', `1.${'2'.repeat(64)}`, '..']) {
      for (const tag of ['00080018', '0020000D', '0020000E']) {
        const { status, reasons } = await stowed(
          fileOf(
            hostileDataSet('paths', { [tag]: element(tag, 'UI', uid) }),
            DICOM_UID.explicitLittleEndian,
            sopInstanceUID,
          ),
        );
        expect([status, ...reasons], `${tag} ${uid}`).to.deep.equal([409, MISMATCH]);
      }
      const { status } = await stowed(
        fileOf(hostileDataSet('paths'), DICOM_UID.explicitLittleEndian, sopInstanceUID),
        `studies/${encodeURIComponent(uid)}`,
      );
      expect(status, uid).to.be.oneOf([400, 404]);
    }
    expect(rowsOfStudy(server.dataDir, hostileUids('paths').studyInstanceUID)).to.deep.equal([]);
  });

  it('I13 refuses by STOW-RS what its file meta information says to be of another class or instance', async () => {
    const { sopInstanceUID } = hostileUids('stowed');
    const others = {
      '00080016': element('00080016', 'UI', `${DICOM_UID.storageClassPrefix}104.1`),
      '00080018': element('00080018', 'UI', '2.25.99'),
    };
    for (const [tag, other] of Object.entries(others)) {
      const file = fileOf(hostileDataSet('stowed', { [tag]: other }), DICOM_UID.explicitLittleEndian, sopInstanceUID);
      expect(await stowed(file), tag).to.deep.equal({ status: 409, reasons: [MISMATCH] });
    }
  });

  it('I14 keeps an instance of the same UID and another patient aside, warns, and leaves the first', async () => {
    const head = { key: 'objects/same', instances: 1 };
    const [first, other] = [
      aStudy({ ...head, patient: PATIENTS.gaetan }),
      aStudy({ ...head, patient: PATIENTS.helene }),
    ];
    const statuses: number[] = [];
    const before = quarantinedCount(server.dataDir);
    for (const study of [first, other])
      await sendInstances(
        server.dimse,
        ESTABLISHMENTS.strasbourg.aeTitle,
        study.instances(),
        (_, status) => void statuses.push(status),
      );
    expect(statuses).to.deep.equal([0, 0]);
    expect(quarantinedCount(server.dataDir)).to.equal(before + 1);
    const warned = /"level":"warn".*"reason":"other-patient"/;
    await eventually(async () => (warned.test(server.log()) ? true : undefined));
    const body = await eventually(async () => {
      const response = await fetch(`${server.url}/dicom-web/studies/${first.studyInstanceUID}`, {
        headers: {
          Authorization: `Bearer ${caller.token}`,
          Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
        },
      });
      return response.status === 200 ? Buffer.from(await response.arrayBuffer()) : undefined;
    });
    expect(
      [first, other].map((study) =>
        body.includes(Buffer.from(dataSetOf([...study.instances()][0]?.bytes ?? Buffer.alloc(0)))),
      ),
    ).to.deep.equal([true, false]);
    const trail = await openTrail('sqlite', server.dataDir);
    const told = async (outcome: string) =>
      await eventually(async () => {
        const found = (await trail.eventsOf(first.studyInstanceUID)).filter(({ event }) => event.outcome === outcome);
        return found.length === 0 ? undefined : found;
      });
    const [kept, aside] = await Promise.all([told('0'), told('4')]).finally(trail.close);
    expect(aside.map(({ event, persons }) => [event.outcomeDesc, persons.length])).to.deep.equal([
      ['quarantined: other-patient', 1],
    ]);
    // Whoever the instance names is told; whose study it is, is not.
    expect(kept.flatMap(({ persons }) => persons)).to.not.include.members(aside.flatMap(({ persons }) => persons));
  });

  it('has lost nothing that it accepted, holds little, and tells no patient and no error in its log', async () => {
    await accepted.expectWhole(server);
    expect(residentMegabytes(server) - memory).to.be.lessThan(150);
    expectDiscreetLog(server, 'HOSTILE-1');
  });
});
