/** A store takes a plan under a warrant that `server/access` made, and only what the warrant reaches. */
import { expect } from 'chai';
import { toFault } from '../../../profiles/fault.ts';
import { mayWrite } from '../../../server/access/may-write.ts';
import { OPEN_STATE } from '../../../server/access/decide.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import { NO_ORIGIN } from '../../../server/access/rights-of.ts';
import { systemWarrant } from '../../../server/access/system-warrant.ts';
import { jointWarrant, makeWarrant, type Warrant } from '../../../server/access/warrant.ts';
import type { CommitPlan, Move, Put } from '../../../server/ports/commit-plan.ts';
import { errorOf, expectFault } from '../../support/faults.ts';
import {
  aClaimKey,
  anAudit,
  anInstance,
  aPersonKey,
  aMove,
  aPlan,
  aPut,
  aStudyPut,
  aUid,
  NO_ENTRIES,
  NOW,
  SYSTEM,
} from '../../support/plans.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';

const SOURCE = {
  kind: 'establishment',
  organization: 'Organization/source',
  clientId: 'source',
  scopes: [],
  purpose: 'TREAT',
  display: 'source',
} as const;

/** The warrant to write a Consent of a Patient whom the source makes in the same plan. */
function aConsentWarrant(person: PersonKey): Warrant {
  const subject = { patient: 'Patient/new', person, state: OPEN_STATE, isOwn: true, isNew: true };
  return mayWrite(SOURCE, { interaction: 'create', type: 'Consent' }, { now: NOW, subject, isRefusal: true });
}

/** Everything that looks like a warrant and is none. */
function copiesOf(warrant: Warrant): Readonly<Record<string, never>> {
  const literal = { act: 'create Consent', reaches: [{ types: ['Consent'], whose: { persons: [] } }], bases: [] };
  return {
    'a spread': { ...warrant } as never,
    'a literal of the terms': literal as never,
    'a structured clone': structuredClone(warrant) as never,
    'an object of the same prototype': Object.create(Object.getPrototypeOf(warrant) as object) as never,
    'an heir': Object.create(warrant) as never,
    'a proxy': new Proxy(warrant, {}) as never,
    nothing: undefined as never,
  };
}

/** Runs the contract of what a store takes for a warrant, and of what it lets one reach. */
export function warrantingContract(suite: Suite): void {
  const commit = async (warrant: Warrant, parts: Omit<CommitPlan, 'id'>): Promise<unknown> =>
    await suite.records.commit(warrant, aPlan(parts));

  describe('warrants that nobody made', () => {
    for (const [what, copy] of Object.entries(copiesOf(aConsentWarrant(aPersonKey())))) {
      it(`${what} is refused, and nothing is written`, async () => {
        const put = aPut({ type: 'Organization' });
        expect(await errorOf(commit(copy, { puts: [put] }))).to.be.instanceOf(TypeError);
        const question = { kind: 'resource', type: 'Organization', id: put.id } as const;
        expect(await suite.records.peek(SYSTEM, question)).to.equal(undefined);
      });
    }

    it('no other can be made through one, and none changes', () => {
      const warrant = aConsentWarrant(aPersonKey());
      const make = warrant.constructor as new (...given: readonly unknown[]) => unknown;
      expect(() => new make(Symbol('making'), { act: '', reaches: [], bases: [] })).to.throw(TypeError);
      const shared = Object.getPrototypeOf(warrant) as object;
      expect(() => Object.defineProperty(shared, 'terms', { value: {} })).to.throw(TypeError);
    });
  });

  describe('a plan without the event of a person whose rows it changes', () => {
    /** What changes rows of a person who has a row and an instance, each alone in a plan. */
    const changes: Readonly<Record<string, (person: PersonKey, id: string, uid: string) => Omit<CommitPlan, 'id'>>> = {
      'a new row': (person) => ({ puts: [aPut({ type: 'Consent', person })] }),
      'a new version': (person, id) => ({ puts: [aPut({ type: 'Consent', id, person })] }),
      'a row that becomes nobody’s': (_person, id) => ({ puts: [aPut({ type: 'Consent', id })] }),
      'a deletion': (_person, id) => ({ deletes: [{ type: 'Consent', id }] }),
      'an erased row': (_person, id) => ({ erased: [{ rows: [{ type: 'Consent', id }] }] }),
      'an erased history': (_person, id) => ({ erased: [{ history: [{ type: 'Consent', id }] }] }),
      'an instance': (person) => ({ instances: [anInstance({ person, studyInstanceUID: aUid() })] }),
      'an erased instance': (_person, _id, uid) => ({ erased: [{ instances: [uid] }] }),
      'a switch': (person) => ({ states: [{ person, change: { opposed: true } }] }),
      'a join': (person) => ({ moves: [aMove({ from: person, to: aPersonKey() })] }),
    };
    for (const [what, partsOf] of Object.entries(changes)) {
      it(`is refused: ${what}`, async () => {
        const person = aPersonKey();
        const [put, instance] = [aPut({ type: 'Consent', person }), anInstance({ person, studyInstanceUID: aUid() })];
        await commitPlan(suite.records, aPlan({ puts: [put], instances: [instance] }));
        const parts = partsOf(person, put.id, instance.sopInstanceUID);
        const others = (parts.moves ?? []).map(({ to }) => to);
        const reach = { types: ['Consent', 'instance'] as const, whose: { persons: [person, ...others] } };
        const terms = [[], [person, ...others]].map((persons) => ({ ...reach, whose: { persons } }));
        const warrant = (event: 'own' | 'asking'): Warrant =>
          makeWarrant({ act: 'test', reaches: terms.map((one) => ({ ...one, event })), bases: [] });
        const untold = { ...parts, audit: [anAudit([aPersonKey()])] };
        await expectFault(suite.records.commit(warrant('own'), aPlan(untold)), 'exception');
        expect(await suite.records.stateOf(SYSTEM, person)).to.deep.equal(OPEN_STATE);
        await commit(warrant('own'), { ...parts, audit: [anAudit([...others, person])] });
      });
    }

    it('is refused: an identity that leaves a person, without the event of either; who joins needs none', async () => {
      const [a, b, c] = [aPersonKey(), aPersonKey(), aPersonKey()];
      const warrant = (...persons: PersonKey[]): Warrant =>
        makeWarrant({ act: 'test', reaches: [{ types: [], whose: { persons }, event: 'own' }], bases: [] });
      const move = async (moves: readonly Move[], told: readonly PersonKey[], reached = [a, b, c]): Promise<void> =>
        void (await suite.records.commit(warrant(...reached), aPlan({ moves, audit: [anAudit(told)] })));
      const [join, leave] = [aMove({ from: a, to: b }), aMove({ home: a, from: b, to: a })];
      for (const reached of [[a], [b], [c]]) await expectFault(move([join], [a, b], reached), 'exception');
      await expectFault(move([join], [c]), 'exception');
      await move([join], [b]);
      for (const told of [[a], [b], [c]]) await expectFault(move([leave], told), 'exception');
      for (const reached of [[a], [b]]) await expectFault(move([leave], [a, b], reached), 'exception');
      await move([leave], [a, b]);
      const both = [join, aMove({ from: b, to: c }), aMove({ home: a, from: b, to: c })];
      await expectFault(move(both, [aPersonKey()]), 'exception');
      await move(both, [c]);
    });

    it('is taken where the event of who asked counts', async () => {
      const [person, uid] = [aPersonKey(), aUid()];
      await commit(systemWarrant('maintain-study', uid), { puts: [aStudyPut(uid, { person })] });
    });

    it('is taken when nothing of her changes: claims are no rows', async () => {
      const person = aPersonKey();
      const claims = [{ key: aClaimKey(), value: person }];
      await commit(aConsentWarrant(person), { claims, states: [{ person, change: {} }] });
    });
  });

  describe('a plan beyond its warrant', () => {
    it('is refused for another person, another type, and a row of nobody', async () => {
      const person = aPersonKey();
      const warrant = aConsentWarrant(person);
      const audit = [anAudit([person])];
      const beyond = [
        aPut({ type: 'Consent', person: aPersonKey() }),
        aPut({ type: 'DiagnosticReport', person }),
        aPut({ type: 'Consent' }),
      ];
      for (const put of beyond)
        await expectFault(suite.records.commit(warrant, aPlan({ puts: [put], audit })), 'exception');
      await commit(warrant, { puts: [aPut({ type: 'Consent', person })], audit });
    });

    it('is refused for a row that stands for another person', async () => {
      const [person, other] = [aPersonKey(), aPersonKey()];
      const standing = aPut({ type: 'Consent', person: other });
      await commitPlan(suite.records, aPlan({ puts: [standing] }));
      const audit = [anAudit([person, other])];
      const plans = [{ puts: [{ ...standing, person }] }, { deletes: [standing] }, { erased: [{ rows: [standing] }] }];
      for (const parts of plans)
        await expectFault(suite.records.commit(aConsentWarrant(person), aPlan({ ...parts, audit })), 'exception');
    });

    it('of several entries is refused where what one may is done to the person of another', async () => {
      const [one, other] = [aPersonKey(), aPersonKey()];
      const subject = { patient: 'Patient/new', person: other, state: OPEN_STATE, isOwn: true, isNew: true };
      const patient = mayWrite(SOURCE, { interaction: 'create', type: 'Patient' }, { now: NOW, subject });
      const joint = jointWarrant([aConsentWarrant(one), patient]);
      const audit = [anAudit([one, other])];
      const mixed = aPut({ type: 'Consent', person: other });
      await expectFault(suite.records.commit(joint, aPlan({ puts: [mixed], audit })), 'exception');
      const puts = [aPut({ type: 'Consent', person: one }), aPut({ type: 'Patient', person: other })];
      await commit(joint, { puts, audit });
    });
  });

  describe('a warrant that rests on a visit of the patient', () => {
    const sources = [SOURCE.organization];
    const changes: Readonly<Record<string, (visit: Put) => Omit<CommitPlan, 'id'>>> = {
      'was deleted': (visit) => ({ deletes: [visit] }),
      'is of another person': (visit) => ({ puts: [{ ...visit, person: aPersonKey() }] }),
      'is not of the establishment any more': (visit) => ({ puts: [{ ...visit, origin: NO_ORIGIN }] }),
    };
    for (const [what, partsOf] of Object.entries(changes)) {
      it(`is refused once the visit ${what}, and is taken while it stands`, async () => {
        const person = aPersonKey();
        const visit = aPut({ type: 'Encounter', person, origin: { sources, services: [] } });
        await commitPlan(suite.records, aPlan({ puts: [visit] }));
        const [attendance] = await suite.records.rightsOf(SYSTEM, person, `Encounter/${visit.id}`);
        const subject = { patient: 'Patient/new', person, state: OPEN_STATE, isOwn: true, isNew: true };
        const facts = { now: NOW, subject, attendance };
        const warrant = mayWrite(SOURCE, { interaction: 'create', type: 'Consent' }, facts);
        const parts = { puts: [aPut({ type: 'Consent', person })], audit: [anAudit([person])] };
        await commit(warrant, parts);
        await commitPlan(suite.records, aPlan(partsOf(visit)));
        await expectFault(suite.records.commit(warrant, aPlan(parts)), 'conflict');
      });
    }
  });

  describe('a warrant of the server itself', () => {
    const [mine, foreign] = [aUid(), aUid()];
    const named = (uid: string) => ({
      ...NO_ENTRIES,
      tokens: [{ param: 'related:identifier', system: 'urn:dicom:uid', value: `urn:oid:${uid}` }],
    });

    it('reaches the rows of one study, with the bytes that belong to them', async () => {
      const person = aPersonKey();
      const document = aPut({ person, index: named(mine) });
      const bytes = aPut({ type: 'Binary', person, parent: `DocumentReference/${document.id}` });
      await commit(systemWarrant('maintain-study', mine), { puts: [aStudyPut(mine, { person }), document, bytes] });
      const beyond = [
        aStudyPut(foreign, { person }),
        aPut({ person, index: named(foreign) }),
        aPut({ person }),
        aPut({ type: 'Binary', person, parent: 'DocumentReference/elsewhere' }),
        aPut({ type: 'Consent', person, index: named(mine) }),
        aPut({ type: 'Organization' }),
      ];
      for (const put of beyond)
        await expectFault(commit(systemWarrant('maintain-study', mine), { puts: [put] }), 'exception');
    });

    it('erases the rows and instances of one study alone', async () => {
      const person = aPersonKey();
      const rows = [aStudyPut(mine, { person }), aStudyPut(foreign, { person })];
      const instances = [mine, foreign].map((studyInstanceUID) => anInstance({ person, studyInstanceUID }));
      await commitPlan(suite.records, aPlan({ puts: rows, instances }));
      const erase = async (at: number, what: 'rows' | 'instances'): Promise<unknown> => {
        const erased = { rows: rows.slice(at, at + 1), instances: [instances[at]?.sopInstanceUID ?? ''] };
        return await commit(systemWarrant('erase-study', mine), { erased: [{ [what]: erased[what] }] });
      };
      await expectFault(erase(1, 'rows'), 'exception');
      await expectFault(erase(1, 'instances'), 'exception');
      await erase(0, 'rows');
      await erase(0, 'instances');
    });

    it('of the region file writes the directory, and nothing of a person', async () => {
      const warrant = systemWarrant('load-region', 'region file');
      await commit(warrant, { puts: [aPut({ type: 'Organization' })] });
      const person = aPersonKey();
      for (const put of [aPut({ type: 'Organization', person }), aPut({ type: 'Patient', person }), aPut()])
        expect(toFault(await errorOf(commit(warrant, { puts: [put], audit: [anAudit([person])] }))).kind).to.equal(
          'exception',
        );
    });
  });
}
