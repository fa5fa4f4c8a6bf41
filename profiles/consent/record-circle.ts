/**
 * Whom a patient takes close to her record: a CareTeam of hers whose category says what its participants are to her:
 * her médecin référent, her circle of trust, her assistant of the DSP.
 */
import type { CareTeam, CareTeamParticipant } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import { actorOf, isOfDirectory, type DirectoryActor } from './actors.ts';
import { spanOf, type TimeSpan } from './time-span.ts';

/** What participants are, the codes of `definitions/CodeSystem-record-circle.json`. */
export const CIRCLES = ['referent', 'circle', 'assistant'] as const;

/** One of {@link CIRCLES}. */
export type Circle = (typeof CIRCLES)[number];

/** A participant, and when. */
export type CircleMember = TimeSpan & { readonly actor: DirectoryActor };

/** The category of a CareTeam that says what its participants are; undefined when none does. */
export function circleOf({ category = [] }: Pick<CareTeam, 'category'>): Circle | undefined {
  const codes = category
    .flatMap(({ coding = [] }) => coding)
    .flatMap(({ system, code }) => (system === CODE_SYSTEM.recordCircle ? [code] : []));
  return CIRCLES.find((circle) => codes.includes(circle));
}

/**
 * The participants of a CareTeam that is active, those of the directory, each in the time that both the team and its
 * own period leave. Bare days are those of `zone` (IANA), or of UTC.
 */
export function membersOf(careTeam: object, zone?: string): readonly CircleMember[] {
  const { status, period, participant = [] } = careTeam as Partial<CareTeam>;
  const whole = spanOf(period, zone);
  if (status !== 'active' || whole === undefined) return [];
  return participant.flatMap((one) => memberOf(one, whole, zone) ?? []);
}

function memberOf(
  { member, period }: CareTeamParticipant,
  whole: TimeSpan,
  zone: string | undefined,
): CircleMember | undefined {
  const actor = actorOf(member?.reference ?? '');
  const own = spanOf(period, zone);
  if (actor === undefined || !isOfDirectory(actor) || own === undefined) return undefined;
  const [from, to] = [Math.max(whole.from, own.from), Math.min(whole.to, own.to)];
  return from < to ? { actor, from, to } : undefined;
}
