/** A DICOM peer associates and sends: the instances of an association are one shipment. */
import type { EstablishmentRequester } from '../access/requester.ts';
import type { Visit } from './guard.ts';
import type { AnnouncedInstance } from './receive-instance.ts';
import { openShipment, type Shipment, type ShipmentDeps } from './receive-shipment.ts';

/** An instance announced on an association. */
export type AssociatedInstance = AnnouncedInstance & { readonly peer: { readonly aeTitle: string }; readonly associationId: string };

/** Takes the bytes of one instance; resolves `finish` when the sender may hear of success. */
export type StoreSession = { write(chunk: Uint8Array): Promise<void>; finish(): Promise<void>; abort(): Promise<void> };

/** What the flow needs. */
export type ReceiveAssociationDeps = ShipmentDeps & { readonly server: string };

/** Follows the associations of the DIMSE door. */
export function receiveAssociation(deps: ReceiveAssociationDeps) {
  const open = new Map<string, Shipment>();
  const shipmentOf = (instance: AssociatedInstance): Shipment => {
    const known = open.get(instance.associationId) ?? openShipment(deps, visitOf(deps.server, instance), { beginning: 'c-store-begin', end: 'c-store' });
    open.set(instance.associationId, known);
    return known;
  };
  return {
    /** Opens the session of one C-STORE. */
    store: (instance: AssociatedInstance): StoreSession => {
      const session = shipmentOf(instance).receive(instance);
      return { write: session.write, finish: async () => void (await session.finish()), abort: session.abort };
    },
    /** Records what an association sent. */
    ended: async (associationId: string): Promise<void> => {
      const shipment = open.get(associationId);
      open.delete(associationId);
      await shipment?.ended();
    },
  };
}

function visitOf(server: string, { peer, associationId }: AssociatedInstance): Visit {
  const requester: EstablishmentRequester = {
    kind: 'establishment',
    organization: peer.organization,
    clientId: peer.aeTitle,
    scopes: [],
    purpose: 'TREAT',
    display: peer.aeTitle,
  };
  return { requester, requestId: associationId, server };
}
