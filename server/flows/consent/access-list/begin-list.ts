/**
 * How a list that a patient reads of her own record begins: by her Patient. What the list is made of is of the own
 * class and stays readable while her erasure is pending, which hides her Patient from her; then it begins without it.
 */
import { systemReading } from '../../../access/grant.ts';
import { personKey, type SpeakingRequester } from '../../../access/requester.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import { foundNothing, guarded, NOTHING } from '../../guard.ts';
import type { GuardDeps, Recorded, ShownRow, Visit } from '../../guard.ts';
import { identityAt } from '../../identity/identities.ts';

/**
 * Asks for her Patient and records it: an event of hers, which tells `query`.
 * @throws {Fault} not-found - another than herself asks, and her record is not shown
 */
export async function beginList(
  deps: GuardDeps,
  visit: Visit,
  requester: SpeakingRequester,
  query: string,
): Promise<Recorded<VisibleRow | undefined>> {
  const { patient } = requester;
  const [, id = ''] = patient.split('/');
  const herself = requester.kind === 'patient' ? await rowOf(deps, requester) : undefined;
  const entities = [{ role: '24', query }] as const;
  const recorded = await guarded(deps, visit, 'search', { kind: 'resource', type: 'Patient', id }, (row) => {
    const shown = row ?? herself;
    return shown === undefined ? NOTHING : { rows: [shown], entities };
  });
  if (recorded.answer === undefined && herself === undefined) throw foundNothing('No such patient');
  return recorded;
}

/** Of whom the event tells where no row of hers is shown. */
async function rowOf({ records, clock }: GuardDeps, { patient, person }: SpeakingRequester): Promise<ShownRow> {
  const identity = await identityAt(records, systemReading('resolve-identity', clock.now()), patient);
  const home = identity === undefined ? person : personKey(identity.content.home);
  return { person: home, subject: patient, identity: patient, shownBy: undefined };
}
