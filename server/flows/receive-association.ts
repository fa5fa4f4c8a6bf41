/**
 * A DICOM peer associates and sends. Its instances share one event for each study: durable with the first instance,
 * closed with the counts when the association ends.
 */
import { studyEntity } from '../../profiles/audit-event.ts';
import { toFault } from '../../profiles/fault.ts';
import type { EstablishmentRequester, PersonKey } from '../access/requester.ts';
import type { AuditRecord, InstanceRow, QuarantinedInstance } from '../ports/commit-plan.ts';
import { eventRecord, recordRefusal, type GuardDeps, type Visit } from './guard.ts';
import type { AnnouncedInstance, InstanceSession, ReceivedInstance, receiveInstance } from './receive-instance.ts';

/** An instance announced on an association. */
export type AssociatedInstance = AnnouncedInstance & { readonly associationId: string };

/** Takes the bytes of one instance; resolves `finish` when the sender may hear of success. */
export type StoreSession = { write(chunk: Uint8Array): Promise<void>; finish(): Promise<void>; abort(): Promise<void> };

/** What the flow needs. */
export type ReceiveAssociationDeps = GuardDeps & { readonly receive: ReturnType<typeof receiveInstance>; readonly server: string };

type Sent = { readonly counts: Record<Counted, number>; readonly person: PersonKey; readonly patient: string };
type Counted = Exclude<ReceivedInstance['outcome'], 'quarantined'>;

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
  const session: InstanceSession = deps.receive(instance, {
    accepted: (row, patient) => {
      patientOf = patient;
      return studies.has(row.studyInstanceUID) ? [] : [beginning(deps, visit, row, patient)];
    },
    quarantined: (aside) => [quarantining(deps, visit, aside)],
  });
  const refused = async (error: unknown): Promise<never> => {
    await recordRefusal(deps, visit, 'c-store', toFault(error));
    throw error;
  };
  return {
    write: async (chunk) => await session.write(chunk).catch(refused),
    finish: async () => {
      const { row, outcome } = await session.finish().catch(refused);
      if (outcome === 'quarantined') return;
      const sent = studies.get(row.studyInstanceUID) ?? { counts: noneYet(), person: row.person, patient: patientOf };
      sent.counts[outcome] += 1;
      studies.set(row.studyInstanceUID, sent);
    },
    abort: async () => await session.abort(),
  };
}

function noneYet(): Sent['counts'] {
  return { stored: 0, already: 0, 'other-transfer-syntax': 0 };
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

/** Names what was sent and why it is kept aside, never what stands. No patient reads it: whose it is, is the question. */
function quarantining(deps: ReceiveAssociationDeps, visit: Visit, { studyInstanceUID, sopInstanceUID, reason }: QuarantinedInstance): AuditRecord {
  const entities = [studyEntity(studyInstanceUID, undefined, { quarantined: sopInstanceUID, reason })];
  return eventRecord(deps.clock, visit, 'c-store', { outcome: '4', outcomeDesc: `quarantined: ${reason}`, entities });
}

function closingEvent(deps: ReceiveAssociationDeps, visit: Visit, study: string, { counts, person, patient }: Sent): AuditRecord {
  const told = (Object.keys(counts) as Counted[]).filter((name) => name !== 'other-transfer-syntax' || counts[name] > 0);
  const entities = [studyEntity(study, undefined, Object.fromEntries(told.map((name) => [name, String(counts[name])])))];
  return eventRecord(deps.clock, visit, 'c-store', { person, patient, entities });
}
