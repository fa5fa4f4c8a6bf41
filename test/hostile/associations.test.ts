/**
 * Callers of the running server that break the protocol, break off, or only stay: what each gets, and that nothing of
 * it is left.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { DICOM_UID } from '../../profiles/codes.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import {
  ABORT,
  associateRequest,
  CT_IMAGE,
  dataPDU,
  RawCaller,
  RELEASE_REQUEST,
  storeRequest,
} from '../server/endpoints/dimse/door.ts';
import { runProgram } from '../support/peers/dcmtk.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { AcceptedStudy } from './dicom/accepted.ts';
import { element, hostileDataSet, hostileUids } from './dicom/raw-data-set.ts';
import { associateModality, costOf } from './dicom/store.ts';
import { descriptorsOf, expectDiscreetLog, expectNothingLeft } from './server-state.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
const ABORTED = 0x07;
const MIB = 1024 * 1024;
const CLAIMS = { '1 GiB': 0x4000_0000, '4 GiB': 0xffff_ffff };
/** A-ASSOCIATE-RJ: transient, by the presentation layer, local limit exceeded (PS3.8 table 9-21). */
const LIMIT_EXCEEDED = [2, 3, 2];
const OF_ONE_PEER = 16;
const HALF = 600_000;

describe('Hostile associations', function () {
  this.timeout(60_000);
  let server: TestServer;
  let atFirst: ReturnType<typeof descriptorsOf>;
  const accepted = new AcceptedStudy('hostile/accepted');
  before(async () => {
    server = await startServer({ env: { STUDY_QUIET_SECONDS: '3600' } });
    await accepted.grow(server);
    atFirst = descriptorsOf(server);
  });
  afterEach(async () => {
    await accepted.grow(server);
    await expectNothingLeft(server, atFirst);
  });
  after(async () => await server?.stop());

  const modality = { calling: strasbourg.aeTitle, called: 'PASSERELLE' };
  const dataSet = hostileDataSet('broken');
  const { sopInstanceUID } = hostileUids('broken');

  for (const [name, claim] of Object.entries(CLAIMS)) {
    it(`I01 aborts on a PDU that claims ${name}, in an association or before, and keeps nothing of it`, async () => {
      for (const type of [0x01, 0x04]) {
        const caller =
          type === 0x01 ? await RawCaller.connect({ address: server.dimse }) : await associateModality(server);
        const header = Buffer.from([type, 0, 0, 0, 0, 0]);
        header.writeUInt32BE(claim, 2);
        const { result, megabytes } = await costOf(server, async () => {
          caller.socket.write(header);
          for (let sent = 0; sent < 64 && !caller.socket.destroyed; sent += 1) {
            if (!caller.socket.write(Buffer.alloc(MIB)))
              await Promise.race([once(caller.socket, 'drain'), once(caller.socket, 'close')]);
          }
          const answer = await caller.pdu();
          await caller.closed();
          return answer;
        });
        expect(result?.[0]).to.equal(ABORTED);
        expect(megabytes).to.be.lessThan(64);
      }
    });
  }

  it('ends malformed PDUs, garbage command sets and what comes out of turn with an A-ABORT', async () => {
    const beforeAssociation = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([0x99, 0, 0, 0, 0, 1, 0]),
      Buffer.from([1, 0, 0, 0, 0, 0]),
      dataPDU(1, Buffer.alloc(9)),
      RELEASE_REQUEST,
    ];
    const inAssociation = [
      associateRequest(modality),
      dataPDU(99, Buffer.alloc(10), { isCommand: true }),
      dataPDU(3, randomBytes(120), { isCommand: true }),
      dataPDU(3, Buffer.concat([Buffer.alloc(4), Buffer.from([4, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f])]), {
        isCommand: true,
      }),
      Buffer.concat(
        Array.from({ length: 3 }, () => dataPDU(3, Buffer.alloc(8_000), { isCommand: true, isLast: false })),
      ),
      dataPDU(3, dataSet),
      Buffer.from('040000000010000001000103000000000000000000000000', 'hex'),
    ];
    const { megabytes } = await costOf(server, async () => {
      for (let round = 0; round < 80; round += 1) {
        const callers = await Promise.all([
          ...beforeAssociation.map(async (bytes) => ({
            bytes,
            caller: await RawCaller.connect({ address: server.dimse }),
          })),
          ...inAssociation.map(async (bytes) => ({ bytes, caller: await associateModality(server) })),
        ]);
        for (const { bytes, caller } of callers) caller.socket.write(bytes);
        const answers = await Promise.all(callers.map(async ({ caller }) => await caller.pdu()));
        expect(answers.map((answer) => answer?.[0])).to.deep.equal(callers.map(() => ABORTED));
        await Promise.all(callers.map(async ({ caller }) => await caller.closed()));
      }
    });
    expect(megabytes).to.be.lessThan(100);
  });

  it('I03 refuses idle associations of a caller beyond its share, serves others, and then that caller', async () => {
    const callers = await Promise.all(
      Array.from({ length: 300 }, async () => await RawCaller.connect({ address: server.dimse })),
    );
    const answers: (Buffer | undefined)[] = [];
    for (const caller of callers) {
      caller.socket.write(associateRequest({ ...modality, calling: nancy.aeTitle }));
      answers.push(await caller.pdu());
    }
    expect(answers.filter((answer) => answer?.[0] === 0x02)).to.have.length(OF_ONE_PEER);
    const rejected = answers.filter((answer) => answer?.[0] === 0x03);
    expect(new Set(rejected.map((answer) => [...(answer?.subarray(7, 10) ?? [])].join()))).to.deep.equal(
      new Set([LIMIT_EXCEEDED.join()]),
    );
    await accepted.grow(server);
    for (const { socket } of callers) socket.destroy();
    await expectNothingLeft(server, atFirst);
    const again = await RawCaller.associate({ address: server.dimse }, undefined, {
      ...modality,
      calling: nancy.aeTitle,
    });
    again.socket.destroy();
  });

  it('keeps no file and no descriptor of 200 transfers that are aborted or broken off in their middle', async () => {
    // So many bytes are on the disk when the sender goes.
    const large = hostileDataSet('broken', { '7FE00010': element('7FE00010', 'OW', Buffer.alloc(2 * HALF)) });
    const half = Buffer.concat([
      dataPDU(3, large.subarray(0, HALF / 2), { isLast: false }),
      dataPDU(3, large.subarray(HALF / 2, HALF), { isLast: false }),
    ]);
    const { megabytes } = await costOf(server, async () => {
      for (let round = 0; round < 20; round += 1) {
        // Those before may not have ended yet, and one caller has a share of associations.
        const associated = async (): Promise<RawCaller> =>
          await eventually(async () => await associateModality(server).catch(() => undefined));
        const callers = await Promise.all(Array.from({ length: 10 }, associated));
        for (const [at, { socket }] of callers.entries()) {
          socket.write(Buffer.concat([storeRequest(sopInstanceUID), half]));
          if (at % 3 === 0) socket.destroySoon();
          else if (at % 3 === 1) socket.resetAndDestroy();
          else socket.end(ABORT);
        }
        await Promise.all(callers.map(async (caller) => await caller.closed()));
      }
    });
    expect(megabytes).to.be.lessThan(100);
    await expectNothingLeft(server, atFirst);
  });

  it('ends a flood of C-STORE requests without data sets, and of announced ones that never come', async () => {
    const caller = await associateModality(server);
    caller.socket.write(
      Buffer.concat(
        Array.from({ length: 200 }, (_, at) => storeRequest(sopInstanceUID, { hasDataSet: false, messageID: at + 1 })),
      ),
    );
    for (let answered = 0; answered < 200; answered += 1) expect((await caller.pdu())?.[0]).to.equal(0x04);
    caller.socket.write(Buffer.concat(Array.from({ length: 200 }, () => storeRequest(sopInstanceUID))));
    expect((await caller.pdu())?.[0]).to.equal(ABORTED);
    await caller.closed();
  });

  it('I15 rejects a caller that nobody knows: permanent, source 1, reason 3', async () => {
    const caller = await RawCaller.connect({ address: server.dimse });
    caller.socket.write(associateRequest({ ...modality, calling: 'NOBODY' }));
    expect([...((await caller.pdu())?.subarray(0, 10) ?? [])]).to.deep.equal([0x03, 0, 0, 0, 0, 4, 0, 1, 1, 3]);
    await caller.closed();
  });

  it('I15 rejects it when it is DCMTK, too', async function stranger() {
    if (!hasProgram('echoscu')) this.skip();
    const { code, output } = await runProgram('echoscu', [
      '-aet',
      'NOBODY',
      '-aec',
      server.dimse.aeTitle,
      server.dimse.host,
      String(server.dimse.port),
    ]);
    expect(code).to.not.equal(0);
    expect(output).to.include('Calling AE Title Not Recognized');
  });

  it('aborts on a request in a context that it did not accept, though it accepted others', async () => {
    const contexts = [
      { id: 1, abstractSyntax: DICOM_UID.verification, transferSyntaxes: [DICOM_UID.implicitLittleEndian] },
      { id: 3, abstractSyntax: CT_IMAGE, transferSyntaxes: [DICOM_UID.explicitLittleEndian] },
      { id: 5, abstractSyntax: '1.2.840.10008.1.3.10', transferSyntaxes: [DICOM_UID.explicitLittleEndian] },
    ];
    const caller = await RawCaller.associate({ address: server.dimse }, contexts, modality);
    caller.socket.write(dataPDU(5, storeRequest(sopInstanceUID).subarray(12), { isCommand: true }));
    expect((await caller.pdu())?.[0]).to.equal(ABORTED);
    await caller.closed();
  });

  it('has lost nothing that it accepted, and tells no patient and no error in its log', async () => {
    await accepted.expectWhole(server);
    expectDiscreetLog(server, aStudy({ key: 'hostile/accepted' }).studyInstanceUID);
  });
});
