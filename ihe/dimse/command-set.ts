/** Command sets: group 0000 in implicit VR little endian. @see DICOM PS3.7 6.3 and Annex E */
import { Fault } from '../../profiles/fault.ts';

/** Command Field values (PS3.7 E.1). A response is its request with the high bit. */
export const COMMAND_FIELD = {
  cStoreRequest: 0x0001,
  cStoreResponse: 0x8001,
  cEchoRequest: 0x0030,
  cEchoResponse: 0x8030,
  cCancelRequest: 0x0fff,
  responseBit: 0x8000,
} as const;

/** The elements of a command set that C-ECHO and C-STORE use; others are skipped. */
export type CommandSet = {
  readonly commandField: number;
  /** Whether a data set follows (CommandDataSetType is not 0101H). */
  readonly hasDataSet: boolean;
  readonly affectedSOPClassUID?: string;
  readonly messageID?: number;
  readonly messageIDBeingRespondedTo?: number;
  readonly priority?: number;
  readonly status?: number;
  /** At most 64 characters; never a value of a patient. */
  readonly errorComment?: string;
  readonly affectedSOPInstanceUID?: string;
};

const NO_DATA_SET = 0x0101;
const DATA_SET = 0x0001;
const MAX_ELEMENTS = 64;

/** Elements by number, in the order in which they are written. */
const FIELD = [
  [0x0002, 'affectedSOPClassUID', 'uid'],
  [0x0100, 'commandField', 'us'],
  [0x0110, 'messageID', 'us'],
  [0x0120, 'messageIDBeingRespondedTo', 'us'],
  [0x0700, 'priority', 'us'],
  [0x0800, 'dataSetType', 'us'],
  [0x0900, 'status', 'us'],
  [0x0902, 'errorComment', 'text'],
  [0x1000, 'affectedSOPInstanceUID', 'uid'],
] as const satisfies readonly (readonly [number, string, 'uid' | 'us' | 'text'])[];

type Field = (typeof FIELD)[number];
type Fields = Partial<Record<Field[1], string | number>>;

const FIELD_BY_ELEMENT = new Map<number, Field>(FIELD.map((field) => [field[0], field]));

/**
 * Parses a command set.
 * @throws {Fault} invalid - not group 0000, cut short, too many elements, or without CommandField or CommandDataSetType
 */
export function parseCommandSet(bytes: Uint8Array): CommandSet {
  const fields = parseFields(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const { dataSetType, commandField, ...others } = fields;
  if (typeof commandField !== 'number' || typeof dataSetType !== 'number') {
    throw new Fault('invalid', 'The command set has no CommandField or no CommandDataSetType');
  }
  return { ...others, commandField, hasDataSet: dataSetType !== NO_DATA_SET } as CommandSet;
}

function parseFields(bytes: Buffer): Fields {
  const fields: Fields = {};
  let count = 0;
  for (let at = 0; at < bytes.length;) {
    if (at + 8 > bytes.length) throw new Fault('invalid', 'The command set ends inside an element');
    const length = bytes.readUInt32LE(at + 4);
    if (bytes.readUInt16LE(at) !== 0) throw new Fault('invalid', 'The command set holds an element of another group');
    if (length > bytes.length - at - 8) throw new Fault('invalid', 'The command set ends inside a value');
    if (++count > MAX_ELEMENTS) throw new Fault('invalid', `The command set has more than ${MAX_ELEMENTS} elements`);
    const field = FIELD_BY_ELEMENT.get(bytes.readUInt16LE(at + 2));
    if (field !== undefined) fields[field[1]] = parseValue(field, bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return fields;
}

function parseValue([, name, form]: Field, value: Buffer): string | number {
  if (form !== 'us') return value.toString('latin1').replace(/[\0 ]+$/, '');
  if (value.length !== 2)
    throw new Fault('invalid', 'A number of the command set is not two bytes', { expression: name });
  return value.readUInt16LE();
}

/** Formats a command set, its group length first. */
export function formatCommandSet(command: CommandSet): Buffer {
  const fields: Fields = { ...command, dataSetType: command.hasDataSet ? DATA_SET : NO_DATA_SET };
  const elements = FIELD.flatMap((field) => {
    const value = fields[field[1]];
    return value === undefined ? [] : [formatElement(field[0], formatValue(field, value))];
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(elements.reduce((sum, { length }) => sum + length, 0));
  return Buffer.concat([formatElement(0x0000, length), ...elements]);
}

function formatElement(element: number, value: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(element, 2);
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
}

function formatValue([, , form]: Field, value: string | number): Buffer {
  if (typeof value === 'number') return Buffer.from([value & 0xff, value >>> 8]);
  const text = form === 'text' ? value.slice(0, 64) : value;
  const padding = form === 'text' ? ' ' : '\0';
  return Buffer.from(text.length % 2 === 0 ? text : text + padding, 'latin1');
}
