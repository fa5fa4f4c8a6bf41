/**
 * What an operator's command and the running server say to each other over the socket in the data folder: a line of
 * JSON each. A connection carries one question, and after it what the command has to say; lines of progress may come
 * before its answer.
 */
import { join } from 'node:path';
import type { FaultKind } from '../../profiles/fault.ts';

/** The version that both sides must speak. */
export const CONTROL_VERSION = 1;

/**
 * Largest line of a question and of an answer, and of what is said further (the metadata of an instance, whose header
 * has at most 16 MB, in the words of JSON), in bytes; how long a question may take to arrive, and a caller to hang up;
 * callers at a time.
 */
export const CONTROL_LIMITS = {
  lineBytes: 64 * 1024,
  saidBytes: 128 * 1024 * 1024,
  questionMs: 10_000,
  goodbyeMs: 2_000,
  connections: 16,
} as const;

/** A question: the command's name and its arguments. */
export type ControlQuestion = {
  readonly version: typeof CONTROL_VERSION;
  readonly command: string;
  readonly args: unknown;
};

/** What follows a question, until `end`. */
export type ControlSaid = { readonly say: unknown } | { readonly end: true };

/** What comes back: progress any number of times, then an answer or a fault. */
export type ControlLine =
  | { readonly progress: unknown }
  | { readonly answer: unknown }
  | { readonly fault: { readonly kind: FaultKind; readonly message: string } };

/** The answer to `dimse`: the door of DICOM, and the AE titles that may call it from this machine. */
export type DimseFacts = {
  readonly host: string;
  readonly port: number;
  readonly aeTitle: string;
  readonly localAETitles: readonly string[];
};

/** Where the socket of a data folder is. */
export function controlPath(dataDir: string): string {
  return join(dataDir, 'control.sock');
}
