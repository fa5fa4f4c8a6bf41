/** A DICOM peer associates and sends: the instances of an association are one shipment. */
import type { Fault } from '../../../profiles/fault.ts';
import type { EstablishmentRequester } from '../../access/requester.ts';
import type { Visit } from '../guard.ts';
import { openShipment, type Shipment, type ShipmentDeps } from './open-shipment.ts';
import type { FinishedInstance } from './receive-bytes.ts';

/** Who sends, on which association. `organization` is `Organization/id`. */
export type Sender = {
  readonly associationId: string;
  readonly peer: { readonly aeTitle: string; readonly organization: string };
};

/** What the flow needs. */
export type ReceiveAssociationDeps = ShipmentDeps & { readonly server: string };

/** Follows the associations of the DIMSE door. */
export function receiveAssociation(deps: ReceiveAssociationDeps) {
  const open = new Map<string, Shipment>();
  const shipmentOf = (sender: Sender): Shipment => {
    const known =
      open.get(sender.associationId) ??
      openShipment(deps, visitOf(deps.server, sender), { beginning: 'c-store-begin', end: 'c-store' });
    open.set(sender.associationId, known);
    return known;
  };
  return {
    /** Files an instance; resolves when the sender may hear of success. */
    file: async (sender: Sender, finished: FinishedInstance): Promise<void> =>
      void (await shipmentOf(sender).file(finished)),
    /** Records that an instance was refused while it came. */
    refused: async (sender: Sender, fault: Fault): Promise<void> => await shipmentOf(sender).refused(fault),
    /** Records what an association sent. */
    ended: async (associationId: string): Promise<void> => {
      const shipment = open.get(associationId);
      open.delete(associationId);
      await shipment?.ended();
    },
  };
}

function visitOf(server: string, { peer, associationId }: Sender): Visit {
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
