/** How long jobs are tried before they are given up. */
import { expect } from 'chai';
import type { JobKind } from '../../../../server/ports/job-queue.ts';
import { JOB_POLICIES, pauseAfter } from '../../../../server/flows/jobs/job-policies.ts';

const DAY = 86_400_000;

/** From the first attempt to the last one, in milliseconds. */
function patience(kind: JobKind): number {
  const policy = JOB_POLICIES[kind];
  return Array.from({ length: policy.attempts - 1 }, (_, at) => pauseAfter(policy, at + 1)).reduce((a, b) => a + b, 0);
}

describe('The patience of jobs', () => {
  it('is more than the 45 days of an erasure, less the day on which it begins at the earliest', () => {
    for (const kind of ['erase-study', 'erase-record', 'purge-joined', 'forget-erased'] as const)
      expect(patience(kind), kind).to.be.greaterThan(41 * DAY);
  });

  it('is the same of a restriction that was granted, and of what a region file hides', () => {
    for (const kind of ['settle-ground', 'settle-region'] as const)
      expect(patience(kind), kind).to.be.greaterThan(41 * DAY);
  });
});
