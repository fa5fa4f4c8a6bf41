/**
 * A CareTeam. One that says by its category that its participants are close to the patient's record opens it to them:
 * she alone files such a one.
 */
import type { CareTeam } from '@medplum/fhirtypes';
import { actorOf } from '../../../profiles/consent/actors.ts';
import { circleOf } from '../../../profiles/consent/record-circle.ts';
import { Fault } from '../../../profiles/fault.ts';
import { MOST_ACTORS, stands } from '../consent/named-actors.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { PLAIN_HOOK } from '../write/plain-parts.ts';
import { joinParts } from '../write/plan-parts.ts';
import type { ActParts, Work, Written } from '../write/work.ts';

/** The steps of a CareTeam. */
export const CIRCLE_HOOK = { ...PLAIN_HOOK, parts: circleParts };

/**
 * Works out its parts.
 * @throws {Fault} forbidden - somebody other than the patient says who is close to her record
 * @throws {Fault} invalid - a participant of such a team who is no professional or organization of the directory
 * @throws {Fault} too-costly - more than MOST_ACTORS
 */
async function circleParts(work: Work, written: Written): Promise<ActParts> {
  const careTeam = written.resource as CareTeam;
  if (circleOf(careTeam) === undefined) return await PLAIN_HOOK.parts(work, written);
  await requireCircle(work, careTeam);
  const made = await PLAIN_HOOK.parts(work, written, { zone: work.deps.timeZone });
  if (made.parts.puts === undefined) return made;
  return { ...made, parts: joinParts(made.parts, { jobs: [tellingOf(`CareTeam/${written.placed.id}`, work.now)] }) };
}

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
    if (actor !== undefined && (await stands(work, actor))) continue;
    throw new Fault('invalid', 'A participant is a professional, a role or an organization of the directory', {
      expression: 'CareTeam.participant.member',
    });
  }
}
