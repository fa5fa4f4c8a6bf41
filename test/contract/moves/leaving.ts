/** Identities that leave a person: an undo leaves all as it was, and what came meanwhile goes where it belongs. */
import { expect } from 'chai';
import type { PatientState } from '../../../server/access/decide.ts';
import { OPEN_STATE } from '../../../server/access/decide.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import { principal } from '../../../server/access/right.ts';
import type { CommitPlan, Move } from '../../../server/ports/commit-plan.ts';
import {
  aGrant,
  aMove,
  anAudit,
  anId,
  anIdentity,
  anInstance,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aQuery,
  aRight,
  patientOf,
  SYSTEM,
  type Parts,
} from '../../support/plans.ts';
import { ask, read, searchIds } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';
import { aPutOf, aWholePerson, toldOf } from './told-of-persons.ts';

/** Runs the contract of `moves` that separate. */
export function leavingContract(suite: Suite): void {
  const write = async (parts: Parts) => await commitPlan(suite.records, aPlan(parts));
  const move = async (...moves: Move[]) => await write({ moves });
  const documentsOf = async (person: PersonKey) =>
    (await searchIds(suite.records, aPatientGrant(person), aQuery('DocumentReference'))).toSorted();
  const wholePersons = async (count: number): Promise<readonly Whole[]> => {
    const [shared, all] = [anId(), [] as Whole[]];
    while (all.length < count) all.push(await aWholePerson(suite, shared));
    return all;
  };
  const stateOf = async (person: PersonKey) => await suite.records.stateOf(SYSTEM, person);
  const join = (from: PersonKey, to: PersonKey): Move => aMove({ from, to });
  const leave = (home: PersonKey, from: PersonKey, to = home): Move => aMove({ home, from, to });

  describe('an identity that joined a person and leaves', () => {
    it('leaves everything that is told of both as it was', async () => {
      const all = await wholePersons(2);
      const [a, b] = all.map(({ person }) => person) as [PersonKey, PersonKey];
      await suite.trail.record([anAudit([a]), anAudit([b]), anAudit([a, b])]);
      const before = await toldOf(suite, all);
      await move(join(a, b));
      expect(await toldOf(suite, all)).not.to.deep.equal(before);
      await move(leave(a, b));
      expect(await toldOf(suite, all)).to.deep.equal(before);
      await move(join(b, a));
      await move(leave(b, a));
      expect(await toldOf(suite, all)).to.deep.equal(before);
      expect((await suite.trail.verify()).whole).to.equal(true);
    });

    it('leaves everything as it was in one plan, too', async () => {
      const all = await wholePersons(2);
      const [a, b] = all.map(({ person }) => person) as [PersonKey, PersonKey];
      const before = await toldOf(suite, all);
      await move(join(a, b), leave(a, b));
      expect(await toldOf(suite, all)).to.deep.equal(before);
    });

    it('of three is the middle one, and joins again: everything is as it was with it', async () => {
      const all = await wholePersons(3);
      const [a, b, c] = all.map(({ person }) => person) as [PersonKey, PersonKey, PersonKey];
      const alone = await toldOf(suite, all);
      await move(join(b, a));
      await move(join(c, a));
      const together = await toldOf(suite, all);
      expect(await documentsOf(a)).to.deep.equal(all.map(({ document }) => document.id).sort());
      await move(leave(b, a));
      expect(await documentsOf(b)).to.deep.equal([all[1]?.document.id]);
      expect(await documentsOf(a)).to.deep.equal([all[0]?.document.id, all[2]?.document.id].toSorted());
      await move(join(b, a));
      expect(await toldOf(suite, all)).to.deep.equal(together);
      await move(leave(c, a), leave(b, a));
      expect(await toldOf(suite, all)).to.deep.equal(alone);
    });

    it('of three is the oldest, whom the others leave together', async () => {
      const all = await wholePersons(3);
      const [a, b, c] = all.map(({ person }) => person) as [PersonKey, PersonKey, PersonKey];
      await move(join(b, a), join(c, a));
      await move(leave(b, a), leave(c, a, b));
      expect(await documentsOf(a)).to.deep.equal([all[0]?.document.id]);
      expect(await documentsOf(b)).to.deep.equal([all[1]?.document.id, all[2]?.document.id].toSorted());
      expect(await documentsOf(c)).to.deep.equal([]);
    });

    it('takes along what was filed under it meanwhile, rows, deletions and instances, and nothing else', async () => {
      const [one, other] = (await wholePersons(2)) as [Whole, Whole];
      const [a, b] = [one.person, other.person];
      await move(join(a, b));
      const [ofA, ofB, gone] = [
        aPutOf('DocumentReference', b, a),
        aPutOf('DocumentReference', b, b),
        aPutOf('DocumentReference', b, a),
      ];
      const { studyInstanceUID } = one;
      const instance = anInstance({ person: b, subject: patientOf(a), studyInstanceUID });
      await write({ puts: [ofA, ofB, gone], instances: [instance] });
      await write({ puts: [ofA], deletes: [gone] });
      await move(leave(a, b));
      expect(await documentsOf(a)).to.deep.equal([one.document.id, ofA.id].sort());
      expect(await documentsOf(b)).to.deep.equal([other.document.id, ofB.id].sort());
      const question = { kind: 'instances', studyInstanceUID, offset: 0, limit: 5 } as const;
      const { instances } = await ask(suite.records, aPatientGrant(a), question);
      expect(instances.map(({ person }) => person)).to.deep.equal([a, a]);
      const { type, id } = gone;
      const deletion = { kind: 'resource', type, id, orDeleted: true } as const;
      expect((await ask(suite.records, aPatientGrant(a), deletion))?.person).to.equal(a);
      expect(await ask(suite.records, aPatientGrant(b), deletion)).to.equal(undefined);
      expect((await read(suite.records, aPatientGrant(a), ofA, 1))?.json).to.contain(`"reference":"${patientOf(a)}"`);
    });

    it('may be deleted in the plan that moves it: who saw it knows', async () => {
      const [one, other] = (await wholePersons(2)) as [Whole, Whole];
      const [a, b] = [one.person, other.person];
      const deletion = ({ document: { type, id } }: typeof one) =>
        ({ kind: 'resource', type, id, orDeleted: true }) as const;
      await write({ moves: [join(a, b)], deletes: [one.document] });
      expect((await ask(suite.records, aPatientGrant(b), deletion(one)))?.version).to.equal(3);
      expect(await ask(suite.records, aPatientGrant(a), deletion(one))).to.equal(undefined);
      await move(leave(a, b));
      expect((await ask(suite.records, aPatientGrant(a), deletion(one)))?.version).to.equal(3);
      await move(join(a, b));
      const later = aPutOf('DocumentReference', b, a);
      await write({ puts: [later] });
      await write({ moves: [leave(a, b)], deletes: [later] });
      expect((await ask(suite.records, aPatientGrant(a), deletion({ ...one, document: later })))?.version).to.equal(2);
      expect(await ask(suite.records, aPatientGrant(b), deletion({ ...one, document: later }))).to.equal(undefined);
    });

    it('is erased like any other, while it is another’s and after', async () => {
      const [one, other] = (await wholePersons(2)) as [Whole, Whole];
      const [a, b] = [one.person, other.person];
      await move(join(a, b));
      await write({ erased: [{ rows: [one.document, one.deleted, one.part], history: [one.study] }] });
      expect(await documentsOf(b)).to.deep.equal([other.document.id]);
      await move(leave(a, b));
      expect(await documentsOf(a)).to.deep.equal([]);
      for (const { type, id } of [one.document, one.deleted, one.part])
        expect(await suite.records.peek(SYSTEM, { kind: 'resource', type, id, orDeleted: true })).to.equal(undefined);
    });
  });

  namedContract(suite, { move, join, leave });
  switchesContract({ write, move, join, leave, stateOf });
  eventsContract(suite, { move, join, leave });
}

type Whole = Awaited<ReturnType<typeof aWholePerson>>;

type Moving = {
  readonly write: (parts: Omit<CommitPlan, 'id'>) => Promise<unknown>;
  readonly move: (...moves: Move[]) => Promise<unknown>;
  readonly join: (from: PersonKey, to: PersonKey) => Move;
  readonly leave: (home: PersonKey, from: PersonKey, to?: PersonKey) => Move;
};

/** Which row is named among those that give one right. */
function namedContract(suite: Suite, { move, join, leave }: Pick<Moving, 'move' | 'join' | 'leave'>): void {
  describe('of the rows of several identities that give one right', () => {
    it('the one that began first is named, whichever joined first, and each keeps its own', async () => {
      const persons = [aPersonKey(), aPersonKey(), aPersonKey()] as const;
      const [a, b, c] = persons;
      const holder = principal.practitioner(`Practitioner/${a}`);
      const rights = persons.map((person) => aRight({ person, principal: holder }));
      for (const right of rights) await commitPlan(suite.records, aPlan({ rights: [right] }));
      const document = aPutOf('DocumentReference', c);
      await commitPlan(suite.records, aPlan({ puts: [document] }));
      const namedOf = async (person: PersonKey) =>
        (await suite.records.rightsOf(SYSTEM, person))
          .filter(({ relation }) => relation === 'declared')
          .map(({ giver }) => giver);
      const shown = async () => (await read(suite.records, aGrant(`Practitioner/${a}`), document))?.shownBy?.source;
      const [ofA, ofB, ofC] = rights.map(({ giver }) => giver);
      await move(join(b, c));
      expect([await namedOf(c), await shown()]).to.deep.equal([[ofB], ofB]);
      await move(join(a, c));
      expect([await namedOf(c), await shown()]).to.deep.equal([[ofA], ofA]);
      await move(leave(b, c));
      expect([await namedOf(b), await namedOf(c), await shown()]).to.deep.equal([[ofB], [ofA], ofA]);
      await move(leave(a, c));
      expect([await namedOf(a), await namedOf(c), await shown()]).to.deep.equal([[ofA], [ofC], ofC]);
      await move(join(c, b), leave(c, b));
      expect([await namedOf(b), await namedOf(c), await shown()]).to.deep.equal([[ofB], [ofC], ofC]);
    });
  });
}

/** What is said of the state of an identity. */
function switchesContract({
  write,
  move,
  join,
  leave,
  stateOf,
}: Moving & { readonly stateOf: (person: PersonKey) => Promise<PatientState> }): void {
  const say = async (person: PersonKey, change: Partial<PatientState>) => await write({ states: [{ person, change }] });

  describe('the switches of an identity', () => {
    it('count for the person while it is hers, and go with it', async () => {
      const [a, b] = [aPersonKey(), aPersonKey()];
      await say(a, { opposed: true });
      await say(b, { withdrawn: true });
      await move(join(a, b));
      expect(await stateOf(b)).to.deep.equal({ ...OPEN_STATE, opposed: true, withdrawn: true });
      expect(await stateOf(a)).to.deep.equal(OPEN_STATE);
      await move(leave(a, b));
      expect(await stateOf(a)).to.deep.equal({ ...OPEN_STATE, opposed: true });
      expect(await stateOf(b)).to.deep.equal({ ...OPEN_STATE, withdrawn: true });
    });

    it('that are set while it is another’s are its own, by the person that it is by itself', async () => {
      const [a, b, c] = [aPersonKey(), aPersonKey(), aPersonKey()];
      await move(join(a, b), join(c, b));
      await say(a, { erasurePending: true });
      await say(b, { accountOff: true });
      expect(await stateOf(b)).to.deep.equal({ ...OPEN_STATE, erasurePending: true, accountOff: true });
      await say(c, { erasurePending: true });
      await say(a, { erasurePending: false });
      expect(await stateOf(b)).to.deep.equal({ ...OPEN_STATE, erasurePending: true, accountOff: true });
      await move(leave(a, b));
      await move(leave(c, b));
      expect(await stateOf(a)).to.deep.equal(OPEN_STATE);
      expect(await stateOf(b)).to.deep.equal({ ...OPEN_STATE, accountOff: true });
      expect(await stateOf(c)).to.deep.equal({ ...OPEN_STATE, erasurePending: true });
    });

    it('are said in the plan that moves it, and for one of no move', async () => {
      const [a, b] = [aPersonKey(), aPersonKey()];
      await write({ moves: [join(a, b)], states: [{ person: a, change: { withdrawn: true } }] });
      expect(await stateOf(b)).to.deep.equal({ ...OPEN_STATE, withdrawn: true });
      await write({ moves: [leave(a, b)], states: [{ person: a, change: { withdrawn: false, opposed: true } }] });
      expect([await stateOf(a), await stateOf(b)]).to.deep.equal([{ ...OPEN_STATE, opposed: true }, OPEN_STATE]);
    });
  });
}

/** The access list of who an identity is. */
function eventsContract(suite: Suite, { move, join, leave }: Pick<Moving, 'move' | 'join' | 'leave'>): void {
  const accessList = async (person: PersonKey): Promise<readonly string[]> => {
    await suite.trail.head();
    return await searchIds(suite.records, aPatientGrant(person), aQuery('AuditEvent'));
  };
  const record = async (person: PersonKey): Promise<string> => {
    const audit = anAudit([person]);
    await suite.trail.record([audit]);
    return audit.event.id;
  };

  describe('the access list of an identity that joins and leaves', () => {
    it('is the person’s while it is hers: of before, of meanwhile under either key, and of after', async () => {
      const [a, b] = [aPersonKey(), aPersonKey()];
      const [a1, b1] = [await record(a), await record(b)];
      await move(join(a, b));
      const [a2, b2] = [await record(a), await record(b)];
      expect(await accessList(b)).to.have.members([a1, b1, a2, b2]);
      expect(await accessList(a)).to.deep.equal([]);
      await move(leave(a, b));
      const a3 = await record(a);
      expect(await accessList(a)).to.have.members([a1, a2, a3]);
      expect(await accessList(b)).to.have.members([b1, b2]);
    });

    it('is searched by every Patient that is she, whichever its events name', async () => {
      const [a, b] = [aPersonKey(), aPersonKey()];
      await commitPlan(suite.records, aPlan({ puts: [anIdentity(a), anIdentity(b)] }));
      const audits = [a, b].map((person) => anAudit([person], anId(), [{ what: { reference: patientOf(person) } }]));
      await suite.trail.record(audits);
      const [ofA, ofB] = audits.map(({ event }) => event.id);
      const find = async (person: PersonKey, patient: PersonKey) => {
        const where = [{ kind: 'reference', param: 'patient', values: [patientOf(patient)] }] as const;
        await suite.trail.head();
        return (await searchIds(suite.records, aPatientGrant(person), aQuery('AuditEvent', { where }))).toSorted();
      };
      const both = [ofA, ofB].toSorted();
      await move(join(a, b));
      expect([await find(b, a), await find(b, b), await find(a, a)]).to.deep.equal([both, both, []]);
      await move(leave(a, b));
      expect([await find(a, a), await find(b, b), await find(b, a)]).to.deep.equal([[ofA], [ofB], []]);
    });

    it('is nobody’s else', async () => {
      const [a, b, c] = [aPersonKey(), aPersonKey(), aPersonKey()];
      const event = await record(a);
      await move(join(a, b));
      await move(join(b, c), leave(a, b, c));
      expect([await accessList(a), await accessList(b), await accessList(c)]).to.deep.equal([[], [], [event]]);
      await move(leave(b, c), leave(a, c, b));
      expect([await accessList(a), await accessList(b), await accessList(c)]).to.deep.equal([[], [event], []]);
    });
  });
}
