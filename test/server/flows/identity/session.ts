/** The people and exams of one sequence: as the model names them, and as the product knows them. */
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import type { Visit } from '../../../../server/flows/guard.ts';
import { findIdentity, type KnownPatient } from '../../../../server/flows/identity/persons.ts';
import { domainOf } from '../../../flows/identity/people.ts';
import { Model, type Partition } from './model.ts';
import { ESTABLISHMENT_KEYS, type Establishment, type Feed, type Whose } from './sequences.ts';
import type { World } from './world.ts';

const REPORTS = 'urn:oid:2.25.7001';

let sessions = 0;

/** What a session offers to whoever compares. */
export type Session = {
  readonly model: Model;
  readonly world: World;
  /** What was fed last of each identity, by its name. */
  readonly feeds: Map<string, Feed>;
  /** No other sequence has it: names and numbers are made of it. */
  readonly run: string;
  /** The identities that the product knows, by the names that the model has for them. */
  readonly known: () => Promise<ReadonlyMap<string, KnownPatient>>;
  readonly studyUid: (study: number | string) => string;
  /** The identifier of a report, by its name. */
  readonly reportIdentifier: (name: string) => string;
  readonly localId: (of: Whose) => string;
};

/** The name of an identity in the model. */
export function nameOf({ at, number }: Whose): string {
  return `${at}/${number}`;
}

/** The identity of a name. */
export function whoseOf(name: string): Whose {
  const [at = '', number = ''] = name.split('/');
  return { at: at as Establishment, number: Number(number) };
}

/** Persons by the names of identities. */
export function partitionOf(known: ReadonlyMap<string, KnownPatient>): Partition {
  return new Map([...known].map(([name, { person }]) => [name, person]));
}

/** Begins a session, whose people are no other's, or goes on with a former one in a world on the same data. */
export function openSession(world: World, former?: Session): Session {
  sessions += 1;
  const { run, model, feeds } = former ?? {
    run: `${process.pid}-${sessions}`,
    model: new Model(),
    feeds: new Map<string, Feed>(),
  };
  const session: Session = {
    model,
    world,
    run,
    feeds,
    known: async () => await knownIn(session),
    studyUid: (study) => uidOf(`${run}/study/${study}`),
    reportIdentifier: (name) => `${REPORTS}|${run}-${name.replaceAll('/', '-')}`,
    localId: ({ number }) => `${run}-${number}`,
  };
  return session;
}

async function knownIn({ world, localId }: Session): Promise<ReadonlyMap<string, KnownPatient>> {
  const { records } = world.stores;
  const reading = systemReading('resolve-identity', world.now());
  const known = new Map<string, KnownPatient>();
  for (const at of ESTABLISHMENT_KEYS)
    for (const number of [0, 1]) {
      const found = await findIdentity(records, reading, domainOf(at), localId({ at, number }));
      if (found !== undefined) known.set(nameOf({ at, number }), found);
    }
  return known;
}

/** What must be refused is. */
export async function refused(done: Promise<unknown>, what: string): Promise<void> {
  const fault = await done.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (fault === undefined) throw new Error(`Not refused: ${what}`);
  if (!(fault instanceof Fault) || fault.kind === 'exception') throw fault;
}

/** Somebody who acts (`Practitioner/id`, `Patient/id`). */
export async function visitOf({ world }: Session, account: string): Promise<Visit> {
  const visit = await world.person(account);
  if (visit === undefined) throw new Error(`${account} may not act`);
  return visit;
}
