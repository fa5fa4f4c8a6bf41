/**
 * The items of which association PDUs are made: type, a reserved byte, length, value. @see DICOM PS3.8 9.3.2, annex D
 */
import { protocolFault } from './upper-layer.ts';

/** Types of items and sub-items. @see DICOM PS3.8 9.3.2.1 to 9.3.3.3, PS3.7 D.3.3 */
export const ITEM_TYPE = {
  applicationContext: 0x10,
  offeredContext: 0x20,
  answeredContext: 0x21,
  abstractSyntax: 0x30,
  transferSyntax: 0x40,
  userInformation: 0x50,
  maxLength: 0x51,
  implementationClass: 0x52,
  implementationVersion: 0x55,
} as const;

/** Where the items of an association PDU begin: after versions, AE titles and reserved bytes. */
export const ITEMS_OFFSET = 74;

/** An item; `value` is a view of its PDU. */
export type AssociationItem = { readonly type: number; readonly value: Buffer };

const HEADER_BYTES = 4;

/**
 * Reads items that lie side by side.
 * @throws {Fault} invalid - an item is longer than what holds it
 */
export function readItems(bytes: Buffer): AssociationItem[] {
  const items: AssociationItem[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + HEADER_BYTES + (at + HEADER_BYTES <= bytes.length ? bytes.readUInt16BE(at + 2) : 0);
    if (end > bytes.length) throw protocolFault('invalid-parameter', 'An item is longer than the association request');
    items.push({ type: bytes[at] ?? 0, value: bytes.subarray(at + HEADER_BYTES, end) });
    at = end;
  }
  return items;
}

/** Formats an item of texts, bytes and items. */
export function formatItem(type: number, ...parts: readonly (string | Buffer)[]): Buffer {
  const value = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = type;
  header.writeUInt16BE(value.length, 2);
  return Buffer.concat([header, value]);
}

/** The item that says how long PDUs may be that its sender receives. */
export function formatMaxLength(bytes: number): Buffer {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(bytes);
  return formatItem(ITEM_TYPE.maxLength, value);
}
