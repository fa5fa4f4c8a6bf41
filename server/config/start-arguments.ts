/** The arguments of `npm start --`: all that is not configuration, but said once. */
import { parseArgs } from 'node:util';
import { Fault } from '../../profiles/fault.ts';

/** Who accepts that the audit trail does not hold its anchor, and why. */
export type StartArguments = { readonly acceptRestored?: { readonly name: string; readonly reason: string } };

const USAGE = `Usage: npm start -- [--accept-restored NAME REASON]
--accept-restored lets the server start once on an audit trail that does not hold what was anchored of it, as a data
folder that was brought back from an older copy. NAME is the person who answers for it; both are recorded.`;
const LONGEST = 200;

/** Reads the arguments. @throws {Fault} invalid - others than these; the message is the usage */
export function readStartArguments(args: readonly string[]): StartArguments {
  const { name, others } = parse(args);
  if (name === undefined && others.length === 0) return {};
  const [reason, ...further] = others;
  const isWhole = [name, reason].every((text) => text !== undefined && text.trim() !== '' && text.length <= LONGEST);
  if (name === undefined || reason === undefined || further.length > 0 || !isWhole) throw new Fault('invalid', USAGE);
  return { acceptRestored: { name, reason } };
}

function parse(args: readonly string[]): { readonly name: string | undefined; readonly others: readonly string[] } {
  const options = { 'accept-restored': { type: 'string' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { name: values['accept-restored'], others: positionals };
  } catch (cause) {
    throw new Fault('invalid', USAGE, { cause });
  }
}
