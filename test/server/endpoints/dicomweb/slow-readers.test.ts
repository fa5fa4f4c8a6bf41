/**
 * Readers that take nothing for a while: what is read ahead for them, and what is sent after a withdrawal. Row C05 of
 * smart-security.md.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { openClinic, type Clinic, type ClinicStudy } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { ask, serveDicomweb } from './door.ts';
import { partsOf } from './parts.ts';
import { watchImages, type ImageCounts } from './watched-images.ts';

const MEGABYTE = 1024 * 1024;
/** What the head of server/endpoints/http/outflow.ts allows one answer. */
const BUFFER_BYTES = 576 * 1024;
/** More than the largest buffers that a system gives the two ends of a connection. */
const LARGE = { instances: 16, instanceBytes: 3.5 * MEGABYTE };

describe('WADO-RS Retrieve by a slow reader (PS3.18 10.4)', function () {
  this.timeout(60_000);
  let clinic: Clinic;
  let door: ServedRouter;
  let counts: ImageCounts;

  beforeEach(async () => {
    clinic = await openClinic();
    const watched = watchImages(clinic.images);
    counts = watched.counts;
    door = await serveDicomweb(clinic, watched.images);
  });
  afterEach(async () => {
    await door.close();
    await clinic.close();
  });

  const largeStudy = async (instances: number, instanceBytes: number): Promise<ClinicStudy> =>
    await clinic.addStudy({
      started: '2026-02-01T10:00:00Z',
      modality: 'CT',
      accession: 'ACC-9',
      description: 'Large',
      series: [Array<string>(instances).fill(DICOM_UID.explicitLittleEndian)],
      instanceBytes,
    });

  /** Asks, takes the headers and the little that comes with them, and waits until the server reads no further. */
  const beginAndStall = async (path: string, accept = '*/*'): Promise<IncomingMessage> => {
    const request = httpRequest(`${door.origin}/dicom-web${path}`, {
      headers: { Authorization: 'Bearer lambert', Accept: accept },
      agent: false,
    });
    const [response] = (await once(request.end(), 'response')) as [IncomingMessage];
    expect(response.statusCode).to.equal(200);
    for (let [before, still] = [-1, 0]; still < 10; await pause(50)) {
      still = counts.read === before ? still + 1 : 0;
      before = counts.read;
    }
    return response;
  };

  it('holds two buffers, however large the study is, and sends every byte when the reader goes on', async function () {
    if (process.platform !== 'linux') return this.skip();
    const { studyInstanceUID, instances } = await largeStudy(LARGE.instances, LARGE.instanceBytes);
    const before = process.memoryUsage().arrayBuffers;
    const response = await beginAndStall(`/studies/${studyInstanceUID}`);
    expect(counts.read).to.be.within(BUFFER_BYTES, (LARGE.instances - 1) * LARGE.instanceBytes);
    expect(counts.read - takenFrom(response)).to.be.at.most(2 * BUFFER_BYTES);
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(8 * MEGABYTE);
    const body = Buffer.concat((await response.toArray()) as Buffer[]);
    const headers = { 'Content-Type': response.headers['content-type'] ?? '' };
    const parts = await partsOf(new Response(body, { headers }), 'application/dicom');
    expect(parts).to.have.length(instances.length);
    for (const [at, { content }] of parts.entries())
      expect(content.equals(instances[at]?.bytes ?? Buffer.alloc(0)), `instance ${at}`).to.equal(true);
    expect(counts.read).to.equal(LARGE.instances * LARGE.instanceBytes);
  });

  for (const accept of ['application/dicom', 'multipart/related; type="application/dicom"']) {
    it(`decides again between the pieces of one large instance that is withdrawn: ${accept}`, async () => {
      const { instances } = await largeStudy(1, LARGE.instances * LARGE.instanceBytes);
      const [{ studyInstanceUID, seriesInstanceUID, sopInstanceUID } = {}] = instances.map(({ row }) => row);
      const path = `/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`;
      const response = await beginAndStall(path, accept);
      const stalledAt = counts.read;
      await clinic.withdraw();
      const later = clinic.guard.clock.now() + 1_000;
      clinic.guard.clock.now = () => later;
      const error = await response.toArray().then(
        () => undefined,
        (failure: unknown) => failure,
      );
      expect(error).to.be.instanceOf(Error).with.property('message', 'aborted');
      // One read was decided before; those after it are not made.
      expect(counts.read - stalledAt).to.be.at.most(BUFFER_BYTES);
      expect((await ask(door, path)).status).to.equal(404);
    });
  }

  it('breaks the connection when a study of many instances is withdrawn', async () => {
    const { studyInstanceUID } = await largeStudy(250, MEGABYTE / 4);
    const response = await beginAndStall(`/studies/${studyInstanceUID}`);
    await clinic.withdraw();
    response.resume();
    const [error] = (await Promise.race([once(response, 'error'), once(response, 'end')])) as [Error | undefined];
    expect(error?.message).to.equal('aborted');
    expect(counts.read).to.be.lessThan(250 * (MEGABYTE / 4));
    expect((await ask(door, `/studies/${studyInstanceUID}`)).status).to.equal(404);
  });
});

/** Bytes of an answer that have left the server: what its reader has, and what the system holds for the two ends. */
function takenFrom({ socket }: IncomingMessage): number {
  const [server, client] = [socket.remotePort, socket.localPort].map(hexPort);
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([, local = '', remote = '', , queues = '']) => ({
      ports: [local, remote].map((address) => address.split(':')[1]).join(),
      waiting: queues.split(':').reduce((sum, hex) => sum + Number.parseInt(hex, 16), 0),
    }));
  const ends = rows.filter(({ ports }) => [`${server},${client}`, `${client},${server}`].includes(ports));
  expect(ends).to.have.length(2);
  return socket.bytesRead + ends.reduce((sum, { waiting }) => sum + waiting, 0);
}

function hexPort(port = 0): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
