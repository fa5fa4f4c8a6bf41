/** The palette of an image, its tables whole or in segments. @see DICOM PS3.3 C.7.6.3.1.5, C.7.9 and C.7.9.2 */
import { Fault } from '../../fault.ts';
import { TAG } from '../attributes.ts';
import type { DicomDataSet } from '../data-element.ts';
import type { Palette } from './colour.ts';
import type { ReadValue } from './gray-transform.ts';
import { lookupTable, tableDescriptorOf, type LookupTable, type TableDescriptor } from './lookup-table.ts';

const COLOURS = ['Red', 'Green', 'Blue'] as const;

/**
 * Reads the three tables.
 * @throws {Fault} not-supported - one of them is missing or malformed
 */
export async function paletteOf(dataSet: DicomDataSet, read: ReadValue): Promise<Palette> {
  const [red, green, blue] = await Promise.all(COLOURS.map(async (colour) => await tableOf(dataSet, colour, read)));
  if (red === undefined || green === undefined || blue === undefined) throw noPalette();
  return { red, green, blue };
}

async function tableOf(
  { elements }: DicomDataSet,
  colour: (typeof COLOURS)[number],
  read: ReadValue,
): Promise<LookupTable> {
  const descriptor = elements.get(TAG[`${colour}PaletteColorLookupTableDescriptor`]);
  if (descriptor === undefined) throw noPalette();
  const described = tableDescriptorOf(descriptor, false);
  const whole = elements.get(TAG[`${colour}PaletteColorLookupTableData`]);
  if (whole !== undefined) return lookupTable(described, await read(whole), whole.littleEndian);
  const segmented = elements.get(TAG[`Segmented${colour}PaletteColorLookupTableData`]);
  if (segmented === undefined) throw noPalette();
  return expanded(described, await read(segmented), segmented.littleEndian);
}

const OPCODE = { discrete: 0, linear: 1, indirect: 2 } as const;

/** Expands a segmented table. @see DICOM PS3.3 C.7.9.2 */
function expanded(described: TableDescriptor, data: Uint8Array, littleEndian: boolean): LookupTable {
  const words = wordsOf(described, data, littleEndian);
  const entries = new Uint16Array(described.length);
  let [filled, segments] = [0, 0];
  const put = (value: number): void => {
    if (filled < entries.length) entries[filled++] = value;
  };
  /** Segments that an indirect one names are not indirect themselves. */
  const expand = (from: number, most: number, mayRefer: boolean): void => {
    for (let at = from, done = 0; at + 1 < words.length && done < most && filled < entries.length; done += 1) {
      const [opcode = -1, count = 0] = [words[at], words[at + 1]];
      at += 2;
      // Segments give entries; those that give none could go on for ever.
      if (++segments > entries.length * 2) throw noPalette();
      if (opcode === OPCODE.discrete) for (const end = at + count; at < end; at += 1) put(words[at] ?? 0);
      else if (opcode === OPCODE.linear) ramp(entries[filled - 1] ?? 0, words[at++] ?? 0, count, put);
      else if (opcode === OPCODE.indirect && mayRefer) {
        expand(placeIn(words, at, described), count, false);
        at += described.bits <= 8 ? 4 : 2;
      } else throw noPalette();
    }
  };
  expand(0, words.length, true);
  if (filled < entries.length) throw noPalette();
  return { first: described.first, entries, bits: described.bits };
}

function ramp(from: number, to: number, count: number, put: (value: number) => void): void {
  for (let step = 1; step <= count; step += 1) put(Math.round(from + ((to - from) * step) / count));
}

/** Where the segments lie that an indirect one names: bytes or words from the start of the data. */
function placeIn(words: readonly number[], at: number, { bits }: TableDescriptor): number {
  if (bits <= 8) return words.slice(at, at + 4).reduceRight((place, byte) => place * 256 + byte, 0);
  return (words[at] ?? 0) + (words[at + 1] ?? 0) * 65_536;
}

function wordsOf({ bits }: TableDescriptor, data: Uint8Array, littleEndian: boolean): readonly number[] {
  if (bits <= 8) return [...data];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: Math.floor(data.length / 2) }, (_, at) => view.getUint16(at * 2, littleEndian));
}

function noPalette(): Fault {
  return new Fault('not-supported', 'The picture cannot be made: its palette is missing or malformed', {
    expression: 'RedPaletteColorLookupTableDescriptor',
  });
}
