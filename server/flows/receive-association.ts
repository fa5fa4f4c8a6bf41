/**
 * A DICOM peer associates and sends. Its instances share one event for each study: durable with the first instance,
 * closed with the counts when the association ends.
 */
import { studyEntity } from '../../profiles/audit-event.ts';
import { toFault } from '../../profiles/fault.ts';
import type { EstablishmentRequester, PersonKey } from '../access/requester.ts';
import type { AuditRecord, InstanceRow } from '../ports/commit-plan.ts';
import { eventRecord, recordRefusal, type GuardDeps, type Visit } from './guard.ts';
import type { AnnouncedInstance, InstanceSession, receiveInstance } from './receive-instance.ts';

/** An instance announced on an association. */
export type AssociatedInstance = AnnouncedInstance & { readonly associationId: string };

/** Takes the bytes of one instance; resolves `finish` when the sender may hear of success. */
export type StoreSession = { write(chunk: Uint8Array): Promise<void>; finish(): Promise<void>; abort(): Promise<void> };

/** What the flow needs. */
export type ReceiveAssociationDeps = GuardDeps & { readonly receive: ReturnType<typeof receiveInstance>; readonly server: string };

type Sent = { stored: number; already: number; readonly person: PersonKey; readonly patient: string };

/** Follows the associations of the DIMSE door. */
export function receiveAssociation(deps: ReceiveAssociationDeps) {
  const open = new Map<string, { readonly visit: Visit; readonly studies: Map<string, Sent> }>();
  const associationOf = (instance: AssociatedInstance) => {
    const known = open.get(instance.associationId) ?? { visit: visitOf(deps.server, instance), studies: new Map<string, Sent>() };
    open.set(instance.associationId, known);
    return known;
  };
  return {
    /** Opens the session of one C-STORE. */
    store: (instance: AssociatedInstance): StoreSession => {
      const { visit, studies } = associationOf(instance);
      return sessionOf(deps, visit, studies, instance);
    },
    /** Records what an association sent. */
    ended: async (associationId: string): Promise<void> => {
      const association = open.get(associationId);
      open.delete(associationId);
      if (association === undefined) return;
      const events = [...association.studies].map(([study, sent]) => closingEvent(deps, association.visit, study, sent));
      if (events.length > 0) await deps.trail.record(events);
    },
  };
}

function sessionOf(deps: ReceiveAssociationDeps, visit: Visit, studies: Map<string, Sent>, instance: AssociatedInstance): StoreSession {
  let patientOf = '';
  const session: InstanceSession = deps.receive(instance, (row, patient) => {
    patientOf = patient;
    return studies.has(row.studyInstanceUID) ? [] : [beginning(deps, visit, row, patient)];
  });
  const refused = async (error: unknown): Promise<never> => {
    await recordRefusal(deps, visit, 'c-store', toFault(error));
    throw error;
  };
  return {
    write: async (chunk) => await session.write(chunk).catch(refused),
    finish: async () => {
      const { row, outcome } = await session.finish().catch(refused);
      const sent = studies.get(row.studyInstanceUID) ?? { stored: 0, already: 0, person: row.person, patient: patientOf };
      sent[outcome] += 1;
      studies.set(row.studyInstanceUID, sent);
    },
    abort: async () => await session.abort(),
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

function beginning(deps: ReceiveAssociationDeps, visit: Visit, row: InstanceRow, patient: string): AuditRecord {
  return eventRecord(deps.clock, visit, 'c-store-begin', { person: row.person, patient, entities: [studyEntity(row.studyInstanceUID)] });
}

function closingEvent(deps: ReceiveAssociationDeps, visit: Visit, study: string, { stored, already, person, patient }: Sent): AuditRecord {
  const entities = [studyEntity(study, undefined, { stored: String(stored), already: String(already) })];
  return eventRecord(deps.clock, visit, 'c-store', { person, patient, entities });
}
