/** The profiles that an AuditEvent satisfies, and so may name (meta.profile). */
import { BALP_PROFILE_PREFIX } from '../codes.ts';
import type { PassageFacts } from './facts.ts';
import type { Shape } from './shapes.ts';

/**
 * Tells the profiles of a passage that succeeded: how a person proved who they are, and the pattern of the interaction,
 * where the event has all that the pattern demands. BALP knows none of a refusal.
 */
export function profilesOf(facts: PassageFacts, shape: Shape): readonly string[] {
  if (facts.outcome !== '0') return [];
  return [...patternOf(facts, shape), ...proofOf(facts)];
}

function patternOf(facts: PassageFacts, { pattern, guide }: Shape): readonly string[] {
  if (pattern === undefined || facts.client.address === undefined) return [];
  if (pattern === 'AuthZconsent') return isAuthorization(facts) ? [`${BALP_PROFILE_PREFIX}${pattern}`] : [];
  if (!facts.server.startsWith('http') || facts.entities?.length !== 1) return [];
  if (guide !== undefined && (facts.patient !== undefined || !guide.ofPatient)) return [guide.profile];
  return [`${BALP_PROFILE_PREFIX}${facts.patient === undefined ? '' : 'Patient'}${pattern}`];
}

/** It names one organization. */
function isAuthorization({ patient, consent, user }: PassageFacts): boolean {
  const organizations = new Set((user?.roles ?? []).map(({ organization }) => organization));
  return patient !== undefined && consent !== undefined && user !== undefined && organizations.size < 2;
}

function proofOf({ user }: PassageFacts): readonly string[] {
  if (user?.tokenId === undefined) return [];
  const proof = user.assertion === undefined ? 'OAUTHaccessTokenUse' : 'SAMLaccessTokenUse';
  return [`${BALP_PROFILE_PREFIX}${proof}.Minimal`];
}
