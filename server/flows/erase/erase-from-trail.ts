/**
 * A person goes out of the audit trail: what its events tell of her, what was asked by a number or name of hers, and
 * that it was she who acted, or who represents her. The chain stays whole, and who passed when stays readable.
 */
import type { AuditEvent } from '@medplum/fhirtypes';
import type { Criterion } from '../../../profiles/search/query.ts';
import { systemGrant } from '../../access/grant.ts';
import type { ErasedPerson } from '../../ports/audit-trail.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import { recordOf, ownOccasion } from '../audit/event-records.ts';
import { identitiesOf } from '../identity/identities.ts';
import { findAll } from '../internal-reads.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import type { Begun } from './begin-erasure.ts';
import type { EraseStudyDeps } from './erase-study.ts';
import { trailNamesOf } from './trail-names.ts';

/** Who she is in the trail. Her names are known as long as her identities stand. */
export async function erasedPerson({ records, clock }: EraseStudyDeps, begun: Begun): Promise<ErasedPerson> {
  const ids = new Set(begun.identities.map(({ id }) => id));
  const standing = (await identitiesOf(records, begun.person, clock.now())).filter(({ content }) =>
    ids.has(content.id),
  );
  return {
    persons: new Set(begun.identities.map(({ home }) => home)),
    agents: new Set([...[...ids].map((id) => `Patient/${id}`), ...(begun.representatives ?? [])]),
    names: standing.flatMap(({ content }) => trailNamesOf(content)),
  };
}

/** Takes her out by a request (`Task/id`). */
export async function eraseFromTrail(
  { trail, clock }: EraseStudyDeps,
  request: string,
  who: ErasedPerson,
  { goOn }: JobRun,
): Promise<void> {
  const told = (events: number): AuditRecord =>
    recordOf(clock, ownOccasion('passerelle'), 'erase-events', {
      entities: [{ what: { reference: request }, role: '13', detail: { events: String(events) } }],
    });
  await trail.erasePerson(who, told, goOn);
}

/** Of how many events the trail tells less by a request (`Task/id`), whoever took a part out and died meanwhile. */
export async function eventsErasedBy({ records, trail, clock }: EraseStudyDeps, request: string): Promise<number> {
  await trail.head();
  const grant = systemGrant('erase-record', 'whole', clock.now());
  const about: Criterion = { kind: 'reference', param: 'entity', values: [request] };
  const found = await findAll<AuditEvent>(records, grant, 'AuditEvent', [about]);
  return await trail.countErased(found.map(({ row }) => row.id));
}
