/** The list of who was erased: what a power cut leaves, and what somebody changed. */
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openErasureKey } from '../../../../server/clients/erasure-key/erasure-key.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import type { ErasureEntry, ErasureKey } from '../../../../server/ports/erasure-key.ts';
import { errorOf } from '../../../support/faults.ts';

const ERASED: ErasureEntry = {
  kind: 'erased',
  id: 'one',
  at: 2,
  receivedAt: 1,
  identities: ['identity'],
  numbers: [{ key: claimKey.suppressed('digest'), isOwn: true, traits: ['traits'] }],
};
const READMITTED: ErasureEntry = { kind: 'readmitted', id: 'two', at: 3, keys: [claimKey.suppressed('digest')] };

describe('The list of who was erased', () => {
  let folder: string;
  let key: ErasureKey;
  const list = (): string => join(folder, 'key.erased');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-erasure-list-'));
    key = await openErasureKey(join(folder, 'key'));
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  it('tells nothing where nobody was erased, and makes no file', async () => {
    expect(await key.entries()).to.deep.equal([]);
    expect(await errorOf(stat(list()))).to.have.property('code', 'ENOENT');
  });

  it('keeps its order, over starts, in a file of the server alone', async () => {
    await key.add(ERASED);
    await key.add(READMITTED);
    expect(await (await openErasureKey(join(folder, 'key'))).entries()).to.deep.equal([ERASED, READMITTED]);
    expect((await stat(list())).mode & 0o777).to.equal(0o600);
  });

  it('passes over a line that a power cut left, at its end and before what was added later', async () => {
    await key.add(ERASED);
    await appendFile(list(), '{"kind":"erased","id":"cut');
    expect(await key.entries()).to.deep.equal([ERASED]);
    await key.add(READMITTED);
    expect(await key.entries()).to.deep.equal([ERASED, READMITTED]);
  });

  it('keeps an entry whose line lost its end', async () => {
    await key.add(ERASED);
    await writeFile(list(), (await readFile(list(), 'utf8')).trimEnd());
    await key.add(READMITTED);
    expect(await key.entries()).to.deep.equal([ERASED, READMITTED]);
  });

  it('is in the order of what happened, whichever server’s lines come first, of an id the last one', async () => {
    await key.add(READMITTED);
    await key.add({ ...ERASED, identities: [] });
    await key.add(ERASED);
    expect(await key.entries()).to.deep.equal([ERASED, READMITTED]);
  });

  it('is refused where it is of another key', async () => {
    await key.add(ERASED);
    await rm(join(folder, 'key'));
    await rm(join(folder, 'key.pub'));
    expect(await errorOf((await openErasureKey(join(folder, 'key'))).entries())).to.have.property('kind', 'conflict');
  });

  it('is refused with its line where somebody has changed it', async () => {
    await key.add(ERASED);
    await key.add(READMITTED);
    await writeFile(list(), (await readFile(list(), 'utf8')).replace('erased', 'forgot'));
    const error = await errorOf(key.entries());
    expect(error).to.have.property('kind', 'invalid');
    expect(String(error)).to.include('Line 1 ');
  });
});
