/** How jobs of each kind are run: how many at a time, how long one may give no sign of life, when it is given up. */
import type { JobKind } from '../../ports/job-queue.ts';

/** How jobs of a kind are run. */
export type JobPolicy = {
  /** At a time, in each server. */
  readonly concurrency: number;
  /** A job that gives no sign of life for so long has failed; one whose server died is taken over then. */
  readonly leaseMs: number;
  /** Attempts, the first included, before it is dead. */
  readonly attempts: number;
  /** The pause after the first failure; each further one is twice as long, up to the longest. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
};

/** A policy for each kind. */
export type JobPolicies = Readonly<Record<JobKind, JobPolicy>>;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** About nine hours pass before a job is dead: a night with a full disk is waited out. */
const STUDY: JobPolicy = {
  concurrency: 2,
  leaseMs: MINUTE,
  attempts: 16,
  pauseMs: MINUTE / 2,
  longestPauseMs: HOUR,
};

/** An erasure is owed by a day: it is tried for six weeks, and whatever stands in its way is in the log each time. */
const ERASURE: JobPolicy = { ...STUDY, concurrency: 1, attempts: 1_000 };

/** About four days pass before a letter is written instead (RFC 5321 section 4.5.4.1). */
const MAIL: JobPolicy = {
  concurrency: 2,
  leaseMs: 5 * MINUTE,
  attempts: 32,
  pauseMs: MINUTE / 2,
  longestPauseMs: 4 * HOUR,
};

/** The policies. */
export const JOB_POLICIES: JobPolicies = {
  'refresh-study': { ...STUDY, concurrency: 4 },
  'update-study': STUDY,
  'close-study': STUDY,
  'settle-person': STUDY,
  'end-given': STUDY,
  'correct-identity': STUDY,
  'erase-study': { ...ERASURE, leaseMs: 10 * MINUTE },
  'erase-record': { ...ERASURE, leaseMs: 10 * MINUTE },
  'purge-joined': { ...ERASURE, leaseMs: 10 * MINUTE },
  'forget-erased': { ...ERASURE, leaseMs: HOUR },
  'forget-tries': STUDY,
  'sweep-images': { ...STUDY, concurrency: 1, leaseMs: HOUR, attempts: 8 },
  'cut-trail': { ...ERASURE, leaseMs: HOUR },
  'end-viewing': STUDY,
  'end-consent': STUDY,
  // A restriction that was granted is owed to her, as an erasure is.
  'settle-ground': { ...ERASURE, concurrency: 2, leaseMs: 10 * MINUTE },
  'settle-region': { ...ERASURE, leaseMs: 10 * MINUTE },
  'declare-named': STUDY,
  'tell-news': STUDY,
  'send-notice': MAIL,
  'alert-officers': MAIL,
  'mail-share': MAIL,
  reindex: { ...STUDY, concurrency: 1 },
};

/** How long a job waits after an attempt (counted from 1) that failed. */
export function pauseAfter({ pauseMs, longestPauseMs }: JobPolicy, attempt: number): number {
  return Math.min(longestPauseMs, pauseMs * 2 ** (attempt - 1));
}
