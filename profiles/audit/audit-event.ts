/**
 * AuditEvents in the shapes of IHE BALP; DICOM codes where BALP has no pattern (DICOMweb, C-STORE, break-glass).
 * @see https://profiles.ihe.net/ITI/BALP
 */
import type { AuditEvent } from '@medplum/fhirtypes';
import { agentsOf, purposeCoding, SERVER } from './agents.ts';
import { profilesOf } from './claims.ts';
import { entitiesOf } from './entities.ts';
import type { PassageFacts } from './facts.ts';
import { PASSAGE, type Shape } from './shapes.ts';

/** Builds the AuditEvent of a passage. */
export function buildAuditEvent(facts: PassageFacts): AuditEvent & { id: string } {
  const shape: Shape = PASSAGE[facts.kind];
  const { type, subtype, action } = shape;
  const profile = profilesOf(facts, shape);
  return {
    resourceType: 'AuditEvent',
    id: facts.id,
    ...(profile.length === 0 ? {} : { meta: { profile: [...profile] } }),
    type,
    ...(subtype.length === 0 ? {} : { subtype: [...subtype] }),
    action,
    recorded: facts.recorded,
    outcome: facts.outcome,
    ...(facts.outcomeDesc === undefined ? {} : { outcomeDesc: facts.outcomeDesc }),
    ...(facts.user === undefined ? {} : { purposeOfEvent: [{ coding: [purposeCoding(facts.user.purpose)] }] }),
    agent: agentsOf(facts, shape),
    source: {
      site: facts.server,
      observer: SERVER,
      type: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
          code: '4',
          display: 'Application Server',
        },
      ],
    },
    entity: entitiesOf(facts, shape),
  };
}
