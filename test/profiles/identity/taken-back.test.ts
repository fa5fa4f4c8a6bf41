/** What is said and taken back leaves no trace (identity.md: every mistake can be undone). */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { keptOf, type FormerPersons } from '../../../profiles/identity/former-persons.ts';
import type { Identity, Verdict } from '../../../profiles/identity/identity.ts';
import { settle, type Settled } from '../../../profiles/identity/who-is-who.ts';
import { anyNumber, anySaying, anyVerdict, identities, verdicts } from './any-identities.ts';
import { arrive, identity, idsOf, number, traits } from './identities.ts';

/** Who says what and is who, with what is kept of each (by id). */
type State = {
  readonly said: ReadonlyMap<string, Identity>;
  readonly verdicts: readonly Verdict[];
  readonly settled: Settled;
  readonly kept: ReadonlyMap<string, readonly FormerPersons[]>;
};

function stateOf(all: readonly Identity[], verdicts: readonly Verdict[] = []): State {
  const said = new Map(all.map((one) => [one.id, one]));
  return { said, verdicts, settled: arrive(all, verdicts), kept: new Map() };
}

/** What is said then, of the identities that this names. */
type Act = { readonly of: readonly string[]; readonly says?: Partial<Identity>; readonly verdict?: Verdict };

function isOfBoth({ one, other }: Verdict, { one: first, other: second }: Verdict): boolean {
  return [one, other].every((id) => id === first || id === second);
}

function after({ said, verdicts }: State, { of, says, verdict }: Act): Pick<State, 'said' | 'verdicts'> {
  const anew = of.flatMap((id) => said.get(id) ?? []).map((one) => [one.id, { ...one, ...says }] as const);
  const rest = verdict === undefined ? verdicts : [...verdicts.filter((one) => !isOfBoth(one, verdict)), verdict];
  return { said: new Map([...said, ...anew]), verdicts: rest };
}

/** Says something else of identities (ids). */
function changed(state: State, { said, verdicts }: Pick<State, 'said' | 'verdicts'>, of: readonly string[]): State {
  const settled = settle({
    clusters: state.settled.clusters,
    changed: of.flatMap((id) => said.get(id) ?? []),
    verdicts,
    formerVerdicts: state.verdicts,
    formerPersons: of.flatMap((id) => state.kept.get(id) ?? []),
  });
  const { former } = settled;
  const anew = former === undefined ? [] : of.map((id) => [id, keptOf(state.kept.get(id) ?? [], former)] as const);
  return { said, verdicts, settled, kept: new Map([...state.kept, ...anew]) };
}

function done(state: State, act: Act): State {
  return changed(state, after(state, act), act.of);
}

/** Whether all are known, and desks have not said the same already: that is refused. */
function isPossible({ said, verdicts }: State, { of, verdict }: Act): boolean {
  const isNews = verdict === undefined || !verdicts.some((one) => isOfBoth(one, verdict) && one.same === verdict.same);
  return isNews && of.every((id) => said.has(id));
}

/** Does all of it and takes it back, the last first. */
function doneAndTakenBack(state: State, [act, ...more]: readonly Act[]): State {
  if (act === undefined) return state;
  return changed(doneAndTakenBack(done(state, act), more), state, act.of);
}

const anySayingAct = fc
  .record({ id: fc.constantFrom('a', 'b', 'c', 'd'), says: anySaying })
  .map(({ id, says }): Act => ({ of: [id], says }));
const anyVerdictAct = anyVerdict.map((verdict): Act => ({ of: [verdict.one, verdict.other], verdict }));
const anyAct = fc.oneof(anySayingAct, anyVerdictAct);

/** Few numbers and names, so that many bear one number and contradict each other. */
const contradicting = fc
  .array(
    fc.record({
      numbers: fc.constantFrom([number('N:1')], [number('N:1')], [number('N:2')]),
      traits: fc.constantFrom(traits(), traits({ families: ['durand'] })),
    }),
    { minLength: 2, maxLength: 6 },
  )
  .map((all) => all.map((said, at): Identity => ({ id: 'abcdef'[at] ?? '', since: at, isBarred: false, ...said })));
const people = fc.oneof(identities, contradicting);

const RUNS = { numRuns: 1_000 };

describe('What is said and taken back', () => {
  const four = [
    identity('a', ['N:1'], { traits: { families: ['durand'] } }),
    ...['b', 'c', 'd'].map((id) => identity(id, ['N:1'])),
  ];
  const apart = ['a', 'b', 'c', 'd'];
  const verdict = { one: 'a', other: 'b', same: true };
  const act: Act = { of: ['a', 'b'], verdict };

  it('a desk’s word leaves those apart again who had been, though they agree', () => {
    const [before, joined] = [stateOf(four), done(stateOf(four), act)];
    expect(idsOf(before.settled.clusters)).to.deep.equal(apart);
    expect(idsOf(joined.settled.clusters)).to.deep.equal(['a b c d']);
    const undone = changed(joined, before, act.of);
    expect(idsOf(undone.settled.clusters)).to.deep.equal(apart);
    expect(undone.settled.again).to.not.equal(undefined);
    expect(undone.settled.reviews.map(({ one, other }) => `${one} ${other}`)).to.include.members([
      'b a',
      'c a',
      'c b',
      'd a',
      'd b',
      'd c',
    ]);
  });

  it('what a source says leaves those apart again whom it had kept apart', () => {
    const says: Act = { of: ['a'], says: { numbers: [number('N:2')] } };
    const [before, corrected] = [stateOf(four), done(stateOf(four), says)];
    expect(idsOf(corrected.settled.clusters)).to.deep.equal(['a', 'b c d']);
    expect(idsOf(changed(corrected, before, ['a']).settled.clusters)).to.deep.equal(apart);
  });

  it('whoever came meanwhile is placed as if it had come then', () => {
    const joined = done(stateOf(four), act);
    const came = identity('e', ['N:2'], { traits: { families: ['durand'] } });
    const settled = arrive([came], joined.verdicts, joined.settled.clusters);
    const met = { ...joined, settled, said: new Map([...joined.said, ['e', came]]) };
    const said = { said: met.said, verdicts: [] };
    expect(idsOf(changed(met, said, act.of).settled.clusters)).to.deep.equal([...apart, 'e']);
  });

  it('is not taken back where one of those says something else by then', () => {
    const [before, joined] = [stateOf(four), done(stateOf(four), act)];
    const moved = done(joined, { of: ['d'], says: { numbers: [number('N:2')] } });
    const { settled } = changed(moved, { said: moved.said, verdicts: before.verdicts }, act.of);
    expect(settled.again).to.equal(undefined);
    expect(idsOf(settled.clusters)).to.include('d');
  });

  it('leaves no trace, whatever was said before', () => {
    fc.assert(
      fc.property(people, verdicts, anyAct, (all, verdicts, act) => {
        const before = stateOf(all, verdicts);
        fc.pre(isPossible(before, act));
        expect(idsOf(doneAndTakenBack(before, [act]).settled.clusters)).to.deep.equal(idsOf(before.settled.clusters));
      }),
      RUNS,
    );
  });

  it('leaves no trace where several are taken back, the last first', () => {
    fc.assert(
      fc.property(people, verdicts, fc.array(anyAct, { minLength: 2, maxLength: 3 }), (all, verdicts, acts) => {
        const before = stateOf(all, verdicts);
        fc.pre(acts.every((act) => isPossible(before, act)));
        expect(idsOf(doneAndTakenBack(before, acts).settled.clusters)).to.deep.equal(idsOf(before.settled.clusters));
      }),
      RUNS,
    );
  });

  it('leaves each where it was when the same is said once more then', () => {
    fc.assert(
      fc.property(people, anyAct, anyNumber, (all, act, extra) => {
        const before = stateOf(all);
        fc.pre(isPossible(before, act));
        const undone = doneAndTakenBack(before, [act, { of: act.of, says: { numbers: [extra] } }]);
        for (const id of before.said.keys())
          expect(idsOf(changed(undone, undone, [id]).settled.clusters)).to.deep.equal(idsOf(before.settled.clusters));
      }),
      RUNS,
    );
  });
});
