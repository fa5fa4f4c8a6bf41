/**
 * Consents whose team was lost without a write of it: it is another person's since two who were one were parted, went
 * with what came in under an identity, or was ended as given meanwhile. They name it no more.
 */
import type { CareTeam, Consent } from '@medplum/fhirtypes';
import { teamNamed } from '../../../profiles/consent/giving/named-team.ts';
import { circleOf } from '../../../profiles/consent/record-circle.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { GIVES_OR_WAITS, without } from '../consent/standing-declarations.ts';
import { findAll, findById, type Found } from '../internal-reads.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';

type LostTeamsDeps = { readonly records: RecordStore; readonly clock: Clock; readonly indexer: Indexer };

/** Takes such teams out of the Consents of a person: those that name nobody else are inactive. It may run twice. */
export async function dropLostTeams(deps: LostTeamsDeps, person: PersonKey): Promise<void> {
  const { records, clock } = deps;
  await commitFresh(records, async () => {
    const now = clock.now();
    const reading = systemReading('end-given', now);
    const parts: PlanParts[] = [];
    for (const found of await findAll<Consent>(records, reading({ person }), 'Consent', [GIVES_OR_WAITS])) {
      const team = teamNamed(found.resource);
      if (team === undefined) continue;
      const standing = await findById<CareTeam>(records, reading, 'CareTeam', team.replace(/^CareTeam\//, ''));
      if (isLost(person, standing)) parts.push(withoutTeam(deps, person, found, team));
    }
    return { warrant: systemWarrant('end-given', person), plan: joinParts(...parts), result: undefined };
  });
}

function isLost(person: PersonKey, team: Found<CareTeam> | undefined): boolean {
  if (team?.row.person !== person) return true;
  return circleOf(team.resource) !== undefined && team.resource.status === 'inactive';
}

function withoutTeam(
  { clock, indexer }: LostTeamsDeps,
  person: PersonKey,
  { row, resource }: Found<Consent>,
  team: string,
): PlanParts {
  const { patient = row.subject } = row;
  const event = recordOf(clock, ownOccasion('passerelle'), 'withdraw', {
    person,
    ...(patient === undefined ? {} : { patient }),
    consent: `Consent/${row.id}`,
    entities: [{ detail: { change: 'ended: the team that it named is hers no more' } }],
  });
  const left = changed(indexer, row, without(resource, new Set([team])), clock.now(), aboutRow(row));
  return joinParts({ audit: [event] }, left);
}
