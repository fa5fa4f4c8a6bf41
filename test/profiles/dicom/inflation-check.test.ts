import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { InflationCheck } from '../../../profiles/dicom/file/inflation-check.ts';
import { Fault } from '../../../profiles/fault.ts';

const MIB = 1024 * 1024;

/** Takes bytes in chunks, then looks at the end: the Fault, or undefined. */
async function check(bytes: Uint8Array, chunkBytes = 30_000): Promise<unknown> {
  const checking = new InflationCheck();
  for (let at = 0; at < bytes.length; at += chunkBytes) await checking.take(bytes.subarray(at, at + chunkBytes));
  return await checking.end().then(
    () => undefined,
    (error: unknown) => (error instanceof Fault ? error.kind : error),
  );
}

describe('A check of a deflated data set (PS3.5 A.5)', () => {
  const whole = deflateRawSync(Buffer.concat([randomBytes(300_000), Buffer.alloc(MIB)]));

  it('takes a whole one, however its bytes are divided, and with padding behind it', async () => {
    for (const chunkBytes of [1_001, 30_000, MIB]) expect(await check(whole, chunkBytes)).to.equal(undefined);
    expect(await check(deflateRawSync(Buffer.alloc(0)))).to.equal(undefined);
    for (const padding of [1, 100_000])
      expect(await check(Buffer.concat([whole, Buffer.alloc(padding)]), 20_000), `${padding} bytes`).to.equal(
        undefined,
      );
  });

  it('refuses one that is cut anywhere, and what is no deflate stream', async () => {
    for (const missing of [1, 100, 200_000, whole.length - 1])
      expect(await check(whole.subarray(0, whole.length - missing)), `without ${missing} bytes`).to.equal('invalid');
    expect(await check(Buffer.alloc(100_000, 0xff))).to.equal('invalid');
  });

  it('gives up on a bomb, without inflating it', async () => {
    const bomb = deflateRawSync(Buffer.alloc(512 * MIB), { level: 1 });
    const cpu = process.cpuUsage();
    expect(await check(bomb)).to.equal(undefined);
    expect(process.cpuUsage(cpu).user / 1_000).to.be.lessThan(1_000);
  });

  it('is dropped at any time', async () => {
    const checking = new InflationCheck();
    await checking.take(whole.subarray(0, 1_000));
    checking.drop();
    await checking.take(whole.subarray(1_000));
  });
});
