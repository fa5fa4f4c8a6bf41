/** A posted form, read within a limit. */
import type { IncomingMessage } from 'node:http';
import { Fault } from '../../../../profiles/fault.ts';

const MAX_BYTES = 65_536;

/**
 * Reads an `application/x-www-form-urlencoded` body of at most 64 KiB.
 * @throws {Fault} invalid - another media type
 * @throws {Fault} too-long - the body is longer
 */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw new Fault('invalid', 'A form is expected');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Fault('too-long', 'The form is too long');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
