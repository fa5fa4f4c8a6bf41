/** Erasure: what is removed as if it had never been. */
import { expect } from 'chai';
import { claimKey, claimStem } from '../../../server/ports/claim-key.ts';
import {
  aClaimKey,
  aBlob,
  aGrant,
  aJob,
  anInstance,
  aPersonKey,
  aPlan,
  aPut,
  aRight,
  aStudyPut,
  aUid,
  NOW,
  SYSTEM,
} from '../../support/plans.ts';
import { ask } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

async function collectAll<T>(all: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of all) found.push(one);
  return found;
}

/** Runs the contract of erasure. */
export function erasingContract(suite: Suite): void {
  const grant = aGrant('Practitioner/lambert');
  const namesOf = async (): Promise<ReadonlySet<string>> => new Set(await collectAll(suite.records.blobNames(SYSTEM)));

  describe('erasure', () => {
    it('removes a row with its versions, access and rights, and tells which blobs nobody refers to', async () => {
      const person = aPersonKey();
      const [first, second] = [aBlob(), aBlob()];
      const origin = { sources: ['Organization/radiology'], services: ['Organization/service'] };
      const put = aPut({ person, blob: first, origin });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [aRight({ person })] }));
      const relations = async () => (await suite.records.rightsOf(SYSTEM, person)).map(({ relation }) => relation);
      expect(await relations()).to.have.members(['author', 'imaging-service', 'declared', 'named']);
      await commitPlan(suite.records, aPlan({ puts: [{ ...put, blob: second }] }));
      const { erasedBlobs } = await commitPlan(
        suite.records,
        aPlan({ erased: [{ rows: [{ type: put.type, id: put.id }] }] }),
      );
      expect([...erasedBlobs].sort()).to.deep.equal([first.name, second.name].sort());
      for (const version of [undefined, 1, 2]) {
        const question = {
          kind: 'resource',
          type: put.type,
          id: put.id,
          ...(version === undefined ? {} : { version }),
        } as const;
        expect(await suite.records.peek(SYSTEM, question)).to.equal(undefined);
        expect(await ask(suite.records, grant, question)).to.equal(undefined);
      }
      expect(await relations()).to.have.members(['declared', 'named']);
      expect([...(await namesOf())]).to.not.include.members([first.name]);
    });

    it('of a deleted row removes every version; the deleted rows of a person are told until then', async () => {
      const [person, other] = [aPersonKey(), aPersonKey()];
      const subject = `Patient/${person}`;
      const [gone, again, stands, theirs] = [
        aPut({ person, subject }),
        aPut({ person, subject }),
        aPut({ person }),
        aPut({ person: other }),
      ];
      const named = ({ type, id }: typeof gone) => ({ type, id });
      await commitPlan(suite.records, aPlan({ puts: [gone, again, stands, theirs] }));
      await commitPlan(suite.records, aPlan({ deletes: [gone, again, theirs].map(named) }));
      await commitPlan(suite.records, aPlan({ puts: [again] }));
      expect(await suite.records.deletedOf(SYSTEM, person)).to.deep.equal([{ ...named(gone), subject }]);
      expect(await suite.records.deletedOf(SYSTEM, aPersonKey())).to.deep.equal([]);
      await commitPlan(suite.records, aPlan({ erased: [{ rows: [named(gone)] }] }));
      expect(await suite.records.deletedOf(SYSTEM, person)).to.deep.equal([]);
      for (const version of [1, 2])
        expect(
          await suite.records.peek(SYSTEM, { kind: 'resource', ...named(gone), version, orDeleted: true }),
        ).to.equal(undefined);
    });

    it('leaves no version behind: a row of the same id begins anew', async () => {
      const put = aPut();
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      await commitPlan(suite.records, aPlan({ erased: [{ rows: [{ type: put.type, id: put.id }] }] }));
      expect((await commitPlan(suite.records, aPlan({ puts: [put] }))).versions).to.deep.equal([1]);
    });

    it('removes former versions alone, and keeps the blob that the present one refers to', async () => {
      const [kept, former] = [aBlob(), aBlob()];
      const put = aPut({ blob: kept });
      for (const blob of [kept, former, kept]) await commitPlan(suite.records, aPlan({ puts: [{ ...put, blob }] }));
      const { erasedBlobs } = await commitPlan(
        suite.records,
        aPlan({ erased: [{ history: [{ type: put.type, id: put.id }] }] }),
      );
      expect(erasedBlobs).to.deep.equal([former.name]);
      expect((await suite.records.peek(SYSTEM, { kind: 'resource', type: put.type, id: put.id }))?.version).to.equal(3);
      expect(await suite.records.peek(SYSTEM, { kind: 'resource', type: put.type, id: put.id, version: 2 })).to.equal(
        undefined,
      );
    });

    it('removes what a put of the same plan replaces, too', async () => {
      const [former, present] = [aBlob(), aBlob()];
      const put = aPut({ blob: former });
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      const { erasedBlobs, versions } = await commitPlan(
        suite.records,
        aPlan({ puts: [{ ...put, blob: present }], erased: [{ history: [{ type: put.type, id: put.id }] }] }),
      );
      expect([erasedBlobs, versions]).to.deep.equal([[former.name], [2]]);
      expect(await suite.records.peek(SYSTEM, { kind: 'resource', type: put.type, id: put.id, version: 1 })).to.equal(
        undefined,
      );
      expect((await suite.records.peek(SYSTEM, { kind: 'resource', type: put.type, id: put.id }))?.version).to.equal(2);
    });

    it('removes instances, those kept aside, claims and jobs, and nothing beside them', async () => {
      const person = aPersonKey();
      const studyInstanceUID = aUid();
      const [gone, stays] = [anInstance({ person, studyInstanceUID }), anInstance({ person, studyInstanceUID })];
      const aside = {
        studyInstanceUID,
        sopInstanceUID: aUid(),
        blob: aBlob(),
        dataSetDigest: 'aa',
        source: 'Organization/one',
        reason: 'other-patient',
        receivedAt: NOW,
      } as const;
      const [claim, other] = [claimKey.study(studyInstanceUID), claimKey.imported(studyInstanceUID)];
      const claims = [claim, other];
      await commitPlan(
        suite.records,
        aPlan({
          puts: [aStudyPut(studyInstanceUID, { person })],
          instances: [gone, stays],
          quarantined: [aside],
          claims: claims.map((key) => ({ key, value: 'held' })),
          jobs: claims.map((key) => aJob({ subject: key, at: 1 })),
        }),
      );
      const jobs = [{ kind: 'refresh-study', subject: claim }] as const;
      const erased = { instances: [gone.sopInstanceUID], quarantined: [aside], claims: [claim], jobs };
      const { erasedBlobs } = await commitPlan(suite.records, aPlan({ erased: [erased] }));
      expect([...erasedBlobs].sort()).to.deep.equal([gone.blob.name, aside.blob.name].sort());
      const { instances } = await suite.records.peek(SYSTEM, {
        kind: 'instances',
        studyInstanceUID,
        offset: 0,
        limit: 10,
      });
      expect(instances).to.deep.equal([stays]);
      expect(
        (await collectAll(suite.records.quarantined(SYSTEM))).filter(
          (one) => one.studyInstanceUID === studyInstanceUID,
        ),
      ).to.deep.equal([]);
      expect(await Promise.all(claims.map(async (key) => await suite.records.claimed(SYSTEM, key)))).to.deep.equal([
        undefined,
        'held',
      ]);
      expect(
        (await suite.jobs.list({ limit: 1_000 }, NOW))
          .map(({ subject }) => subject)
          .filter((key) => key === claim || key === other),
      ).to.deep.equal(claims.slice(1));
    });

    it('removes every claim whose key begins so, and none of another that begins alike', async () => {
      const [patient, another] = [`Patient/${aPersonKey()}`, `Patient/${aPersonKey()}`];
      const keyOf = (of: string, actors: string) => claimKey.declaration(of, 'Organization/one', actors);
      const keys = [keyOf(patient, 'a'), keyOf(patient, 'b'), keyOf(`${patient}1`, 'a'), keyOf(another, 'a')];
      await commitPlan(suite.records, aPlan({ claims: keys.map((key) => ({ key, value: 'held' })) }));
      await commitPlan(suite.records, aPlan({ erased: [{ claimsUnder: [claimStem.declarationsOf(patient)] }] }));
      const held = await Promise.all(keys.map(async (key) => await suite.records.claimed(SYSTEM, key)));
      expect(held).to.deep.equal([undefined, undefined, 'held', 'held']);
    });

    it('leaves claims, whose values are told at once: those of some keys that are held', async () => {
      const keys = [aClaimKey(), aClaimKey(), aClaimKey()];
      const [held = keys[0], gone, other] = keys;
      const values = [held, gone].map((key) => ({ key: key ?? aClaimKey(), value: 'held' }));
      await commitPlan(suite.records, aPlan({ claims: values }));
      await commitPlan(suite.records, aPlan({ erased: [{ claims: [gone ?? aClaimKey()] }] }));
      expect([...(await suite.records.claimedAmong(SYSTEM, keys))]).to.deep.equal([[held, 'held']]);
      expect([...(await suite.records.claimedAmong(SYSTEM, [other ?? aClaimKey()]))]).to.deep.equal([]);
      expect([...(await suite.records.claimedAmong(SYSTEM, []))]).to.deep.equal([]);
    });

    it('comes before the claims of its plan, and is no error where nothing stands', async () => {
      const key = aClaimKey();
      await commitPlan(suite.records, aPlan({ claims: [{ key, value: 'before' }] }));
      const rows = [{ type: 'Binary', id: aUid() }] as const;
      const { erasedBlobs } = await commitPlan(
        suite.records,
        aPlan({ erased: [{ claims: [key], rows, instances: [aUid()] }], claims: [{ key, value: 'after' }] }),
      );
      expect([await suite.records.claimed(SYSTEM, key), erasedBlobs]).to.deep.equal(['after', []]);
      await suite.records.forget();
    });
  });
}
