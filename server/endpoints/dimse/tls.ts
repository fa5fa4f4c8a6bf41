/** The files of DICOM over TLS. @see DICOM PS3.15 B.9 (BCP 195 TLS Secure Transport Connection Profile) */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { TlsOptions } from 'node:tls';
import { Fault } from '../../../profiles/fault.ts';

/** Paths of PEM files. */
export type TLSFiles = { readonly cert: string; readonly key: string; readonly ca: string };

/**
 * Reads the options of a door whose callers must show a certificate of an authority in `ca`.
 * @throws {Fault} invalid - a file cannot be read or is no PEM, or key and certificate are not of one pair
 */
export async function readTLSFiles(files: TLSFiles): Promise<TlsOptions> {
  const [cert, key, ca] = await Promise.all([
    read('certificate', files.cert),
    read('key', files.key),
    read('authorities', files.ca),
  ]);
  const certificate = parsed('certificate', files.cert, () => new X509Certificate(cert));
  const privateKey = parsed('key', files.key, () => createPrivateKey(key));
  parsed('authorities', files.ca, () => new X509Certificate(ca));
  if (!certificate.checkPrivateKey(privateKey))
    throw new Fault('invalid', 'The key of DICOM over TLS is not that of its certificate');
  return { cert, key, ca, requestCert: true, rejectUnauthorized: true };
}

async function read(what: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new Fault('invalid', `The file for the ${what} of DICOM over TLS cannot be read: ${path}`, { cause });
  }
}

function parsed<T>(what: string, path: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new Fault('invalid', `The file for the ${what} of DICOM over TLS is no PEM: ${path}`, { cause });
  }
}
