/** What is heard of rows that identities brought along: by whom, and that a plan on them has its events. */
import { expect } from 'chai';
import type { PersonKey } from '../../../server/access/requester.ts';
import { principal } from '../../../server/access/right.ts';
import type { AnswerTo, Question } from '../../../server/ports/record-store.ts';
import type { Homes } from '../../../server/ports/telling.ts';
import {
  aGrant,
  aMove,
  anAudit,
  anIdentity,
  anInstance,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  aStudyClaim,
  aStudyPut,
  aUid,
  patientOf,
} from '../../support/plans.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';

/** Runs the contract of who identities are by themselves, as answers tell it. */
export function heardContract(suite: Suite): void {
  const joined = async () => {
    const [from, to] = [aPersonKey(), aPersonKey()];
    const [brought, own] = [aPut({ person: from }), aPut({ person: to })];
    const studyInstanceUID = aUid();
    const study = aStudyPut(studyInstanceUID, { person: to });
    const instances = [from, to].map((person) => anInstance({ person, studyInstanceUID }));
    const shown = [from, to].map((person) => aRight({ person, principal: principal.practitioner(READER + to) }));
    await commitPlan(
      suite.records,
      aPlan({
        puts: [anIdentity(from), anIdentity(to), brought, own, study],
        instances,
        claims: [aStudyClaim(studyInstanceUID, study)],
        rights: shown,
      }),
    );
    await commitPlan(suite.records, aPlan({ moves: [aMove({ from, to })] }));
    return { from, to, brought, own, studyInstanceUID, instances, grant: aGrant(READER + to) };
  };

  /** What an account is told of an answer. */
  const told = async <Q extends Question>(
    grant: ReturnType<typeof aGrant>,
    question: Q,
  ): Promise<{ readonly answer: AnswerTo<Q>; readonly homes: readonly (readonly [string, PersonKey])[] }> => {
    let known: Homes = new Map();
    const { answer } = await suite.records.look(grant, question, (_answer, homes) => {
      known = homes;
      return [anAudit()];
    });
    return { answer, homes: [...known] };
  };

  describe('rows that an identity brought along', () => {
    it('say their identity, and the account who that is by itself; other rows say none', async () => {
      const { from, to, brought, own, grant } = await joined();
      const page = await told(grant, { kind: 'search', query: aQuery('DocumentReference') });
      const said = page.answer.rows.map(({ id, person, subject, identity }) => [id, person, subject, identity]);
      expect(said).to.have.deep.members([
        [brought.id, to, patientOf(to), patientOf(from)],
        [own.id, to, patientOf(to), undefined],
      ]);
      expect(page.homes).to.deep.equal([[patientOf(from), from]]);
      const one = await told(grant, { kind: 'resource', type: own.type, id: own.id });
      expect(one.homes).to.deep.equal([]);
    });

    it('say so of instances and of their metadata, those of a study of another identity included', async () => {
      const { from, to, studyInstanceUID, instances, grant } = await joined();
      const question = { studyInstanceUID, offset: 0, limit: 5 };
      const whole = await told(grant, { kind: 'metadata', ...question });
      expect(whole.answer.identities).to.have.members([patientOf(from), patientOf(to)]);
      expect(whole.homes).to.deep.equal([[patientOf(from), from]]);
      for (const { sopInstanceUID, person } of instances) {
        const one = await told(grant, { kind: 'instances', ...question, sopInstanceUIDs: [sopInstanceUID] });
        expect(one.homes).to.deep.equal(person === from ? [[patientOf(from), from]] : []);
      }
    });

    it('say none any more when they have gone back', async () => {
      const { from, to, brought, grant } = await joined();
      await commitPlan(suite.records, aPlan({ moves: [aMove({ from: to, to: from, home: from })] }));
      const { answer, homes } = await told(grant, { kind: 'resource', type: brought.type, id: brought.id });
      expect([answer?.person, answer?.identity, homes]).to.deep.equal([from, undefined, []]);
    });
  });
}

const READER = 'Practitioner/reader-';
