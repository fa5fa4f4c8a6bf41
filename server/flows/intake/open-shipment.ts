/**
 * Instances that come together, on an association or in a request. They share one event for each study: durable with
 * the first instance, closed with the counts at the end.
 */
import { studyEntity } from '../../../profiles/audit/entities.ts';
import type { PassageKind } from '../../../profiles/audit/shapes.ts';
import { Fault, toFault } from '../../../profiles/fault.ts';
import type { PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { AuditRecord, Claim, InstanceRow, QuarantinedInstance } from '../../ports/commit-plan.ts';
import { eventRecord, recordRefusal, type GuardDeps, type Visit } from '../guard.ts';
import { jobOf } from '../jobs/job-of.ts';
import { joinParts, type PlanParts } from '../write/plan-parts.ts';
import type { FiledInstance, fileInstance } from './file-instance.ts';
import type { FinishedInstance } from './receive-bytes.ts';

/** Kinds of the events: at the first instance of a study, and at the end. `marks` are claimed with each instance. */
export type ShipmentKinds = {
  readonly beginning: PassageKind;
  readonly end: PassageKind;
  readonly marks?: (row: InstanceRow) => readonly Claim[];
};

/** What a shipment needs. */
export type ShipmentDeps = GuardDeps & { readonly fileInstance: ReturnType<typeof fileInstance> };

/** Instances on their way. `ended` comes last and records what was sent. */
export type Shipment = {
  /** Files an instance. A refusal is recorded. */
  file(finished: FinishedInstance): Promise<FiledInstance>;
  /** Records that an instance was refused before it could be filed. */
  refused(fault: Fault): Promise<void>;
  ended(): Promise<void>;
};

type Sent = { readonly counts: Record<Counted, number>; readonly person: PersonKey; readonly patient: string };
type Counted = Exclude<FiledInstance['outcome'], 'quarantined' | 'dropped'>;

const STUDIES_A_PLAN = 500;

/** Opens a shipment of a visit. */
export function openShipment(deps: ShipmentDeps, visit: Visit, kinds: ShipmentKinds): Shipment {
  const studies = new Map<string, Sent>();
  const refused = async (fault: Fault): Promise<void> => await recordRefusal(deps, visit, kinds.end, fault);
  return {
    file: async (finished) => {
      try {
        const filed = await fileOne(deps, visit, kinds, studies, finished);
        if (filed.outcome === 'dropped') await refused(new Fault('business-rule', 'The patient is opposed: dropped'));
        return filed;
      } catch (error) {
        await refused(toFault(error));
        throw error;
      }
    },
    refused,
    ended: async () => {
      const ends = [...studies].map(([study, sent]): PlanParts => {
        const closing = closingEvent(deps, visit, kinds, study, sent);
        return { audit: [closing], jobs: [jobOf('refresh-study', study, deps.clock.now(), closing.event.id)] };
      });
      const warrant = systemWarrant('end-shipment', visit.requestId);
      for (let at = 0; at < ends.length; at += STUDIES_A_PLAN)
        await deps.records.commit(warrant, joinParts(...ends.slice(at, at + STUDIES_A_PLAN)));
    },
  };
}

async function fileOne(
  deps: ShipmentDeps,
  visit: Visit,
  kinds: ShipmentKinds,
  studies: Map<string, Sent>,
  finished: FinishedInstance,
): Promise<FiledInstance> {
  let patientOf = '';
  const received = await deps.fileInstance(finished, {
    requester: visit.requester,
    requestId: visit.requestId,
    accepted: (row, patient) => {
      patientOf = patient;
      const isBegun = studies.get(row.studyInstanceUID)?.person === row.person;
      return isBegun ? [] : [beginning(deps, visit, kinds, row, patient)];
    },
    quarantined: (aside) => [quarantining(deps, visit, kinds, aside)],
    ...(kinds.marks === undefined ? {} : { marks: kinds.marks }),
  });
  if (!isAccepted(received)) return received;
  const { row, outcome } = received;
  const sent = studies.get(row.studyInstanceUID) ?? { counts: noneYet(), person: row.person, patient: patientOf };
  sent.counts[outcome] += 1;
  studies.set(row.studyInstanceUID, sent);
  return received;
}

function isAccepted(filed: FiledInstance): filed is Extract<FiledInstance, { readonly row: InstanceRow }> {
  return filed.outcome !== 'quarantined' && filed.outcome !== 'dropped';
}

function noneYet(): Sent['counts'] {
  return { stored: 0, already: 0, 'other-transfer-syntax': 0 };
}

function beginning(
  deps: ShipmentDeps,
  visit: Visit,
  kinds: ShipmentKinds,
  row: InstanceRow,
  patient: string,
): AuditRecord {
  return eventRecord(deps.clock, visit, kinds.beginning, {
    person: row.person,
    patient,
    entities: [studyEntity(row.studyInstanceUID)],
  });
}

/**
 * Names what was sent and why it is kept aside, never what stands. Whom its sender says it is of reads it, and her
 * name is not in it: whose it is, is the question.
 */
function quarantining(
  deps: ShipmentDeps,
  visit: Visit,
  kinds: ShipmentKinds,
  { studyInstanceUID, sopInstanceUID, reason, person }: QuarantinedInstance,
): AuditRecord {
  const entities = [studyEntity(studyInstanceUID, undefined, { quarantined: sopInstanceUID, reason })];
  const outcome = { outcome: '4', outcomeDesc: `quarantined: ${reason}` } as const;
  return eventRecord(deps.clock, visit, kinds.end, {
    ...outcome,
    ...(person === undefined ? {} : { person }),
    entities,
  });
}

function closingEvent(
  deps: ShipmentDeps,
  visit: Visit,
  kinds: ShipmentKinds,
  study: string,
  { counts, person, patient }: Sent,
): AuditRecord {
  const told = (Object.keys(counts) as Counted[]).filter(
    (name) => name !== 'other-transfer-syntax' || counts[name] > 0,
  );
  const entities = [
    studyEntity(study, undefined, Object.fromEntries(told.map((name) => [name, String(counts[name])]))),
  ];
  return eventRecord(deps.clock, visit, kinds.end, { person, patient, entities });
}
