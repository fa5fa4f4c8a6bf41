/**
 * C05, C06 of smart-security.md: whatever sixteen clients change and ask at one time, no answer shows what another one
 * forbade before it began; `prove -- history` does it for longer.
 */
import { expect } from 'chai';
import { hasProgram } from '../../profiles/dicom/samples.ts';
import { EACH_STORE } from '../../support/peers/each-store.ts';
import { checkHistory } from './check-history.ts';

const MILLISECONDS = 8_000;

describe('Sixteen clients that change who sees an exam, and look at it', () => {
  for (const { name, missing, open } of EACH_STORE) {
    it(`see what was given, and nothing that was forbidden, on ${name}`, async function () {
      this.timeout(180_000);
      if (!hasProgram('storescu') || missing() !== undefined) this.skip();
      const { store, close } = await open();
      try {
        const seed = Math.floor(Math.random() * 2 ** 31);
        const { counts, faults, lacking } = await checkHistory(store, { milliseconds: MILLISECONDS, seed });
        process.stdout.write(`${name}, seed ${seed}: ${JSON.stringify(counts)}\n`);
        expect(faults.join('\n')).to.equal('');
        expect(lacking, JSON.stringify(counts)).to.deep.equal([]);
      } finally {
        await close();
      }
    });
  }
});
