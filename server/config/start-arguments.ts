/** The arguments of `npm start --`: all that is not configuration, but said once. */
import { parseArgs } from 'node:util';
import { Fault } from '../../profiles/fault.ts';

/**
 * Who accepts that the audit trail does not hold its anchor, and why; the serial of the region file of which somebody
 * confirms what it takes away.
 */
export type StartArguments = {
  readonly acceptRestored?: { readonly name: string; readonly reason: string };
  readonly confirmedRegion?: number;
};

const USAGE = `Usage: npm start -- [--accept-restored NAME REASON] [--confirm-region SERIAL]
--accept-restored lets the server start once on an audit trail that does not hold what was anchored of it, as a data
folder that was brought back from an older copy. NAME is the person who answers for it; both are recorded.
--confirm-region loads a region file that removes an establishment with records or many people; SERIAL is its serial.`;
const LONGEST = 200;

/** Reads the arguments. @throws {Fault} invalid - others than these; the message is the usage */
export function readStartArguments(args: readonly string[]): StartArguments {
  const { name, serial, others } = parse(args);
  return { ...confirmationOf(serial), ...acceptanceOf(name, others) };
}

function confirmationOf(serial: string | undefined): StartArguments {
  if (serial === undefined) return {};
  if (!/^[1-9]\d{0,15}$/.test(serial)) throw new Fault('invalid', USAGE);
  return { confirmedRegion: Number(serial) };
}

function acceptanceOf(name: string | undefined, others: readonly string[]): StartArguments {
  if (name === undefined && others.length === 0) return {};
  const [reason, ...further] = others;
  const isWhole = [name, reason].every((text) => text !== undefined && text.trim() !== '' && text.length <= LONGEST);
  if (name === undefined || reason === undefined || further.length > 0 || !isWhole) throw new Fault('invalid', USAGE);
  return { acceptRestored: { name, reason } };
}

type Parsed = {
  readonly name: string | undefined;
  readonly serial: string | undefined;
  readonly others: readonly string[];
};

function parse(args: readonly string[]): Parsed {
  const options = { 'accept-restored': { type: 'string' }, 'confirm-region': { type: 'string' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { name: values['accept-restored'], serial: values['confirm-region'], others: positionals };
  } catch (cause) {
    throw new Fault('invalid', USAGE, { cause });
  }
}
