/** What no store takes, by the Fault that each gives: the same kind, expression and message. */
import { expect } from 'chai';
import { Fault } from '../../../profiles/fault.ts';
import { MAX_CLAIM_KEY, MAX_PAGE } from '../../../server/ports/bounds.ts';
import { claimKey } from '../../../server/ports/claim-key.ts';
import type { CommitPlan } from '../../../server/ports/commit-plan.ts';
import { JOB_LIMITS } from '../../../server/ports/job-queue.ts';
import { errorOf } from '../../support/faults.ts';
import {
  aClaimKey,
  aGrant,
  aJob,
  anAudit,
  anId,
  anInstance,
  aPersonKey,
  aMove,
  anIdentity,
  aPlan,
  aPut,
  aQuery,
  anEstablishmentGrant,
  aUid,
  NO_ENTRIES,
  NOW,
  SYSTEM,
  patientOf,
} from '../../support/plans.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';
import { REFUSED_PLANS, REFUSED_QUESTIONS } from './refused-plans.ts';

/** The fields of a refusal. */
type Fields = Pick<Fault, 'kind' | 'expression' | 'message'>;

async function fieldsOf(work: Promise<unknown>): Promise<Fields | undefined> {
  const error = await errorOf(work);
  if (error === undefined) return undefined;
  if (!(error instanceof Fault)) throw error;
  const { kind, expression, message } = error;
  return { kind, expression, message };
}

/** Runs the contract of bounds, ids and refusals. */
export function boundsContract(suite: Suite): void {
  const refused = async (plan: CommitPlan): Promise<Fields | undefined> =>
    await fieldsOf(commitPlan(suite.records, plan));

  describe('a plan is refused, whatever stands, that holds', () => {
    for (const { what, parts, fault } of REFUSED_PLANS) {
      it(what, async () => {
        const [kept, key] = [aPut(), aClaimKey()];
        const plan = { ...aPlan({ puts: [kept], claims: [{ key, value: key }] }), ...parts() };
        expect(await refused(plan)).to.deep.equal(fault);
        expect(await suite.records.peek(SYSTEM, { kind: 'resource', type: kept.type, id: kept.id })).to.equal(
          undefined,
        );
        expect(await suite.records.claimed(SYSTEM, key)).to.equal(undefined);
      });
    }
  });

  describe('a question is refused that asks for', () => {
    for (const { what, parts, fault } of REFUSED_QUESTIONS) {
      it(what, async () => {
        const question = parts();
        const look = suite.records.look(aGrant('Practitioner/a'), question, () => [anAudit()]);
        expect(await fieldsOf(look)).to.deep.equal(fault);
        if (question.kind === 'parts') return;
        expect(await fieldsOf(suite.records.peek(SYSTEM, question))).to.deep.equal(fault);
      });
    }
  });

  describe('what is as large as it may be', () => {
    it('is taken: ids, claims, jobs, pages', async () => {
      const put = aPut({ id: `-.${anId()}`.padEnd(64, 'Z') });
      const key = claimKey.qualified('urn:a', anId().padEnd(MAX_CLAIM_KEY - 'qualified|urn:a|'.length, 'x'));
      const job = aJob({ subject: anId().padEnd(JOB_LIMITS.subject, 'x') });
      await commitPlan(suite.records, aPlan({ puts: [put], claims: [{ key, value: 'held' }], jobs: [job] }));
      expect(await suite.records.claimed(SYSTEM, key)).to.equal('held');
      const query = aQuery(put.type, { where: [{ kind: 'id', values: [put.id] }], count: MAX_PAGE });
      const { rows } = await suite.records.peek(SYSTEM, { kind: 'search', query });
      expect(rows.map(({ id }) => id)).to.deep.equal([put.id]);
      await commitPlan(suite.records, aPlan({ erased: [{ jobs: [job] }] }));
    });

    it('is answered with nothing where nothing lies behind it', async () => {
      const after = { sort: Number.MIN_SAFE_INTEGER, id: 'a' };
      const page = await suite.records.peek(SYSTEM, { kind: 'search', query: aQuery('List'), after, skip: 2 ** 40 });
      expect(page).to.deep.equal({ rows: [], included: [], total: undefined, next: undefined });
    });
  });

  standingContract(suite, refused);
  duplicatesContract(suite, refused);
}

/** Refusals by what stands, in the order of the port. */
function standingContract(suite: Suite, refused: (plan: CommitPlan) => Promise<Fields | undefined>): void {
  describe('a plan is refused by what stands', () => {
    const conflict = (message: string, expression?: string): Fields => ({ kind: 'conflict', expression, message });
    const OTHER_VERSION: Fields = {
      kind: 'version-conflict',
      expression: undefined,
      message: 'The DocumentReference stands at another version than the one that was expected',
    };
    const EXISTS = conflict('The DocumentReference exists already');
    const MATCHES = conflict('A DocumentReference matches that was not there before');
    const NOT_HELD = conflict('A claim is not held as it was expected');
    const ELSEWHERE = conflict('An instance is not where it was expected');
    const TAKEN = conflict('An identifier is taken already');
    const MOVED = conflict('Who the person is has changed meanwhile');
    const DATA_SET = conflict('The SOP Instance stands already with another data set', 'SOPInstanceUID');
    const JOB = conflict('Another job has this id', 'jobs');

    it('for the first of: condition (row, claim, instance, search), claims, persons, instances, jobs', async () => {
      const [from, to, key, job] = [aPersonKey(), aPersonKey(), aClaimKey(), aJob()];
      const organization = `Organization/${anId()}`;
      const standing = aPut({ person: to, origin: { sources: [organization], services: [] } });
      const grant = anEstablishmentGrant(organization);
      const since = await suite.records.moment();
      const instance = anInstance({ person: to, studyInstanceUID: aUid() });
      const claims = [{ key, value: 'held' }];
      await commitPlan(
        suite.records,
        aPlan({ puts: [standing], moves: [aMove({ from, to })], claims, instances: [instance], jobs: [job] }),
      );
      const { type, id } = standing;
      const wrong = [
        [{ preconditions: [{ kind: 'version', type, id, version: 2 }] }, OTHER_VERSION],
        [{ preconditions: [{ kind: 'claimed', key, value: 'other' }] }, NOT_HELD],
        [{ preconditions: [{ ...instance, kind: 'filed', subject: 'Patient/other' }] }, ELSEWHERE],
        [{ preconditions: [{ kind: 'kept-aside', ...instance }] }, ELSEWHERE],
        [{ preconditions: [{ kind: 'no-match', since, grant, query: aQuery(type) }] }, MATCHES],
        [{ claims: [{ key, value: 'other' }] }, TAKEN],
        [{ puts: [aPut({ person: from })] }, MOVED],
        [{ instances: [{ ...instance, dataSetDigest: 'f'.repeat(64) }] }, DATA_SET],
        [{ jobs: [aJob({ id: job.id })] }, JOB],
      ] as const satisfies readonly (readonly [Omit<CommitPlan, 'id'>, Fields])[];
      for (const [at, [, fault]] of wrong.entries()) {
        const rest = wrong.slice(at).map(([parts]) => parts as Omit<CommitPlan, 'id'>);
        const preconditions = rest.flatMap((parts) => parts.preconditions ?? []).toReversed();
        expect(await refused(aPlan({ ...Object.assign({}, ...rest), preconditions }))).to.deep.equal(fault);
      }
      const filed = [{ kind: 'filed', ...instance } as const];
      expect(await refused(aPlan({ preconditions: filed }))).to.equal(undefined);
      const absent = [{ kind: 'absent', type, id } as const];
      expect(await refused(aPlan({ preconditions: absent }))).to.deep.equal(EXISTS);
      await commitPlan(suite.records, aPlan({ erased: [{ jobs: [job] }] }));
    });

    it('when it moves an identity twice, in a circle, away from others of hers, or files where it is not', async () => {
      const [a, b, c] = [aPersonKey(), aPersonKey(), aPersonKey()];
      const first = aMove({ from: a, to: b });
      const underA = { subject: patientOf(a) };
      await commitPlan(suite.records, aPlan({ puts: [anIdentity(a)] }));
      for (const parts of [
        { moves: [first, aMove({ from: a, to: c })] },
        { moves: [first, aMove({ from: b, to: a })] },
        { moves: [first, aMove({ from: c, to: a })] },
        { moves: [first, aMove({ from: b, to: c })] },
        { moves: [first], puts: [aPut({ person: a })] },
        { moves: [first], puts: [aPut({ person: c, ...underA })] },
        { moves: [first], instances: [anInstance({ person: a, studyInstanceUID: aUid() })] },
        { moves: [first], instances: [anInstance({ person: c, ...underA, studyInstanceUID: aUid() })] },
        { puts: [aPut({ person: b, ...underA })] },
      ])
        expect(await refused(aPlan(parts)), JSON.stringify(parts)).to.deep.equal(MOVED);
      await commitPlan(suite.records, aPlan({ moves: [aMove({ from: a, to: a })] }));
      await commitPlan(suite.records, aPlan({ puts: [aPut({ person: a })] }));
    });
  });
}

/** The same thing several times in one plan. */
function duplicatesContract(suite: Suite, refused: (plan: CommitPlan) => Promise<Fields | undefined>): void {
  describe('what a plan names twice', () => {
    const versionOf = async ({ type, id }: ReturnType<typeof aPut>) =>
      (await suite.records.peek(SYSTEM, { kind: 'resource', type, id }))?.version;

    it('is put twice, deleted and erased once', async () => {
      const put = aPut();
      expect((await commitPlan(suite.records, aPlan({ puts: [put, put] }))).versions).to.deep.equal([1, 2]);
      const receipt = await commitPlan(suite.records, aPlan({ deletes: [put, put], puts: [put] }));
      expect(receipt.versions).to.deep.equal([4]);
      const erased = [{ rows: [put, put] }, { rows: [put] }];
      expect((await commitPlan(suite.records, aPlan({ erased, puts: [put] }))).versions).to.deep.equal([1]);
      expect(await versionOf(put)).to.equal(1);
    });

    it('is claimed once, and by one value', async () => {
      const key = aClaimKey();
      const claims = (...values: string[]) => values.map((value) => ({ key, value }));
      expect((await refused(aPlan({ claims: claims('a', 'b') })))?.message).to.equal('An identifier is taken already');
      await commitPlan(suite.records, aPlan({ claims: claims('a', 'a') }));
      expect(await suite.records.claimed(SYSTEM, key)).to.equal('a');
    });

    it('is stored once as an instance, and refused with another data set', async () => {
      const instance = anInstance({ person: aPersonKey(), studyInstanceUID: aUid() });
      const other = { ...instance, dataSetDigest: 'f'.repeat(64) };
      expect((await refused(aPlan({ instances: [instance, other] })))?.kind).to.equal('conflict');
      const receipt = await commitPlan(suite.records, aPlan({ instances: [instance, instance] }));
      expect(receipt.instances).to.deep.equal(['stored', 'already']);
    });

    it('is one job as it was asked for last, and no two jobs of one id', async () => {
      const job = aJob();
      await commitPlan(suite.records, aPlan({ jobs: [job, { ...job, id: anId(), at: NOW + 9 }] }));
      const [listed] = await suite.jobs.list({ id: job.id, limit: 2 }, NOW);
      expect(listed).to.deep.include({ subject: job.subject, at: NOW + 9, attempts: 0 });
      const [one, other] = [aJob(), aJob()];
      expect((await refused(aPlan({ jobs: [one, { ...other, id: one.id }] })))?.kind).to.equal('conflict');
      await commitPlan(suite.records, aPlan({ erased: [{ jobs: [job] }] }));
    });

    it('is the account of several roles, which come by id however they were written', async () => {
      const account = aPut({ type: 'Practitioner' });
      const reference = `Practitioner/${account.id}`;
      const index = { ...NO_ENTRIES, references: [{ param: 'practitioner', target: reference }] };
      const roles = ['a', 'b', 'c'].map((id) => aPut({ type: 'PractitionerRole', id: `${id}-${anId()}`, index }));
      await commitPlan(suite.records, aPlan({ puts: [account, ...roles.toReversed()] }));
      await commitPlan(suite.records, aPlan({ deletes: roles.slice(0, 1) }));
      await commitPlan(suite.records, aPlan({ puts: roles.slice(0, 1) }));
      const found = await suite.records.accountOf(SYSTEM, reference);
      expect(found?.roles.map(({ id }) => id)).to.deep.equal(roles.map(({ id }) => id));
    });

    it('is recorded once as an event', async () => {
      const audit = anAudit();
      await commitPlan(suite.records, aPlan({ audit: [audit, audit] }));
      await suite.trail.record([audit]);
      const query = aQuery('AuditEvent', { where: [{ kind: 'id', values: [audit.event.id] }], total: 'accurate' });
      expect((await suite.records.peek(SYSTEM, { kind: 'search', query })).total).to.equal(1);
    });
  });

  describe('an erasure', () => {
    it('of former versions leaves the deletion of a row that is deleted, and its number', async () => {
      const put = aPut();
      await commitPlan(suite.records, aPlan({ puts: [put, put] }));
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      await commitPlan(suite.records, aPlan({ erased: [{ history: [put] }] }));
      const { type, id } = put;
      const { rows } = await suite.records.peek(SYSTEM, { kind: 'history', type, id, limit: 5 });
      expect(rows.map(({ version, isDeletion }) => [version, isDeletion])).to.deep.equal([[3, true]]);
      expect((await commitPlan(suite.records, aPlan({ puts: [put] }))).versions).to.deep.equal([4]);
    });
  });
}
