/** UIDs under 2.25, the arc of UUIDs, which needs no registration. @see DICOM PS3.5 B.2; ITU-T X.667 */
import { createHash } from 'node:crypto';
import { Fault } from '../../profiles/fault.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Makes the UID of a UUID: `2.25.` and its value in decimal.
 * @throws {Fault} invalid - not a UUID in its textual form
 */
export function uidFromUuid(uuid: string): string {
  if (!UUID.test(uuid)) throw new Fault('invalid', 'A UID can only be made from a UUID');
  return `2.25.${BigInt(`0x${uuid.replaceAll('-', '')}`)}`;
}

/**
 * Derives a UID from a seed: the same seed always gives the same UID. It is the UUID, version 8, whose free bits
 * are the first of the seed's SHA-256; it tells nothing of the seed to who cannot guess it.
 * @see RFC 9562 section 5.8
 */
export function derivedUid(seed: string): string {
  const bytes = createHash('sha256').update(seed).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return `2.25.${BigInt(`0x${bytes.toString('hex')}`)}`;
}
