/** One store on its way through the steps of a world: what it answers to each, in a form that can be compared. */
import { setTimeout as pause } from 'node:timers/promises';
import type { TouchedEntity } from '../../../profiles/audit/facts.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import type { Warrant } from '../../../server/access/warrant.ts';
import type { AuditRecord, CommitPlan } from '../../../server/ports/commit-plan.ts';
import type { JobRequest, TakenJob } from '../../../server/ports/job-queue.ts';
import type { AnswerTo, Question, ShownBy } from '../../../server/ports/record-store.ts';
import { anAudit } from '../../support/plans.ts';
import type { Stores } from '../../support/stores.ts';
import { aWarrantFor, aWarrantWithEvents } from '../../support/warrants.ts';
import { Identities } from '../equivalence/identities.ts';
import { PERSONS } from '../equivalence/world.ts';
import { REFUSED_PLANS } from '../refusals/refused-plans.ts';
import type { RandomQuestion } from './questions.ts';
import type { Step } from './steps.ts';

/** Most pages that are read of one list. */
const PAGES = 3;
const LEASE = 20;

/** A store and what it did so far. */
export class Run {
  readonly stores: Stores;
  readonly #plans: CommitPlan[] = [];
  readonly #taken: TakenJob[] = [];
  readonly #told: JobRequest[] = [];
  /** When each plan was committed by the clock of this store. */
  readonly #committed: number[] = [];
  readonly #applied = new Set<string>();
  #identities = new Identities();
  #steps = 0;

  constructor(stores: Stores) {
    this.stores = stores;
    stores.jobs.onAsked((jobs) => this.#told.push(...jobs));
  }

  /** Does a step; answers what the store said, a refusal included. */
  async step(step: Step): Promise<unknown> {
    this.#steps += 1;
    return await this.told(async () => await this.#do(step));
  }

  /** What work answers, with times of commits as their numbers, or the Fault that it throws. */
  async told(work: () => Promise<unknown>): Promise<unknown> {
    try {
      return this.#comparable(await work());
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const { kind, expression, message } = error;
      return { kind, expression, message };
    }
  }

  async #do(step: Step): Promise<unknown> {
    switch (step.kind) {
      case 'plan': {
        const plan = { ...this.#presented(step), ...partsRefused(step.refused) };
        this.#plans.push(plan);
        return await this.#commit(plan, step.isNarrow);
      }
      case 'again': {
        const plan = this.#plans.at(-1 - step.nth);
        return plan && (await this.#commit(sentAgain(plan)));
      }
      case 'ask':
        return await this.#ask(step);
      case 'take': {
        const taken = await this.stores.jobs.take(step.of, { now: step.now, leaseMs: LEASE, limit: 10 });
        this.#taken.push(...taken);
        return taken;
      }
      case 'settle': {
        const job = this.#taken.at(-1 - step.nth);
        return job && (await this.stores.jobs.settle(job, step.now, step.outcome));
      }
      case 'forget':
        return await this.stores.trail.eraseEntities(new Set([step.id]), (events) =>
          anEvent(`erased-${this.#steps}`, [], [{ what: { display: String(events) } }]),
        );
      case 'extend': {
        const job = this.#taken.at(-1 - step.nth);
        return job && (await this.stores.jobs.extend(job, step.now, step.until));
      }
    }
  }

  /** A plan that is made now: of who identities are, and in what wishes make of them. */
  #presented({ plan, wishes = [], isStale = false }: Extract<Step, { kind: 'plan' }>): CommitPlan {
    const identities = this.#identities.after([]);
    const moves = [...wishes.flatMap((wish) => identities.grant(wish)), ...(plan.moves ?? [])];
    const present = <T extends { readonly person?: PersonKey }>(part: T): T =>
      part.person === undefined || isStale ? part : { ...part, person: identities.personOf(part.person) };
    return {
      ...plan,
      moves,
      puts: (plan.puts ?? []).map(present),
      instances: (plan.instances ?? []).map(present),
      quarantined: (plan.quarantined ?? []).map(present),
      studies: (plan.studies ?? []).map(({ from, to, ...study }) => {
        const [{ person: leaves }, { person: becomes }] = [present({ person: from }), present({ person: to })];
        return { ...study, from: leaves, to: becomes };
      }),
    };
  }

  /** No two plans have the same time, so that what is sorted by it comes in one order everywhere. */
  async #commit(plan: CommitPlan, isNarrow = false): Promise<object> {
    await pause(2);
    const receipt = await this.stores.records.commit(warrantOf(plan, isNarrow), plan);
    if (!this.#committed.includes(receipt.committedAt)) this.#committed.push(receipt.committedAt);
    if (!this.#applied.has(plan.id)) this.#identities = this.#identities.after(plan.moves ?? []);
    this.#applied.add(plan.id);
    const told = this.#told.splice(0);
    return { ...receipt, erasedBlobs: receipt.erasedBlobs.toSorted(), told };
  }

  async #ask({ grant, question }: RandomQuestion): Promise<unknown> {
    const asked = this.#atTimesOfCommits(question);
    // The server asks nothing across studies.
    if (grant.system) return asked.kind === 'parts' ? undefined : await this.stores.records.peek(grant, asked);
    const events: AuditRecord[] = [];
    let page = 0;
    const account = (answer: AnswerTo<Question>): readonly [AuditRecord] => {
      const record = accountOf(`event-${this.#steps}-${(page += 1)}`, answer);
      events.push(record);
      return [record];
    };
    const pages: AnswerTo<Question>[] = [];
    for (let next: Question | undefined = asked; next !== undefined && pages.length < PAGES;) {
      const { answer, passage } = await this.stores.records.look(grant, next, account);
      pages.push(answer, await this.stores.records.follow(passage, next, grant.now + 1));
      next = following(next, answer);
    }
    return { pages, events: events.map(({ event: { entity }, persons }) => ({ entity, persons })) };
  }

  #atTimesOfCommits(question: Question): Question {
    const timeOf = (at: number): number => this.#committed[at] ?? at;
    if (question.kind === 'history' && question.since !== undefined)
      return { ...question, since: timeOf(question.since) };
    if (question.kind !== 'search') return question;
    const where = question.query.where.map((one) =>
      one.kind === 'date' && one.param === '_lastUpdated'
        ? { ...one, values: one.values.map(({ lo, hi, prefix }) => ({ lo: timeOf(lo), hi: timeOf(hi), prefix })) }
        : one,
    );
    return { ...question, query: { ...question.query, where } };
  }

  /** Bytes as text, times of commits as their numbers; members without a value are left out. */
  #comparable(value: unknown, name = ''): unknown {
    if (value instanceof Uint8Array) return Buffer.from(value).toString();
    if (Array.isArray(value)) return value.map((one) => this.#comparable(one));
    if (typeof value === 'string' && name === 'json') return jsonOf(this.#withoutTime(value));
    if (typeof value === 'number' && ['updated', 'committedAt', 'askedAt', 'sort'].includes(name))
      return this.#numberOf(value);
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return Object.fromEntries(members.map(([key, member]) => [key, this.#comparable(member, key)]));
  }

  #withoutTime(json: string): string {
    return json.replace(/(?<="lastUpdated":")[^"]+/, (time) => String(this.#numberOf(Date.parse(time))));
  }

  #numberOf(time: number): string | number {
    const at = this.#committed.indexOf(time);
    return at < 0 ? time : `commit ${at}`;
  }
}

/** The text of a row. Of an event the order of members changes when it is chained, which says nothing. */
function jsonOf(text: string): unknown {
  return text.startsWith('{"resourceType":"AuditEvent"') ? JSON.parse(text) : text;
}

/** A warrant as wide as its plan; a narrow one leaves a person out, and asks for events. */
function warrantOf(plan: CommitPlan, isNarrow: boolean): Warrant {
  return isNarrow ? aWarrantWithEvents(PERSONS.slice(1)) : aWarrantFor(plan, PERSONS);
}

/** The event of an answer: what was shown, and by which right. The persons who may read it are those of the rows. */
function accountOf(id: string, answer: AnswerTo<Question>): AuditRecord {
  const shown = rowsOf(answer);
  const entities = shown.map(({ id: row, shownBy }) => ({
    what: { reference: `DocumentReference/${row}` },
    detail: { right: JSON.stringify(shownBy ?? null) },
  }));
  const persons = PERSONS.filter((person) => shown.some((row) => row.person === person));
  return anEvent(id, persons, entities);
}

/** An event that is the same in each run: it names no request, which would be another one. */
function anEvent(id: string, persons: readonly PersonKey[], entities: readonly TouchedEntity[]): AuditRecord {
  const { event } = anAudit(persons, id, entities);
  const entity = event.entity?.filter(({ type }) => type?.code !== 'XrequestId') ?? [];
  return { event: { ...event, entity }, persons };
}

function partsRefused(refused: number | undefined): object {
  return (refused === undefined ? undefined : REFUSED_PLANS[refused])?.parts() ?? {};
}

type Shown = { readonly id: string; readonly person: unknown; readonly shownBy: ShownBy | undefined };

function rowsOf(answer: AnswerTo<Question>): readonly Shown[] {
  if (answer === undefined) return [];
  if ('rows' in answer) return answer.rows;
  if ('studies' in answer) return answer.studies;
  if ('study' in answer) return answer.study === undefined ? [] : [answer.study];
  return [answer];
}

/** The question for what follows a page. */
function following(question: Question, answer: AnswerTo<Question>): Question | undefined {
  if (answer === undefined || !('next' in answer) || answer.next === undefined) return undefined;
  if (question.kind === 'search' && 'sort' in answer.next) {
    const { kind, query } = question;
    return { kind, query, after: answer.next };
  }
  if (question.kind === 'history' && 'updated' in answer.next) return { ...question, after: answer.next };
  return undefined;
}

/** The same plan as other objects, but for grants in its preconditions, which nobody can make again. */
function sentAgain({ preconditions, ...plan }: CommitPlan): CommitPlan {
  return { ...structuredClone(plan), ...(preconditions === undefined ? {} : { preconditions }) };
}
