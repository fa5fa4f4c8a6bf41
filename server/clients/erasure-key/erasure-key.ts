/**
 * The key of erasures: it lies in a file of its own beside the key of the anchor, for who can change the data must not
 * be able to certify. Its public part lies beside it, for whoever verifies.
 */
import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { calculateJwkThumbprint, CompactSign, compactVerify, exportJWK, generateKeyPair, importJWK } from 'jose';
import type { JWK } from 'jose';
import { Fault } from '../../../profiles/fault.ts';
import type { BearsSeal, ErasureKey } from '../../ports/erasure-key.ts';
import { makeFile } from '../audit-anchor/whole-file.ts';
import { addErasure, erasureListFile, readErasures } from './erasure-list.ts';

const ALGORITHM = 'ES384';
const TYPE = 'erasure-certificate+jws';
const SEAL_TYPE = 'audit-cut+jws';

/** The file of the public part lies beside that of the key, under its name and this ending. */
const PUBLIC_ENDING = '.pub';

/**
 * Loads the key of a file, or makes it: of servers that start together one makes it.
 * @throws {Fault} invalid - the file cannot be read or made, or holds no key
 */
export async function openErasureKey(path: string): Promise<ErasureKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  await makeFile(path, `${JSON.stringify(await exportJWK(privateKey))}\n`).catch((cause: unknown) => {
    throw new Fault('invalid', `The key of erasures cannot be made at ${path}`, { cause });
  });
  const jwk = await readKey(path);
  const { d: _private, ...open } = jwk;
  const [key, kid] = [await importJWK(jwk, ALGORITHM), await calculateJwkThumbprint(open)];
  await makeFile(`${path}${PUBLIC_ENDING}`, `${JSON.stringify({ ...open, kid, alg: ALGORITHM, use: 'sig' })}\n`);
  const signed = async (text: string, typ: string): Promise<string> =>
    await new CompactSign(Buffer.from(text)).setProtectedHeader({ alg: ALGORITHM, kid, typ }).sign(key);
  return {
    thumbprint: kid,
    sign: async (content) => await signed(JSON.stringify(content), TYPE),
    seal: async (text) => await signed(text, SEAL_TYPE),
    bearsSeal: await sealsBy(open),
    digest: digestBy(jwk),
    entries: async () => await readErasures(erasureListFile(path), kid),
    add: async (entry) => await addErasure(erasureListFile(path), entry, kid),
  };
}

/**
 * Loads what verifies the seals of a key from the file of its public part; undefined when there is no such file.
 * @throws {Fault} invalid - the file cannot be read, or holds no key
 */
export async function readSeals(publicPath: string): Promise<BearsSeal | undefined> {
  return existsSync(publicPath) ? await sealsBy(await readKey(publicPath)) : undefined;
}

async function sealsBy({ d: _private, ...open }: JWK): Promise<BearsSeal> {
  const key = await importJWK(open, ALGORITHM);
  return async (text, seal = '') => {
    const found = await compactVerify(seal, key, { algorithms: [ALGORITHM] }).catch(() => undefined);
    return found?.protectedHeader.typ === SEAL_TYPE && Buffer.from(found.payload).equals(Buffer.from(text));
  };
}

function digestBy({ d = '' }: JWK): ErasureKey['digest'] {
  const secret = createHmac('sha256', Buffer.from(d, 'base64url')).update('suppression').digest();
  return (text) => createHmac('sha256', secret).update(text).digest('base64url');
}

/**
 * Verifies a certificate (compact JWS) by the public part of a key, that of the server's own file (`path`) or a JWK in
 * any; resolves with its content as JSON.
 * @throws {Fault} conflict - it is none, or was signed by another key, or was changed
 * @throws {Fault} invalid - the file cannot be read, or holds no key
 */
export async function verifyErasureCertificate(certificate: string, keyFile: string): Promise<string> {
  const { d: _private, ...open } = await readKey(keyFile);
  const key = await importJWK(open, ALGORITHM);
  const { payload, protectedHeader } = await compactVerify(certificate, key, { algorithms: [ALGORITHM] }).catch(
    (cause: unknown) => {
      throw new Fault('conflict', 'The certificate does not verify: it was changed, or another key signed it', {
        cause,
      });
    },
  );
  if (protectedHeader.typ !== TYPE) throw new Fault('conflict', 'What is signed is no certificate of an erasure');
  return Buffer.from(payload).toString();
}

/** The file of the public part of a key. */
export function publicKeyFile(path: string): string {
  return `${path}${PUBLIC_ENDING}`;
}

async function readKey(path: string): Promise<JWK> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Fault('invalid', `The key of erasures at ${path} cannot be read`, { cause });
  });
  try {
    const jwk = JSON.parse(text) as JWK;
    if (jwk.kty === 'EC' && jwk.crv === 'P-384') return jwk;
  } catch {
    // Said below.
  }
  throw new Fault('invalid', `${path} holds no key of erasures: a JWK of the curve P-384`);
}
