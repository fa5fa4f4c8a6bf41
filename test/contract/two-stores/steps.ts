/** Random worlds as steps: plans, some of them sent again, questions, and work that is taken and settled. */
import * as fc from 'fast-check';
import type { CommitPlan, Put } from '../../../server/ports/commit-plan.ts';
import { JOB_KINDS, type JobKind, type JobOutcome } from '../../../server/ports/job-queue.ts';
import { REFUSED_PLANS } from '../refusals/refused-plans.ts';
import type { Wish } from '../equivalence/identities.ts';
import { wish } from '../equivalence/world.ts';
import { firstPlan, randomPlan, randomPool } from './plans.ts';
import { randomQuestion, type RandomQuestion } from './questions.ts';

/** What is done to a store. Numbers that pick (`nth`) count from the last one. */
export type Step =
  /** A plan, with a part that no store takes where it is `refused`, under a warrant that may not reach it. */
  | {
      readonly kind: 'plan';
      readonly plan: CommitPlan;
      readonly refused?: number;
      readonly isNarrow?: boolean;
      /** Identities that join or leave with it. */
      readonly wishes?: readonly Wish[];
      /** It was made before any identity moved. */
      readonly isStale?: boolean;
    }
  /** A plan that was sent before. */
  | { readonly kind: 'again'; readonly nth: number }
  | ({ readonly kind: 'ask' } & RandomQuestion)
  | { readonly kind: 'take'; readonly of: JobKind; readonly now: number }
  | { readonly kind: 'settle'; readonly nth: number; readonly now: number; readonly outcome: JobOutcome }
  /** What events tell of a row is erased. */
  | { readonly kind: 'forget'; readonly id: string }
  | { readonly kind: 'extend'; readonly nth: number; readonly now: number; readonly until: number };

const time = fc.nat(40);
const nth = fc.nat(3);
const mostly = fc.constantFrom(true, true, true, true, true, false);

const outcome: fc.Arbitrary<JobOutcome> = fc.oneof(
  fc.constant({ end: 'done' as const }),
  time.map((at) => ({ end: 'again' as const, at })),
  time.map((at) => ({ end: 'failed' as const, at, error: 'hung' as const })),
  fc.constant({ end: 'dead' as const, error: 'exception' as const }),
  fc.constant({ end: 'returned' as const }),
);

const wishes: fc.Arbitrary<readonly Wish[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(wish, { minLength: 1, maxLength: 2 }) },
);

function stepOn(pool: readonly Put[]): fc.Arbitrary<Step> {
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc.tuple(randomPlan(pool), mostly, wishes, mostly).map(([plan, isWide, granted, isFresh]) => ({
        kind: 'plan' as const,
        plan,
        isNarrow: !isWide,
        wishes: granted,
        isStale: !isFresh,
      })),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('plan' as const),
        plan: randomPlan(pool),
        refused: fc.nat(REFUSED_PLANS.length - 1),
      }),
    },
    { weight: 12, arbitrary: randomQuestion(pool).map((asked) => ({ kind: 'ask' as const, ...asked })) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), nth }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('take' as const),
        of: fc.constantFrom(...JOB_KINDS.slice(0, 3)),
        now: time,
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), nth, now: time, outcome }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('forget' as const),
        id: fc.constantFrom('asked', ...pool.map(({ id }) => id)),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('extend' as const), nth, now: time, until: time }) },
  );
}

/** So many steps on rows of one pool. */
export function randomSteps(length: number): fc.Arbitrary<readonly Step[]> {
  return randomPool.chain((pool) =>
    fc
      .tuple(firstPlan(pool), fc.array(stepOn(pool), { minLength: length - 1, maxLength: length - 1, size: 'max' }))
      .map(([plan, steps]) => [{ kind: 'plan' as const, plan }, ...steps]),
  );
}
