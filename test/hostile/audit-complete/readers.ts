/** Sixteen who read and change at all doors until a server is gone, and what each was answered. */
import { randomUUID } from 'node:crypto';
import type { Random } from '../../../fixtures/dicom/noise.ts';
import { demoConsent } from '../../../fixtures/consent.ts';
import { CutReply, type Door, type Reply, type Sent } from '../../flows/support/door.ts';
import { DOORS } from '../../flows/support/doors/doors.ts';
import { canAsk, type PersonKey } from '../../flows/support/people.ts';

/** An answer that began: `viewing` is what its requests share one event of. */
export type Answered = {
  readonly requestId: string;
  readonly name: string;
  readonly status: number;
  /** Its head came, but not its end. */
  readonly isCut: boolean;
  /** What its event has to say; undefined when the answer does not tell. */
  readonly outcome: '0' | '4' | undefined;
  readonly viewing?: string;
  /** Milliseconds of one clock. */
  readonly begin: number;
  readonly end: number;
};

/** Who reads: everybody with a login or a client who is known before an emergency. */
export const READERS = [
  'author',
  'declared',
  'radiologist',
  'patient',
  'stranger',
] as const satisfies readonly PersonKey[];

/** How they come in: each token and session is good at every server. */
export type Access = {
  readonly urls: readonly string[];
  readonly tokens: ReadonlyMap<PersonKey, string>;
  readonly sessions: ReadonlyMap<PersonKey, string>;
};

const CLIENTS = 16;
/** The first of them write, the next ones read whole studies slowly. */
const WRITERS = 2;
const SLOW_READERS = 5;
/** Behind each chunk: 4 MB in a second at most. */
const PAUSE_MS = 15;
/** No answer that hides an exam is so long. */
const SURELY_SHOWN_BYTES = 128 * 1024;

const WHOLE_STUDY: readonly string[] = ['WADO-RS study', 'RAD-69'];

/** Lets them ask until a server answers no more; gives what was answered, whole or cut. */
export async function askUntilGone(access: Access, sent: Sent, random: Random): Promise<readonly Answered[]> {
  const answered: Answered[] = [];
  const clients = Array.from({ length: CLIENTS }, async (_, at) => {
    const person = READERS[at % READERS.length] ?? 'author';
    for (let isGone = false; !isGone;) {
      const one = await askOne(access, sent, { at, person, random });
      if (one !== undefined) answered.push(one);
      isGone = one === undefined;
    }
  });
  await Promise.all(clients);
  return answered;
}

type Asker = { readonly at: number; readonly person: PersonKey; readonly random: Random };

/** Undefined when there was no answer. */
async function askOne(access: Access, sent: Sent, { at, person, random }: Asker): Promise<Answered | undefined> {
  const requestId = `urn:uuid:${randomUUID()}`;
  const url = drawn(access.urls, random);
  const token = access.tokens.get(person) ?? '';
  const begin = performance.now();
  if (at < WRITERS) {
    const status = await write(access, sent, { url, at, random, requestId });
    const outcome = status !== undefined && status < 300 ? '0' : undefined;
    const end = performance.now();
    return status === undefined
      ? undefined
      : { requestId, name: `write ${at}`, status, isCut: false, outcome, begin, end };
  }
  const isSlow = at < WRITERS + SLOW_READERS;
  const doors = DOORS.filter((door) => (isSlow ? WHOLE_STUDY.includes(door.name) : canAsk(person, door)));
  const door = drawn(doors, random);
  const session = access.sessions.get(person) ?? '';
  const call = { url, token, session, requestId, ids: sent.ids, ...(isSlow ? { pause: PAUSE_MS } : {}) };
  const reply = await door.ask(call).catch((error: unknown) => (error instanceof CutReply ? error : undefined));
  if (reply === undefined) return undefined;
  const told = {
    requestId,
    name: `${door.name} by ${person}`,
    status: reply.status,
    isCut: reply instanceof CutReply,
    outcome: reply instanceof CutReply ? outcomeOfCut(reply) : outcomeOf(door, reply, sent),
    begin,
    end: performance.now(),
  };
  return door.viewing === undefined ? told : { ...told, viewing: `${door.viewing} ${person}` };
}

/** A search that finds nothing succeeds; what is opened and is not there is refused. */
function outcomeOf(door: Door, reply: Reply, sent: Sent): Answered['outcome'] {
  if (holds(() => door.expectShown(reply, sent))) return '0';
  if (holds(() => door.expectHidden(reply, sent.ids))) return door.event.touched === undefined ? '0' : '4';
  return undefined;
}

/** The head of an answer of SOAP does not tell what is in it; the first pictures of a study do. */
function outcomeOfCut({ status, headers, bytes }: CutReply): Answered['outcome'] {
  if (status >= 400) return '4';
  const isSoap = /\b(?:soap|xop)\+xml\b/.test(headers.get('Content-Type') ?? '');
  return isSoap && bytes < SURELY_SHOWN_BYTES ? undefined : '0';
}

function holds(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

function drawn<T>(some: readonly T[], random: Random): T {
  const one = some[Math.floor(random() * some.length)];
  if (one === undefined) throw new Error('There is nothing to draw from');
  return one;
}

/** The patient withdraws her consent and gives it again; the establishment declares a correspondent. */
async function write(
  { tokens }: Access,
  { ids }: Sent,
  { url, at, random, requestId }: Omit<Asker, 'person'> & { readonly url: string; readonly requestId: string },
): Promise<number | undefined> {
  const path = at === 0 ? `Patient/$${random() < 0.5 ? 'withdraw' : 'reconsent'}` : 'Consent';
  const body = at === 0 ? {} : { body: JSON.stringify(demoConsent(`Patient/${ids.patient}`)) };
  const headers = {
    Authorization: `Bearer ${tokens.get(at === 0 ? 'patient' : 'author') ?? ''}`,
    'X-Request-Id': requestId,
    ...(at === 0 ? {} : { 'Content-Type': 'application/fhir+json' }),
  };
  const answer = await fetch(`${url}/fhir/${path}`, { method: 'POST', headers, ...body }).catch(() => undefined);
  await answer?.text().catch(() => undefined);
  return answer?.status;
}
