/** smart-security C10: what is kept of tries, of which nothing is kept for ever. */
import { createHmac, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { systemReading } from '../../../../server/access/grant.ts';
import { claimOf } from '../../../../server/flows/internal-reads.ts';
import {
  forgetTries,
  MOST_TRIES,
  readTries,
  refuseGuessing,
  triedParts,
  triesFor,
} from '../../../../server/flows/presence/tries.ts';
import { joinParts } from '../../../../server/flows/write/plan-parts.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import type { ErasureKey } from '../../../../server/ports/erasure-key.ts';
import type { TakenJob } from '../../../../server/ports/job-queue.ts';
import { kindOf } from '../../../support/faults.ts';
import { anId, NOW } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { openClinic, type Clinic } from '../../endpoints/clinic.ts';

const WINDOW_MS = MOST_TRIES.minutes * 60_000;
const NUMBER = { system: 'urn:oid:1.2.250.1.213.1.4.8', value: '279035121518989' };

function keyOf(secret: Buffer): ErasureKey {
  return {
    thumbprint: 'of this test',
    sign: () => expect.fail('Nothing is signed here'),
    seal: () => expect.fail('Nothing is sealed here'),
    bearsSeal: () => expect.fail('Nothing is sealed here'),
    digest: (text) => createHmac('sha256', secret).update(text).digest('base64url'),
    entries: async () => [],
    add: () => expect.fail('Nobody is erased here'),
  };
}

describe('Tries for a number', () => {
  it('are kept under a digest that nobody makes without the key, and of this use alone', () => {
    const [one, other] = [keyOf(randomBytes(32)), keyOf(randomBytes(32))];
    const [mine = ''] = triesFor(one, NUMBER);
    expect(triesFor(one, NUMBER)).to.deep.equal([mine]);
    expect(triesFor(other, NUMBER)).to.have.length(1).and.not.include(mine);
    const { system, value } = NUMBER;
    expect([value, one.digest(JSON.stringify([system, value]))]).to.not.include(mine);
    expect(triesFor(undefined, NUMBER)).to.deep.equal([]);
  });
});

describe('Tries over time', () => {
  let clinic: Clinic;
  let now = NOW;
  const erasureKey = keyOf(randomBytes(32));
  const practitioner = 'Practitioner/who-tries';
  const reading = systemReading('presence-code', NOW);
  before(async () => {
    clinic = await openClinic();
  });
  after(async () => await clinic?.close());

  const read = async () =>
    await readTries({ records: clinic.stores.records, erasureKey }, reading, { practitioner, identifier: NUMBER }, now);
  /** Tries, and answers what is forgotten later, and when. */
  const tried = async (missed: boolean): Promise<readonly { readonly subject: string; readonly at: number }[]> => {
    const parts = triedParts(await read(), { id: anId(), now, missed });
    await commitPlan(clinic.stores.records, joinParts(parts));
    return parts.jobs ?? [];
  };
  const kept = async (of: string) => await claimOf(clinic.stores.records, reading, claimKey.presenceTries(of));
  const forget = async (subject: string) =>
    await forgetTries({ records: clinic.stores.records, clock: { now: () => now } })({
      subject,
    } as TakenJob<'forget-tries'>);

  it('are forgotten when they are counted no more, and not before', async () => {
    const first = await tried(true);
    expect(first.map(({ subject }) => subject)).to.deep.equal([practitioner, ...triesFor(erasureKey, NUMBER)]);
    now += WINDOW_MS / 2;
    const last = await tried(true);
    expect(last.map(({ at }) => at)).to.deep.equal([now + WINDOW_MS, now + WINDOW_MS]);
    now = NOW + WINDOW_MS;
    for (const { subject, at } of last) expect(await forget(subject)).to.deep.equal({ againAt: at });
    expect((await read()).map(({ moments }) => moments.length)).to.deep.equal([1, 1]);
    now = last[0]?.at ?? 0;
    for (const { subject } of last) expect(await forget(subject)).to.equal(undefined);
    for (const { subject } of last) expect(await kept(subject), subject).to.equal(undefined);
    for (const { subject } of last) expect(await forget(subject), 'once more').to.equal(undefined);
  });

  it('leave nothing either where the code was right', async () => {
    for (const { subject } of await tried(false)) {
      expect(await kept(subject)).to.be.a('string');
      expect(await forget(subject)).to.equal(undefined);
      expect(await kept(subject)).to.equal(undefined);
    }
  });

  it('C10: five within the time, and nothing is looked at', async () => {
    for (let at = 0; at < MOST_TRIES.count; at += 1) {
      refuseGuessing(await read());
      await tried(true);
    }
    const tries = await read();
    expect(kindOf(() => refuseGuessing(tries))).to.equal('throttled');
  });
});
