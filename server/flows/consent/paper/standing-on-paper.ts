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
import { isSaidAs, isSaidByHerself, stoodAt, type StandingSharing } from '../sharing-parts.ts';

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

/**
 * Tells it, of what she said as the identity that is named. What was said after the paper was recorded (`filed`, epoch
 * milliseconds) it does not speak of.
 */
export async function standingOnPaper(
  deps: PaperDeps,
  reading: NarrowReading,
  { person, patient }: Pick<SubjectFacts, 'person' | 'patient'>,
  standing: StandingSharing,
  filed: number,
): Promise<OnPaper> {
  const { denials } = standing.sharing;
  const own = denials.filter((denial) => isSaidAs(standing, denial, patient));
  const isHers = own.length > 0 && (await hasAccount(deps, reading, person, denials));
  const ended = denials.filter((denial) => {
    if (!stoodAt(standing, denial, filed)) return false;
    const organization = recordedBy(denial);
    if (organization === undefined) return !isHers && own.includes(denial);
    return !deps.region.establishments.includes(organization);
  });
  return { ended, left: denials.filter((denial) => !ended.includes(denial)), isHers };
}

/**
 * Whether she, or who represents her now, has an account that is not turned off: what she said in it proves it, or a
 * sign-in, which the trail keeps for a time alone. Where nobody can sign in any more, a desk turns it off first.
 */
async function hasAccount(
  deps: PaperDeps,
  reading: NarrowReading,
  person: SubjectFacts['person'],
  denials: readonly Denial[],
): Promise<boolean> {
  const { records, clock } = deps;
  const { accountOff } = await records.stateOf(reading({ person }), person);
  if (accountOff) return false;
  if (denials.some((denial) => isSaidByHerself(denial))) return true;
  const representatives = await representing(deps, reading, person);
  const speakers = denials.flatMap(({ performer = [] }) => performer.map(({ reference = '' }) => reference));
  if (speakers.some((speaker) => representatives.includes(speaker))) return true;
  const now = clock.now();
  const identities = await identitiesOf(records, person, now);
  const accounts = [...identities.map(({ content }) => `Patient/${content.id}`), ...representatives];
  const where: readonly Criterion[] = [{ kind: 'reference', param: 'agent', values: accounts }, ...SIGNED_IN];
  const query = { type: 'AuditEvent', where, count: 1, total: 'none', include: [] } as const;
  const { rows } = await records.peek(systemGrant('find-sign-in', 'whole', now), { kind: 'search', query });
  return rows.length > 0;
}

/** Who represents her now (`RelatedPerson/id`). */
async function representing(
  deps: PaperDeps,
  reading: NarrowReading,
  person: SubjectFacts['person'],
): Promise<readonly string[]> {
  const related = await findAll<RelatedPerson>(deps.records, reading({ person }), 'RelatedPerson', []);
  const representatives: string[] = [];
  for (const { row } of related) {
    const reference = `RelatedPerson/${row.id}`;
    if ((await representativeAt(deps)(reference)) !== undefined) representatives.push(reference);
  }
  return representatives;
}

/** A sign-in that succeeded. */
const SIGNED_IN: readonly Criterion[] = [
  { kind: 'token', param: 'type', values: [{ system: CODE_SYSTEM.dcm, code: '110114' }] },
  { kind: 'token', param: 'outcome', values: [{ code: '0' }] },
];
