/**
 * The one logger factory: JSON lines on stderr, for stdout carries the ready line alone.
 *
 * Levels: error = someone must act, warn = a peer was refused or failed, info = start, stop, association, debug.
 * What happened to whom belongs in the audit trail: an object that is logged names an AuditEvent, never a patient.
 */
import type { Writable } from 'node:stream';
import { pino } from 'pino';

type LogMethod = (object: object, message: string) => void;

/** A logger. An error goes under `err`. */
export type Log = {
  readonly error: LogMethod;
  readonly warn: LogMethod;
  readonly info: LogMethod;
  readonly debug: LogMethod;
};

/** Makes the logger of a room, whose name is in each of its lines. */
export type LogFactory = (room: string) => Log;

/** Where lines go and which are left out. */
export type LogOptions = {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  /** stderr when left out. */
  readonly destination?: Writable;
};

// Members that carry what a bearer could use, in the spellings of node:http and of fetch.
const SECRET_MEMBERS = [
  'authorization',
  'Authorization',
  'cookie',
  'Cookie',
  '["set-cookie"]',
  '["Set-Cookie"]',
  'dpop',
  'DPoP',
];
// Redaction goes by path: an object that is logged holds headers at one of these depths.
const DEPTHS = ['', '*', '*.*', '*.*.*'];

/** Opens the log of the process. Lines are written behind the caller's back, and the rest when the process exits. */
export function openLog({ level, destination }: LogOptions): LogFactory {
  const root = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: {
        paths: DEPTHS.flatMap((depth) => SECRET_MEMBERS.map((member) => join(depth, member))),
        censor: '[redacted]',
      },
    },
    destination ?? pino.destination({ dest: 2, sync: false }),
  );
  return (room) => root.child({ room });
}

const MAX_CAUSES = 5;

/**
 * An error as text alone. Its other members are left out: an HTTP parser hangs the bytes of the request on its error,
 * and the redaction cannot walk through bytes.
 */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { readonly code?: unknown };
  const stacks: string[] = [];
  for (let one: unknown = error; one instanceof Error && stacks.length < MAX_CAUSES; one = one.cause)
    stacks.push(one.stack ?? one.message);
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    stack: stacks.join('\ncaused by: '),
  };
}

function join(depth: string, member: string): string {
  return depth === '' || member.startsWith('[') ? `${depth}${member}` : `${depth}.${member}`;
}
