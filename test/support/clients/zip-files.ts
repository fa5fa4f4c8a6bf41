/** The files of a ZIP by path, as its central directory names them; each is checked by its CRC. */
import { crc32 } from 'node:zlib';

const DIRECTORY = 0x02_01_4b_50;

/** Reads an archive without compression and Zip64. @throws {Error} it is none, or a file is not what its CRC says */
export function zipFiles(archive: Buffer): ReadonlyMap<string, Buffer> {
  const end = archive.length - 22;
  if (archive.readUInt32LE(end) !== 0x06_05_4b_50) throw new Error('The archive has no end');
  const files = new Map<string, Buffer>();
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (archive.readUInt32LE(at) !== DIRECTORY) throw new Error('The directory is broken');
    const [crc, size] = [archive.readUInt32LE(at + 16), archive.readUInt32LE(at + 20)];
    const [name, extra] = [archive.readUInt16LE(at + 28), archive.readUInt16LE(at + 30)];
    const path = archive.subarray(at + 46, at + 46 + name).toString();
    const local = archive.readUInt32LE(at + 42);
    const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const bytes = archive.subarray(begin, begin + size);
    if (crc32(bytes) !== crc) throw new Error(`${path} is not what its CRC says`);
    files.set(path, bytes);
    at += 46 + name + extra;
  }
  return files;
}
