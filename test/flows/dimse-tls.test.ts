/** DICOM over TLS as it is configured: who may call is told by authority, address, AE title and certificate. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import type { Region } from '../../server/config/region-model.ts';
import { rowsOfStudy } from '../hostile/kill/data-folder.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { certify, type Certified } from '../support/certificates.ts';
import { runProgram, type Ran } from '../support/peers/dcmtk.ts';
import { startServer, type TestServer } from '../support/server.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;

describe('DICOM over TLS (PS3.15 B.9)', function () {
  this.timeout(60_000);
  let folder: string;
  let server: TestServer;
  let authority: Certified;
  let scanner: Certified;
  let other: Certified;
  before(async function start() {
    if (!hasProgram('storescu') || !hasProgram('openssl', 'version')) this.skip();
    folder = await mkdtemp(join(tmpdir(), 'passerelle-tls-'));
    authority = await certify(folder, 'authority');
    [scanner, other] = [await certify(folder, 'scanner', authority), await certify(folder, 'other', authority)];
    const own = await certify(folder, 'server', authority);
    const region = await pinnedRegion(folder, scanner.fingerprint);
    const env = { DIMSE_TLS_CERT: own.cert, DIMSE_TLS_KEY: own.key, DIMSE_TLS_CA: authority.cert, REGION: region };
    server = await startServer({ env });
  });
  after(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const study = aStudy({ key: 'tls', instances: 1 });
  const storescu = async (
    aeTitle: string,
    at: TestServer['dimse'] | undefined,
    tls: readonly string[],
  ): Promise<Ran> => {
    const path = join(folder, 'one.dcm');
    const [instance] = [...study.instances()];
    await writeFile(path, instance?.bytes ?? '');
    return await runProgram('storescu', [
      ...tls,
      '-aet',
      aeTitle,
      '-aec',
      at?.aeTitle ?? '',
      at?.host ?? '',
      String(at?.port),
      path,
    ]);
  };
  const showing = ({ key, cert }: Certified): string[] => ['+tls', key, cert, '+cf', authority.cert];

  it('I15 refuses a certificate of the authority that is not the one of the AE title', async () => {
    const { code, output } = await storescu(strasbourg.aeTitle, server.dimseTls, showing(other));
    expect(code).to.not.equal(0);
    expect(output).to.match(/Calling AE Title Not Recognized/);
    expect(rowsOfStudy(server.dataDir, study.studyInstanceUID)).to.deep.equal([]);
  });

  it('I15 refuses an AE title with certificates in the clear', async () => {
    const { code, output } = await storescu(strasbourg.aeTitle, server.dimse, []);
    expect(code).to.not.equal(0);
    expect(output).to.match(/Calling AE Title Not Recognized/);
  });

  it('I15 closes on a caller without a certificate, or with one of another authority, in the handshake', async () => {
    const stranger = await certify(folder, 'stranger');
    for (const tls of [['+tla', '+cf', authority.cert], showing(stranger)]) {
      const { code, output } = await storescu(nancy.aeTitle, server.dimseTls, tls);
      expect(code, output).to.not.equal(0);
      expect(output).to.not.match(/Association Rejected/);
    }
    expect(rowsOfStudy(server.dataDir, study.studyInstanceUID)).to.deep.equal([]);
  });

  it('stores what the holder of the certificate sends', async () => {
    const { code, output } = await storescu(strasbourg.aeTitle, server.dimseTls, showing(scanner));
    expect(code, output).to.equal(0);
    expect(rowsOfStudy(server.dataDir, study.studyInstanceUID)).to.have.length(1);
  });

  it('serves an AE title without certificates with any of the authority, and in the clear', async () => {
    for (const [at, tls] of [
      [server.dimseTls, showing(other)],
      [server.dimse, []],
    ] as const) {
      const { code, output } = await storescu(nancy.aeTitle, at, tls);
      expect(code, output).to.equal(0);
    }
  });

  it('explains at start a file that is not there, is no PEM, or does not fit', async () => {
    const env = { DIMSE_TLS_CERT: scanner.cert, DIMSE_TLS_KEY: scanner.key, DIMSE_TLS_CA: authority.cert };
    const refusal = async (wrong: Partial<typeof env>): Promise<string> =>
      await startServer({ env: { ...env, ...wrong } }).then(
        async (started) => `started ${String(await started.stop())}`,
        String,
      );
    expect(await refusal({ DIMSE_TLS_KEY: other.key })).to.include(
      'The key of DICOM over TLS is not that of its certificate',
    );
    expect(await refusal({ DIMSE_TLS_CA: other.key })).to.include(
      'The file for the authorities of DICOM over TLS is no PEM',
    );
    expect(await refusal({ DIMSE_TLS_CERT: join(folder, 'absent.pem') })).to.include('absent.pem');
  });
});

/** The demonstration region, whose Strasbourg modality has one certificate. */
async function pinnedRegion(folder: string, fingerprint: string): Promise<string> {
  const region = JSON.parse(
    await readFile(new URL('../../fixtures/region/region.json', import.meta.url), 'utf8'),
  ) as Region;
  const aeTitles = region.aeTitles.map((one) =>
    one.aeTitle === strasbourg.aeTitle ? { ...one, certificates: [fingerprint] } : one,
  );
  const path = join(folder, 'region.json');
  await writeFile(path, JSON.stringify({ ...region, aeTitles }));
  return path;
}
