/** Bad HTTP, JSON, XML and searches: each is refused in its protocol's own terms, and nothing else changes. */
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';

import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { expectOutcome, fhirCaller } from '../support/clients/fhir-caller.ts';
import { gather, openRaw, sendRaw, statusesOf, type RawAnswer } from '../support/clients/raw-http.ts';
import { descriptorsOf, expectDiscreetLog, expectNothingLeft, expectWhole, residentMegabytes } from './server-state.ts';

const MAX_BODY_BYTES = 1_000_000;
/** What a request names and the log must not. */
const SECRET = 'Wunderlichova-7731';

describe('Bad requests', () => {
  let region: Demonstration;
  /** K05: begin first and are looked at last. */
  let slow: Promise<Ended>;
  let slowBody: Promise<Ended>;
  let memory = 0;
  let atFirst: ReturnType<typeof descriptorsOf>;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration({ env: { LOG_LEVEL: 'debug', MAX_BODY_BYTES: String(MAX_BODY_BYTES) } });
    memory = residentMegabytes(region.server);
    atFirst = descriptorsOf(region.server);
    slow = drip(region.server.url, 'GET /fhir/metadata HTTP/1.1\r\nHost: a\r\n', 'X-A: b\r\n');
    slowBody = drip(
      region.server.url,
      head('POST', '/fhir/Patient', 'Content-Type: application/fhir+json', 'Content-Length: 500'),
      ' ',
    );
  });
  afterEach(async () => {
    await expectWhole(region);
    expectDiscreetLog(region.server, SECRET, region.strasbourg.token);
  });
  after(async () => await region?.server.stop());

  function head(method: string, path: string, ...lines: string[]): string {
    return [
      `${method} ${path} HTTP/1.1`,
      'Host: a',
      `Authorization: Bearer ${region.strasbourg.token}`,
      ...lines,
      '',
      '',
    ].join('\r\n');
  }

  describe('JSON', () => {
    it('K03 refuses broken JSON, other encodings, depth and duplicate names with 400', async () => {
      const patient = '{"resourceType":"Patient"';
      const bodies = [
        '',
        '{',
        patient,
        `${patient},}`,
        `${patient}}}`,
        'null',
        '[]',
        '"a"',
        '1',
        `${patient},"name":[{"family":"${SECRET}"}]`,
        `${patient},"resourceType":"Consent"}`,
        `${patient},"resource\\u0054ype":"Consent"}`,
        `${patient},"__proto__":{"a":1}}`,
        '['.repeat(4_000),
        '{"a":'.repeat(4_000),
        `${patient},"extension":${'['.repeat(100)}${']'.repeat(100)}}`,
      ];
      for (const body of bodies) expectOutcome(await region.strasbourg.send('POST', 'Patient', body), 400, 'invalid');
      for (const bytes of [Buffer.from([0x7b, 0xff, 0x7d]), Buffer.from('\uFEFF{}', 'utf16le')]) {
        const { authorization } = { authorization: `Bearer ${region.strasbourg.token}` };
        const answer = await fetch(`${region.server.url}/fhir/Patient`, {
          method: 'POST',
          body: bytes,
          headers: { authorization, 'content-type': 'application/fhir+json' },
        });
        expect(answer.status).to.equal(400);
      }
    });

    it('K03, D11 names what is wrong with a resource, without its values', async () => {
      const answer = await region.strasbourg.send('POST', 'Patient', {
        resourceType: 'Patient',
        birthDate: SECRET,
        name: [{ family: SECRET }],
        gender: SECRET,
      });
      expect(expectOutcome(answer, 400, 'invalid')).to.include('Patient.');
      expect(answer.text).to.not.include(SECRET);
    });

    it('K03 refuses bodies over the limit with 413, announced or not, and keeps nothing of them', async () => {
      const alone = head('POST', '/fhir/Patient', 'Content-Type: application/fhir+json', 'Content-Length: 999999999');
      const announced = await sendRaw(region.server.url, alone, 2_000);
      expect([statusesOf(announced), announced.isClosed]).to.deep.equal([[413], true]);
      const chunk = `${(100_000).toString(16)}\r\n${' '.repeat(100_000)}\r\n`;
      const chunked = await sendRaw(
        region.server.url,
        head('POST', '/fhir/Patient', 'Content-Type: application/fhir+json', 'Transfer-Encoding: chunked') +
          chunk.repeat(60),
        5_000,
      );
      expect(statusesOf(chunked)).to.deep.equal([413]);
    });

    it('K04 refuses compressed bodies and unknown media types with 415', async () => {
      const bomb = gzipSync(Buffer.alloc(20_000_000));
      const authorization = `Bearer ${region.strasbourg.token}`;
      for (const encoding of ['gzip', 'deflate', 'br', 'x-gzip, identity']) {
        const headers = { authorization, 'content-type': 'application/fhir+json', 'content-encoding': encoding };
        const answer = await fetch(`${region.server.url}/fhir/Patient`, { method: 'POST', body: bomb, headers });
        expect(answer.status, encoding).to.equal(415);
      }
      for (const type of [
        'application/fhir+xml',
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data',
        'a',
        '',
      ]) {
        const answer = await region.strasbourg.send('POST', 'Patient', '{}', { 'content-type': type });
        expectOutcome(answer, 415, 'not-supported');
      }
      expectOutcome(await region.strasbourg.send('POST', 'Patient/_search', '{}'), 415, 'not-supported');
    });
  });

  describe('Searches', () => {
    it('K07 refuses parameters of 60 kB and too many of them, at once', async () => {
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const long = `${SECRET}${'a'.repeat(60_000)}`;
      const began = Date.now();
      for (const name of ['family', 'family:contains', 'identifier', '_id', 'birthdate', 'active']) {
        const answer = await region.strasbourg.send('POST', 'Patient/_search', `${name}=${long}`, form);
        expect(answer.status, `${name}: ${answer.text}`).to.be.oneOf([400, 413]);
        expect(answer.text).to.not.include(SECRET);
      }
      expectOutcome(
        await region.strasbourg.send('POST', 'Patient/_search', 'active=true&'.repeat(1_000), form),
        413,
        'too-costly',
      );
      expectOutcome(
        await region.strasbourg.send('POST', 'Patient/_search', `identifier=${'a,'.repeat(5_000)}`, form),
        413,
        'too-costly',
      );
      const strict = { ...form, prefer: 'handling=strict' };
      expectOutcome(await region.strasbourg.send('POST', 'Patient/_search', `${'a'.repeat(60_000)}=1`, strict), 400);
      expect(Date.now() - began).to.be.lessThan(3_000);
      const inAddress = await sendRaw(region.server.url, head('GET', `/fhir/Patient?family=${long}`));
      expect(statusesOf(inAddress)).to.deep.equal([431]);
    });

    it('K08 caps _count, and refuses one that is no number', async () => {
      expect((await region.strasbourg.get('Patient?_count=999999999')).status).to.equal(200);
      for (const count of ['1e9', '-1', '99999999999', '1.5', '', '0x10'])
        expectOutcome(await region.strasbourg.get(`Patient?_count=${count}`), 400, 'invalid');
      expect((await region.strasbourg.get('Patient?_count=0')).json())
        .to.include({ total: 2 })
        .and.not.have.property('entry');
    });

    it('L01, L02 takes quotes, operators and wildcards as text', async () => {
      for (const value of [
        "'",
        "' OR 1=1 --",
        '"',
        '%',
        '_',
        '*',
        '{"$gt":""}',
        '$where',
        '\\',
        '\u0000',
        '%00',
        '.*',
      ]) {
        for (const name of ['family', 'family:contains', 'family:exact', 'identifier', 'active']) {
          const answer = await region.strasbourg.get(`Patient?${name}=${encodeURIComponent(value)}`);
          expect(answer.status, `${name}=${value}`).to.be.oneOf([200, 400]);
          if (answer.status === 200) expect(answer.json(), `${name}=${value}`).to.include({ total: 0 });
        }
      }
      for (const name of [
        'name[$ne]',
        'family[]',
        '$where',
        'constructor',
        '__proto__',
        'family:__proto__',
        '__proto__.a',
      ]) {
        expect(
          (await region.strasbourg.get(`Patient?${encodeURIComponent(name)}=a`, { prefer: 'handling=strict' })).status,
          name,
        ).to.equal(400);
      }
    });
  });

  describe('Addresses and methods', () => {
    it('K11 finds nothing behind encoded dots, NUL, double slashes and overlong paths', async () => {
      const paths = [
        '/fhir/%2e%2e/%2e%2e/etc/passwd',
        '/fhir/../../etc/passwd',
        '/fhir/Patient/..%2f..%2fetc',
        '/fhir/Patient/%00',
        '/fhir/Patient/a%00b',
        '/fhir//Patient',
        '//fhir/Patient',
        '/fhir/Patient//',
        '/fhir/Patient/%',
        '/fhir/Patient/%E0%A4%A',
        '/fhir/Patient/%c0%ae',
        `/fhir/Patient/${'a'.repeat(10_000)}`,
        '/fhir/Binary/..%2F..%2Frecords.sqlite',
        '/fhir/Patient/1/_history/..',
        '/FHIR/Patient',
        '/fhir/patient',
        '/fhir/__proto__',
        '/fhir/constructor/1',
        '/dicom-web/studies/..%2f..%2fa',
        '/dicom-web/studies/%00',
        '/xds/../fhir/Patient%00',
      ];
      for (const path of paths) {
        const answer = await sendRaw(region.server.url, head('GET', path, 'Connection: close'));
        const [status] = statusesOf(answer);
        expect(status, `${path}: ${answer.text.slice(0, 300)}`).to.be.oneOf([400, 404, 405]);
        expect(answer.text).to.not.include('root:').and.not.include('SQLite');
      }
    });

    it('K11 refuses methods that an address does not take', async () => {
      for (const method of ['DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE']) {
        for (const path of ['/fhir/Patient', '/dicom-web/studies', '/xds/registry', '/health/nothing']) {
          const [status] = statusesOf(await sendRaw(region.server.url, head(method, path, 'Connection: close')));
          // A patch of a Patient is served, and this is none.
          const refusals = method === 'PATCH' && path === '/fhir/Patient' ? [415] : [404, 405, 501];
          expect(status, `${method} ${path}`).to.be.oneOf(refusals);
        }
      }
      const [connectStatus] = statusesOf(await sendRaw(region.server.url, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'));
      expect(connectStatus).to.be.oneOf([undefined, 400, 404, 405]);
    });
  });

  describe('HTTP itself', () => {
    it('K06 refuses two framings of one body, and closes', async () => {
      const body = '0\r\n\r\nGET /fhir/Patient HTTP/1.1\r\nHost: a\r\n\r\n';
      const framings = [
        ['Content-Length: 44', 'Transfer-Encoding: chunked'],
        ['Transfer-Encoding: chunked', 'Content-Length: 4'],
        ['Content-Length: 4', 'Content-Length: 44'],
        ['Transfer-Encoding: chunked, identity'],
        ['Transfer-Encoding: xchunked'],
        ['Transfer-Encoding : chunked'],
        ['Content-Length: +4'],
        ['Content-Length: 4, 44'],
      ];
      for (const lines of framings) {
        const answer = await sendRaw(
          region.server.url,
          head('POST', '/fhir/Patient', 'Content-Type: application/fhir+json', ...lines) + body,
        );
        expect(statusesOf(answer)[0], lines.join(' | ')).to.equal(400);
        expect(answer.isClosed, lines.join(' | ')).to.equal(true);
        expect(statusesOf(answer)).to.have.length(1);
      }
    });

    it('K06 refuses bytes that are no HTTP, bare line feeds and headers beyond 32 kB', async () => {
      for (const bytes of [
        '\u0016\u0003\u0001\u0002\u0000',
        'hello\r\n\r\n',
        'GET / HTTP/9.9\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: a\r\nA b\r\n\r\n',
        `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(60_000)}\r\n\r\n`,
        'GET / HTTP/1.1\r\n\r\n',
        'GET / HTTP/1.1\nHost: a\n\n',
        'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n',
      ]) {
        const answer = await sendRaw(region.server.url, Buffer.from(bytes, 'latin1'));
        expect(statusesOf(answer)[0], bytes.slice(0, 40)).to.be.oneOf([400, 431, 505]);
        expect(answer.isClosed).to.equal(true);
      }
    });

    it('K10 takes no address from Host or X-Forwarded-*', async () => {
      const answer = await sendRaw(
        region.server.url,
        head(
          'GET',
          '/fhir/Patient?_count=1',
          'X-Forwarded-Host: evil.example',
          'X-Forwarded-Proto: https',
          'Forwarded: host=evil.example',
          'Connection: close',
        ).replace('Host: a', 'Host: evil.example'),
      );
      expect(statusesOf(answer)).to.deep.equal([200]);
      expect(answer.text).to.not.include('evil.example');
    });

    it('K05 forgets a body that never comes, and a client that goes away', async () => {
      const sockets = Array.from({ length: 50 }, () => openRaw(region.server.url));
      for (const socket of sockets)
        socket.write(
          head('POST', '/fhir/Patient', 'Content-Type: application/fhir+json', 'Content-Length: 500') +
            '{"resourceType"',
        );
      await new Promise((resolve) => {
        setTimeout(resolve, 300);
      });
      for (const socket of sockets) socket.destroy();
    });

    it('B19 answers credentials of other kinds with 401, whatever their length', async () => {
      for (const authorization of [
        'Basic YTpi',
        'Bearer',
        'Bearer ',
        `Bearer ${'a'.repeat(8_000)}`,
        'Bearer a b',
        'DPoP abc',
        'Negotiate',
      ]) {
        const response = await fetch(`${region.server.url}/fhir/Patient`, { headers: { authorization } });
        expect(response.status, authorization.slice(0, 20)).to.equal(401);
        expect(response.headers.get('www-authenticate')).to.match(/^Bearer/);
      }
    });
  });

  describe('After all of it', () => {
    it('K05 closes a connection whose headers drip, or whose body does, within 30 s', async function drips() {
      this.timeout(45_000);
      const [headers, body] = await Promise.all([slow, slowBody]);
      expect([statusesOf(headers.answer), headers.answer.isClosed]).to.deep.equal([[408], true]);
      expect([statusesOf(body.answer).filter((status) => status < 400), body.answer.isClosed]).to.deep.equal([
        [],
        true,
      ]);
      for (const { milliseconds } of [headers, body]) expect(milliseconds).to.be.lessThan(31_000);
      expect((await fhirCaller(region.server.url).get('metadata')).status).to.equal(200);
    });

    it('leaves no file, no descriptor and no connection of any of it', async () => {
      await expectNothingLeft(region.server, atFirst);
    }).timeout(20_000);

    it('holds no memory for any of it', () => {
      expect(residentMegabytes(region.server) - memory).to.be.lessThan(150);
    });
  });
});

type Ended = { readonly answer: RawAnswer; readonly milliseconds: number };

/** Begins a request and goes on by one piece a second, until it is ended. */
async function drip(url: string, beginning: string, piece: string): Promise<Ended> {
  const socket = openRaw(url);
  const since = Date.now();
  socket.write(beginning);
  const dripping = setInterval(() => socket.write(piece), 1_000);
  socket.on('close', () => clearInterval(dripping));
  const answer = await gather(socket, 40_000);
  return { answer, milliseconds: Date.now() - since };
}
