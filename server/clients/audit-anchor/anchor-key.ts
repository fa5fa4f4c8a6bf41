/**
 * The key that anchors are signed with. It lies in a file of its own, neither in the data folder nor beside the
 * anchors: who can change the data, and who can write anchors, cannot make an anchor that fits.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Fault } from '../../../profiles/fault.ts';
import { makeFile } from './whole-file.ts';

/** A key, and whether it was made now. */
export type AnchorKey = { readonly key: Uint8Array; readonly isNew: boolean };

const KEY_BYTES = 32;

/**
 * Loads the key of a file, or makes it: of servers that start together one makes it.
 * @throws {Fault} invalid - the file cannot be read or made, or holds no key
 */
export async function openAnchorKey(path: string): Promise<AnchorKey> {
  const known = await readAnchorKey(path);
  if (known !== undefined) return { key: known, isNew: false };
  const isNew = await makeFile(path, `${randomBytes(KEY_BYTES).toString('hex')}\n`).catch((cause: unknown) => {
    throw new Fault('invalid', `The key of the audit anchor cannot be made at ${path}`, { cause });
  });
  const key = await readAnchorKey(path);
  if (key === undefined) throw new Fault('invalid', `The key of the audit anchor at ${path} is gone`);
  return { key, isNew };
}

/**
 * Loads the key of a file; undefined when there is none.
 * @throws {Fault} invalid - the file cannot be read, or holds no key
 */
export async function readAnchorKey(path: string): Promise<Uint8Array | undefined> {
  const text = await readFile(path, 'latin1').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new Fault('invalid', `The key of the audit anchor at ${path} cannot be read`, { cause });
  });
  if (text === undefined) return undefined;
  if (!/^[0-9a-f]{64}\s*$/.test(text))
    throw new Fault('invalid', `${path} holds no key of an audit anchor: ${KEY_BYTES} octets in hexadecimal`);
  return Buffer.from(text.trim(), 'hex');
}
