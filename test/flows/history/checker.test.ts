/** The checker of histories, on histories that are written by hand: right ones, and one with each fault. */
import { expect } from 'chai';
import { faultsOf, forbiddenStreams } from './checker.ts';
import type { Change, History, Read, Stream } from './history.ts';

const BOUNDS = { decidesWithinMs: 1_000, bufferBytes: 100 };
const NEEDS = [['shared'], ['declared by one', 'declared by the other']];

function change(
  begin: number,
  end: number,
  register: string,
  value: boolean,
  outcome: Change['outcome'] = 'done',
): Change {
  return {
    kind: 'change',
    name: `${register} ${value}`,
    act: register,
    begin,
    end,
    sets: [{ register, value }],
    outcome,
  };
}

function read(begin: number, end: number, saw: Read['saw'], needs = NEEDS): Read {
  return { kind: 'read', name: 'a reader', begin, end, saw, needs };
}

function stream(begin: number, end: number, ...chunks: readonly (readonly [at: number, bytes: number])[]): Stream {
  const came = chunks.map(([at, bytes]) => ({ at, bytes }));
  return { kind: 'stream', name: 'a slow reader', begin, end, needs: NEEDS, chunks: came, saw: 'shown' };
}

function faults(...events: History['events']): readonly string[] {
  return faultsOf({ holds: ['shared', 'declared by one'], events }, BOUNDS);
}

describe('The checker of histories', () => {
  it('finds nothing in a history where each answer holds', () => {
    const right = [
      read(0, 1, 'shown'),
      change(2, 4, 'shared', false),
      read(5, 6, 'hidden'),
      change(7, 9, 'shared', true),
      read(10, 11, 'shown'),
      change(12, 13, 'declared by one', false),
      read(14, 15, 'hidden'),
      change(16, 17, 'declared by the other', true),
      read(18, 19, 'shown'),
    ];
    expect(faults(...right)).to.deep.equal([]);
  });

  it('finds a read that began after a withdrawal was answered and shows the exam', () => {
    expect(faults(change(2, 4, 'shared', false), read(4.1, 6, 'shown'))).to.have.length(1);
    expect(faults(change(2, 4, 'shared', false), change(3, 5, 'shared', true), read(6, 7, 'shown'))).to.be.empty;
    expect(faults(change(2, 4, 'declared by one', false), read(5, 6, 'shown'))[0]).to.include('declared by one: off');
  });

  it('finds an emergency that comes back to life with the consent', () => {
    const needs = [['shared'], ['emergency']];
    const sets = ['shared', 'emergency'].map((register) => ({ register, value: false }));
    const withdrawal = {
      kind: 'change',
      name: 'withdrawal',
      act: 'withdrawal',
      begin: 3,
      end: 4,
      sets,
      outcome: 'done',
    } as const;
    const events = [change(1, 2, 'emergency', true), withdrawal, change(5, 6, 'shared', true)];
    expect(faults(...events, read(7, 8, 'hidden', needs))).to.be.empty;
    expect(faults(...events, read(7, 8, 'shown', needs))).to.have.length(1);
  });

  it('takes an emergency of a record that is not shared for nothing', () => {
    const needs = [['shared'], ['emergency']];
    const declared = { ...change(5, 6, 'emergency', true), where: [['shared']] };
    const again = change(7, 8, 'shared', true);
    expect(faults(change(2, 4, 'shared', false), declared, again, read(9, 10, 'hidden', needs))).to.be.empty;
    expect(faults(change(2, 4, 'shared', false), declared, again, read(9, 10, 'shown', needs))).to.have.length(1);
    expect(faults(declared, read(9, 10, 'hidden', needs))).to.have.length(1);
    for (const saw of ['shown', 'hidden'] as const)
      expect(faults(change(2, 5.5, 'shared', false), declared, again, read(9, 10, saw, needs))).to.be.empty;
  });

  it('finds a read that hides what an answer gave, or that is cut while nobody forbade it', () => {
    const given = [change(2, 4, 'shared', false), change(5, 6, 'shared', true)];
    for (const saw of ['hidden', 'cut'] as const) {
      expect(faults(...given, read(7, 8, saw))).to.have.length(1);
      expect(faults(...given, read(5.5, 8, saw))).to.be.empty;
      expect(faults(...given, read(7, 12, saw), change(11, 13, 'shared', false))).to.be.empty;
    }
    expect(faults(...given, read(7, 8, 'busy')), 'what was not answered').to.be.empty;
  });

  it('takes either order of what is at one time', () => {
    for (const saw of ['shown', 'hidden'] as const) {
      expect(faults(change(2, 4, 'shared', false), read(3, 5, saw))).to.be.empty;
      const both = [change(2, 5, 'shared', false), change(4, 6, 'shared', true)];
      expect(faults(...both, read(7, 8, saw))).to.be.empty;
      // The first of three is over when the read begins: the others say the same.
      const more = [...both, change(7, 8, 'shared', true)];
      expect(faults(...more, read(9, 10, saw))).to.have.length(saw === 'shown' ? 0 : 1);
    }
  });

  it('takes what was refused for nothing, and what was not answered for either', () => {
    expect(faults(change(2, 4, 'shared', false, 'refused'), read(5, 6, 'shown'))).to.be.empty;
    expect(faults(change(2, 4, 'shared', false, 'refused'), read(5, 6, 'hidden'))).to.have.length(1);
    for (const saw of ['shown', 'hidden'] as const)
      expect(faults(change(2, 4, 'shared', false, 'unknown'), read(5, 6, saw))).to.be.empty;
    const later = [change(2, 4, 'shared', true, 'unknown'), change(5, 6, 'shared', false)];
    expect(faults(...later, read(7, 8, 'shown')), 'it may have come late').to.be.empty;
  });

  it('finds bytes of a running answer behind the next decision and what was on its way', () => {
    const end = change(100, 200, 'shared', false);
    expect(faults(end, stream(0, 3_000, [50, 900], [1_150, 900], [1_250, 90]))).to.be.empty;
    expect(faults(end, stream(0, 3_000, [50, 900], [1_250, 60], [2_500, 60]))).to.have.length(1);
    const given = change(1_500, 1_600, 'shared', true);
    expect(faults(end, given, stream(0, 3_000, [1_250, 60], [2_500, 60])), 'given again').to.be.empty;
    expect(faults(change(100, 200, 'declared by one', false), stream(0, 3_000, [1_300, 101]))).to.have.length(1);
    expect(faults(end, stream(300, 3_000, [1_250, 101])), 'begun after it').to.be.empty;
    expect(faults(end, stream(300, 3_000, [1_350, 101]))).to.have.length(1);
  });

  it('finds a running answer that is cut, or hidden, while nobody forbade it', () => {
    for (const saw of ['cut', 'hidden'] as const) {
      expect(faults({ ...stream(0, 100, [50, 10]), saw })).to.have.length(1);
      expect(faults(change(20, 30, 'shared', false), { ...stream(0, 100, [50, 10]), saw })).to.be.empty;
    }
  });

  it('counts the running answers that were forbidden meanwhile', () => {
    const holds = ['shared', 'declared by one'];
    const end = change(100, 200, 'shared', false);
    const running = [stream(0, 150, [50, 10]), stream(0, 3_000, [50, 10]), stream(300, 3_000, [400, 10])];
    const found = forbiddenStreams({ holds, events: [end, ...running] });
    expect(found).to.deep.equal([running[1]]);
  });
});
