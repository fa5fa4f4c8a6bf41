/** Sign-ins in the audit trail: who, how, and why not. Nobody is signed in when it cannot be recorded. */
import { randomUUID } from 'node:crypto';
import type { Purpose } from '../../access/purpose.ts';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import { recordOf, type Occasion } from '../audit/event-records.ts';

/** A sign-in of a person or client. `account` is a reference. */
export type SignIn = {
  readonly outcome: 'success' | 'failure';
  readonly clientId: string | undefined;
  readonly address: string;
  readonly account?: string;
  readonly display?: string;
  readonly reason?: string;
};

/** What whoever is no professional signs in for, by the type of the account. */
const PURPOSES: ReadonlyMap<string, Purpose> = new Map([
  ['Patient', 'PATRQT'],
  ['RelatedPerson', 'FAMRQT'],
]);

/** Makes the recording of sign-ins at a server. */
export function recordSignIn({
  trail,
  clock,
  server,
}: {
  readonly trail: Pick<AuditTrail, 'record'>;
  readonly clock: Clock;
  readonly server: string;
}) {
  return async ({ outcome, clientId, address, account, display, reason }: SignIn): Promise<void> => {
    const occasion: Occasion = {
      requestId: randomUUID(),
      server,
      client: { id: clientId ?? 'unknown', address },
      ...(account === undefined
        ? {}
        : {
            user: {
              reference: account,
              display: display ?? account,
              purpose: PURPOSES.get(account.split('/')[0] ?? '') ?? 'TREAT',
            },
          }),
    };
    const about = {
      outcome: outcome === 'success' ? '0' : '4',
      ...(reason === undefined ? {} : { outcomeDesc: reason }),
    } as const;
    await trail.record([recordOf(clock, occasion, 'sign-in', about)]);
  };
}
