/** A client that goes on reading and writing ServiceRequests, whatever the server does beside it. */
import type { Bundle, CapabilityStatement, ServiceRequest } from '@medplum/fhirtypes';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { FhirAnswer, FhirCaller } from '../../../support/clients/fhir-caller.ts';
import type { TestServer } from '../../../support/server.ts';
import { NEW_PARAMETER } from './former-release.ts';
import { performerType, serviceRequest } from './service-request.ts';

/** What was asked, and what became of it. Numbers are those of ServiceRequests. */
export type Busyness = {
  readonly patient: string;
  /** The next number that is free. */
  next: number;
  /** Codes of performers by number, of what was written and is known to stand. */
  readonly written: Map<number, string>;
  /** What was sent and not answered. */
  readonly unheard: Set<number>;
  reads: number;
  slowestReadMs: number;
  /** How often the new parameter was looked for, and not announced. */
  unannounced: number;
};

/** Between two looks at what is announced. */
const PAUSE_MS = 25;

/** How many rows of a type are left, as the server tells it. */
export async function leftToReindex({ url }: TestServer): Promise<number> {
  const ready = (await (await fetch(`${url}/health/ready`)).json()) as {
    readonly reindex: readonly { readonly type: string; readonly left: number }[];
  };
  return ready.reindex.find(({ type }) => type === 'ServiceRequest')?.left ?? 0;
}

/** The search parameters of ServiceRequest that the server announces. */
export async function announced({ url }: TestServer): Promise<readonly string[]> {
  const statement = (await (await fetch(`${url}/fhir/metadata`)).json()) as CapabilityStatement;
  const type = statement.rest?.[0]?.resource?.find((resource) => resource.type === 'ServiceRequest');
  return (type?.searchParam ?? []).map(({ name }) => name ?? '');
}

/** Does so until `stop`, which rejects when an answer was wrong. Without an answer what it sent is unheard. */
export function keepBusy(server: TestServer, caller: FhirCaller, busy: Busyness): { stop(): Promise<void> } {
  const over = new AbortController();
  const loop = async (step: () => Promise<void>): Promise<void> => {
    while (!over.signal.aborted) await step().catch((error: unknown) => refuseUnlessGone(error));
  };
  const running = Promise.all([
    loop(async () => await readSome(caller, busy)),
    loop(async () => await writeSome(caller, busy)),
    loop(async () => await lookForParameter(server, caller, busy)),
  ]);
  running.catch(() => undefined);
  return {
    stop: async () => {
      over.abort();
      await running;
    },
  };
}

/** A server that was killed breaks off what was asked of it. */
function refuseUnlessGone(error: unknown): void {
  if (!(error instanceof TypeError) || error.message !== 'fetch failed') throw error;
}

async function readSome(caller: FhirCaller, busy: Busyness): Promise<void> {
  const [code, wanted] = [`urn:example:orders|${busy.reads % 50}`, busy.reads % 50];
  const began = performance.now();
  const found = await caller.find<ServiceRequest>(`ServiceRequest?code=${code}`);
  busy.slowestReadMs = Math.max(busy.slowestReadMs, Math.round(performance.now() - began));
  busy.reads += 1;
  expect(found.map((order) => order.code?.coding?.[0]?.code)).to.deep.equal([String(wanted)]);
}

/** Creates one, and changes one that stood before. */
async function writeSome(caller: FhirCaller, busy: Busyness): Promise<void> {
  const created = busy.next;
  busy.next += 1;
  await sent(busy, created, await orderOf(busy, created, caller, performerType(created)));
  const changed = 50 + (created % 200);
  await sent(busy, changed, await orderOf(busy, changed, caller, performerType(created)));
}

type Sending = { readonly performer: string; readonly answer: Promise<FhirAnswer> };

async function orderOf(busy: Busyness, number: number, caller: FhirCaller, performer: string): Promise<Sending> {
  const order = { ...serviceRequest(busy.patient, number), performerType: performers(performer) };
  const condition = `code=urn:example:orders|${number}`;
  busy.unheard.add(number);
  return { performer, answer: caller.send('PUT', `ServiceRequest?${condition}`, order) };
}

function performers(code: string): ServiceRequest['performerType'] {
  return { coding: [{ system: 'urn:example:performers', code }] };
}

async function sent(busy: Busyness, number: number, { performer, answer }: Sending): Promise<void> {
  const { status, text } = await answer;
  // What a killed server held locked on MongoDB is refused for a while, and so is what another write was faster at.
  if ([409, 412, 503].includes(status)) return;
  expect(status, text).to.be.oneOf([200, 201]);
  busy.unheard.delete(number);
  busy.written.set(number, performer);
}

/** What is announced is complete; what is not is unknown to a search. */
async function lookForParameter(server: TestServer, caller: FhirCaller, busy: Busyness): Promise<void> {
  const codes = await announced(server);
  expect(codes).to.include.members(['code', 'authored', 'patient', 'requisition']);
  if (codes.includes(NEW_PARAMETER)) expect(await leftToReindex(server)).to.equal(0);
  else {
    busy.unannounced += 1;
    await searchUnannounced(server, caller);
  }
  await pause(PAUSE_MS);
}

/** Asked strictly it is refused; else it is left out, and the answer says so. It may be announced meanwhile. */
async function searchUnannounced(server: TestServer, caller: FhirCaller): Promise<void> {
  const search = `ServiceRequest?${NEW_PARAMETER}=urn:example:performers|none`;
  const isAnnounced = async (): Promise<boolean> => (await announced(server)).includes(NEW_PARAMETER);
  const strict = await caller.get(search, { prefer: 'handling=strict' });
  if (strict.status !== 400) expect([strict.status, await isAnnounced()]).to.deep.equal([200, true]);
  const lenient = await caller.get(`${search}&_count=1`);
  expect(lenient.status, lenient.text).to.equal(200);
  const self = lenient.json<Bundle>().link?.find(({ relation }) => relation === 'self')?.url ?? '';
  if (self.includes(NEW_PARAMETER)) expect(await isAnnounced()).to.equal(true);
}
