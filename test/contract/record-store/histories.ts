/** Histories: the versions of a row and of a type, and who is told of a deletion. */
import { expect } from 'chai';
import type { PersonKey } from '../../../server/access/requester.ts';
import { FOREVER, principal } from '../../../server/access/right.ts';
import type { AnyGrant, Grant } from '../../../server/access/grant.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import type { HistoryPage, VersionPlace } from '../../../server/ports/record-store.ts';
import {
  aGrant,
  aMove,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  anId,
  NOW,
  SYSTEM,
} from '../../support/plans.ts';
import { expectFault } from '../../support/faults.ts';
import { ask, read, search } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of histories and deletions. */
export function historiesContract(suite: Suite): void {
  /** A holder of the whole record of a new person, and of nothing else. */
  const aHolder = (): { person: PersonKey; grant: Grant; right: ReturnType<typeof aRight> } => {
    const person = aPersonKey();
    const name = `Practitioner/${person}`;
    const right = aRight({ person, principal: principal.practitioner(name) });
    return { person, grant: aGrant(name), right };
  };
  const said = (put: Put, text: string): Put => ({ ...put, resource: { ...put.resource, text } as Put['resource'] });
  const historyOf = async (
    grant: Grant,
    asked: { readonly id?: string; readonly since?: number; readonly after?: VersionPlace; readonly limit?: number },
  ): Promise<HistoryPage> => {
    return await ask(suite.records, grant, { kind: 'history', type: 'DocumentReference', limit: 50, ...asked });
  };
  const told = ({ rows }: HistoryPage) =>
    rows.map(({ id, version, json, isDeletion }) => [
      id,
      version,
      isDeletion === true ? 'deleted' : ((JSON.parse(json) as { text?: string }).text ?? ''),
    ]);

  describe('histories', () => {
    it('list the versions of a row, latest first, each as it was stored', async () => {
      const { person, grant, right } = aHolder();
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [said(put, 'a')], rights: [right] }));
      await commitPlan(suite.records, aPlan({ puts: [said(put, 'b')] }));
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      await commitPlan(suite.records, aPlan({ puts: [said(put, 'c')] }));
      const page = await historyOf(grant, { id: put.id });
      expect(told(page)).to.deep.equal([
        [put.id, 4, 'c'],
        [put.id, 3, 'deleted'],
        [put.id, 2, 'b'],
        [put.id, 1, 'a'],
      ]);
      expect(page.next).to.equal(undefined);
      for (const row of page.rows) expect(row.shownBy?.rightId).to.equal(right.id);
      for (const row of page.rows) expect([row.person, row.type]).to.deep.equal([person, 'DocumentReference']);
    });

    it('list the versions of every visible row of a type, page by page, each once', async () => {
      const { person, grant, right } = aHolder();
      const puts = [1, 2, 3].map(() => aPut({ person }));
      await commitPlan(
        suite.records,
        aPlan({ puts: [...puts, aPut({ person, level: 'V' }), aPut()], rights: [right] }),
      );
      for (const put of puts) await commitPlan(suite.records, aPlan({ puts: [said(put, 'again')] }));
      await commitPlan(suite.records, aPlan({ deletes: [puts[1] ?? aPut()] }));
      const all = await historyOf(grant, {});
      expect(all.rows).to.have.length(7);
      // Versions of different rows may be of one millisecond.
      const moments = all.rows.map(({ updated }) => updated);
      expect(moments).to.deep.equal(moments.toSorted((one, other) => other - one));
      expect(told(all)).to.deep.include([puts[1]?.id, 3, 'deleted']);
      const seen: unknown[] = [];
      let after: VersionPlace | undefined;
      do {
        const page = await historyOf(grant, { limit: 2, ...(after === undefined ? {} : { after }) });
        expect(page.rows.length).to.be.within(1, 2);
        seen.push(...told(page));
        after = page.next;
      } while (after !== undefined);
      expect(seen).to.deep.equal(told(all));
    });

    it('list from a moment on', async () => {
      const { person, grant, right } = aHolder();
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [right] }));
      const first = (await historyOf(grant, { id: put.id })).rows[0]?.updated ?? 0;
      // A version of its own moment.
      while ((await historyOf(grant, { id: put.id })).rows[0]?.updated === first) {
        await commitPlan(suite.records, aPlan({ puts: [put] }));
      }
      const { rows } = await historyOf(grant, { id: put.id });
      const latest = rows[0]?.updated ?? 0;
      expect((await historyOf(grant, { id: put.id, since: latest })).rows).to.have.length(1);
      expect((await historyOf(grant, { id: put.id, since: latest + 1 })).rows).to.have.length(0);
      expect((await historyOf(grant, { id: put.id, since: first })).rows).to.have.length(rows.length);
    });

    it('are empty of a row that is hidden, unknown, a part or an event', async () => {
      const { person, grant, right } = aHolder();
      const hidden = aPut({ person, level: 'V' });
      const part = aPut({ type: 'Binary', parent: 'DocumentReference/none', person });
      await commitPlan(suite.records, aPlan({ puts: [hidden, part], rights: [right] }));
      expect((await historyOf(grant, { id: hidden.id })).rows).to.deep.equal([]);
      expect((await historyOf(grant, { id: anId() })).rows).to.deep.equal([]);
      for (const type of ['Binary', 'AuditEvent'] as const) {
        const page = await suite.records.peek(SYSTEM, { kind: 'history', type, limit: 5 });
        expect(page.rows).to.deep.equal([]);
      }
    });

    it('show the server what it deleted, too', async () => {
      const put = aPut();
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      const { rows } = await suite.records.peek(SYSTEM, {
        kind: 'history',
        type: put.type,
        id: put.id,
        limit: 5,
      });
      expect(rows.map(({ version }) => version)).to.deep.equal([2, 1]);
    });
  });

  describe('versions of Patients', () => {
    const LONG = 'x'.repeat(12_000_000);
    const ofType = async (grant: Grant, id?: string): Promise<HistoryPage> =>
      await ask(suite.records, grant, {
        kind: 'history',
        type: 'Patient',
        limit: 50,
        ...(id === undefined ? {} : { id }),
      });

    it('are told as far back as so much text of them is looked at', async function () {
      this.timeout(60_000);
      const { person, grant, right } = aHolder();
      const put = aPut({ type: 'Patient', id: person, person });
      await commitPlan(suite.records, aPlan({ puts: [said(put, 'first')], rights: [right] }));
      for (const text of [LONG, LONG, LONG, 'last'])
        await commitPlan(suite.records, aPlan({ puts: [said(put, text)] }));
      expect((await ofType(grant, person)).rows.map(({ version }) => version)).to.deep.equal([5, 4, 3]);
      expect((await read(suite.records, grant, put, 3))?.version).to.equal(3);
      expect(await read(suite.records, grant, put, 2)).to.equal(undefined);
    });

    it('of all, and those of a moment, are not told where that is too much text', async function () {
      this.timeout(60_000);
      const { person, grant, right } = aHolder();
      const puts = [LONG, LONG, LONG].map((text) => said(aPut({ type: 'Patient', person }), text));
      for (const put of puts) await commitPlan(suite.records, aPlan({ puts: [put], rights: [right] }));
      await expectFault(ofType(grant), 'too-costly');
      const moment = { kind: 'date', param: '_lastUpdated', values: [{ lo: 0, hi: 1, prefix: 'ge' }] } as const;
      await expectFault(search(suite.records, grant, aQuery('Patient', { where: [moment] })), 'too-costly');
      const one = { kind: 'id', values: puts.slice(0, 1).map(({ id }) => id) } as const;
      const { rows } = await search(suite.records, grant, aQuery('Patient', { where: [moment, one] }));
      expect(rows.map(({ id }) => id)).to.deep.equal(one.values);
    });
  });

  describe('deletions', () => {
    const state = async (grant: AnyGrant, put: Put): Promise<string> => {
      const question = { kind: 'resource', type: put.type, id: put.id, orDeleted: true } as const;
      const row = grant.system ? await suite.records.peek(grant, question) : await ask(suite.records, grant, question);
      return row === undefined ? 'absent' : row.isDeletion === true ? `deleted ${row.version}` : 'stands';
    };

    it('are told to who saw the row, and hidden from others, as the row was', async () => {
      const { person, grant, right } = aHolder();
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [right] }));
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      expect(await state(grant, put)).to.equal('deleted 2');
      expect(await state(SYSTEM, put)).to.equal('deleted 2');
      expect(await state(aGrant('Practitioner/nobody'), put)).to.equal('absent');
      expect(await state(grant, aPut())).to.equal('absent');
      expect(await read(suite.records, grant, put), 'a plain question').to.equal(undefined);
      const asked = { kind: 'resource', type: put.type, id: put.id, orDeleted: true } as const;
      const first = await ask(suite.records, grant, { ...asked, version: 1 });
      expect([first?.version, first?.isDeletion]).to.deep.equal([1, undefined]);
      const second = await ask(suite.records, grant, { ...asked, version: 2 });
      expect([second?.version, second?.isDeletion, second?.json]).to.deep.equal([2, true, '']);
      for (const version of [0, 1, 2, 3])
        expect(await ask(suite.records, aGrant('Practitioner/nobody'), { ...asked, version })).to.equal(undefined);
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      expect(await state(grant, put)).to.equal('stands');
    });

    it('are told no more when the right ends or the person withdraws, and to nobody by a later right', async () => {
      const { person, grant, right } = aHolder();
      const late = aRight({ person, principal: principal.practitioner('Practitioner/late') });
      const ending = aRight({ person, principal: principal.practitioner('Practitioner/ending'), to: NOW + 5 });
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [right, ending] }));
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      await commitPlan(suite.records, aPlan({ rights: [late] }));
      expect(await state(aGrant('Practitioner/late'), put)).to.equal('absent');
      expect(await state(aGrant('Practitioner/ending', NOW + 4), put)).to.equal('deleted 2');
      expect(await state(aGrant('Practitioner/ending', NOW + 5), put)).to.equal('absent');
      await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn: true } }] }));
      expect(await state(grant, put)).to.equal('absent');
      expect((await historyOf(grant, {})).rows).to.deep.equal([]);
      await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn: false } }] }));
      expect(await state(grant, put)).to.equal('deleted 2');
      await commitPlan(suite.records, aPlan({ ended: [right] }));
      expect(await state(grant, put)).to.equal('absent');
    });

    it('follow a person who is joined with another', async () => {
      const [from, to] = [aPersonKey(), aPersonKey()];
      const self = (person: PersonKey) =>
        aRight({ person, principal: principal.patient(person), relation: 'self', to: FOREVER });
      const put = aPut({ person: from });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [self(from), self(to)] }));
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      await commitPlan(suite.records, aPlan({ moves: [aMove({ from, to })] }));
      expect(await state(aPatientGrant(to), put)).to.equal('deleted 2');
      expect(await state(aPatientGrant(from), put)).to.equal('absent');
    });

    it('leave nothing of a row that is erased', async () => {
      const { person, grant, right } = aHolder();
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [right] }));
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      await commitPlan(suite.records, aPlan({ erased: [{ rows: [put] }] }));
      expect(await state(SYSTEM, put)).to.equal('absent');
      expect((await historyOf(grant, {})).rows).to.deep.equal([]);
    });
  });
}
