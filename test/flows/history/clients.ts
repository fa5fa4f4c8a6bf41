/** Sixteen clients that change who sees an exam, and look at it, at random: what they did and saw is a history. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Consent } from '@medplum/fhirtypes';
import { demoConsent } from '../../../fixtures/consent.ts';
import { PATIENTS } from '../../../fixtures/people.ts';
import type { FhirAnswer } from '../../support/clients/fhir-caller.ts';
import type { TestServer } from '../../support/server.ts';
import type { Door, Reply } from '../support/door.ts';
import { DOORS } from '../support/doors/doors.ts';
import { emergency } from '../support/emergencies.ts';
import { kindOf, type Change, type History, type Needs, type Read, type Setting, type Stream } from './history.ts';
import { practitionerOf, type HistoryWorld, type PartName } from './history-world.ts';
import { takeSlowly } from './slow-stream.ts';

/** The registers, those that are on at first among them. */
const SHARED = 'shared';
const EMERGENCY = 'emergency';
const DECLARED = { declared: 'declared', named: 'named' } as const;
/** That the patient does not block the declared one. */
const UNBLOCKED = 'unblocked';
const AT_FIRST = [SHARED, DECLARED.declared, UNBLOCKED];

/** What has to be so for each of them to see the exam; the patient always does. */
const NEEDS: Readonly<Record<PartName, Needs>> = {
  patient: [],
  establishment: [[SHARED]],
  radiologist: [[SHARED]],
  declared: [[SHARED], [DECLARED.declared], [UNBLOCKED]],
  named: [[SHARED], [DECLARED.named]],
  emergency: [[SHARED], [EMERGENCY]],
};

const ASKED: readonly string[] = [
  'FHIR ImagingStudy search',
  'FHIR ImagingStudy read',
  'FHIR DiagnosticReport read',
  'FHIR DocumentReference search',
  'ITI-68 report (PDF)',
  'QIDO-RS studies',
  'QIDO-RS instances',
  'WADO-RS metadata',
  'WADO-RS frame',
  'WADO-URI object',
  'ITI-18 FindDocuments',
  'ITI-43 manifest (KOS)',
];
const READ_DOORS = DOORS.filter(({ name }) => ASKED.includes(name));

/** What a client does next; a stream takes long. */
type Act = 'read' | 'stream' | 'withdrawal' | 'reconsent' | 'declaration' | 'block' | 'emergency';
type Client = {
  readonly part: PartName;
  /** What it begins with: streams run when the record is withdrawn. */
  readonly first?: readonly Act[];
  readonly acts: readonly Act[];
  readonly whom?: 'declared' | 'named';
};

/** One client alone changes a declaration or a block, so that the last answer says how it is. */
const CLIENTS: readonly Client[] = [
  { part: 'patient', first: ['withdrawal'], acts: ['withdrawal', 'reconsent', 'read'] },
  { part: 'patient', first: ['reconsent'], acts: ['withdrawal', 'reconsent', 'read', 'read', 'read', 'read'] },
  { part: 'patient', first: ['declaration'], acts: ['declaration', 'read'], whom: 'named' },
  { part: 'establishment', first: ['declaration'], acts: ['declaration', 'read'], whom: 'declared' },
  { part: 'emergency', first: ['emergency'], acts: ['emergency', 'read', 'read'] },
  { part: 'emergency', acts: ['emergency', 'read', 'stream'] },
  { part: 'establishment', first: ['stream'], acts: ['read', 'stream'] },
  { part: 'radiologist', acts: ['read'] },
  { part: 'radiologist', first: ['stream'], acts: ['read', 'stream'] },
  { part: 'patient', first: ['block', 'block'], acts: ['block', 'read'], whom: 'declared' },
  ...Array.from({ length: 3 }, (): Client => ({ part: 'declared', acts: ['read', 'read', 'read', 'stream'] })),
  ...Array.from({ length: 3 }, (): Client => ({ part: 'named', acts: ['read'] })),
];

/** What is in each history: what somebody saw, and changes, which may have been busy. */
export const NEEDED: readonly string[] = [
  'shown',
  'hidden',
  'stream cut',
  'withdrawal',
  'reconsent',
  'declaration',
  'end of a declaration',
  'block',
  'end of a block',
  'emergency',
];

/** Before the record is withdrawn for the first time: streams are running. */
const FIRST_WITHDRAWAL_MS = 1_000;

/** Clients go on for so much longer while anything of {@link NEEDED} did not happen. */
const MOST_LATE_MS = 60_000;

/** How long clients go on, and with which seed of their choices. */
export type Playing = { readonly milliseconds: number; readonly seed: number };

/** What has to happen: clients go on for some time without it. */
export type Needed = { readonly needed: readonly string[] };

/** Lets the clients do as they like for a while; resolves with what happened. */
export async function playHistory(world: HistoryWorld, playing: Playing & Needed): Promise<History> {
  const { milliseconds, seed, needed } = playing;
  const until = performance.now() + milliseconds;
  const lacking = new Set(needed);
  const played = await Promise.all(
    CLIENTS.map(
      async (client, at) => await play(world, client, { until, lacking, draw: drawing(seed * 100 + at), at }),
    ),
  );
  return { holds: AT_FIRST, events: played.flat() };
}

type Draw = (below: number) => number;
type Hand = {
  readonly until: number;
  /** What did not happen yet, of any client. */
  readonly lacking: Set<string>;
  readonly draw: Draw;
  readonly at: number;
};
type Doing = {
  readonly world: HistoryWorld;
  readonly client: Client;
  readonly server: TestServer;
  readonly name: string;
};

async function play(
  world: HistoryWorld,
  client: Client,
  { until, lacking, draw, at }: Hand,
): Promise<readonly (Change | Read | Stream)[]> {
  const done: (Change | Read | Stream)[] = [];
  // Of a declaration: that of the declared one stands at first; of a block: none does.
  let stands = client.part === 'establishment';
  const first = [...(client.first ?? [])];
  if (first[0] === 'withdrawal') await pause(FIRST_WITHDRAWAL_MS);
  while (performance.now() < until + (lacking.size === 0 ? 0 : MOST_LATE_MS)) {
    const server = oneOf(world.servers, draw);
    const act = first.shift() ?? oneOf(client.acts, draw);
    const doing = { world, client, server, name: `${client.part} ${at} ${act}` };
    const one = await perform(doing, act, { stands, draw });
    done.push(one);
    lacking.delete(one.kind === 'change' ? one.act : kindOf(one));
    if (act === 'block' || act === 'declaration')
      stands = one.kind === 'change' && one.outcome === 'done' ? !stands : (await standing(doing, act)) !== undefined;
    await pause(draw(act === 'read' ? 30 : 150));
  }
  return done;
}

async function perform(
  doing: Doing,
  act: Act,
  { stands, draw }: { readonly stands: boolean; readonly draw: Draw },
): Promise<Change | Read | Stream> {
  switch (act) {
    case 'read':
      return await readAt(doing, oneOf(READ_DOORS, draw));
    case 'stream':
      return await stream(doing);
    case 'withdrawal':
    case 'reconsent':
      return await changeSharing(doing, act);
    case 'emergency':
      return await breakTheGlass(doing);
    case 'block':
      return await changeBlock(doing, !stands);
    case 'declaration':
      return await changeDeclaration(doing, !stands);
  }
}

async function readAt({ world, client, server, name }: Doing, door: Door): Promise<Read> {
  const call = {
    url: server.url,
    token: world.tokens.get(client.part) ?? '',
    requestId: `urn:uuid:${randomUUID()}`,
    ids: world.ids,
  };
  const begin = performance.now();
  const reply = await door.ask(call).catch(() => undefined);
  const end = performance.now();
  const saw = reply === undefined ? 'cut' : seen(world, door, reply);
  return { kind: 'read', name: `${name} ${door.name}`, needs: NEEDS[client.part], begin, end, saw };
}

/**
 * Whole and unchanged, or as if it were not there, or not answered as the store is busy; an answer that is none of that
 * is thrown. A door that reads in several steps gives up (404) when the exam is hidden between them.
 */
function seen(world: HistoryWorld, door: Door, reply: Reply): Read['saw'] {
  try {
    door.expectHidden(reply, world.ids);
    return 'hidden';
  } catch {
    if (reply.status === 404) return 'cut';
    if (reply.status === 503) return 'busy';
    door.expectShown(reply, world);
    return 'shown';
  }
}

async function stream({ world, client, server, name }: Doing): Promise<Stream> {
  const path = `/dicom-web/studies/${world.ids.studyInstanceUID}`;
  const taken = await takeSlowly(server.url, path, world.tokens.get(client.part) ?? '');
  return { kind: 'stream', name, needs: NEEDS[client.part], ...taken };
}

async function changeSharing({ world, server, name }: Doing, act: 'withdrawal' | 'reconsent'): Promise<Change> {
  const isShared = act === 'reconsent';
  // What she withdraws ends emergencies; they do not come back.
  const sets = isShared
    ? [{ register: SHARED, value: true }]
    : [SHARED, EMERGENCY].map((register) => ({ register, value: false }));
  const operation = isShared ? 'reconsent' : 'withdraw';
  const patient = world.caller('patient', server);
  return await changed(act, name, sets, async () => await patient.send('POST', `Patient/$${operation}`));
}

async function breakTheGlass({ world, server, name }: Doing): Promise<Change> {
  const caller = world.caller('emergency', server);
  const body = emergency({ identifier: PATIENTS.helene.national });
  const sets = [{ register: EMERGENCY, value: true }];
  // The answer is the same where nothing opens: it does not tell whether she shares her record.
  const change = await changed(
    'emergency',
    name,
    sets,
    async () => await caller.send('POST', 'Patient/$break-glass', body),
  );
  return { ...change, where: [[SHARED]] };
}

async function changeDeclaration(doing: Doing, value: boolean): Promise<Change> {
  const { world, client, server, name } = doing;
  const { whom = 'named' } = client;
  const caller = world.caller(client.part, server);
  const set = [{ register: DECLARED[whom], value }];
  if (value)
    return await changed(
      'declaration',
      `${name} of ${whom}`,
      set,
      async () => await caller.send('POST', 'Consent', declaration(doing)),
    );
  const consent = await standing(doing, 'declaration');
  return await changed(
    'end of a declaration',
    `${name} of ${whom}`,
    set,
    async () => await caller.send('DELETE', `Consent/${consent}`),
  );
}

async function changeBlock(doing: Doing, isBlocked: boolean): Promise<Change> {
  const { world, server, name } = doing;
  const caller = world.caller('patient', server);
  const set = [{ register: UNBLOCKED, value: !isBlocked }];
  const { provision, ...consent } = declaration(doing);
  const block = { ...consent, policy: [{ uri: POLICY_DENY }], provision: { ...provision, type: 'deny' } };
  if (isBlocked) return await changed('block', name, set, async () => await caller.send('POST', 'Consent', block));
  const id = await standing(doing, 'block');
  return await changed('end of a block', name, set, async () => await caller.send('DELETE', `Consent/${id}`));
}

const POLICY_DENY = 'https://profiles.ihe.net/ITI/PCF/Policy-deny';

function declaration({ world, client: { whom = 'named' } }: Doing): Consent {
  const consent = demoConsent(`Patient/${world.ids.patient}`);
  const actor = (consent.provision?.actor ?? []).map((one) => ({
    ...one,
    reference: { reference: practitionerOf(whom) },
  }));
  return { ...consent, provision: { ...consent.provision, actor } };
}

/** The Consent that declares or blocks them: of each there is one at a time. */
async function standing({ world, client, server }: Doing, act: 'block' | 'declaration'): Promise<string | undefined> {
  const { part, whom = 'named' } = client;
  const found = await world.caller(part, server).find<Consent>(`Consent?status=active&actor=${practitionerOf(whom)}`);
  return found.find(({ provision }) => (provision?.type === 'deny') === (act === 'block'))?.id;
}

async function changed(
  act: string,
  name: string,
  sets: readonly Setting[],
  ask: () => Promise<FhirAnswer>,
): Promise<Change> {
  const begin = performance.now();
  const status = await ask().then(
    (answer) => answer.status,
    (error: unknown) => `no answer, ${codeOf(error)}`,
  );
  const end = performance.now();
  const isUnknown = typeof status === 'string' || status >= 500;
  const outcome = isUnknown ? 'unknown' : status < 300 ? 'done' : 'refused';
  return {
    kind: 'change',
    name: `${name}: ${act}, ${Math.round(end - begin)} ms (${status})`,
    act,
    sets,
    begin,
    end,
    outcome,
  };
}

/** What broke the connection, or ended the wait for an answer. */
function codeOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : {};
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(error);
}

function oneOf<T>(some: readonly T[], draw: Draw): T {
  const one = some[draw(some.length)];
  if (one === undefined) throw new Error('There is nothing to draw from');
  return one;
}

/** Whole numbers from 0 on, the same of the same seed (Mulberry32). */
function drawing(seed: number): Draw {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below) | 0;
  };
}
