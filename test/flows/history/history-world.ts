/** One exam, and one server or two that show it to everybody who plays a part in a history. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { clientToken, signIn } from '../../../fixtures/sign-in.ts';
import { fhirCaller, type FhirCaller } from '../../support/clients/fhir-caller.ts';
import { makeRegionFile } from '../../support/region-file.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { loginOf } from '../access/holders.ts';
import { addPeople } from '../access/matrix-region.ts';
import type { Sent } from '../support/door.ts';
import { makeExam } from '../support/exam.ts';
import { publish } from '../support/world.ts';

/** Who plays a part. */
export const PARTS = ['patient', 'establishment', 'declared', 'named', 'emergency', 'radiologist'] as const;

/** One of {@link PARTS}. */
export type PartName = (typeof PARTS)[number];

/** How each signs in: the named one is whom the patient declares herself. */
const LOGINS: Readonly<Record<Exclude<PartName, 'establishment'>, string>> = {
  patient: 'demo-patient',
  declared: 'demo-declared',
  named: loginOf('declared'),
  emergency: loginOf('break-glass'),
  radiologist: 'demo-radiologist',
};

/** The Practitioner that a part is. */
export function practitionerOf(part: 'declared' | 'named'): string {
  return `Practitioner/${LOGINS[part]}`;
}

/** The world: every token is good at each server. */
export type HistoryWorld = Sent & {
  readonly servers: readonly TestServer[];
  readonly tokens: ReadonlyMap<PartName, string>;
  /** Somebody's caller of FHIR at a server. */
  readonly caller: (part: PartName, server: TestServer) => FhirCaller;
  close(): Promise<void>;
};

/** Starts servers on a store, sends an exam of so many slices, and signs everybody in. */
export async function openHistory(store: string, servers: number, slices: number): Promise<HistoryWorld> {
  const region = await makeRegionFile();
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-history-'));
  const started: TestServer[] = [];
  const close = async (): Promise<void> => {
    for (const server of started) await server.stop();
    await region.remove();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await region.write((edited) => addPeople(edited, 0));
    for (let at = 0; at < servers; at += 1)
      started.push(await startServer({ store, dataDir, env: { REGION: region.path } }));
    const [first] = started;
    if (first === undefined) throw new Error('A history needs a server');
    const { url } = first;
    const establishment = await clientToken({ url, client: ESTABLISHMENTS.strasbourg.clientId });
    const exam = await makeExam(slices);
    const published = await publish(first, { url, token: establishment }, exam);
    const tokens = new Map<PartName, string>([['establishment', establishment]]);
    const authTime = Math.floor(Date.now() / 1000);
    for (const [part, person] of Object.entries(LOGINS))
      tokens.set(part as PartName, await signIn({ url, person, authTime }));
    const caller = (part: PartName, server: TestServer): FhirCaller => fhirCaller(server.url, tokens.get(part));
    return { servers: started, exam, ...published, tokens, caller, close };
  } catch (error) {
    await close();
    throw error;
  }
}
