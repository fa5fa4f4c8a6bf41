/**
 * A CareTeam. One that says by its category that its participants are close to the patient's record opens it to them:
 * she alone files such a one. Of one that a Consent names, the Consent follows each change.
 */
import type { CareTeam } from '@medplum/fhirtypes';
import { actorOf, isOfDirectory } from '../../../profiles/consent/actors.ts';
import { circleOf } from '../../../profiles/consent/record-circle.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { WriteFacts } from '../../access/may-write.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { hidesFromRepresentatives, isMaskedFromRepresentatives } from '../aside/seen.ts';
import { attendanceOf } from '../consent/attendance.ts';
import { MOST_ACTORS, stands } from '../consent/named-actors.ts';
import { findAll } from '../internal-reads.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { PLAIN_HOOK } from '../write/plain-parts.ts';
import { joinParts, oneOf } from '../write/plan-parts.ts';
import type { ActParts, Placed, Work, Written } from '../write/work.ts';
import { followedParts, letsFurther } from './named-teams.ts';

/** The steps of a CareTeam. */
export const CIRCLE_HOOK = { ...PLAIN_HOOK, asked: lettingAsked, parts: teamParts, remove: removedParts };

/** What a decision asks of one that lets somebody in by a Consent: as if who writes it declared them. */
async function lettingAsked(
  work: Work,
  { placed, resource, known }: Written,
): Promise<Pick<WriteFacts, 'attendance' | 'isNomination'>> {
  if (known === undefined || isUnnamed(placed)) return {};
  const { id, standing } = placed;
  const { deps, visit, reading, now } = work;
  const team = { before: formerOf(standing), after: resource as CareTeam };
  if (!(await letsFurther(work, known.person, id, team))) return {};
  const { requester } = visit;
  return { isNomination: true, attendance: await attendanceOf(deps.records, reading, requester, known.person, now) };
}

/** No Consent names what gets its id now. */
function isUnnamed({ act, standing }: Placed): boolean {
  return act.interaction === 'create' && standing === undefined;
}

function formerOf(standing: InternalRow | undefined): CareTeam | undefined {
  return standing && openedResource<CareTeam>(standing);
}

function isHiddenFormerly(standing: InternalRow | undefined): boolean | undefined {
  return standing && isMaskedFromRepresentatives(standing);
}

/** Works out its parts, and those of the Consents that name it. */
async function teamParts(work: Work, written: Written): Promise<ActParts> {
  const made = await circleParts(work, written);
  const { placed, resource, known } = written;
  if (known === undefined || isUnnamed(placed)) return made;
  const { standing, id } = placed;
  // Where it says the same nothing is put.
  const put = made.parts.puts?.find((one) => one.type === 'CareTeam' && one.id === id);
  const wasHidden = isHiddenFormerly(standing);
  const isHidden = put === undefined ? wasHidden : hidesFromRepresentatives(put);
  const team = { before: formerOf(standing), after: resource as CareTeam, wasHidden, isHidden };
  const followed = await followedParts(work, known.person, id, team);
  return { ...made, parts: oneOf([made.parts, ...followed]) };
}

/** A team that is gone has nobody. */
async function removedParts(work: Work, placed: Placed & { readonly standing: InternalRow }): Promise<ActParts> {
  const made = await PLAIN_HOOK.remove(work, placed);
  const { id, standing } = placed;
  if (standing.person === undefined) return made;
  const wasHidden = isHiddenFormerly(standing);
  const gone = { before: formerOf(standing), after: undefined, wasHidden, isHidden: undefined };
  const followed = await followedParts(work, standing.person, id, gone);
  return { ...made, parts: oneOf([made.parts, ...followed]) };
}

/**
 * Works out its own parts.
 * @throws {Fault} forbidden - somebody other than the patient says who is close to her record
 * @throws {Fault} invalid - a participant of such a team who is no professional or organization of the directory
 * @throws {Fault} too-costly - more than MOST_ACTORS, or than MOST_STANDING with the other teams that stand
 */
async function circleParts(work: Work, written: Written): Promise<ActParts> {
  const careTeam = written.resource as CareTeam;
  if (circleOf(careTeam) === undefined) return await PLAIN_HOOK.parts(work, written);
  await requireCircle(work, careTeam);
  await requireFewStanding(work, written, careTeam);
  const made = await PLAIN_HOOK.parts(work, written, { zone: work.deps.timeZone });
  if (made.parts.puts === undefined) return made;
  return { ...made, parts: joinParts(made.parts, { jobs: [tellingOf(`CareTeam/${written.placed.id}`, work.now)] }) };
}

/** Participants of all such teams of a person: every row of hers is looked at for each. */
const MOST_STANDING = 500;

async function requireFewStanding(
  { deps, reading }: Work,
  { placed, known }: Written,
  { status, participant = [] }: CareTeam,
): Promise<void> {
  if (known === undefined || status !== 'active') return;
  const standing = await findAll<CareTeam>(deps.records, reading({ person: known.person }), 'CareTeam', [ACTIVE]);
  const others = standing.filter(({ row, resource }) => row.id !== placed.id && circleOf(resource) !== undefined);
  const count = others.reduce((sum, { resource }) => sum + (resource.participant ?? []).length, participant.length);
  if (count <= MOST_STANDING) return;
  throw new Fault('too-costly', `CareTeams that open a record have at most ${MOST_STANDING} participants in all`, {
    expression: 'CareTeam.participant',
  });
}

const ACTIVE: Criterion = { kind: 'token', param: 'status', values: [{ code: 'active' }] };

async function requireCircle(work: Work, { participant = [] }: CareTeam): Promise<void> {
  if (work.visit.requester.kind !== 'patient')
    throw new Fault('forbidden', 'Who is close to a record is said by its patient', {
      expression: 'CareTeam.category',
    });
  if (participant.length > MOST_ACTORS)
    throw new Fault('too-costly', `A CareTeam that opens a record has at most ${MOST_ACTORS} participants`, {
      expression: 'CareTeam.participant',
    });
  for (const { member } of participant) {
    const actor = actorOf(member?.reference ?? '');
    if (actor !== undefined && isOfDirectory(actor) && (await stands(work, actor))) continue;
    throw new Fault('invalid', 'A participant is a professional, a role or an organization of the directory', {
      expression: 'CareTeam.participant.member',
    });
  }
}
