/** A disk that fills while a modality sends, and has room again: nothing acknowledged is missing, nothing restarts. */
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { establishmentCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import {
  pendingWork,
  referredBlobs,
  rowsOfStudy,
  storedBlobs,
  studiesOfTrail,
  verifyTrail,
} from './kill/data-folder.ts';
import { dataSetOf, sendInstances, type SentInstance } from './kill/store-sender.ts';
import { startOnSmallDisk, whyNoSmallDisk, type SmallDisk } from './small-disk.ts';
import { stow } from './stow.ts';

const { strasbourg } = ESTABLISHMENTS;
const OUT_OF_RESOURCES = 0xa700;
const LARGE = 400_000;
/** The room in which one commit of some 100 KB may fit, and its event not. */
const BYTES_LEFT = [0, 120_000, 140_000, 180_000, 230_000, 350_000];
/** More than go into a write-ahead log that has its full size, and needs no room any more. */
const MANY = 400;

describe('A full disk (PS3.4 B.2.3, A700H)', function () {
  this.timeout(60_000);
  let reason: string | undefined;
  let disk: SmallDisk | undefined;
  before(async () => {
    reason = await whyNoSmallDisk();
  });
  afterEach(async () => {
    await disk?.remove();
    disk = undefined;
  });

  const opened = async (options: { readonly imagesApart?: boolean } = {}): Promise<SmallDisk> =>
    (disk = await startOnSmallDisk(options));

  it('of the images refuses what does not fit, keeps what it acknowledged', async function full() {
    if (reason !== undefined) this.skip();
    const { server, copy, fill, free } = await opened();
    const study = aStudy({ key: 'disk/images', instances: 12, attributes: { '00191001:OB': new Uint8Array(LARGE) } });
    const instances: readonly SentInstance[] = [...study.instances()];
    const caller = await establishmentCaller(server, 'strasbourg');
    await fill(LARGE * 7);
    const first = await send(server, instances);
    const refused = instances.filter((_, at) => first[at] !== 0);
    expect(refused.length).to.be.within(3, 11);
    expect(new Set(refused.map((one) => first[instances.indexOf(one)]))).to.deep.equal(new Set([OUT_OF_RESOURCES]));
    const acknowledged = instances.filter((one) => !refused.includes(one));
    const web = { url: server.url, token: caller.token };
    // 507 when the refusals themselves cannot be recorded any more.
    const { status, reasons } = await stow(
      web,
      refused.map(({ bytes }) => bytes),
    );
    expect([status, ...reasons]).to.deep.equal(status === 507 ? [507] : [409, ...refused.map(() => OUT_OF_RESOURCES)]);
    expect(rowsOfStudy(await copy(), study.studyInstanceUID)).to.have.members(uidsOf(acknowledged));
    await free();
    const [one] = refused;
    expect(await stow(web, [one?.bytes ?? new Uint8Array()])).to.deep.equal({ status: 200, reasons: [] });
    expect(await send(server, refused)).to.deep.equal(refused.map(() => 0));
    expect(rowsOfStudy(await copy(), study.studyInstanceUID)).to.have.members(uidsOf(instances));
    await expectWhole(server.url, copy, study.studyInstanceUID, instances, caller);
  });

  it('of records and trail refuses as well, whichever was the first to fill', async function records() {
    if (reason !== undefined) this.skip();
    const { server, copy, fill, free } = await opened({ imagesApart: true });
    const before = aStudy({ key: 'disk/before', instances: 2 });
    expect(await send(server, [...before.instances()])).to.deep.equal([0, 0]);
    for (const bytesLeft of BYTES_LEFT) {
      await fill(bytesLeft);
      const study = aStudy({ key: `disk/${bytesLeft}`, instances: MANY });
      const statuses = await sendUntilRefused(server, [...study.instances()]);
      expect(statuses.at(-1)).to.equal(OUT_OF_RESOURCES);
      const stored = statuses.flatMap((status, at) => (status === 0 ? [at] : []));
      const instances = [...study.instances()];
      expect(rowsOfStudy(await copy(), study.studyInstanceUID)).to.have.members(
        uidsOf(instances.filter((_, at) => stored.includes(at))),
      );
      await free();
      expect(await send(server, instances)).to.deep.equal(instances.map(() => 0));
    }
    const caller = await establishmentCaller(server, 'strasbourg');
    for (const bytesLeft of BYTES_LEFT) {
      const study = aStudy({ key: `disk/${bytesLeft}`, instances: MANY });
      await expectWhole(server.url, copy, study.studyInstanceUID, [...study.instances()], caller);
    }
    await expectWhole(server.url, copy, before.studyInstanceUID, [...before.instances()], caller);
  });
});

async function send(server: SmallDisk['server'], instances: Iterable<SentInstance>): Promise<number[]> {
  const statuses: number[] = [];
  await sendInstances(server.dimse, strasbourg.aeTitle, instances, (_, status) => void statuses.push(status));
  return statuses;
}

/** Sends until an instance is refused: pages that the files of the store have free already are used up first. */
async function sendUntilRefused(server: SmallDisk['server'], instances: readonly SentInstance[]): Promise<number[]> {
  const statuses: number[] = [];
  const more = function* (): Iterable<SentInstance> {
    for (const instance of instances) {
      if (statuses.some((status) => status !== 0)) return;
      yield instance;
    }
  };
  await sendInstances(server.dimse, strasbourg.aeTitle, more(), (_, status) => void statuses.push(status));
  return statuses;
}

function uidsOf(instances: readonly SentInstance[]): string[] {
  return instances.map(({ sopInstanceUID }) => sopInstanceUID);
}

/** Every data set comes back whole, no file is without its row, the trail is whole and has everything. */
async function expectWhole(
  url: string,
  copy: SmallDisk['copy'],
  study: string,
  instances: readonly SentInstance[],
  { token }: FhirCaller,
): Promise<void> {
  const headers = {
    Authorization: `Bearer ${token}`,
    Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
  };
  const body = await eventually(async () => {
    const response = await fetch(`${url}/dicom-web/studies/${study}`, { headers });
    return response.status === 200 ? Buffer.from(await response.arrayBuffer()) : undefined;
  });
  for (const { sopInstanceUID, bytes } of instances)
    expect(body.includes(Buffer.from(dataSetOf(bytes))), sopInstanceUID).to.equal(true);
  // What has moved to the trail leaves the outbox a moment later.
  const dataDir = await eventually(async () => {
    const copied = await copy();
    return pendingWork(copied, 0).outbox === 0 ? copied : undefined;
  });
  expect(await storedBlobs(dataDir)).to.include.members(referredBlobs(dataDir));
  expect(studiesOfTrail(dataDir)).to.include(study);
  expect(verifyTrail(dataDir)).to.deep.include({ whole: true });
}
