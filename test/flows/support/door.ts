/** What the flow tests know of a door: how it is asked, and what its answer must be. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Attachment } from '@medplum/fhirtypes';
import type { Exam, ExamIds } from './exam.ts';

/** One request at a door, about an exam. The requestId is X-Request-Id, and the MessageID of SOAP. */
export type Call = {
  readonly url: string;
  readonly token: string;
  /** The Cookie header of the person's session on our pages. */
  readonly session?: string;
  readonly requestId: string;
  readonly ids: ExamIds;
  /** Milliseconds that a slow reader lets pass between two chunks of the answer (64 KB at most each). */
  readonly pause?: number;
};

/** An answer, read to its end. */
export type Reply = { readonly status: number; readonly headers: Headers; readonly body: Buffer };

/** An answer whose head came, and of its body so many bytes, but not its end. */
export class CutReply extends Error {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: number;

  constructor({ status, headers }: Pick<Reply, 'status' | 'headers'>, bytes: number, cause: unknown) {
    super(`An answer (${status}) was cut after ${bytes} bytes`, { cause });
    [this.status, this.headers, this.bytes] = [status, headers, bytes];
  }
}

/**
 * The exam that was sent, the names that the server gave it, and the attachment of its manifest as it was published.
 */
export type Sent = { readonly exam: Exam; readonly ids: ExamIds; readonly manifest: Attachment };

/** The codes of the AuditEvent of a door, and what it says was touched; a search says its query instead. */
export type Event = {
  readonly type: string;
  readonly subtype: readonly string[];
  readonly action: 'R' | 'E';
  readonly touched?: (ids: ExamIds) => string;
};

/** A door. */
export type Door = {
  readonly name: string;
  readonly event: Event;
  /** Requests of one viewing share the event of the first of them: what is viewed, at whichever door. */
  readonly viewing?: 'frames' | 'rendered' | 'instances';
  /** The door is a page: for persons who are signed in on it. */
  readonly isPage?: true;
  /** The door shows the report alone, which those who signed it see as its authors. */
  readonly isOfReport?: true;
  readonly ask: (call: Call) => Promise<Reply>;
  /** Asserts that the answer shows the exam, whole and unchanged. */
  readonly expectShown: (reply: Reply, sent: Sent) => void;
  /** Asserts that the answer is that of an exam that is not there. */
  readonly expectHidden: (reply: Reply, ids: ExamIds) => void;
};

/** A door that shows the report alone. */
export function ofReport(door: Door): Door {
  return { ...door, isOfReport: true };
}

/** Asks by GET. */
export async function get(call: Call, path: string, accept: string): Promise<Reply> {
  const { url, token, requestId, pause } = call;
  const headers = { Authorization: `Bearer ${token}`, Accept: accept, 'X-Request-Id': requestId };
  return await readReply(await fetch(url + path, { headers }), pause);
}

/** Asks for a page as a browser does; where it leads elsewhere is its answer. */
export async function getPage({ url, session = '', requestId, pause }: Call, path: string): Promise<Reply> {
  const headers = { Cookie: session, Accept: 'text/html', 'X-Request-Id': requestId };
  return await readReply(await fetch(url + path, { headers, redirect: 'manual' }), pause);
}

/**
 * Reads an answer to its end, with a pause behind each chunk when it is to be read slowly.
 * @throws {CutReply} it has no end
 */
export async function readReply(response: Response, pause?: number): Promise<Reply> {
  const { status, headers } = response;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      if (pause !== undefined) await wait(pause);
    }
  } catch (error) {
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    throw new CutReply(response, bytes, error);
  }
  return { status, headers, body: Buffer.concat(chunks) };
}

/** One part of a multipart answer; header names in lower case. */
export type Part = { readonly headers: Headers; readonly content: Buffer };

/** Splits a multipart/related answer at its boundary (RFC 2046 section 5.1.1). */
export function partsOf({ headers, body }: Reply): Part[] {
  const boundary = /boundary="([^"]+)"/.exec(headers.get('Content-Type') ?? '')?.[1];
  if (boundary === undefined) throw new Error(`No boundary: ${headers.get('Content-Type')}`);
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: Part[] = [];
  for (let from = body.indexOf(delimiter) + delimiter.length; body.subarray(from, from + 2).toString() !== '--';) {
    const next = body.indexOf(`\r\n${delimiter.toString()}`, from);
    if (next === -1) throw new Error('The multipart answer has no end');
    parts.push(readPart(body.subarray(from + 2, next)));
    from = next + 2 + delimiter.length;
  }
  return parts;
}

function readPart(bytes: Buffer): Part {
  const blank = bytes.indexOf('\r\n\r\n');
  const lines = bytes.toString('latin1', 0, blank).split('\r\n');
  const pairs = lines.map((line): [string, string] => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 1).trim(),
  ]);
  return { headers: new Headers(pairs), content: bytes.subarray(blank + 4) };
}
