/** An event that tells more of a passage, after the one of its beginning. */
import type { AuditEvent, AuditEventEntity } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM } from '../codes.ts';

/** What the further event tells. `recorded` is an ISO 8601 instant. */
export type FurtherFacts = {
  readonly id: string;
  readonly recorded: string;
  /** Said of the study, in place of what its beginning said. */
  readonly detail: Readonly<Record<string, string>>;
  /** Whether the study must not be named again. */
  readonly isErased: boolean;
};

/** The ImagingStudy (`ImagingStudy/id`) that an event names, if it names one. */
export function imagingStudyOf({ entity = [] }: AuditEvent): string | undefined {
  return entity.find(isStudy)?.what?.reference;
}

const MORE = 'further requests of ';

/** What the event of an end tells: how many requests for a part followed the first. */
export function moreRequests(part: string, further: number): Readonly<Record<string, string>> {
  return { [`${MORE}${part}`]: String(further) };
}

/** Whether an event tells that of a passage which has an event of its own. */
export function tellsMoreRequests({ entity = [] }: AuditEvent): boolean {
  return entity.some(({ detail = [] }) => detail.some(({ type }) => type?.startsWith(MORE)));
}

/** Builds the further event from that of the beginning: who, where, whose record and under which right are the same. */
export function furtherEvent(beginning: AuditEvent, facts: FurtherFacts): AuditEvent & { id: string } {
  const { id, recorded } = facts;
  const { meta: { profile } = {}, entity = [], ...same } = beginning;
  const others = entity.filter((one) => !isStudy(one));
  const meta = profile === undefined ? {} : { meta: { profile } };
  return { ...same, id, ...meta, recorded, entity: [studyToldOf(entity.find(isStudy), facts), ...others] };
}

function isStudy({ what }: AuditEventEntity): boolean {
  return what?.identifier?.system === IDENTIFIER_SYSTEM.dicomUid;
}

function studyToldOf(
  { what, type, role }: Pick<AuditEventEntity, 'what' | 'type' | 'role'> = {
    type: { system: CODE_SYSTEM.auditEntityType, code: '2' },
    role: { system: CODE_SYSTEM.objectRole, code: '3' },
  },
  { detail, isErased }: FurtherFacts,
): AuditEventEntity {
  return {
    ...(what === undefined || isErased ? {} : { what }),
    ...(type === undefined ? {} : { type }),
    ...(role === undefined ? {} : { role }),
    detail: Object.entries(detail).map(([type, valueString]) => ({ type, valueString })),
  };
}
