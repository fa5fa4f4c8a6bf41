/** The seals of cuts: whose they are is known by the public part of the key, and no certificate passes for one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  openErasureKey,
  publicKeyFile,
  readSeals,
  verifyErasureCertificate,
} from '../../../../server/clients/erasure-key/erasure-key.ts';
import { errorOf } from '../../../support/faults.ts';

describe('A seal by the key of erasures', () => {
  it('is of its text, its key and its type alone, and needs the public part to be verified', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-seals-'));
    try {
      const file = join(folder, 'key');
      const [key, other] = [await openErasureKey(file), await openErasureKey(join(folder, 'other'))];
      await rm(file);
      const text = JSON.stringify(['a', 1]);
      const seals = [
        [text, await key.seal(text)],
        [`${text} `, await key.seal(text)],
        [text, await other.seal(text)],
        [text, await key.sign(['a', 1])],
        [text, key.digest(text)],
        [text, undefined],
      ] as const;
      const bearsSeal = await readSeals(publicKeyFile(file));
      const found = await Promise.all(seals.map(async ([of, seal]) => await bearsSeal?.(of, seal)));
      expect(found).to.deep.equal([true, false, false, false, false, false]);
      const error = await errorOf(verifyErasureCertificate(await key.seal(text), publicKeyFile(file)));
      expect(String(error)).to.include('is no certificate');
      expect(await readSeals(file)).to.equal(undefined);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
