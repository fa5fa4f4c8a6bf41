/** Certificates for tests, made by OpenSSL: an authority, and what it vouches for. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './peers/dcmtk.ts';

/** The PEM files of a key and its certificate, and the SHA-256 fingerprint with colons. */
export type Certified = { readonly key: string; readonly cert: string; readonly fingerprint: string };

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes a key and its certificate in a folder, signed by an issuer or by itself. */
export async function certify(folder: string, name: string, issuer?: Certified): Promise<Certified> {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const signed = issuer === undefined ? [] : ['-CA', issuer.cert, '-CAkey', issuer.key];
  const ran = await runProgram('openssl', [
    'req',
    '-x509',
    ...NEW_KEY,
    ...signed,
    '-keyout',
    key,
    '-out',
    cert,
    '-subj',
    `/CN=${name}`,
    '-days',
    '2',
  ]);
  if (ran.code !== 0) throw new Error(ran.output);
  return { key, cert, fingerprint: new X509Certificate(await readFile(cert)).fingerprint256 };
}
