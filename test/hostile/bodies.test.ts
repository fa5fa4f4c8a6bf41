/** Bodies that cost: sent by somebody who may not send them, without end, or made of what is dear to parse. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { MAX_PASSED_BYTES } from '../../server/endpoints/http/unread-body.ts';
import { openTrail, type TrailReader } from '../flows/support/trail.ts';
import { establishmentCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { expectOutcome } from '../support/clients/fhir-caller.ts';
import { gather, openRaw, statusesOf, type RawAnswer } from '../support/clients/raw-http.ts';
import { SOAP_TYPE } from '../support/clients/xds.ts';
import { flood, ranMilliseconds, takenBytes } from './flood.ts';
import { descriptorsOf, expectDiscreetLog, expectNothingLeft, expectWhole, residentMegabytes } from './server-state.ts';

const MB = 1_000_000;
const MAX_BODY_BYTES = 64 * MB;
/** What the server reads beside a body: the request, its own files, what lies in a buffer when it stops. */
const BESIDE_BYTES = 512 * 1024;
const FHIR = 'application/fhir+json';
const FORM = 'application/x-www-form-urlencoded';
const STOW = 'multipart/related; type="application/dicom"; boundary=b';
const UNKNOWN_TOKEN = 'x'.repeat(43);

type Sent = readonly [method: string, path: string, type: string];
const WRITES: readonly Sent[] = [
  ['POST', '/fhir/Patient', FHIR],
  ['PUT', '/fhir/Patient?identifier=a|b', FHIR],
  ['POST', '/fhir/DiagnosticReport', FHIR],
  ['POST', '/fhir', FHIR],
  ['POST', '/dicom-web/studies', STOW],
];
const PATIENT_WRITES: readonly Sent[] = [
  ['POST', '/fhir/Consent', FHIR],
  ['POST', '/fhir/Patient/$withdraw', FHIR],
];

const SOAP = ['registry', 'repository', 'imaging-source'].map((door): Sent => ['POST', `/xds/${door}`, SOAP_TYPE]);

describe('Bodies of requests (RFC 9110 sections 8.6 and 15.5.14)', function () {
  this.timeout(120_000);
  let region: Demonstration;
  let trail: TrailReader;
  let atFirst: ReturnType<typeof descriptorsOf>;
  let memory = 0;
  before(async () => {
    region = await startDemonstration({ env: { LOG_LEVEL: 'debug', MAX_BODY_BYTES: String(MAX_BODY_BYTES) } });
    trail = await openTrail('sqlite', region.server.dataDir);
    atFirst = descriptorsOf(region.server);
    memory = residentMegabytes(region.server);
    // What reads XML is loaded with the first request.
    await fetch(`${region.server.url}/xds/registry`, { method: 'POST' });
  });
  afterEach(async () => await expectWhole(region));
  after(async () => {
    await trail?.close();
    await region?.server.stop();
  });

  function head([method, path, type]: Sent, token: string, ...lines: string[]): string {
    const authorization = token === '' ? [] : [`Authorization: Bearer ${token}`];
    const first = [`${method} ${path} HTTP/1.1`, 'Host: a', ...authorization, `Content-Type: ${type}`];
    return [...first, ...lines, '', ''].join('\r\n');
  }

  /** One chunk of a chunked body. */
  function chunk(bytes: string | Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), Buffer.from(bytes), Buffer.from('\r\n')]);
  }

  const PIECE = Buffer.alloc(64 * 1024, ' ');

  /** Sends a body without end: of announced length, or in chunks. */
  async function endless(sent: Sent, token: string, isAnnounced: boolean, ...lines: string[]): Promise<RawAnswer> {
    const framing = isAnnounced ? 'Content-Length: 10000000000' : 'Transfer-Encoding: chunked';
    return await flood(region.server, head(sent, token, framing, ...lines), isAnnounced ? PIECE : chunk(PIECE));
  }

  /** Expects that requests without end are answered so and closed, while hardly anything of them is read. */
  async function expectUnread(requests: readonly Sent[], token: string, status: number): Promise<void> {
    for (const isAnnounced of [true, false]) {
      const before = takenBytes(region.server);
      const answers = await Promise.all(requests.map(async (sent) => await endless(sent, token, isAnnounced)));
      const taken = takenBytes(region.server) - before;
      for (const [at, answer] of answers.entries()) {
        const name = `${requests[at]?.join(' ')} ${isAnnounced ? 'announced' : 'in chunks'}`;
        expect([statusesOf(answer), answer.isClosed], name).to.deep.equal([[status], true]);
      }
      const most = BESIDE_BYTES + (isAnnounced ? 0 : MAX_PASSED_BYTES);
      expect(taken / requests.length, isAnnounced ? 'announced' : 'in chunks').to.be.lessThan(most);
    }
  }

  describe('of somebody who may not send them', () => {
    const SEARCH: Sent = ['POST', '/fhir/ImagingStudy/_search', FORM];
    const DECLARE: Sent = ['POST', '/fhir/Patient/$break-glass', FHIR];
    const END: Sent = ['PUT', '/fhir/Consent/a', FHIR];

    it('are not read when there is no token, or none that holds', async () => {
      const all = [...WRITES, ...PATIENT_WRITES, SEARCH, DECLARE, END];
      await expectUnread(all, '', 401);
      await expectUnread([...all, ...SOAP], UNKNOWN_TOKEN, 401);
    });

    it('are not read when the scopes do not allow it', async () => {
      const { token } = await establishmentCaller(region.server, 'strasbourg', 'system/Organization.rs');
      const all = [...WRITES, ...PATIENT_WRITES, SEARCH, END];
      await expectUnread(all, token, 403);
      for (const sent of all) {
        const { text } = await endless(sent, token, true);
        expect(text, sent.join(' ')).to.include('error="insufficient_scope"');
      }
    });

    it('are not read when the sender is not of those who do it', async () => {
      await expectUnread([...WRITES, ...PATIENT_WRITES], region.declared.token, 403);
      await expectUnread([...WRITES.filter(([, path]) => path !== '/fhir'), DECLARE], region.patient.token, 403);
      await expectUnread([DECLARE], region.strasbourg.token, 403);
    });

    it('are not read at addresses that take none', async () => {
      const { token } = region.strasbourg;
      await expectUnread(
        [
          ['POST', '/fhir/ImagingStudy', FHIR],
          ['DELETE', '/fhir/Patient/a', FHIR],
        ],
        token,
        405,
      );
      await expectUnread([['POST', '/nothing', FHIR]], '', 404);
      await expectUnread(
        [
          ['GET', '/health/live', FHIR],
          ['GET', '/fhir/metadata', FHIR],
        ],
        '',
        200,
      );
    });

    it('leave the refusal in the trail', async () => {
      const [declared, patient] = [region.declared.token, region.patient.token];
      const refused: readonly (readonly [string, string, string, string])[] = [
        ['/fhir/Patient', FHIR, declared, 'forbidden: A Patient is written by establishments only'],
        ['/fhir', FHIR, declared, 'forbidden: A Patient is written by establishments only'],
        ['/fhir/Patient/$break-glass', FHIR, patient, 'forbidden: Only a health professional may declare an emergency'],
        ['/dicom-web/studies', STOW, patient, 'forbidden: Instances are taken from the systems of establishments only'],
        ['/fhir/Patient', FHIR, UNKNOWN_TOKEN, 'login: The token is unknown, expired or revoked'],
      ];
      for (const [path, type, token, reason] of refused) {
        const requestId = randomUUID();
        await endless(['POST', path, type], token, true, `X-Request-Id: ${requestId}`);
        const events = await trail.eventsOf(requestId);
        expect(events.map(({ event }) => [event.outcome, event.outcomeDesc])).to.deep.equal([['4', reason]]);
      }
    });
  });

  describe('over their limit', () => {
    /** A request of so many bytes, and then another one on the same connection. */
    async function sendBytes(sent: Sent, token: string, bytes: number, isAnnounced: boolean): Promise<RawAnswer> {
      const next = 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n';
      const body = Buffer.alloc(bytes, ' ');
      const framed = isAnnounced ? [body] : [chunk(body), Buffer.from('0\r\n\r\n')];
      const framing = isAnnounced ? `Content-Length: ${bytes}` : 'Transfer-Encoding: chunked';
      const socket = openRaw(region.server.url);
      for (const piece of [head(sent, token, framing), ...framed, next]) socket.write(piece);
      return await gather(socket, 10_000, (text) => text.includes('"pass"'));
    }

    async function expectLimit(sent: Sent, token: string, limit: number): Promise<void> {
      for (const isAnnounced of [true, false]) {
        const over = await sendBytes(sent, token, limit + 1, isAnnounced);
        const name = `${sent.join(' ')} ${isAnnounced ? 'announced' : 'in chunks'}: ${over.text.slice(0, 600)}`;
        expect(statusesOf(over)[0], name).to.equal(413);
        expect(over.text, name).to.include(`${limit} bytes`);
        if (isAnnounced && limit < MAX_PASSED_BYTES) expect(statusesOf(over), name).to.deep.equal([413, 200]);
        else expect([statusesOf(over), over.isClosed], name).to.deep.equal([[413], true]);
        const within = await sendBytes(sent, token, limit, isAnnounced);
        expect(statusesOf(within)[0], name).to.not.equal(413);
      }
    }

    const KIB = 1024;

    it('are refused with 413, which names it, and the connection goes on or is closed', async () => {
      const [establishment, patient, declared] = [region.strasbourg.token, region.patient.token, region.declared.token];
      for (const token of [establishment, patient, declared]) {
        await expectLimit(['POST', '/fhir/Patient/_search', FORM], token, 64 * KIB);
      }
      await expectLimit(['POST', '/fhir/Patient/$break-glass', FHIR], declared, 64 * KIB);
      await expectLimit(['POST', '/fhir/Patient/$withdraw', FHIR], patient, 64 * KIB);
      await expectLimit(['POST', '/fhir/Patient', FHIR], establishment, 256 * KIB);
      await expectLimit(['PUT', '/fhir/Patient?identifier=a|b', FHIR], establishment, 256 * KIB);
      await expectLimit(['POST', '/fhir/Consent', FHIR], establishment, 256 * KIB);
      await expectLimit(['POST', '/fhir/Consent', FHIR], patient, 256 * KIB);
      await expectLimit(['PUT', '/fhir/Consent/a', FHIR], declared, 256 * KIB);
      await expectLimit(['POST', '/fhir', FHIR], patient, 256 * KIB);
      await expectLimit(['POST', '/fhir', FHIR], establishment, MAX_BODY_BYTES);
      await expectLimit(['POST', '/fhir/DiagnosticReport', FHIR], establishment, MAX_BODY_BYTES);
      await expectLimit(['POST', '/xds/registry', SOAP_TYPE], declared, 256 * KIB);
      await expectLimit(['POST', '/xds/repository', SOAP_TYPE], declared, 1024 * KIB);
      await expectLimit(['POST', '/xds/imaging-source', SOAP_TYPE], declared, 2048 * KIB);
    });

    it('are refused below /auth as well, as OAuth and pages do it', async () => {
      for (const path of ['token', 'token/introspection', 'authorize', 'interaction/a/consent', 'nothing']) {
        await expectLimit(['POST', `/auth/${path}`, FORM], '', 32 * KIB);
      }
      await expectUnread(
        [
          ['POST', '/auth/token', FORM],
          ['POST', '/auth/authorize', FORM],
        ],
        '',
        413,
      );
      const body = new URLSearchParams({ a: 'x'.repeat(40_000) });
      const refused = await fetch(`${region.server.url}/auth/token`, { method: 'POST', body });
      const expected = { error: 'invalid_request', error_description: 'The body exceeds 32768 bytes' };
      expect(await refused.json()).to.deep.equal(expected);
    });

    it('of SOAP are the smaller for a token that the transaction is not open to', async () => {
      const { token } = await establishmentCaller(region.server, 'strasbourg', 'system/Patient.rs');
      for (const sent of SOAP) await expectLimit(sent, token, 64 * KIB);
    });
  });

  describe('made to cost', () => {
    const SIZE = 60 * MB;
    /** Several times what it takes to read so much; to parse it took from tens of seconds to minutes. */
    const MOST_MILLISECONDS = 2_000;

    /** Sends 60 MB that begin so and go on so, announced and in chunks. */
    async function expectCheap(sent: Sent, token: string, beginning: string, piece: string): Promise<void> {
      const name = `${sent.join(' ')} ${piece}`;
      const pieces = Buffer.from(piece.repeat(MB / 10 / piece.length));
      const before = ranMilliseconds(region.server);
      for (const isAnnounced of [true, false]) {
        const framing = isAnnounced ? `Content-Length: ${SIZE}` : 'Transfer-Encoding: chunked';
        const first = isAnnounced || beginning === '' ? beginning : chunk(beginning).toString();
        const rest = isAnnounced ? pieces : chunk(pieces);
        const flooding = flood(region.server, head(sent, token, framing) + first, rest, SIZE - beginning.length);
        // Others are served meanwhile.
        for (let count = 0; count < 20; count += 1) {
          expect((await region.patient.get('ImagingStudy?_count=1')).status, name).to.equal(200);
        }
        expect(statusesOf(await flooding)[0], name).to.be.oneOf(token === '' ? [400, 413] : [413]);
      }
      expect(ranMilliseconds(region.server) - before, name).to.be.lessThan(MOST_MILLISECONDS);
    }

    it('cost little: 60 MB of empty arrays, of small objects, of parameters', async () => {
      const consent: Sent = ['POST', '/fhir/Consent', FHIR];
      const patient: Sent = ['POST', '/fhir/Patient', FHIR];
      const search: Sent = ['POST', '/fhir/Patient/_search', FORM];
      await expectCheap(consent, region.patient.token, '[', '[],');
      await expectCheap(patient, region.strasbourg.token, '{"resourceType":"Patient","name":[', '{"a":1},');
      for (const { token } of [region.patient, region.strasbourg]) await expectCheap(search, token, '', 'a=1&');
    });

    it('cost little where so many bytes may be sent: what is dear is counted before it is parsed', async () => {
      for (const piece of ['[],', '{"a":1},', '1,', '"a",']) {
        const body = `{"resourceType":"Bundle","entry":[${piece.repeat(SIZE / piece.length)}`;
        const before = ranMilliseconds(region.server);
        const answer = await region.strasbourg.send('POST', '', body);
        expect(expectOutcome(answer, 413, 'too-long')).to.equal('The body holds more than 100000 JSON values');
        expect(ranMilliseconds(region.server) - before, piece).to.be.lessThan(MOST_MILLISECONDS);
      }
    });

    it('cost little without a token: 60 MB of XML', async () => {
      const envelope = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>';
      for (const sent of SOAP) {
        await expectCheap(sent, '', envelope, '<a b=""/>');
        await expectCheap(sent, '', `${envelope}</s:Header><s:Body>`, '<a b=""/>');
      }
    });
  });

  describe('after all of it', () => {
    it('have left no connection, no memory, no name in the log', async () => {
      await expectNothingLeft(region.server, atFirst);
      expectDiscreetLog(region.server, region.strasbourg.token);
      expect(residentMegabytes(region.server) - memory).to.be.lessThan(300);
    });
  });
});
