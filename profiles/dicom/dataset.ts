/**
 * The header of a data set: everything before its pixels, read from a prefix of its bytes. Values stay views of
 * that prefix and are decoded when asked for (attributes.ts, json.ts). @see DICOM PS3.5 section 7
 */
import { Fault } from '../fault.ts';
import type { DicomHeader, ScanLimits } from './data-element.ts';
import { DataSetScanner, EndOfPrefix } from './file/data-set-scanner.ts';
import { inflatedPrefixes } from './file/deflated.ts';
import { encodingOf } from './file/transfer-syntax.ts';
import type { DataSetEncoding } from './file/transfer-syntax.ts';

/** The limits that hold unless the caller names others. */
export const SCAN_LIMITS: ScanLimits = {
  maxDepth: 64,
  maxElements: 50_000,
  maxSiblings: 10_000,
  maxBytes: 16 * 1024 * 1024,
};

/** `isWhole`: the bytes are the entire data set, so an end inside an element is malformed, not incomplete. */
export type ScanOptions = Partial<ScanLimits> & { readonly isWhole?: boolean };

/**
 * Reads the header from a prefix of a data set (the bytes after the file meta information). Returns `incomplete`
 * when the prefix ends before the pixel data; the caller then comes back with more bytes, or with `isWhole`.
 * A bulk value that runs past `maxBytes` ends the header there.
 * @throws {Fault} invalid - malformed, truncated, or nested too deep
 * @throws {Fault} too-costly - more elements, bytes or inflated bytes than the limits allow
 */
export function scanHeader(
  bytes: Uint8Array,
  transferSyntaxUID: string,
  options: ScanOptions = {},
): DicomHeader | 'incomplete' {
  const limits: ScanLimits = { ...SCAN_LIMITS, ...options };
  const encoding = encodingOf(transferSyntaxUID);
  const isWhole = options.isWhole ?? false;
  if (!encoding.deflated) return scanPlain(bytes, transferSyntaxUID, encoding, limits, isWhole);
  for (const inflated of inflatedPrefixes(bytes, limits.maxBytes)) {
    const isAll = isWhole && inflated.isAll;
    const header = scanPlain(inflated.bytes, transferSyntaxUID, encoding, limits, isAll);
    if (header !== 'incomplete') return header;
  }
  return 'incomplete';
}

function scanPlain(
  bytes: Uint8Array,
  transferSyntaxUID: string,
  encoding: DataSetEncoding,
  limits: ScanLimits,
  isWhole: boolean,
): DicomHeader | 'incomplete' {
  const isOverLimit = bytes.length > limits.maxBytes;
  const prefix = isOverLimit ? bytes.subarray(0, limits.maxBytes) : bytes;
  const scanner = new DataSetScanner(prefix, encoding, limits, isOverLimit);
  try {
    const dataSet = scanner.scan();
    if (scanner.pixelDataOffset === undefined && !scanner.stoppedInBulk && !isWhole) throw new EndOfPrefix();
    return { ...dataSet, transferSyntaxUID, pixelDataOffset: scanner.pixelDataOffset };
  } catch (error) {
    if (!(error instanceof EndOfPrefix)) throw error;
    if (isOverLimit) throw new Fault('too-costly', `The data set header is longer than ${limits.maxBytes} bytes`);
    if (isWhole) throw new Fault('invalid', 'The data set ends inside an element');
    return 'incomplete';
  }
}
