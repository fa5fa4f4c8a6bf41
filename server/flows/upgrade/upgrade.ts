/**
 * What earlier servers wrote is brought to what this one means by it, before any door opens: until its identities are
 * placed, a record is open as it was joined, and until they are withdrawn, documents stand of reports that nobody has
 * validated. Rows are passed page by page; it may be killed, and goes on at the page where it was.
 */
import { Fault } from '../../../profiles/fault.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import { systemGrant } from '../../access/grant.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PageEnd, RecordStore } from '../../ports/record-store.ts';
import type { Checks } from '../health.ts';
import { moveUpgradeMark, readUpgradeMark, type UpgradeMark } from './upgrade-mark.ts';
import type { UpgradeStep } from './upgrade-step.ts';

/** What the story needs. */
export type UpgradeDeps = { readonly records: RecordStore; readonly clock: Clock; readonly log: Log };

/** How far it is: rows of the present step. */
export type UpgradeProgress = { readonly step: string; readonly done: number; readonly left: number };

const AT_ONCE = 200;
const LINE_MS = 10_000;

/** The upgrade of one store. */
export class Upgrade {
  readonly #deps: UpgradeDeps;
  readonly #steps: readonly UpgradeStep[];
  #progress: UpgradeProgress | undefined;
  #toldAt = 0;

  constructor(deps: UpgradeDeps, steps: readonly UpgradeStep[]) {
    this.#deps = deps;
    this.#steps = steps;
  }

  /** Whether a row is left to be passed. */
  async isDue(): Promise<boolean> {
    const { step, after } = await this.#mark();
    for (const [at, one] of this.#steps.slice(step).entries()) {
      const { rows } = await this.#page(one, { count: 1, total: 'none' }, at === 0 ? after : undefined);
      if (rows.length > 0) return true;
    }
    return false;
  }

  /** Resolves when none is, which is marked. */
  async run(): Promise<void> {
    let mark = await this.#mark();
    for (let step = this.#steps[mark.step]; step !== undefined; step = this.#steps[mark.step]) {
      await this.#begin(step, mark);
      mark = await this.#pass(step, mark);
    }
    const { listed } = mark;
    if (this.#progress !== undefined && listed > 0)
      this.#deps.log.warn({ listed }, 'persons of an earlier server stay apart: Tasks ask desks to look at them');
    this.#progress = undefined;
  }

  /** What readiness is made of meanwhile: nobody is to be sent here. */
  checks(): Checks {
    const output = 'Data of an earlier server are taken over: no door is open until they are';
    return {
      'upgrade:rows': {
        status: 'fail',
        observedUnit: 'rows',
        output,
        ...(this.#progress === undefined ? {} : { observedValue: this.#progress.left }),
      },
    };
  }

  /** What monitoring is told beside it. */
  report(): { readonly upgrade?: UpgradeProgress } {
    return this.#progress === undefined ? {} : { upgrade: this.#progress };
  }

  async #mark(): Promise<UpgradeMark> {
    return await readUpgradeMark(this.#deps.records, this.#deps.clock.now());
  }

  async #begin({ name, ...step }: UpgradeStep, { done }: UpgradeMark): Promise<void> {
    if (this.#progress?.step === name) return;
    const { total = 0 } = await this.#page(step, { count: 1, total: 'accurate' });
    const left = Math.max(0, total - done);
    this.#progress = { step: name, done, left };
    this.#toldAt = performance.now();
    if (left > 0) this.#deps.log.info({ ...this.#progress }, 'data of an earlier server are taken over');
  }

  /** Passes one page; answers the mark from which it goes on. */
  async #pass(step: UpgradeStep, mark: UpgradeMark): Promise<UpgradeMark> {
    const { rows, next } = await this.#page(step, { count: AT_ONCE, total: 'none' }, mark.after);
    let { listed } = mark;
    for (const row of rows) listed += this.#passed(await step.work(row));
    const done = mark.done + rows.length;
    const behind =
      next === undefined ? { step: mark.step + 1, done: 0, listed } : { step: mark.step, after: next, done, listed };
    try {
      await moveUpgradeMark(this.#deps.records, mark, behind);
      return behind;
    } catch (error) {
      // Another server does the same: it goes on from where that one is.
      if (error instanceof Fault && error.kind === 'conflict') return await this.#mark();
      throw error;
    }
  }

  #passed(listed: number): number {
    if (this.#progress === undefined) return listed;
    const { step, done, left } = this.#progress;
    this.#progress = { step, done: done + 1, left: Math.max(0, left - 1) };
    if (performance.now() - this.#toldAt < LINE_MS) return listed;
    this.#toldAt = performance.now();
    this.#deps.log.info({ ...this.#progress }, 'data of an earlier server are taken over');
    return listed;
  }

  async #page(
    { reason, type, where }: Pick<UpgradeStep, 'reason' | 'type' | 'where'>,
    asked: Pick<SearchQuery, 'count' | 'total'>,
    after?: PageEnd,
  ) {
    const { records, clock } = this.#deps;
    const query = { type, where, include: [], ...asked };
    const grant = systemGrant(reason, 'whole', clock.now());
    return await records.peek(grant, { kind: 'search', query, ...(after === undefined ? {} : { after }) });
  }
}
