/**
 * A viewer opens a study frame by frame. Its first request is recorded before anything is answered; those after it
 * belong to the same passage for a quarter of an hour, and are counted in a second event at its end. Each is decided
 * anew: what a withdrawal hides is absent in the next request.
 */
import type { Passage, Question, ShownStudy, StudyInstances } from '../../ports/record-store.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { idOfLaterEvent } from '../audit/event-records.ts';
import { further, grantOf, identityOf, referenceOf } from '../guard.ts';
import type { Account, GuardDeps, Recorded, ShownRow, Told, Visit } from '../guard.ts';
import { joinParts } from '../write/plan-parts.ts';

type InstancesQuestion = Extract<Question, { kind: 'instances' }>;
type Answered = Pick<Recorded<StudyInstances>, 'answer' | 'passage' | 'told'>;

/** One request: what it asks, what an event tells of its answer, and how it is asked and recorded by itself. */
export type ViewingRequest = {
  readonly question: InstancesQuestion;
  readonly tell: (answer: StudyInstances) => Account;
  readonly begin: () => Promise<Recorded<StudyInstances>>;
};

/** What a viewing asks for, again and again. */
export type ViewedPart = 'instances' | 'frames' | 'bulk data' | 'rendered';

/** A passage that goes on. */
type Viewing = {
  /** Id of the AuditEvent of its first request. */
  readonly event: string;
  /** The identities that its events tell of: each hears of its end. */
  readonly told: Told;
  readonly part: ViewedPart;
  readonly passage: Passage;
  readonly study: ShownStudy;
  /** Epoch milliseconds of its first request. */
  readonly began: number;
  /** Requests after the first. */
  further: number;
};

const LASTS_MS = 15 * 60_000;
/** Beyond so many at a time each request is a passage of its own. */
const MAX_OPEN = 10_000;

/** The viewings of this server. */
export class Viewings {
  readonly #deps: GuardDeps;
  readonly #open = new Map<string, Viewing>();
  /** First requests that are being recorded. */
  readonly #beginning = new Map<string, Promise<unknown>>();

  constructor(deps: GuardDeps) {
    this.#deps = deps;
  }

  /** Answers a request: as part of a viewing that goes on, else by `begin`. */
  async see(visit: Visit, part: ViewedPart, request: ViewingRequest): Promise<Answered> {
    const key = this.#keyOf(visit, part, request.question.studyInstanceUID);
    await this.#beginning.get(key)?.catch(() => undefined);
    return (await this.#continue(key, request)) ?? (await this.#begin(key, part, request));
  }

  /** Has the end recorded of those that lasted long enough, or of all. */
  async end(which: 'ended' | 'all'): Promise<void> {
    const latest = this.#deps.clock.now() - LASTS_MS;
    for (const [key, viewing] of this.#open) {
      if (which === 'ended' && viewing.began > latest) continue;
      this.#open.delete(key);
      await this.#record(viewing).catch((error: unknown) => {
        if (!this.#open.has(key)) this.#open.set(key, viewing);
        throw error;
      });
    }
  }

  async #continue(key: string, { question, tell }: ViewingRequest): Promise<Answered | undefined> {
    const viewing = this.#open.get(key);
    if (viewing === undefined || viewing.began <= this.#deps.clock.now() - LASTS_MS) return undefined;
    const { passage, told } = viewing;
    // Counted before it is answered: the end may be recorded meanwhile.
    viewing.further += 1;
    const answer = await further(this.#deps, passage, question);
    if (answer.study !== undefined && isTold(viewing, tell(answer).rows)) return { answer, passage, told };
    // What is absent, of another identity, or shown under another right is told by an event of its own.
    viewing.further -= 1;
    if (answer.study === undefined && this.#open.get(key) === viewing) {
      this.#open.delete(key);
      await this.#record(viewing);
    }
    return undefined;
  }

  async #begin(key: string, part: ViewedPart, { begin }: ViewingRequest): Promise<Answered> {
    const beginning = begin();
    this.#beginning.set(key, beginning);
    try {
      const answered = await beginning;
      const { answer, passage, event, told } = answered;
      if (answer.study === undefined || answer.instances.length === 0) return answered;
      const before = this.#open.get(key);
      if (before === undefined && this.#open.size >= MAX_OPEN) return answered;
      // Who goes to and fro between what two identities are filed under is not told of each time.
      if (before !== undefined && isUnderSameRight(before, answer.study))
        for (const [identity, person] of before.told) told.set(identity, person);
      this.#open.set(key, {
        event,
        told,
        part,
        passage,
        study: answer.study,
        began: this.#deps.clock.now(),
        further: 0,
      });
      if (before !== undefined) await this.#record(before);
      return answered;
    } finally {
      if (this.#beginning.get(key) === beginning) this.#beginning.delete(key);
    }
  }

  /** From here on the count is durable; what comes of it is a job, which is seen when it fails. */
  async #record({ event, told, part, further }: Viewing): Promise<void> {
    if (further === 0) return;
    const { records, clock } = this.#deps;
    const ended = clock.now();
    const persons = [...new Set(told.values())].filter((person) => person !== undefined);
    const payload = { part, further, ended, persons };
    const job = { id: idOfLaterEvent(clock), kind: 'end-viewing', subject: event, payload, at: ended, event } as const;
    await records.commit(systemWarrant('ask-for-work', job.kind), joinParts({ jobs: [job] }));
  }

  /** Whoever differs in anything that an event tells, or that a grant depends on, has a viewing of their own. */
  #keyOf(visit: Visit, part: ViewedPart, studyInstanceUID: string): string {
    const { requester, address = '', server } = visit;
    const { principals, purpose } = grantOf(this.#deps, visit);
    return JSON.stringify([
      studyInstanceUID,
      part,
      referenceOf(requester),
      requester.clientId,
      requester.tokenId ?? '',
      purpose,
      principals,
      address,
      server,
    ]);
  }
}

function isTold(viewing: Viewing, rows: readonly ShownRow[]): boolean {
  return rows.length > 0 && rows.every((row) => isUnderSameRight(viewing, row) && viewing.told.has(identityOf(row)));
}

function isUnderSameRight({ study }: Viewing, row: ShownRow): boolean {
  return rightOf(row) === rightOf(study);
}

function rightOf({ shownBy, person }: ShownRow): string {
  return JSON.stringify([shownBy?.relation, shownBy?.source, person]);
}
