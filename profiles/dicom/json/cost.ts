/**
 * What the JSON of a header costs to make. In JSON each value is an object of its own, and text with code extensions is
 * decoded piece by piece, so a few megabytes can be made to cost seconds and gigabytes.
 */
import { Fault } from '../../fault.ts';
import { isMultiValued } from '../element-values.ts';
import { VALUE_REPRESENTATION } from '../value-representation.ts';
import type { VR } from '../value-representation.ts';

/**
 * Units that one header may cost: 4 million numbers, 1 million texts, 8 million bytes beyond ASCII,
 * 100 000 names or escapes, or of each a part.
 */
const MAX_UNITS = 4_000_000;
const UNITS = { number: 1, text: 4, name: 40, escape: 40, otherByte: 0.5 } as const;

const DECIMALS: ReadonlySet<VR> = new Set<VR>(['IS', 'DS']);
const SHORT_NUMBERS: ReadonlySet<VR> = new Set<VR>(['US', 'SS']);
const BACKSLASH = 0x5c;
const ESC = 0x1b;

/** Counts what the values of one header cost, each before it is put into words. */
export class JsonCost {
  #left = MAX_UNITS;

  /** @throws {Fault} too-costly - the header costs more than headers do */
  spend(vr: VR, value: Uint8Array): void {
    this.#left -= unitsOf(vr, value);
    if (this.#left < 0) throw new Fault('too-costly', 'The data set has more values than a header has');
  }
}

function unitsOf(vr: VR, value: Uint8Array): number {
  const { form } = VALUE_REPRESENTATION[vr];
  if (form === 'binary') return 1;
  if (form === 'tag') return UNITS.text * (value.length / 4);
  if (form === 'numeric') return UNITS.number * (value.length / (SHORT_NUMBERS.has(vr) ? 2 : 4));
  const separator = isMultiValued(vr) ? BACKSLASH : undefined;
  let [values, escapes, others] = [1, 0, 0];
  for (let at = 0; at < value.length; at++) {
    const byte = value[at] ?? 0;
    if (byte === separator) values += 1;
    else if (byte === ESC) escapes += 1;
    else if (byte >= 0x80) others += 1;
  }
  return unitOfText(vr) * values + UNITS.escape * escapes + UNITS.otherByte * others;
}

function unitOfText(vr: VR): number {
  if (vr === 'PN') return UNITS.name;
  return DECIMALS.has(vr) ? UNITS.number : UNITS.text;
}
