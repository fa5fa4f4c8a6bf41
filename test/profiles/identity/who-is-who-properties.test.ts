import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Identity, Verdict } from '../../../profiles/identity/identity.ts';
import type { NationalNumber } from '../../../profiles/identity/national-numbers.ts';
import { settle, type Settled } from '../../../profiles/identity/who-is-who.ts';
import { anyNumber, anySaying, identities, IDS, verdicts } from './any-identities.ts';
import { arrive, componentsOf, idsOf, isConsistent, setOf } from './identities.ts';

/** Identities that arrived, and one of them that says something else then. */
const story = fc.record({ identities, verdicts, at: fc.nat(IDS.length - 1), says: anySaying });

type Story = { identities: Identity[]; verdicts: Verdict[]; at: number; says: Omit<Identity, 'id' | 'since'> };

function play({ identities, verdicts, at, says }: Story): { before: Settled; after: Settled; one: Identity } {
  const before = arrive(identities, verdicts);
  const one = identities[at % identities.length];
  if (one === undefined) throw new Error('A story has an identity');
  return { before, after: settle({ clusters: before.clusters, changed: [{ ...one, ...says }], verdicts }), one };
}

function areTogether({ clusters }: Settled, one: string, other: string): boolean {
  return clusters.some((cluster) => [one, other].every((id) => cluster.some((each) => each.id === id)));
}

/** Whether nobody calls a number old. */
function isNeverOld(one: NationalNumber, all: readonly Identity[]): boolean {
  const numbers = all.flatMap(({ numbers }) => numbers);
  return ![one, ...numbers].some(({ system, value, isOld }) => isOld && system === one.system && value === one.value);
}

const RUNS = { numRuns: 500 };

describe('Who is who, whatever is said', () => {
  it('the order of arrival says nothing where nothing contradicts', () => {
    fc.assert(
      fc.property(identities, verdicts, fc.infiniteStream(fc.nat()), (all, verdicts, order) => {
        const groups = componentsOf(all, verdicts);
        fc.pre(groups.every((group) => isConsistent(group, verdicts)));
        const shuffled = all
          .map((one) => ({ one, by: order.next().value }))
          .sort((one, other) => one.by - other.by)
          .map(({ one }) => one);
        expect(idsOf(arrive(shuffled, verdicts).clusters)).to.deep.equal(idsOf(groups));
      }),
      RUNS,
    );
  });

  it('a person hangs together and contradicts herself in nothing', () => {
    fc.assert(
      fc.property(story, (told) => {
        for (const cluster of play(told).after.clusters) {
          expect(componentsOf(cluster, told.verdicts), setOf(cluster)).to.have.length(1);
          expect(cluster.length === 1 || isConsistent(cluster, told.verdicts), setOf(cluster)).to.equal(true);
        }
      }),
      RUNS,
    );
  });

  it('what one source says separates no others, but who had hung together by it', () => {
    fc.assert(
      fc.property(story, (told) => {
        const { before, after, one } = play(told);
        const cluster = before.clusters.find((all) => all.some(({ id }) => id === one.id)) ?? [];
        const others = before.clusters.filter((all) => all !== cluster);
        const rests = componentsOf(
          cluster.filter(({ id }) => id !== one.id),
          told.verdicts,
        ).filter((rest) => isConsistent(rest, told.verdicts));
        for (const rest of [...others, ...rests])
          for (const { id } of rest) expect(areTogether(after, rest[0]?.id ?? '', id), setOf(rest)).to.equal(true);
      }),
      RUNS,
    );
  });

  it('what one source says joins others only with itself between them, or where it had kept them apart', () => {
    fc.assert(
      fc.property(story, (told) => {
        const { before, after, one } = play(told);
        for (const cluster of after.clusters.filter((all) => all.every(({ id }) => id !== one.id))) {
          const former = before.clusters.filter((all) => all.some(({ id }) => cluster.some((each) => each.id === id)));
          const group = componentsOf(told.identities, told.verdicts).find((all) => all.includes(one)) ?? [];
          const hungTogether = cluster.every((each) => group.includes(each));
          expect(former.length === 1 || hungTogether, setOf(cluster)).to.equal(true);
        }
      }),
      RUNS,
    );
  });

  it('the same said again changes nothing', () => {
    fc.assert(
      fc.property(story, (told) => {
        const { after } = play(told);
        for (const again of after.clusters.flat()) {
          const same = settle({ clusters: after.clusters, changed: [again], verdicts: told.verdicts });
          expect(idsOf(same.clusters)).to.deep.equal(idsOf(after.clusters));
        }
      }),
      RUNS,
    );
  });

  // One that calls a number old may explain what contradicts, and who became one by that stays so where it still fits.
  it('an identity that came and went leaves no trace', () => {
    fc.assert(
      fc.property(identities, verdicts, anySaying, (all, verdicts, says) => {
        fc.pre(says.numbers.every((one) => isNeverOld(one, all)));
        const before = arrive(all, verdicts);
        const came = arrive([{ id: 'x', since: 99, ...says }], verdicts, before.clusters);
        const gone = settle({ clusters: came.clusters, changed: [], removed: ['x'], verdicts });
        expect(idsOf(gone.clusters)).to.deep.equal(idsOf(before.clusters));
      }),
      RUNS,
    );
  });

  it('a number that is said and taken back leaves no trace, unless it parted persons', () => {
    fc.assert(
      fc.property(story, anyNumber, (any, extra) => {
        const told = { ...any, verdicts: [] };
        const one = told.identities[told.at % told.identities.length];
        fc.pre(
          one !== undefined &&
            isNeverOld(extra, told.identities) &&
            !one.numbers.some(({ system }) => system === extra.system),
        );
        const says = { ...one, numbers: [...one.numbers, extra] };
        const { before, after } = play({ ...told, says });
        const mates = before.clusters.find((all) => all.includes(one)) ?? [];
        fc.pre(mates.every(({ id }) => areTogether(after, one.id, id)));
        const undone = settle({ clusters: after.clusters, changed: [one], verdicts: [] });
        expect(idsOf(undone.clusters)).to.deep.equal(idsOf(before.clusters));
      }),
      RUNS,
    );
  });
});
