/** Received instances that are kept aside. */
import { expect } from 'chai';
import type { QuarantinedInstance } from '../../../server/ports/commit-plan.ts';
import { expectFault } from '../../support/faults.ts';
import {
  aBlob,
  anInstance,
  aPersonKey,
  aPlan,
  aPut,
  aStudyPut,
  aUid,
  NOW,
  SYSTEM,
  aMove,
} from '../../support/plans.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of `quarantined`. */
export function quarantineContract(suite: Suite): void {
  const one = (parts: Partial<QuarantinedInstance> = {}): QuarantinedInstance => ({
    studyInstanceUID: aUid(),
    sopInstanceUID: aUid(),
    blob: aBlob(),
    dataSetDigest: 'a'.repeat(64),
    source: 'Organization/radiology',
    reason: 'other-patient',
    receivedAt: NOW,
    ...parts,
  });
  const keptOf = async (sopInstanceUID: string): Promise<QuarantinedInstance[]> => {
    const kept: QuarantinedInstance[] = [];
    for await (const each of suite.records.quarantined(SYSTEM))
      if (each.sopInstanceUID === sopInstanceUID) kept.push(each);
    return kept;
  };
  const blobs = async (): Promise<ReadonlySet<string>> => {
    const names = new Set<string>();
    for await (const name of suite.records.blobNames(SYSTEM)) names.add(name);
    return names;
  };

  describe('instances that are quarantined', () => {
    it('are kept as they were given, and their bytes are named among the blobs', async () => {
      const aside = one({ reason: 'other-data-set' });
      const receipt = await commitPlan(suite.records, aPlan({ quarantined: [aside] }));
      expect(receipt.quarantined).to.deep.equal(['stored']);
      expect(await keptOf(aside.sopInstanceUID)).to.deep.equal([aside]);
      expect((await blobs()).has(aside.blob.name)).to.equal(true);
    });

    it('are of the identity that their sender names, and follow the person through a join', async () => {
      const [from, to] = [aPersonKey(), aPersonKey()];
      const aside = one({ subject: 'Patient/known-here', person: from });
      await commitPlan(suite.records, aPlan({ quarantined: [aside] }));
      expect(await keptOf(aside.sopInstanceUID)).to.deep.equal([aside]);
      await commitPlan(suite.records, aPlan({ moves: [{ ...aMove({ from, to }), identity: 'Patient/known-here' }] }));
      expect(await keptOf(aside.sopInstanceUID)).to.deep.equal([{ ...aside, person: to }]);
    });

    it('are kept once for each data set and source, by racing senders too, and the first bytes stay', async () => {
      const aside = one();
      const again = (): QuarantinedInstance => ({ ...aside, blob: aBlob(), receivedAt: NOW + 1 });
      await commitPlan(suite.records, aPlan({ quarantined: [aside] }));
      const receipts = await Promise.all(
        Array.from({ length: 5 }, () => commitPlan(suite.records, aPlan({ quarantined: [again()] }))),
      );
      expect(receipts.flatMap(({ quarantined }) => quarantined)).to.deep.equal(
        Array.from({ length: 5 }, () => 'already'),
      );
      const others = [
        { ...again(), dataSetDigest: 'b'.repeat(64) },
        { ...again(), source: 'Organization/other', receivedAt: NOW + 2 },
      ];
      expect((await commitPlan(suite.records, aPlan({ quarantined: others }))).quarantined).to.deep.equal([
        'stored',
        'stored',
      ]);
      expect(await keptOf(aside.sopInstanceUID)).to.deep.equal([aside, ...others]);
    });

    it('stand in no study, and leave the instance of their UID as it is', async () => {
      const person = aPersonKey();
      const studyInstanceUID = aUid();
      const instance = anInstance({ person, studyInstanceUID });
      await commitPlan(
        suite.records,
        aPlan({ puts: [aStudyPut(studyInstanceUID, { person })], instances: [instance] }),
      );
      const { sopInstanceUID } = instance;
      await commitPlan(
        suite.records,
        aPlan({ quarantined: [one({ studyInstanceUID, sopInstanceUID }), one({ studyInstanceUID })] }),
      );
      const question = { kind: 'instances', studyInstanceUID, offset: 0, limit: 9 } as const;
      expect((await suite.records.peek(SYSTEM, question)).instances).to.deep.equal([instance]);
      expect(await suite.records.instanceOf(SYSTEM, sopInstanceUID)).to.deep.equal({ ...instance, metadata: '' });
    });

    it('may be instances that stood, whose bytes stay', async () => {
      const person = aPersonKey();
      const studyInstanceUID = aUid();
      const instance = anInstance({ person, studyInstanceUID });
      const { sopInstanceUID, blob, dataSetDigest, source } = instance;
      const aside = one({ studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source, reason: 'unreadable' });
      await commitPlan(
        suite.records,
        aPlan({ puts: [aStudyPut(studyInstanceUID, { person })], instances: [instance] }),
      );
      await commitPlan(suite.records, aPlan({ erased: [{ instances: [sopInstanceUID] }], quarantined: [aside] }));
      expect(await suite.records.instanceOf(SYSTEM, sopInstanceUID)).to.equal(undefined);
      expect(await keptOf(sopInstanceUID)).to.deep.equal([aside]);
      expect((await blobs()).has(blob.name)).to.equal(true);
    });

    it('are not kept when the plan is refused', async () => {
      const [put, aside] = [aPut(), one()];
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      const preconditions = [{ kind: 'absent', type: put.type, id: put.id }] as const;
      await expectFault(commitPlan(suite.records, aPlan({ preconditions, quarantined: [aside] })), 'conflict');
      expect(await keptOf(aside.sopInstanceUID)).to.deep.equal([]);
    });
  });
}
