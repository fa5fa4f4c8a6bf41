/** The files of OHIF over HTTP: those that are installed, compressed as they were, and nothing beside them. */
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { folderOfVersion, OHIF_DECODER, OHIF_ROOT } from '../../../../server/runtime/ohif-package.ts';
import { BUNDLE, installSmallOhif } from '../../../support/ohif-archive.ts';
import { startServer, type TestServer } from '../../../support/server.ts';

type Answer = { readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly body: Buffer };

describe('The files of OHIF', function () {
  this.timeout(30_000);
  let small: Awaited<ReturnType<typeof installSmallOhif>>;
  let server: TestServer;

  beforeEach(async () => {
    small = await installSmallOhif();
  });
  afterEach(async () => {
    await server?.stop();
    await small?.remove();
  });

  /** Sends a path as it stands: fetch would make a tidy one of it. */
  async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { hostname, port } = new URL(server.url);
    request({ hostname, port, path, headers, method }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) });
      });
    })
      .on('error', reject)
      .end();
    return await promise;
  }

  it('are sent in the form that a browser takes, to be kept for ever', async () => {
    server = await startServer({ env: { OHIF: small.folder } });
    const plain = await ask(`${OHIF_ROOT}${BUNDLE}`);
    expect([plain.status, plain.headers['content-encoding']]).to.deep.equal([200, undefined]);
    expect(plain.body.toString()).to.match(/^__webpack_require__\.p = "\/ohif\//);
    const [br, gzip] = [
      await ask(`${OHIF_ROOT}${BUNDLE}`, { 'accept-encoding': 'gzip, deflate, br, zstd' }),
      await ask(`${OHIF_ROOT}${BUNDLE}`, { 'accept-encoding': 'gzip, deflate' }),
    ];
    expect([br.headers['content-encoding'], gzip.headers['content-encoding']]).to.deep.equal(['br', 'gzip']);
    expect(brotliDecompressSync(br.body).equals(plain.body)).to.equal(true);
    expect(gunzipSync(gzip.body).equals(plain.body)).to.equal(true);
    for (const { headers, body } of [plain, br, gzip]) {
      expect(headers).to.include({
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
        'content-length': String(body.length),
        'x-content-type-options': 'nosniff',
      });
      expect(headers['vary']).to.include('Accept-Encoding');
    }
    const head = await ask(`${OHIF_ROOT}${BUNDLE}`, {}, 'HEAD');
    expect([head.status, head.headers['content-length'], head.body.length]).to.deep.equal([
      200,
      plain.headers['content-length'],
      0,
    ]);
    for (const [name, mayWrite] of [
      [BUNDLE, false],
      [OHIF_DECODER, true],
    ] as const) {
      const policy = String((await ask(`${OHIF_ROOT}${name}`)).headers['content-security-policy']);
      expect(policy).to.match(/^default-src 'none'; /);
      expect(policy.includes("'unsafe-eval'"), name).to.equal(mayWrite);
      expect(policy).to.match(new RegExp(`; connect-src ${server.url}${OHIF_ROOT}$`));
    }
    const wasm = await ask(`${OHIF_ROOT}0123456789abcdef0123.wasm`);
    expect([wasm.status, wasm.headers['content-type']]).to.deep.equal([200, 'application/wasm']);
  });

  it('are those of the list: no other name leads to one', async () => {
    server = await startServer({ env: { OHIF: small.folder } });
    const names = [
      'files.json',
      'LICENSE',
      'index.html',
      `${BUNDLE}.br`,
      `./${BUNDLE}`,
      `../3.12.10/${BUNDLE}`,
      '..%2f..%2fpackage.json',
      '%2e%2e/%2e%2e/package.json',
      '../../../../../../../../etc/passwd',
      `assets/../${BUNDLE}`,
      'assets/',
      '',
      `${BUNDLE}%00.js`,
      '__proto__',
    ];
    for (const name of names) expect((await ask(`${OHIF_ROOT}${name}`)).status, name).to.equal(404);
    expect((await ask(`${OHIF_ROOT}${BUNDLE}`, {}, 'POST')).status).to.equal(404);
  });

  it('are left alone by a server that finds half of them, and says so', async () => {
    await writeFile(join(folderOfVersion(small.folder), BUNDLE), 'half');
    server = await startServer({ env: { OHIF: small.folder } });
    expect((await ask(`${OHIF_ROOT}${BUNDLE}`)).status).to.equal(404);
    expect((await ask('/ohif/viewer?StudyInstanceUIDs=1.2.3')).status).to.equal(404);
    expect(server.log()).to.include('OHIF is not offered').and.include('npm run ohif installs it again');
  });
});
