/** How the audit trail is, for readiness. */
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Check, Checks } from '../health.ts';

/** Events are sealed within a second; after so long somebody must look. */
const SEALED_WITHIN_S = 30;

/**
 * Checks that recorded events come into the chain. An event that waits is durable, and only its place in the chain is
 * not given: so this warns and does not fail. Every process of a store sees the same, and all would be left at once.
 * @throws {Fault} transient - the store is out of reach
 */
export async function trailHealth(trail: Pick<AuditTrail, 'sealing'>, clock: Clock): Promise<Checks> {
  const { waitingSince, failures } = await trail.sealing();
  const seconds = waitingSince === undefined ? 0 : Math.max(0, Math.round((clock.now() - waitingSince) / 1_000));
  const isLate = seconds > SEALED_WITHIN_S;
  const sealing: Check = {
    status: isLate ? 'warn' : 'pass',
    observedValue: seconds,
    observedUnit: 's',
    ...(isLate ? { output: `The oldest audit event waits to be sealed; failures in this process: ${failures}` } : {}),
  };
  return { 'audit:sealing': sealing };
}
