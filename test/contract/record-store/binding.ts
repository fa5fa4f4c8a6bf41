/** A grant of the server reads of its subject alone, whoever holds it. */
import { expect } from 'chai';
import { systemGrant, type SubjectOf, type SystemReason } from '../../../server/access/grant.ts';
import { toFault } from '../../../profiles/fault.ts';
import { errorOf } from '../../support/faults.ts';
import {
  aClaimKey,
  anInstance,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aUid,
  NO_ENTRIES,
  NOW,
  SYSTEM,
} from '../../support/plans.ts';
import { idsOf } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';

const CURRENT = { ...NO_ENTRIES, tokens: [{ param: 'status', system: '', value: 'current' }] };

/** Runs the contract of what a grant of the server is bound to. */
export function bindingContract(suite: Suite): void {
  describe('a grant of the server', () => {
    const of = <R extends SystemReason>(reason: R, subject: SubjectOf<R>) => systemGrant(reason, subject, NOW);

    async function expectRefused(work: Promise<unknown>): Promise<void> {
      const error = await errorOf(work);
      expect(error === undefined ? 'answered' : toFault(error).kind).to.equal('exception');
    }

    it('to a person finds her rows and the directory, and tells her rights and state alone', async () => {
      const { records } = suite;
      const [person, other] = [aPersonKey(), aPersonKey()];
      const [hers, theirs] = [aPut({ person }), aPut({ person: other })];
      const organization = aPut({ type: 'Organization', sort: NOW + 1_000_000 });
      await commitPlan(records, aPlan({ puts: [hers, theirs, organization] }));
      const grant = of('maintain-study', { person });
      const found = async (type: 'DocumentReference' | 'Organization') =>
        idsOf((await records.peek(grant, { kind: 'search', query: aQuery(type) })).rows);
      expect(await found('DocumentReference')).to.deep.equal([hers.id]);
      expect(await found('Organization')).to.include(organization.id);
      expect(await records.rightsOf(grant, person)).to.deep.equal([]);
      expect((await records.stateOf(grant, person)).opposed).to.equal(false);
      const named = { where: [{ kind: 'token', param: 'status', values: [{ code: 'current' }] }] } as const;
      const tagged = [person, other].map((of) => aPut({ person: of, index: CURRENT }));
      await commitPlan(records, aPlan({ puts: tagged }));
      const { rows, total } = await records.peek(grant, {
        kind: 'search',
        query: aQuery('DocumentReference', { ...named, total: 'accurate' }),
      });
      expect([idsOf(rows), total]).to.deep.equal([[tagged[0]?.id], 1]);
      await expectRefused(records.peek(grant, { kind: 'search', query: aQuery('AuditEvent') }));
      await expectRefused(records.rightsOf(grant, other));
      await expectRefused(records.stateOf(grant, other));
      await expectRefused(records.peek(grant, { kind: 'resource', type: 'DocumentReference', id: theirs.id }));
    });

    it('to an item reads it, and no search', async () => {
      const { records } = suite;
      const [one, other] = [aPut(), aPut()];
      const key = aClaimKey();
      await commitPlan(records, aPlan({ puts: [one, other], claims: [{ key, value: 'held' }] }));
      const grant = of('publish-report', { item: `DocumentReference/${one.id}` });
      const read = (id: string) => records.peek(grant, { kind: 'resource', type: 'DocumentReference', id });
      expect(await read(one.id)).to.include({ id: one.id });
      await expectRefused(read(other.id));
      await expectRefused(records.peek(grant, { kind: 'search', query: aQuery('DocumentReference') }));
      await expectRefused(records.accountOf(grant, 'Practitioner/other'));
      await expectRefused(records.instanceOf(grant, aUid()));
      await expectRefused(records.claimed(grant, key));
      expect(await records.claimed(of('publish-report', { item: key }), key)).to.equal('held');
    });

    it('to a study reads its instances, and what is kept aside of it', async () => {
      const { records } = suite;
      const [study, other] = [aUid(), aUid()];
      const person = aPersonKey();
      const [mine, theirs] = [study, other].map((studyInstanceUID) => anInstance({ studyInstanceUID, person }));
      const aside = [study, other].map((studyInstanceUID) => {
        const { sopInstanceUID, blob, dataSetDigest, source } = anInstance({ studyInstanceUID, person });
        const reason = 'other-patient' as const;
        return { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source, reason, receivedAt: NOW };
      });
      const instances = [mine, theirs].flatMap((one) => one ?? []);
      await commitPlan(records, aPlan({ instances, quarantined: aside }));
      const grant = of('maintain-study', { study });
      const read = (studyInstanceUID: string) =>
        records.peek(grant, { kind: 'instances', studyInstanceUID, offset: 0, limit: 9 });
      expect((await read(study)).instances.map(({ sopInstanceUID }) => sopInstanceUID)).to.deep.equal([
        mine?.sopInstanceUID,
      ]);
      await expectRefused(read(other));
      const kept: string[] = [];
      for await (const { studyInstanceUID } of records.quarantined(grant)) kept.push(studyInstanceUID);
      expect(kept).to.deep.equal([study]);
      await expectRefused(records.peek(grant, { kind: 'search', query: aQuery('DocumentReference') }));
    });

    it('to everything is made for few reasons, and names of all bytes are read under no other', async () => {
      for (const reason of ['maintain-study', 'publish-report', 'record-viewing'] as const)
        expect(() => systemGrant(reason, 'whole' as never, NOW)).to.throw(TypeError);
      expect(() => systemGrant('sweep-images', { item: 'Patient/a' } as never, NOW)).to.throw(TypeError);
      const drain = async (grant: typeof SYSTEM): Promise<void> => {
        for await (const _name of suite.records.blobNames(grant));
      };
      await drain(SYSTEM);
      await expectRefused(drain(of('maintain-study', { study: '1.2' })));
    });
  });
}
