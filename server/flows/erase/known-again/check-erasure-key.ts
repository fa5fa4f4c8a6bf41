/** Whether a store whose persons were erased under one key of erasures is served with another. */
import { systemReading } from '../../../access/grant.ts';
import type { Log } from '../../../log.ts';
import { claimKey } from '../../../ports/claim-key.ts';
import type { Clock } from '../../../ports/clock.ts';
import { claimOf } from '../../internal-reads.ts';
import type { SuppressionDeps } from './suppression.ts';

/** What the check needs. */
export type CheckErasureKeyDeps = Pick<SuppressionDeps, 'records' | 'erasureKey'> & {
  readonly clock: Clock;
  readonly log: Log;
};

/** Makes the check of a start: with another key nobody who was erased is known again, so somebody must act. */
export function checkErasureKey({ records, erasureKey, clock, log }: CheckErasureKeyDeps) {
  return async (): Promise<void> => {
    const known = await claimOf(records, systemReading('erase-record', clock.now()), claimKey.erasureKey());
    const present = erasureKey?.thumbprint;
    if (known === undefined || known === present) return;
    const message = 'the key of erasures is not the one under which persons were erased: they are not known again';
    log.error({ known, present }, message);
  };
}
