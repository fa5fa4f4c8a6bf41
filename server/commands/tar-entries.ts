/** The files of a tar archive as npm packs them. @see POSIX.1-2017 pax, section ustar Interchange Format */
import { Fault } from '../../profiles/fault.ts';

/** One file. `content` is there when it was wanted. */
export type TarEntry = { readonly name: string; readonly content: Buffer | undefined };

const BLOCK = 512;
const PLAIN_FILE = ['0', '\0'];

/**
 * Yields the plain files of an archive in their order; keeps no more of it than one wanted file.
 * @throws {Fault} invalid - it is no archive, it ends too early, or a wanted file is larger than `maxBytes`
 */
export async function* tarEntries(
  archive: AsyncIterable<Uint8Array>,
  isWanted: (name: string) => boolean,
  maxBytes: number,
): AsyncGenerator<TarEntry> {
  const chunks = archive[Symbol.asyncIterator]();
  const take = taker(chunks);
  try {
    for (;;) {
      const header = await take(BLOCK, true);
      if (header.every((byte) => byte === 0)) return;
      const { name, size, type } = parseHeader(header);
      const keeps = PLAIN_FILE.includes(type) && isWanted(name);
      if (keeps && size > maxBytes) throw new Fault('invalid', `${name} exceeds ${maxBytes} bytes`);
      const content = await take(size, keeps);
      await take((BLOCK - (size % BLOCK)) % BLOCK, false);
      if (PLAIN_FILE.includes(type)) yield { name, content: keeps ? content : undefined };
    }
  } finally {
    await chunks.return?.();
  }
}

function parseHeader(header: Buffer): { readonly name: string; readonly size: number; readonly type: string } {
  const text = (start: number, end: number): string => header.toString('latin1', start, end).split('\0')[0] ?? '';
  const size = Number.parseInt(text(124, 136).trim(), 8);
  if (text(257, 262) !== 'ustar' || !Number.isSafeInteger(size) || size < 0)
    throw new Fault('invalid', 'This is no tar archive');
  const prefix = text(345, 500);
  const type = header.toString('latin1', 156, 157);
  return { name: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`, size, type };
}

/** Takes bytes off the front; what is not kept is passed over. */
function taker(chunks: AsyncIterator<Uint8Array>): (length: number, keeps: boolean) => Promise<Buffer> {
  let rest: Uint8Array = Buffer.alloc(0);
  return async (length, keeps) => {
    const taken: Uint8Array[] = [];
    for (let missing = length; missing > 0;) {
      if (rest.length === 0) {
        const { done, value } = await chunks.next();
        if (done === true) throw new Fault('invalid', 'The archive ends too early');
        rest = value;
      }
      const part = rest.subarray(0, missing);
      if (keeps) taken.push(part);
      rest = rest.subarray(part.length);
      missing -= part.length;
    }
    return Buffer.concat(taken);
  };
}
