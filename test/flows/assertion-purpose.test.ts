/**
 * The purpose of use that an assertion claims (ITI-40, XUA): it is recorded, and decides whether the door opens. Row
 * C22 of smart-security.md.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startServer, type TestServer } from '../support/server.ts';
import { post, responseOf, select } from './support/soap.ts';
import { openTrail, type TrailReader } from './support/trail.ts';
import { writeRegion } from './support/world.ts';
import { findDocuments } from './support/doors/xds-doors.ts';
import { makeIssuer, securityHeader } from './support/xua.ts';

const CORRESPONDENT = '899700990031';

describe('The purpose of use of a SAML assertion (ITI-40)', function () {
  this.timeout(60_000);
  const issuer = makeIssuer();
  let folder: string;
  let server: TestServer;
  let trail: TrailReader;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-purpose-'));
    server = await startServer({ env: { REGION: await writeRegion(folder, issuer) } });
    trail = await openTrail('sqlite', server.dataDir);
  });
  after(async () => {
    await trail?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const ask = async (purpose: string | undefined) => {
    const requestId = `urn:uuid:${randomUUID()}`;
    const reply = await post(
      { url: server.url, token: '', requestId },
      {
        ...findDocuments({ patientNumber: 'nobody' }),
        header: securityHeader(issuer, server.url, CORRESPONDENT, { purpose }),
      },
    );
    return { reply, requestId };
  };

  for (const [claimed, meant] of [
    ['TREAT', 'TREAT'],
    ['ETREAT', 'ETREAT'],
    ['BTG', 'BTG'],
    ['EMER', 'ETREAT'],
    [undefined, 'TREAT'],
  ] as const) {
    it(`${claimed ?? 'none'} is recorded as ${meant}, of the event and of the person`, async () => {
      const { reply, requestId } = await ask(claimed);
      expect(responseOf(reply)).to.deep.equal({ http: 200, status: 'Success', errors: [] });
      const [passage, ...others] = await trail.eventsOf(requestId);
      expect(others).to.deep.equal([]);
      const person = passage?.event.agent.find(({ who }) => who?.reference === 'Practitioner/demo-declared');
      const codes = [passage?.event.purposeOfEvent, person?.purposeOfUse].map((purposes) =>
        purposes?.map(({ coding }) => coding?.map(({ code }) => code)),
      );
      expect(codes).to.deep.equal([[[meant]], [[meant]]]);
    });
  }

  for (const refused of ['HPAYMT', 'HRESCH', 'HMARKT', 'treat', 'constructor']) {
    it(`${refused} is not one that exams are shared for: nothing is answered`, async () => {
      const { reply } = await ask(refused);
      expect(select(reply, '//rim:ExtrinsicObject')).to.deep.equal([]);
      expect([reply.status, select(reply, '//env:Code/env:Value')]).to.deep.equal([400, ['env:Sender']]);
      expect(select(reply, '//env:Text').join()).to.match(/^The purpose of use is not one/);
      const refusals = await trail.eventsOf(reply.headers.get('X-Request-Id') ?? '');
      expect(refusals.map(({ event, persons }) => [event.outcome, persons])).to.deep.equal([['4', []]]);
    });
  }
});
