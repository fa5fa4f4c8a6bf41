/** Plans: whole or not at all, and once. */
import { expect } from 'chai';
import { MAX_PLAN_ENTRIES, type CommitPlan, type CommitReceipt } from '../../../server/ports/commit-plan.ts';
import { OPEN_STATE } from '../../../server/access/decide.ts';
import { errorOf, expectFault } from '../../support/faults.ts';
import {
  aClaimKey,
  aBlob,
  aJob,
  anAudit,
  anEstablishmentGrant,
  anId,
  anInstance,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  aStudyPut,
  aUid,
  NO_ENTRIES,
  NOW,
  SYSTEM,
} from '../../support/plans.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';
import { openedResource } from '../../../server/ports/internal-row.ts';

/** Runs the contract of `commit`. */
export function planningContract(suite: Suite): void {
  describe('commit', () => {
    const stored = async (id: string, type: 'DocumentReference' | 'AuditEvent' = 'DocumentReference') =>
      await suite.records.peek(SYSTEM, { kind: 'resource', type, id });

    it('gives the first version and stamps meta.versionId and meta.lastUpdated', async () => {
      const id = anId();
      const security = [{ system: 'urn:example', code: 'é' }];
      const resource = {
        resourceType: 'DocumentReference',
        id,
        meta: { security },
        description: 'Échographie “à 3 mois” 𝒜',
      };
      const before = Date.now();
      const receipt = await commitPlan(suite.records, aPlan({ puts: [aPut({ id, resource })] }));
      const row = await stored(id);
      expect(receipt.versions).to.deep.equal([1]);
      expect(receipt.committedAt).to.be.within(before - 1, Date.now() + 1);
      expect(row).to.include({ type: 'DocumentReference', id, version: 1, updated: receipt.committedAt, sort: NOW });
      const lastUpdated = new Date(receipt.committedAt).toISOString();
      expect(openedResource(row ?? expect.fail('The row is not found'))).to.deep.equal({
        ...resource,
        meta: { security, versionId: '1', lastUpdated },
      });
    });

    it('gives versions in the order of the plan, each one higher than the row had', async () => {
      const [first, second] = [aPut(), aPut()];
      await commitPlan(suite.records, aPlan({ puts: [first] }));
      expect((await commitPlan(suite.records, aPlan({ puts: [second, first] }))).versions).to.deep.equal([1, 2]);
      expect((await commitPlan(suite.records, aPlan({ puts: [first, second] }))).versions).to.deep.equal([3, 2]);
    });

    it('refuses a put under a taken id that must be absent', async () => {
      const put = aPut();
      const { type, id } = put;
      await commitPlan(suite.records, aPlan({ preconditions: [{ kind: 'absent', type, id }], puts: [put] }));
      await expectFault(
        commitPlan(suite.records, aPlan({ preconditions: [{ kind: 'absent', type, id }], puts: [put] })),
        'conflict',
      );
      expect((await stored(id))?.version).to.equal(1);
    });

    it('refuses a put on another version than the row stands at, and on a row that does not stand', async () => {
      const put = aPut();
      const at = (version: number): CommitPlan =>
        aPlan({ preconditions: [{ kind: 'version', type: put.type, id: put.id, version }], puts: [put] });
      await expectFault(commitPlan(suite.records, at(1)), 'version-conflict');
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      expect((await commitPlan(suite.records, at(1))).versions).to.deep.equal([2]);
      await expectFault(commitPlan(suite.records, at(1)), 'version-conflict');
      await expectFault(commitPlan(suite.records, at(3)), 'version-conflict');
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      await expectFault(commitPlan(suite.records, at(2)), 'version-conflict');
    });

    it('refuses a plan whose claim is not held, or by another value', async () => {
      const key = aClaimKey();
      const put = aPut();
      const on = (value: string): CommitPlan =>
        aPlan({ preconditions: [{ kind: 'claimed', key, value }], puts: [put] });
      await expectFault(commitPlan(suite.records, on('one')), 'conflict');
      await commitPlan(suite.records, aPlan({ claims: [{ key, value: 'one' }] }));
      await expectFault(commitPlan(suite.records, on('other')), 'conflict');
      expect((await commitPlan(suite.records, on('one'))).versions).to.deep.equal([1]);
      expect(await suite.records.claimed(SYSTEM, key)).to.equal('one');
      await commitPlan(suite.records, aPlan({ erased: [{ claims: [key] }] }));
      await expectFault(commitPlan(suite.records, on('one')), 'conflict');
    });

    it('gives a claim to the first value and takes the same value again', async () => {
      const key = aClaimKey();
      await commitPlan(suite.records, aPlan({ claims: [{ key, value: 'DocumentReference/é' }] }));
      await commitPlan(suite.records, aPlan({ claims: [{ key, value: 'DocumentReference/é' }] }));
      const fault = await expectFault(
        commitPlan(suite.records, aPlan({ claims: [{ key, value: 'other' }] })),
        'conflict',
      );
      expect(fault.message).not.to.include(key);
      expect(await suite.records.claimed(SYSTEM, key)).to.equal('DocumentReference/é');
      expect(await suite.records.claimed(SYSTEM, aClaimKey())).to.equal(undefined);
    });

    it('changes nothing for a plan that is sent again, and answers the first receipt', async () => {
      const put = aPut();
      const instance = anInstance({ person: aPersonKey(), studyInstanceUID: aUid() });
      const plan = aPlan({
        preconditions: [{ kind: 'absent', type: put.type, id: put.id }],
        puts: [put],
        instances: [instance],
        audit: [anAudit()],
      });
      const first = await commitPlan(suite.records, plan);
      const head = await suite.trail.head();
      const later = await commitPlan(suite.records, aPlan({ puts: [put] }));
      expect(later.versions).to.deep.equal([2]);
      expect(await commitPlan(suite.records, structuredClone(plan))).to.deep.equal(first);
      expect((await stored(put.id))?.version).to.equal(2);
      expect(await suite.trail.head()).to.deep.equal(head);
    });

    it('answers one receipt to a plan that is sent twice at once', async () => {
      const plan = aPlan({ puts: [aPut()] });
      const receipts = await Promise.all([
        commitPlan(suite.records, plan),
        commitPlan(suite.records, structuredClone(plan)),
      ]);
      expect(receipts[0]).to.deep.equal(receipts[1]);
      expect((await stored(plan.puts?.[0]?.id ?? ''))?.version).to.equal(1);
    });

    it('does not keep the id of a refused plan', async () => {
      const put = aPut();
      const plan = aPlan({ preconditions: [{ kind: 'version', type: put.type, id: put.id, version: 1 }], puts: [put] });
      await expectFault(commitPlan(suite.records, plan), 'version-conflict');
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      expect((await commitPlan(suite.records, plan)).versions).to.deep.equal([2]);
    });

    it('leaves nothing of a plan that is refused for its last part', async () => {
      const person = aPersonKey();
      const studyInstanceUID = aUid();
      const standing = anInstance({ person, studyInstanceUID });
      const kept = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [kept], instances: [standing] }));
      const head = await suite.trail.head();
      const [put, audit, key] = [aPut({ person, blob: aBlob() }), anAudit([person]), aClaimKey()];
      const plan = aPlan({
        puts: [put],
        deletes: [kept],
        rights: [aRight({ person })],
        states: [{ person, change: { withdrawn: true } }],
        claims: [{ key, value: key }],
        jobs: [aJob({ subject: key, at: 5 })],
        audit: [audit],
        instances: [anInstance({ person, studyInstanceUID }), { ...standing, dataSetDigest: 'f'.repeat(64) }],
      });
      await expectFault(commitPlan(suite.records, plan), 'conflict');
      expect(await stored(put.id)).to.equal(undefined);
      expect((await stored(kept.id))?.version).to.equal(1);
      expect(await suite.records.rightsOf(SYSTEM, person)).to.deep.equal([]);
      expect(await suite.records.stateOf(SYSTEM, person)).to.deep.equal(OPEN_STATE);
      expect(await suite.records.claimed(SYSTEM, key)).to.equal(undefined);
      expect((await suite.jobs.list({ limit: 1_000 }, 5)).map(({ subject }) => subject)).not.to.include(key);
      expect(await suite.trail.head()).to.deep.equal(head);
      expect(await stored(audit.event.id, 'AuditEvent')).to.equal(undefined);
      const study = { kind: 'instances', studyInstanceUID, offset: 0, limit: 10 } as const;
      await commitPlan(suite.records, aPlan({ puts: [aStudyPut(studyInstanceUID, { person })] }));
      const { instances } = await suite.records.peek(SYSTEM, study);
      expect(instances.map((row) => row.sopInstanceUID)).to.deep.equal([standing.sopInstanceUID]);
    });

    it(`takes a plan of ${MAX_PLAN_ENTRIES} entries and refuses a larger one whole`, async () => {
      const puts = Array.from({ length: MAX_PLAN_ENTRIES - 5 }, () => aPut());
      const person = aPersonKey();
      const rest = {
        rights: [aRight({ person })],
        claims: [{ key: aClaimKey(), value: 'v' }],
        jobs: [aJob()],
        audit: [anAudit()],
        instances: [anInstance({ person, studyInstanceUID: aUid() })],
      };
      await expectFault(commitPlan(suite.records, aPlan({ ...rest, puts: [...puts, aPut()] })), 'too-costly');
      expect(await suite.records.rightsOf(SYSTEM, person)).to.deep.equal([]);
      const receipt = await commitPlan(suite.records, aPlan({ ...rest, puts }));
      expect(receipt.versions.length).to.equal(puts.length + rest.rights.length);
    });

    it('takes a plan without parts', async () => {
      const receipt = await commitPlan(suite.records, aPlan());
      expect(receipt).to.deep.include({ versions: [], instances: [] });
    });
  });

  describe('commit under concurrent writers', () => {
    it('gives 50 parallel puts of one row each a version of its own', async () => {
      const put = aPut({ person: aPersonKey() });
      const receipts = await Promise.all(
        Array.from({ length: 50 }, () => commitPlan(suite.records, aPlan({ puts: [put] }))),
      );
      const versions = receipts.flatMap((receipt) => receipt.versions).sort((a, b) => a - b);
      expect(versions).to.deep.equal(Array.from({ length: 50 }, (_, at) => at + 1));
    });

    it('applies 50 parallel plans on rows of their own', async () => {
      const person = aPersonKey();
      const plans = Array.from({ length: 50 }, () => aPlan({ puts: [aPut({ person })], audit: [anAudit([person])] }));
      const receipts = await Promise.all(plans.map((plan) => commitPlan(suite.records, plan)));
      expect(receipts.every((receipt) => receipt.versions[0] === 1)).to.equal(true);
    });

    const race = async (plan: () => CommitPlan): Promise<readonly (CommitReceipt | Fault)[]> =>
      await Promise.all(
        Array.from({ length: 20 }, async () => await commitPlan(suite.records, plan()).catch((error: Fault) => error)),
      );

    it('lets exactly one of racing creates and one of racing updates win', async () => {
      const put = aPut({ person: aPersonKey() });
      const { type, id } = put;
      const created = await race(() => aPlan({ preconditions: [{ kind: 'absent', type, id }], puts: [put] }));
      const updated = await race(() =>
        aPlan({ preconditions: [{ kind: 'version', type, id, version: 1 }], puts: [put] }),
      );
      expect(kindsOf(created)).to.deep.equal(['conflict']);
      expect(kindsOf(updated)).to.deep.equal(['version-conflict']);
      expect(created.filter((result) => !(result instanceof Error)).length).to.equal(1);
      expect(updated.filter((result) => !(result instanceof Error)).length).to.equal(1);
    });

    it('lets exactly one of racing plans win that each expect no match', async () => {
      const [code, organization] = [anId(), `Organization/${anId()}`];
      const where = [{ kind: 'token', param: 'status', values: [{ code }] }] as const;
      const query = aQuery('DocumentReference', { where, count: 2 });
      const since = await suite.records.moment();
      const none = (grant = anEstablishmentGrant(organization)) => ({ kind: 'no-match', since, grant, query }) as const;
      const plan = (condition = none()): CommitPlan =>
        aPlan({
          preconditions: [condition],
          // Of other persons, so that nothing else of them meets.
          puts: [
            aPut({
              person: aPersonKey(),
              origin: { sources: [organization], services: [] },
              index: { ...NO_ENTRIES, tokens: [{ param: 'status', system: '', value: code }] },
            }),
          ],
        });
      const results = await race(() => plan());
      expect(kindsOf(results)).to.deep.equal(['conflict']);
      expect(results.filter((result) => !(result instanceof Error)).length).to.equal(1);
      await expectFault(commitPlan(suite.records, plan()), 'conflict');
      // What is hidden does not match.
      await commitPlan(suite.records, plan(none(anEstablishmentGrant('Organization/other'))));
    });

    it('lets exactly one of racing claims win', async () => {
      const key = aClaimKey();
      const values = Array.from({ length: 20 }, () => anId());
      const errors = await Promise.all(
        values.map(async (value) => await errorOf(commitPlan(suite.records, aPlan({ claims: [{ key, value }] })))),
      );
      const winner = errors.indexOf(undefined);
      expect(errors.filter((error) => error === undefined).length).to.equal(1);
      expect(await suite.records.claimed(SYSTEM, key)).to.equal(values[winner]);
    });
  });
}

function kindsOf(results: readonly (CommitReceipt | Fault)[]): readonly string[] {
  return [...new Set(results.filter((result) => result instanceof Error).map((fault) => fault.kind))];
}
