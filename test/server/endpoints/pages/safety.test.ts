/** What every page keeps: its headers, nothing of others, and errors that tell a person what to do. */
import { expect } from 'chai';
import { TEXTS } from '../../../../server/endpoints/pages/texts.ts';
import { browse, startPages, type PagesServer } from './pages-server.ts';

const CSP =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'";

describe('Pages', () => {
  let server: PagesServer;
  before(async () => {
    server = await startPages({ support: 'https://region.example/aide', isDemonstration: true });
  });
  after(async () => await server[Symbol.asyncDispose]());

  for (const path of ['/', '/nowhere', '/broken']) {
    it(`are not kept, framed or sniffed, and run nothing that is written into them: ${path}`, async () => {
      const answer = await browse(server, path);
      expect(answer.headers.get('content-type')).to.equal('text/html; charset=utf-8');
      expect(answer.headers.get('content-security-policy')).to.equal(CSP);
      expect(Object.fromEntries(answer.headers)).to.include({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      const page = await answer.text();
      expect(page).to.match(/^<!DOCTYPE html>\n<html lang="fr">/);
      expect(page).to.not.match(/<script|<style|\sstyle=|\son[a-z]+=/);
    });
  }

  it('load nothing but what this server serves, and may keep that for ever', async () => {
    const page = await (await browse(server, '/')).text();
    const loaded = [...page.matchAll(/<(?:link|img)[^>]*(?:href|src)="([^"]*)"/g)].map(([, path = '']) => path);
    expect(loaded).to.have.length(3);
    for (const path of loaded) {
      expect(path).to.match(/^\/assets\/[a-z]+-[0-9a-f]{16}\.(css|svg)$/);
      const asset = await fetch(server.url + path);
      expect(asset.status).to.equal(200);
      expect(asset.headers.get('cache-control')).to.equal('public, max-age=31536000, immutable');
      expect(asset.headers.get('content-type')).to.match(/^(text\/css; charset=utf-8|image\/svg\+xml)$/);
      expect(await asset.text()).to.not.match(/url\(|@import|<script/);
      expect((await fetch(server.url + path, { method: 'POST' })).status).to.equal(404);
    }
    for (const path of ['/assets/style.css', '/assets/', '/assets/style-0000000000000000.css', '/assets/..%2fapp.ts'])
      expect((await fetch(server.url + path)).status, path).to.equal(404);
  });

  it('tell a browser of what is not there in its language, with the way back', async () => {
    const answer = await browse(server, '/nowhere/<b>', { 'accept-language': 'de' });
    expect(answer.status).to.equal(404);
    const page = await answer.text();
    expect(page).to.contain(TEXTS.de.absentTitle).and.contain('<a class="button" href="/">').and.not.contain('nowhere');
  });

  it('tell nothing of the inside when something fails, which is logged', async () => {
    const [broken, busy] = [await browse(server, '/broken'), await browse(server, '/busy')];
    expect([broken.status, busy.status]).to.deep.equal([500, 503]);
    for (const answer of [broken, busy])
      expect(await answer.text())
        .to.contain(TEXTS.fr.failedTitle)
        .and.not.contain('secret');
    expect(server.errors).to.include('unexpected error');
  });

  it('log no error of ours where a running answer ends because its reader may not see it any more', async () => {
    const before = server.errors.length;
    const answer = await browse(server, '/hidden-meanwhile');
    expect(answer.status).to.equal(200);
    await answer.text().then(
      () => expect.fail('The answer was told whole'),
      () => undefined,
    );
    expect(server.errors.slice(before)).to.deep.equal([]);
  });

  it('never stand at a door of machines, nor where a client takes anything', async () => {
    const asked = [
      ...['/fhir', '/fhir/nowhere', '/fhir/broken', '/dicom-web/x', '/xds/x', '/health/x'].map((path) => [path]),
      ...['/nowhere', '/broken'].map((path) => [path, '*/*']),
    ];
    for (const [path = '', accept] of asked) {
      const answer = await browse(server, path, accept === undefined ? {} : { accept });
      expect(answer.headers.get('content-type'), path).to.equal('application/fhir+json; charset=utf-8');
      expect(await answer.json()).to.include({ resourceType: 'OperationOutcome' });
    }
  });
});
