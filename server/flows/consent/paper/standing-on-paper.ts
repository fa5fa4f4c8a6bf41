/**
 * What the desk of the region may end by a paper: what a patient withdrew herself who has no account, by which she
 * would end it, and what an establishment recorded that has left the region file.
 */
import type { Consent, RelatedPerson } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { recordedBy } from '../../../../profiles/consent/sharing.ts';
import type { Criterion } from '../../../../profiles/search/query.ts';
import { systemGrant, type NarrowReading } from '../../../access/grant.ts';
import type { SubjectFacts } from '../../../access/may-write.ts';
import { representativeAt, type RepresentativeDeps } from '../../care/representatives.ts';
import { identitiesOf } from '../../identity/identities.ts';
import type { RegionIndex } from '../../identity/region-index.ts';
import { findAll } from '../../internal-reads.ts';
import { isSaidAs, type StandingSharing } from '../sharing-parts.ts';

/** What it takes. */
export type PaperDeps = RepresentativeDeps & { readonly region: Pick<RegionIndex, 'establishments'> };

type Denial = Consent & { readonly id: string };

/** Withdrawals and oppositions that a paper ends, those that stand beside it, and whether an account keeps others. */
export type OnPaper = {
  readonly ended: readonly Denial[];
  readonly left: readonly Denial[];
  /** Something of hers stands, and she ends it herself. */
  readonly isHers: boolean;
};

/** Tells it, of what she said as the identity that is named. */
export async function standingOnPaper(
  deps: PaperDeps,
  reading: NarrowReading,
  { person, patient }: Pick<SubjectFacts, 'person' | 'patient'>,
  standing: StandingSharing,
): Promise<OnPaper> {
  const { denials } = standing.sharing;
  const own = denials.filter((denial) => isSaidAs(standing, denial, patient));
  const isHers = own.length > 0 && (await hasAccount(deps, reading, person));
  const ended = denials.filter((denial) => {
    const organization = recordedBy(denial);
    if (organization === undefined) return !isHers && own.includes(denial);
    return !deps.region.establishments.includes(organization);
  });
  return { ended, left: denials.filter((denial) => !ended.includes(denial)), isHers };
}

/**
 * Whether she, or who represents her now, has an account: it was signed in to, and is not turned off. Where nobody can
 * sign in any more, a desk turns it off first.
 */
async function hasAccount(deps: PaperDeps, reading: NarrowReading, person: SubjectFacts['person']): Promise<boolean> {
  const { records, clock } = deps;
  const now = clock.now();
  const { accountOff } = await records.stateOf(reading({ person }), person);
  if (accountOff) return false;
  const identities = await identitiesOf(records, person, now);
  const related = await findAll<RelatedPerson>(records, reading({ person }), 'RelatedPerson', []);
  const accounts = identities.map(({ content }) => `Patient/${content.id}`);
  for (const { row } of related) {
    const reference = `RelatedPerson/${row.id}`;
    if ((await representativeAt(deps)(reference)) !== undefined) accounts.push(reference);
  }
  const where: readonly Criterion[] = [{ kind: 'reference', param: 'agent', values: accounts }, ...SIGNED_IN];
  const query = { type: 'AuditEvent', where, count: 1, total: 'none', include: [] } as const;
  const { rows } = await records.peek(systemGrant('decide-at-desk', 'whole', now), { kind: 'search', query });
  return rows.length > 0;
}

/** A sign-in that succeeded. */
const SIGNED_IN: readonly Criterion[] = [
  { kind: 'token', param: 'type', values: [{ system: CODE_SYSTEM.dcm, code: '110114' }] },
  { kind: 'token', param: 'outcome', values: [{ code: '0' }] },
];
