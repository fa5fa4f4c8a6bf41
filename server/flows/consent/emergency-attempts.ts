/**
 * How often a professional declared emergencies. Many in a day are told to the data protection officers and block
 * nothing, for the eleventh is real, too; who tries number after number that is nobody's has to wait.
 */
import type { Task } from '@medplum/fhirtypes';
import { EMERGENCY_TASK } from '../../../profiles/consent/emergency.ts';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import { dateCriterion, type Criterion } from '../../../profiles/search/criterion.ts';
import type { SystemGrant } from '../../access/grant.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { openedResource } from '../../ports/internal-row.ts';

/** Emergencies of one professional within a day that are usual. */
export const USUAL_OF_A_DAY = 10;
/** Emergencies of one professional that named nobody, in so many minutes, after which no more is heard. */
const MOST_UNMATCHED = { count: 50, minutes: 10 } as const;

const DAY_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;
/** Reviews that are read: more are as unusual. */
const LOOKED_AT = 500;

/** Emergencies of the last day, before this one. */
export type Attempts = { readonly ofDay: number; readonly unmatchedLately: number };

/** Counts what a professional (`Practitioner/id`) declared before a moment (epoch milliseconds), by its reviews. */
export async function attemptsOf(
  records: RecordStore,
  grant: SystemGrant,
  practitioner: string,
  now: number,
): Promise<Attempts> {
  const { code } = EMERGENCY_TASK.review;
  const where: readonly Criterion[] = [
    { kind: 'token', param: 'code', values: [{ system: CODE_SYSTEM.task, code }] },
    { kind: 'reference', param: 'requester', values: [practitioner] },
    dateCriterion('authored-on', 'ge', now - DAY_MS),
  ];
  const query = { type: 'Task', where, count: LOOKED_AT, total: 'none', include: [] } as const;
  const { rows } = await records.peek(grant, { kind: 'search', query });
  const since = now - MOST_UNMATCHED.minutes * MINUTE_MS;
  const unmatched = rows
    .map((row) => openedResource<Task>(row))
    .filter(({ for: patient, authoredOn = '' }) => patient === undefined && Date.parse(authoredOn) >= since);
  return { ofDay: rows.length, unmatchedLately: unmatched.length };
}

/** @throws {Fault} throttled - too many emergencies named nobody lately: what comes then is not looked at */
export function refuseEnumeration({ unmatchedLately }: Attempts): void {
  if (unmatchedLately < MOST_UNMATCHED.count) return;
  throw new Fault('throttled', 'Too many emergencies named nobody; try again in some minutes');
}
