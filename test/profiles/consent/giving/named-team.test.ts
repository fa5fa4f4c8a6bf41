/** Who is in a CareTeam that a Consent names, before and after a change of it. */
import { expect } from 'chai';
import { takesInFurther, type TeamMember } from '../../../../profiles/consent/giving/named-team.ts';

const PERSONS = 3;
const TIMES = [0, 1, 2, 3];

/** Teams of up to three members, each of few persons and times, by a number. */
function teamOf(number: number): readonly TeamMember[] {
  const members: TeamMember[] = [];
  for (let rest = number; rest > 0; rest = Math.floor(rest / 30)) {
    const from = rest % 3;
    const to = TIMES.find((time) => time > from + (Math.floor(rest / 9) % 2)) ?? TIMES.length;
    members.push({ reference: `Practitioner/${Math.floor(rest / 3) % PERSONS}`, from, to });
  }
  return members;
}

const team = (members: readonly TeamMember[]) => ({ team: 'CareTeam/one', members });

describe('A CareTeam that a Consent names, as it changes', () => {
  it('takes somebody in whom it did not have, or not for so long at a stretch', () => {
    let further = 0;
    for (let at = 0; at < 3_000; at += 1) {
      const [after, before] = [teamOf((at * 7_919) % 27_000), teamOf((at * 104_729) % 27_000)];
      const isSaid = after.some(
        (one) => !before.some((had) => had.reference === one.reference && had.from <= one.from && one.to <= had.to),
      );
      expect(takesInFurther(team(after), team(before)), JSON.stringify({ after, before })).to.equal(isSaid);
      if (isSaid) further += 1;
    }
    expect(further).to.be.within(500, 2_900);
  });

  it('is compared in few looks at each member, however many there are, and however often one is', () => {
    for (const nameOf of [(at: number) => `Practitioner/${at}`, () => 'Practitioner/one']) {
      let looks = 0;
      const members = Array.from({ length: 1_000 }, (_, at) => ({
        get reference() {
          looks += 1;
          return nameOf(at);
        },
        from: at,
        to: at + 1,
      }));
      expect(takesInFurther(team(members), team(members.toReversed()))).to.equal(false);
      expect(looks).to.be.below(10_000);
    }
  });
});
