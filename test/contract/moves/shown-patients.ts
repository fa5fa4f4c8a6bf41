/** Rows are filed under identities, and shown under the Patient of the person that each is at present. */
import type { DocumentReference } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import { principal } from '../../../server/access/right.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import { openedResource } from '../../../server/ports/internal-row.ts';
import {
  aGrant,
  aMove,
  anIdentity,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  NO_ENTRIES,
  patientOf,
  SYSTEM,
} from '../../support/plans.ts';
import { ask, idsOf, read, search, searchIds } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';
import { aPutOf } from './told-of-persons.ts';

const byPatient = (person: PersonKey): Criterion => ({
  kind: 'reference',
  param: 'patient',
  values: [patientOf(person)],
});

/** Runs the contract. */
export function shownPatientsContract(suite: Suite): void {
  /** Two persons with a Patient and a document each; one professional is declared by both. */
  const world = async () => {
    const [a, b] = [aPersonKey(), aPersonKey()];
    const holder = principal.practitioner(`Practitioner/${a}`);
    const [ofA, ofB] = [aPutOf('DocumentReference', a), aPutOf('DocumentReference', b)];
    const patients = [a, b].map((person) => aPatient(person));
    const rights = [a, b].map((person) => aRight({ person, principal: holder }));
    const identities = [a, b].map((person) => anIdentity(person));
    await commitPlan(suite.records, aPlan({ puts: [...identities, ...patients, ofA, ofB], rights }));
    const grant = aGrant(`Practitioner/${a}`);
    const find = async (...where: Criterion[]) =>
      (await searchIds(suite.records, grant, aQuery('DocumentReference', { where }))).toSorted();
    const join = async () => await commitPlan(suite.records, aPlan({ moves: [aMove({ from: a, to: b })] }));
    const leave = async () => await commitPlan(suite.records, aPlan({ moves: [aMove({ home: a, from: b, to: a })] }));
    return { a, b, ofA, ofB, both: [ofA.id, ofB.id].sort(), grant, find, join, leave };
  };

  const aPatient = (person: PersonKey): Put =>
    aPut({
      type: 'Patient',
      id: person,
      person,
      index: { ...NO_ENTRIES, tokens: [{ param: 'identifier', system: 'urn:s', value: person }] },
    });

  const put = async (...puts: Put[]) => await commitPlan(suite.records, aPlan({ puts }));

  describe('the Patient of rows that are filed under an identity', () => {
    it('is the one of the person in what is told of the row, and the one that was filed to the server', async () => {
      const { a, b, ofA, grant, join, leave } = await world();
      await join();
      const shown = await read(suite.records, grant, ofA);
      expect(shown).to.deep.include({ person: b, subject: patientOf(b) });
      expect(shown?.json)
        .to.contain(`"reference":"${patientOf(b)}"`)
        .and.not.to.contain(patientOf(a));
      const { type, id } = ofA;
      const internal = await suite.records.peek(SYSTEM, { kind: 'resource', type, id });
      expect(internal).to.deep.include({ person: b, subject: patientOf(a), patient: patientOf(b) });
      const opened = internal === undefined ? undefined : openedResource<DocumentReference>(internal);
      expect(opened?.subject).to.deep.equal({ reference: patientOf(a) });
      await leave();
      expect(await read(suite.records, grant, ofA)).to.deep.include({ person: a, subject: patientOf(a) });
    });

    it('is so in former versions, histories, what was deleted, and what is put while it is another’s', async () => {
      const { a, b, ofA, grant, join, leave } = await world();
      await join();
      await put(aPutOf('DocumentReference', b, a, { id: ofA.id }));
      const { type, id } = ofA;
      const textsOf = async () => {
        const { rows } = await ask(suite.records, grant, { kind: 'history', type, id, limit: 5 });
        return rows.map(({ json, subject }) => [/"reference":"([^"]*)"/.exec(json)?.[1], subject]);
      };
      const [shown, own] = [b, a].map((person) => [patientOf(person), patientOf(person)]);
      expect(await textsOf()).to.deep.equal([shown, shown]);
      expect((await read(suite.records, grant, ofA, 1))?.json).to.contain(patientOf(b));
      await leave();
      expect(await textsOf()).to.deep.equal([own, own]);
      await join();
      await commitPlan(suite.records, aPlan({ deletes: [ofA] }));
      expect(await textsOf()).to.deep.equal([[undefined, patientOf(b)], shown, shown]);
      const deleted = { kind: 'resource', type, id, version: 1, orDeleted: true } as const;
      expect((await ask(suite.records, grant, deleted))?.json).to.contain(patientOf(b));
    });

    it('is searched by its id and by the former one', async () => {
      const { a, b, ofA, ofB, both, find, join, leave } = await world();
      expect([await find(byPatient(a)), await find(byPatient(b))]).to.deep.equal([[ofA.id], [ofB.id]]);
      await join();
      expect([await find(byPatient(a)), await find(byPatient(b))]).to.deep.equal([both, both]);
      const later = aPutOf('DocumentReference', b, a);
      await put(later);
      expect(await find(byPatient(b))).to.deep.equal([...both, later.id].sort());
      await leave();
      expect(await find(byPatient(a))).to.deep.equal([ofA.id, later.id].sort());
      expect(await find(byPatient(b))).to.deep.equal([ofB.id]);
    });

    it('is followed by chains, by what refers to it, and by what is included', async () => {
      const { a, b, ofA, ofB, both, grant, find, join, leave } = await world();
      const chained = (person: PersonKey): Criterion => ({
        kind: 'chain',
        param: 'patient',
        target: 'Patient',
        criterion: { kind: 'token', param: 'identifier', values: [{ code: person }] },
      });
      const referred: Criterion = {
        kind: 'has',
        source: 'DocumentReference',
        param: 'patient',
        criterion: { kind: 'id', values: [ofA.id] },
      };
      const patients = async () => await searchIds(suite.records, grant, aQuery('Patient', { where: [referred] }));
      const beside = async () => {
        const where: readonly Criterion[] = [{ kind: 'id', values: [ofA.id] }];
        const include = [{ param: 'patient' }];
        const documents = await search(suite.records, grant, aQuery('DocumentReference', { where, include }));
        const revinclude = [{ source: 'DocumentReference' as const, param: 'patient' }];
        const own: readonly Criterion[] = [{ kind: 'id', values: [b] }];
        const rows = await search(suite.records, grant, aQuery('Patient', { where: own, revinclude }));
        return [idsOf(documents.included), idsOf(rows.included).toSorted()];
      };
      await join();
      expect([await find(chained(a)), await find(chained(b))]).to.deep.equal([[], both]);
      expect(await patients()).to.deep.equal([b]);
      expect(await beside()).to.deep.equal([[b], both]);
      await leave();
      expect([await find(chained(a)), await find(chained(b))]).to.deep.equal([[ofA.id], [ofB.id]]);
      expect(await patients()).to.deep.equal([a]);
      expect(await beside()).to.deep.equal([[a], [ofB.id]]);
    });

    it('is kept apart from others that a row refers to, and from rows of others that refer to it', async () => {
      const { a, b, find, join, leave } = await world();
      const c = aPersonKey();
      const references = [a, b, c].map((person) => ({ param: 'patient', target: patientOf(person) }));
      const [all, ofOther] = [
        aPutOf('DocumentReference', a, a, { index: { ...NO_ENTRIES, references } }),
        aPutOf('DocumentReference', b, b, { index: { ...NO_ENTRIES, references: references.slice(0, 1) } }),
      ];
      await put(all, ofOther);
      const before = [await find(byPatient(a)), await find(byPatient(b)), await find(byPatient(c))];
      await join();
      expect(await find(byPatient(b)))
        .to.include(all.id)
        .and.not.to.include(ofOther.id);
      expect(await find(byPatient(c))).to.deep.equal([all.id]);
      await leave();
      expect([await find(byPatient(a)), await find(byPatient(b)), await find(byPatient(c))]).to.deep.equal(before);
    });

    it('stays so when the row is indexed anew, and the row is as it was when it moves', async () => {
      const { a, b, ofA, ofB, both, find, join, leave } = await world();
      await join();
      const { type, id } = ofA;
      const row = await suite.records.peek(SYSTEM, { kind: 'resource', type, id });
      if (row === undefined) throw new Error('The row does not stand');
      const strings = [{ param: 'name', value: 'anew' }];
      const index = { ...ofA.index, definition: 7, strings };
      expect(await suite.index.reindex([{ ...row, index }])).to.equal(1);
      const named: Criterion = { kind: 'string', param: 'name', values: ['anew'], match: 'exact' };
      expect([await find(byPatient(b)), await find(byPatient(b), named)]).to.deep.equal([both, [id]]);
      await leave();
      expect([await find(byPatient(a), named), await find(byPatient(b))]).to.deep.equal([[id], [ofB.id]]);
    });

    it('is that of the item for its parts, which go along', async () => {
      const { a, b, ofA, grant, join, leave } = await world();
      const part = aPutOf('Binary', a, a, { parent: `DocumentReference/${ofA.id}` });
      await put(part);
      await join();
      expect(await read(suite.records, grant, part)).to.deep.include({ person: b, subject: patientOf(b) });
      await commitPlan(suite.records, aPlan({ states: [{ person: b, change: { withdrawn: true } }] }));
      expect(await read(suite.records, grant, part)).to.equal(undefined);
      await leave();
      expect(await read(suite.records, grant, part)).to.deep.include({ person: a, subject: patientOf(a) });
    });

    it('is of the person already in the plan that makes the identity and lets it join', async () => {
      const { b, ofB, grant, find } = await world();
      const c = aPersonKey();
      const later = aPutOf('DocumentReference', b, c);
      const puts = [anIdentity(c, { person: b, subject: patientOf(c) }), later];
      await commitPlan(suite.records, aPlan({ puts, moves: [aMove({ from: c, to: b })] }));
      expect(await read(suite.records, grant, later)).to.deep.include({ person: b, subject: patientOf(b) });
      expect(await find(byPatient(c))).to.deep.equal([ofB.id, later.id].sort());
    });
  });
}
