/** Durable work to do at a time. */
import { expect } from 'chai';
import { anId, aPlan } from '../../support/plans.ts';
import type { Suite } from '../suite.ts';

/** Runs the contract of the agenda. */
export function agendaContract(suite: Suite): void {
  // Times of a test are before those of the tests that ran, so that its entries come first.
  let past = -1_000;
  const earlier = (): number => (past -= 1_000);
  const due = async (now: number, keys: readonly string[]) =>
    (await suite.records.due(now, 1_000)).filter((entry) => keys.includes(entry.key));

  describe('agenda', () => {
    it('gives what is due, earliest first, at most as many as asked for', async () => {
      const at = earlier();
      const [a, b, c] = [anId(), anId(), anId()];
      const agenda = [{ key: b, at: at + 2 }, { key: a, at: at + 1 }, { key: c, at: at + 3 }];
      await suite.records.commit(aPlan({ agenda }));
      expect(await due(at, [a, b, c])).to.deep.equal([]);
      expect(await due(at + 2, [a, b, c])).to.deep.equal([{ key: a, at: at + 1 }, { key: b, at: at + 2 }]);
      expect(await suite.records.due(at + 3, 2)).to.deep.equal([{ key: a, at: at + 1 }, { key: b, at: at + 2 }]);
    });

    it('moves an entry whose key is put again', async () => {
      const at = earlier();
      const key = anId();
      await suite.records.commit(aPlan({ agenda: [{ key, at }] }));
      await suite.records.commit(aPlan({ agenda: [{ key, at: at + 50 }] }));
      expect(await due(at + 49, [key])).to.deep.equal([]);
      expect(await due(at + 50, [key])).to.deep.equal([{ key, at: at + 50 }]);
    });

    it('ends an entry that is done, and keeps one that was moved since it was read', async () => {
      const at = earlier();
      const [ended, moved] = [anId(), anId()];
      await suite.records.commit(aPlan({ agenda: [ended, moved].map((key) => ({ key, at })) }));
      const read = await due(at, [ended, moved]);
      await suite.records.commit(aPlan({ agenda: [{ key: moved, at: at + 5 }] }));
      await suite.records.commit(aPlan({ done: read }));
      expect(await due(at + 5, [ended, moved])).to.deep.equal([{ key: moved, at: at + 5 }]);
      await suite.records.commit(aPlan({ done: [{ key: moved, at: at + 5 }, { key: anId(), at }] }));
      expect(await due(at + 5, [ended, moved])).to.deep.equal([]);
    });
  });
}
