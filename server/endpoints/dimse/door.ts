/** The DIMSE door as the region and the flows make it: who may call, and where instances go. */
import { buildAuditEvent } from '../../../profiles/audit-event.ts';
import type { RegionAeTitle } from '../../config/region-model.ts';
import type { receiveAssociation } from '../../flows/receive-association.ts';
import type { Log } from '../../log.ts';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AssociationHook, AssociationInfo, Caller, IdentifyPeer, StoreHandler } from './store-handler.ts';

/** What the door is given. */
export type DimseDoorDeps = {
  readonly aeTitles: readonly RegionAeTitle[];
  readonly association: ReturnType<typeof receiveAssociation>;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
  /** Asks for what is derived from the received studies, now that an association has ended. */
  readonly hurry: () => void;
  readonly newId: () => string;
};

/** Makes the hooks of the listener. */
export function dimseDoor(deps: DimseDoorDeps): { identifyPeer: IdentifyPeer; store: StoreHandler; onAssociation: AssociationHook } {
  return {
    identifyPeer: (caller) => {
      const known = deps.aeTitles.find((entry) => isCaller(entry, caller));
      return known === undefined ? undefined : { aeTitle: known.aeTitle, organization: known.organization };
    },
    store: (incoming) => deps.association.store(incoming),
    onAssociation: async (event, info) => {
      deps.log.info({ event, associationId: info.associationId, callingAE: info.callingAE, stored: info.stored, failed: info.failed, reason: info.reason }, 'association');
      if (event === 'refused') await deps.trail.record([refusalOf(deps, info)]);
      if (event === 'opened' || event === 'refused') return;
      await deps.association.ended(info.associationId);
      deps.hurry();
    },
  };
}

function isCaller({ aeTitle, addresses, certificates }: RegionAeTitle, { callingAE, address, certificate }: Caller): boolean {
  if (aeTitle !== callingAE || !addresses.includes(plainAddress(address))) return false;
  return certificates === undefined || certificates.map(digitsOf).includes(digitsOf(certificate?.fingerprint256 ?? ''));
}

/** A fingerprint without colons, in one case. */
function digitsOf(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}

/** IPv4 in the clothes of IPv6 is IPv4. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:/, '');
}

function refusalOf({ clock, newId }: DimseDoorDeps, info: AssociationInfo) {
  const event = buildAuditEvent({
    id: newId(),
    kind: 'association',
    recorded: new Date(clock.now()).toISOString(),
    outcome: '4',
    outcomeDesc: info.reason ?? 'refused',
    requestId: info.associationId,
    server: 'dimse',
    client: { id: info.callingAE ?? 'unknown', address: info.address },
  });
  return { event, persons: [] };
}
