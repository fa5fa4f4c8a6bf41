/** Reads the arguments of commands, which come as JSON. */
import { Fault } from '../../profiles/fault.ts';

/** A text among the arguments of a command. @throws {Fault} invalid - it is not there */
export function textOf(args: unknown, name: string): string {
  const value: unknown =
    typeof args === 'object' && args !== null && name in args ? args[name as keyof typeof args] : undefined;
  if (typeof value !== 'string') throw new Fault('invalid', `The command needs ${name}`, { expression: name });
  return value;
}
