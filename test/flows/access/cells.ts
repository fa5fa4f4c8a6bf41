/** The cells of the matrix, asked over the wire: what each answers, beside what the table says of it. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { comparable } from '../support/cell.ts';
import type { Call, Reply } from '../support/door.ts';
import { send } from '../support/fhir.ts';
import { HOLDERS, type AskingRelation } from './holders.ts';
import { MATRIX_RELATIONS, partsShown, type Case, type Part } from './matrix.ts';
import { MATRIX_DOORS, namesOfPart, type MatrixDoor } from './matrix-doors.ts';
import { ACCOUNT_OFF, type MatrixExam, type MatrixWorld, type Signed, type Speaker } from './matrix-world.ts';

/** What of the matrix is asked: all of it, or some cells. */
export type Chosen = (relation: AskingRelation, about: Case, door: MatrixDoor) => boolean;

/** How many cells were asked, how many of them showed something, and what was not as the table says. */
export type Asked = { cells: number; shown: number; readonly failures: string[] };

const AT_ONCE = 6;
const MOST_FAILURES = 40;

/** Asks the chosen cells, some exams at a time, as the region file has the settings of emergencies (`isSet`) or not. */
export async function askCells(world: MatrixWorld, chosen: Chosen = () => true, isSet = true): Promise<Asked> {
  const asked: Asked = { cells: 0, shown: 0, failures: [] };
  const absent = new Absent(world);
  const waiting = [...world.exams];
  const lane = async (): Promise<void> => {
    for (let exam = waiting.shift(); exam !== undefined; exam = waiting.shift())
      await askExam(world, absent, exam, { chosen, asked, isSet });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return asked;
}

/** Counts of some cells by the table and the doors: how many can be asked, and how many of them show something. */
export function countsOf(
  cases: readonly Case[],
  chosen: Chosen = () => true,
  isSet = true,
): Pick<Asked, 'cells' | 'shown'> {
  const counts = { cells: 0, shown: 0 };
  for (const relation of MATRIX_RELATIONS as readonly AskingRelation[])
    for (const door of MATRIX_DOORS.filter((one) => canAsk(relation, one)))
      for (const about of cases) {
        if (!chosen(relation, about, door)) continue;
        counts.cells += 1;
        if (shownParts(relation, about, door, isSet).length > 0) counts.shown += 1;
      }
  return counts;
}

/** Whether the holder of a relation can ask at a door: pages are for who has a browser. */
export function canAsk(relation: AskingRelation, { isPage }: MatrixDoor): boolean {
  return isPage !== true || HOLDERS[relation].signsIn.as !== 'client';
}

type Asking = { readonly chosen: Chosen; readonly asked: Asked; readonly isSet: boolean };

async function askExam(
  world: MatrixWorld,
  absent: Absent,
  exam: MatrixExam,
  { chosen, asked, isSet }: Asking,
): Promise<void> {
  const { about } = exam;
  const asking = (MATRIX_RELATIONS as readonly AskingRelation[]).flatMap((relation) => {
    const doors = MATRIX_DOORS.filter((door) => canAsk(relation, door) && chosen(relation, about, door));
    return doors.length === 0 ? [] : [{ relation, doors }];
  });
  const speakers = await signSpeakersIn(
    world,
    exam,
    asking.map(({ relation }) => relation),
  );
  for (const { relation, doors } of asking) {
    const signed = world.signed.get(relation) ?? speakers.get(relation);
    if (signed === undefined) throw new Error(`Nobody signs in as ${relation}`);
    for (const door of doors) {
      asked.cells += 1;
      const isShown = await check(world, absent, { relation, exam, door, signed, isSet }).catch((error: unknown) => {
        const label = `${about.label.name}, ${about.state.join('+') || 'open'}, ${about.item}`;
        if (asked.failures.length < MOST_FAILURES)
          asked.failures.push(`${relation}, ${label}, ${door.name}: ${error instanceof Error ? error.message : ''}`);
        return false;
      });
      if (isShown) asked.shown += 1;
    }
  }
}

/** Those that are asked for: the account is turned off when both are signed in. */
async function signSpeakersIn(
  world: MatrixWorld,
  exam: MatrixExam,
  relations: readonly AskingRelation[],
): Promise<ReadonlyMap<AskingRelation, Signed>> {
  const isOff = exam.about.state.includes(ACCOUNT_OFF);
  const needed = SPEAKERS.filter((one) => relations.includes(one));
  const speakers = new Map<AskingRelation, Signed>();
  for (const one of needed) speakers.set(one, await signSpeakerIn(world, exam, one));
  if (!isOff || needed.length === 0) return speakers;
  const { token } = speakers.get('self') ?? (await world.signSpeakerIn(exam, 'self'));
  const parameter = [{ name: 'active', valueBoolean: false }];
  await send({ url: world.server.url, token }, '/Patient/$set-account', { resourceType: 'Parameters', parameter });
  return speakers;
}

const SPEAKERS: readonly Speaker[] = ['self', 'representative'];

/** A token and a session that nobody was given. */
const NOBODY: Signed = { token: 'nobody', session: '' };

/** Who represents a patient who is being erased is told, at her sign-in, that nobody knows her. */
async function signSpeakerIn(world: MatrixWorld, exam: MatrixExam, one: Speaker): Promise<Signed> {
  if (!isUnknown(one, exam.about)) return await world.signSpeakerIn(exam, one);
  const refusal = await world.signSpeakerIn(exam, one).then(
    () => 'signed in',
    (error: Error) => error.message,
  );
  expect(refusal).to.match(/^Sign-in stopped \(403\)/);
  return NOBODY;
}

function isUnknown(relation: AskingRelation, { state }: Case): boolean {
  return relation === 'representative' && state.includes('erasurePending');
}

/** Whether the holder of a relation signs in by the account of the patient, and that is off, or is not let in. */
function isSignedOut(relation: AskingRelation, about: Case): boolean {
  const isOff = about.state.includes(ACCOUNT_OFF) && SPEAKERS.some((one) => one === relation);
  return isOff || isUnknown(relation, about);
}

/** What of an exam a door shows. */
function shownParts(relation: AskingRelation, about: Case, { parts }: MatrixDoor, isSet: boolean): readonly Part[] {
  if (isSignedOut(relation, about)) return [];
  const seen = partsShown(relation, about, isSet);
  return parts.filter((part) => seen.has(part));
}

type Cell = {
  readonly relation: AskingRelation;
  readonly exam: MatrixExam;
  readonly door: MatrixDoor;
  readonly signed: Signed;
  readonly isSet: boolean;
};

/** Asks a cell; resolves with whether it showed something. */
async function check(world: MatrixWorld, absent: Absent, cell: Cell): Promise<boolean> {
  const { relation, exam, door, signed, isSet } = cell;
  const reply = await door.ask(callOf(world, signed, exam.ids));
  if (isSignedOut(relation, exam.about)) {
    expectSignedOut(reply, door);
    return false;
  }
  const shown = shownParts(relation, exam.about, door, isSet);
  if (shown.length === 0) {
    door.expectHidden(reply, exam.ids);
    expect(comparable(reply, exam.ids), 'the answer for an unknown exam').to.equal(await absent.answer(cell));
    return false;
  }
  if (shown.length === door.parts.length) door.expectShown(reply, exam);
  else expectPartly(reply, exam, shown, door.parts);
  return true;
}

/** What is shown is named, and what is hidden beside it is not. */
function expectPartly(
  { status, body }: Reply,
  { ids }: MatrixExam,
  shown: readonly Part[],
  all: readonly Part[],
): void {
  expect(status).to.equal(200);
  const text = body.toString('latin1');
  for (const part of all) {
    const told = namesOfPart(part, ids).filter((name) => text.includes(name));
    if (shown.includes(part)) expect(told, `${part} are shown`).to.not.deep.equal([]);
    else expect(told, `${part} is hidden`).to.deep.equal([]);
  }
}

/** Who has no account is asked to sign in. */
function expectSignedOut({ status, headers }: Reply, { isPage }: MatrixDoor): void {
  if (isPage === true) expect([status, headers.get('Location')?.split('?')[0]]).to.deep.equal([303, '/auth/session']);
  else expect(status).to.equal(401);
}

function callOf({ server }: MatrixWorld, signed: Signed, ids: Call['ids']): Call {
  return { url: server.url, ...signed, requestId: `urn:uuid:${randomUUID()}`, ids };
}

/** What each door answers to each holder of an exam that is nowhere. */
class Absent {
  readonly #world: MatrixWorld;
  readonly #answers = new Map<string, Promise<string>>();

  constructor(world: MatrixWorld) {
    this.#world = world;
  }

  /** The answer, asked once: of patients and representatives by the first of them. */
  async answer({ relation, door, signed }: Cell): Promise<string> {
    const key = `${relation} ${door.name}`;
    const known = this.#answers.get(key) ?? this.#ask(door, signed);
    this.#answers.set(key, known);
    return await known;
  }

  async #ask(door: MatrixDoor, signed: Signed): Promise<string> {
    const { unknown } = this.#world;
    return comparable(await door.ask(callOf(this.#world, signed, unknown)), unknown);
  }
}
