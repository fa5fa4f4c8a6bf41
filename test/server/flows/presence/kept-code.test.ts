/** What is kept of a presence code: nothing that tells it, and worth nothing when its time is over. */
import { expect } from 'chai';
import { presenceCodeOf, readPresenceCode } from '../../../../profiles/consent/giving/presence-code.ts';
import { isKept, keptCode } from '../../../../server/flows/presence/kept-code.ts';

describe('A presence code (access.md 3, presence)', () => {
  it('has 40 bits, in two groups, and is read whatever the hand that typed it', () => {
    expect(presenceCodeOf(Uint8Array.of(0, 1, 18, 31, 32, 255, 20, 27))).to.equal('01JZ-0ZMV');
    for (const typed of ['01JZ-0ZMV', ' 01jz 0zmv ', 'oljz0zmv', 'OIJZ--OZMV'])
      expect(readPresenceCode(typed), typed).to.equal('01JZ0ZMV');
    for (const typed of ['', '01JZ-0ZM', '01JZ-0ZMV1', '01JZ-0ZMU', '01JZ-0ZM*', 'é'.repeat(8)])
      expect(readPresenceCode(typed), typed).to.equal(undefined);
  });

  it('is kept by a salted slow digest, until its end and no longer', async () => {
    const kept = await keptCode('01JZ0ZMV', 1_000);
    expect(JSON.stringify(kept)).to.not.include('01JZ0ZMV');
    expect(kept.hash).to.not.equal((await keptCode('01JZ0ZMV', 1_000)).hash);
    expect(await isKept('01JZ0ZMV', kept, 999)).to.equal(true);
    expect(await isKept('01JZ0ZMV', kept, 1_000)).to.equal(false);
    expect(await isKept('01JZ0ZMW', kept, 999)).to.equal(false);
    expect(await isKept('01JZ0ZMV', undefined, 0)).to.equal(false);
  });
});
