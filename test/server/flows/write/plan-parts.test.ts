import { expect } from 'chai';
import { Fault, type FaultKind } from '../../../../profiles/fault.ts';
import { commitFresh } from '../../../../server/flows/write/plan-parts.ts';
import type { CommitReceipt } from '../../../../server/ports/commit-plan.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import { errorOf } from '../../../support/faults.ts';
import { aPlan } from '../../../support/plans.ts';
import { aWarrantFor } from '../../../support/warrants.ts';

describe('A plan that is decided and committed', () => {
  const receipt: CommitReceipt = { versions: [], committedAt: 0, instances: [], quarantined: [], erasedBlobs: [] };
  /** How often a plan is built when commits are refused so, one after the other, and how it ends. */
  const built = async (...refusals: readonly FaultKind[]): Promise<readonly [builds: number, end: string]> => {
    const waiting = [...refusals];
    const commit = async (): Promise<CommitReceipt> => {
      const kind = waiting.shift();
      if (kind !== undefined) throw new Fault(kind, 'Refused');
      return receipt;
    };
    let builds = 0;
    const plan = aPlan();
    const error = await errorOf(
      commitFresh({ commit } as Pick<RecordStore, 'commit'> as RecordStore, async () => {
        builds += 1;
        return { warrant: aWarrantFor(plan), plan, result: builds };
      }),
    );
    return [builds, error instanceof Fault ? error.kind : String(error)];
  };

  it('is built anew when another writer was faster, three times at most', async () => {
    expect(await built()).to.deep.equal([1, 'undefined']);
    expect(await built('conflict', 'version-conflict', 'conflict')).to.deep.equal([4, 'undefined']);
    expect(await built('conflict', 'conflict', 'conflict', 'conflict', 'conflict')).to.deep.equal([4, 'conflict']);
    expect(await built(...Array<'version-conflict'>(5).fill('version-conflict'))).to.deep.equal([
      4,
      'version-conflict',
    ]);
  });

  it('is refused at once for anything else', async () => {
    for (const kind of ['exception', 'transient', 'login', 'invalid'] as const)
      expect(await built(kind)).to.deep.equal([1, kind]);
  });
});
