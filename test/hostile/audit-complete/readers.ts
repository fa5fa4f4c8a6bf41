/** Sixteen who read and change at all doors until the server is gone, and what each was answered. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Random } from '../../../fixtures/dicom/noise.ts';
import { demoConsent } from '../../../fixtures/consent.ts';
import type { Door, Sent } from '../../flows/support/door.ts';
import { DOORS } from '../../flows/support/doors/doors.ts';
import { canAsk, type PersonKey } from '../../flows/support/people.ts';

/** An answer that began: `viewing` is what its requests share one event of. */
export type Answered = {
  readonly requestId: string;
  readonly name: string;
  readonly status: number;
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

/** How they come in. */
export type Access = {
  readonly url: string;
  readonly tokens: ReadonlyMap<PersonKey, string>;
  readonly sessions: ReadonlyMap<PersonKey, string>;
};

const CLIENTS = 16;

/** Lets them ask until the server answers no more; gives what was answered, whole or cut. */
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
async function askOne(access: Access, sent: Sent, asker: Asker): Promise<Answered | undefined> {
  const requestId = `urn:uuid:${randomUUID()}`;
  const begin = performance.now();
  const { at, person, random } = asker;
  if (at < 2) return await told(requestId, `write ${at}`, begin, await write(access, sent, { at, random, requestId }));
  if (at < 5)
    return await told(requestId, 'WADO-RS study, cut or not', begin, await open(access, sent, person, requestId));
  const doors = DOORS.filter((door) => canAsk(person, door));
  const door = doors[Math.floor(random() * doors.length)];
  if (door === undefined) throw new Error('There is no door');
  const status = await statusOf(access, sent, door, { person, requestId });
  const answer = told(requestId, `${door.name} by ${person}`, begin, status);
  return answer === undefined || door.viewing === undefined
    ? answer
    : { ...answer, viewing: `${door.viewing} ${person}` };
}

function told(requestId: string, name: string, begin: number, status: number | undefined): Answered | undefined {
  return status === undefined ? undefined : { requestId, name, status, begin, end: performance.now() };
}

async function statusOf(
  { url, tokens, sessions }: Access,
  { ids }: Sent,
  door: Door,
  { person, requestId }: { readonly person: PersonKey; readonly requestId: string },
): Promise<number | undefined> {
  const call = { url, token: tokens.get(person) ?? '', session: sessions.get(person) ?? '', requestId, ids };
  return await door.ask(call).then(
    ({ status }) => status,
    () => undefined,
  );
}

/** What was answered as soon as its head came, whether or not its end did. */
async function open(access: Access, { ids }: Sent, person: PersonKey, requestId: string): Promise<number | undefined> {
  const headers = {
    Authorization: `Bearer ${access.tokens.get(person) ?? ''}`,
    Accept: 'multipart/related; type="application/dicom"',
    'X-Request-Id': requestId,
  };
  const asked = request(`${access.url}/dicom-web/studies/${ids.studyInstanceUID}`, { headers, agent: false });
  try {
    const [response] = (await once(asked.end(), 'response')) as [IncomingMessage];
    const ended = once(response, 'close');
    response.on('error', () => undefined).resume();
    await ended;
    return response.statusCode;
  } catch {
    return undefined;
  }
}

/** The patient withdraws her consent and gives it again; the establishment declares a correspondent. */
async function write(
  { url, tokens }: Access,
  { ids }: Sent,
  { at, random, requestId }: { readonly at: number; readonly random: Random; readonly requestId: string },
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
