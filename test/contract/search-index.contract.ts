/** What every SearchIndex adapter keeps: the promises of server/ports/search-index.ts, told by behaviour. */
import type { Consent, ConsentProvision } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import { Fault } from '../../profiles/fault.ts';
import type { IndexDefinition } from '../../profiles/search/index-definition.ts';
import type { RowIndex } from '../../profiles/search/indexer.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import { principal } from '../../server/access/right.ts';
import type { Put } from '../../server/ports/commit-plan.ts';
import type { ReindexedRow, StaleRow } from '../../server/ports/search-index.ts';
import { aGrant, anId, aPersonKey, aPlan, aPut, aQuery, aRight, NO_ENTRIES, NOW, SYSTEM } from '../support/plans.ts';
import { read, idsOf, searchIds, searchPages } from '../support/reads.ts';
import type { OpenStores } from '../support/stores.ts';
import { commitPlan } from '../support/warrants.ts';
import { useStores } from './suite.ts';
import { openedResource } from '../../server/ports/internal-row.ts';

/** Versions of definitions; the first is that of {@link NO_ENTRIES}. */
const [FORMER, NEXT] = [NO_ENTRIES.definition, 7];

/** Values under a definition, of which one tells which definition it is. */
function valuesUnder(definition: number): RowIndex {
  const [param, value] = ['identifier', `under-${definition}`];
  return {
    definition,
    tokens: [{ param, system: 'urn:s', value }],
    references: [{ param: 'endpoint', target: `Endpoint/${value}` }],
    dates: [{ param: 'date', lo: definition, hi: definition + 1 }],
    strings: [{ param: 'name', value }],
  };
}

function findingUnder(type: StoredType, definition: number) {
  const value = `under-${definition}`;
  return aQuery(type, {
    where: [
      { kind: 'token', param: 'identifier', values: [{ system: 'urn:s', code: value }] },
      { kind: 'reference', param: 'endpoint', values: [`Endpoint/${value}`] },
      { kind: 'date', param: 'date', values: [{ lo: definition, hi: definition + 1, prefix: 'eq' }] },
      { kind: 'string', param: 'name', values: [value], match: 'contains' },
    ],
    count: 500,
  });
}

function reindexed(row: StaleRow, more: Partial<ReindexedRow> = {}): ReindexedRow {
  return { ...row, index: valuesUnder(NEXT), ...more };
}

/** Runs the contract on an adapter. */
export function searchIndexContract(name: string, open: OpenStores): void {
  describe(`SearchIndex: ${name}`, function () {
    this.timeout(60_000);
    const suite = useStores(open);
    const grant = aGrant('Practitioner/lambert');

    const commit = async (...puts: Put[]): Promise<void> => void (await commitPlan(suite.records, aPlan({ puts })));
    const staleRows = async (type: StoredType, limit = 100): Promise<readonly StaleRow[]> =>
      await suite.index.stale(SYSTEM, type, [NEXT], limit);
    const idsUnder = async (type: StoredType, definition: number): Promise<readonly string[]> =>
      await searchIds(suite.records, grant, findingUnder(type, definition));

    it('keeps every definition that was wanted, and which is wanted last', async () => {
      const one: IndexDefinition = { type: 'Location', version: 3, parameters: { name: 'a', _id: 'b' }, sort: '' };
      const other = { ...one, version: 2 ** 48 - 1, sort: 'a.b c' };
      const ofAnother = { ...one, type: 'Device' } as const;
      await suite.index.want([one, ofAnother]);
      await suite.index.want([other]);
      const kept = await suite.index.kept();
      expect(kept).to.have.deep.members([
        { ...one, isWanted: false },
        { ...ofAnother, isWanted: true },
        { ...other, isWanted: true },
      ]);
      await suite.index.want([one]);
      expect((await suite.index.kept()).filter(({ type, isWanted }) => type === 'Location' && isWanted)).to.deep.equal([
        { ...one, isWanted: true },
      ]);
    });

    it('tells rows of other versions, by type, and counts them', async () => {
      const type = 'HealthcareService';
      const put = (definition: number): Put => aPut({ type, index: { ...NO_ENTRIES, definition } });
      const puts = [0, FORMER, FORMER, NEXT, 9].map(put);
      await commit(...puts, aPut({ type: 'Endpoint', index: valuesUnder(NEXT) }));
      const versions = async (...current: number[]): Promise<readonly number[] | undefined> =>
        (await suite.index.staleVersions(new Map([[type, current] as const, ['Endpoint', [NEXT]] as const]))).get(type);
      expect(await versions(NEXT)).to.have.members([0, FORMER, 9]);
      expect(await versions(0, NEXT)).to.have.members([FORMER, 9]);
      expect((await suite.index.staleVersions(new Map([['Endpoint', [NEXT]] as const]))).size).to.equal(0);
      for (const [current, stale] of [
        [[NEXT], [0, 1, 2, 4]],
        [
          [0, NEXT],
          [1, 2, 4],
        ],
        [[9], [0, 1, 2, 3]],
      ] as const) {
        expect(await suite.index.countStale(type, current)).to.equal(stale.length);
        const rows = await suite.index.stale(SYSTEM, type, current, 100);
        expect(rows.map(({ id }) => id)).to.have.members(stale.map((at) => puts[at]?.id));
        expect((await suite.index.stale(SYSTEM, type, current, 2)).length).to.equal(2);
      }
      const [earliest] = (await staleRows(type)).filter(({ definition }) => definition === 0);
      expect(earliest).to.include({ type, id: puts[0]?.id, version: 1, sort: NOW });
      if (earliest === undefined) throw new Error('There is no such row');
      expect(openedResource(earliest)).to.deep.include({ resourceType: type, language: 'fr' });
    });

    it('tells rows to the server itself alone', async () => {
      const forged = { ...SYSTEM } as typeof SYSTEM;
      const asked = suite.index.stale(forged, 'Device', [NEXT], 1);
      expect(await asked.catch((error: unknown) => error)).to.be.instanceOf(TypeError);
    });

    it('indexes rows anew: found by the new values alone, with the same text and version', async () => {
      const type = 'Organization';
      const puts = Array.from({ length: 5 }, () => aPut({ type, index: valuesUnder(FORMER) }));
      await commit(...puts);
      const ids = puts.map(({ id }) => id);
      expect(await idsUnder(type, FORMER)).to.have.members(ids);
      const before = await Promise.all(puts.map(async (put) => await read(suite.records, grant, put)));
      const rows = await staleRows(type);
      expect(await suite.index.reindex(rows.map((row) => reindexed(row)))).to.equal(5);
      expect(await idsUnder(type, FORMER)).to.deep.equal([]);
      expect(await idsUnder(type, NEXT)).to.have.members(ids);
      expect(await Promise.all(puts.map(async (put) => await read(suite.records, grant, put)))).to.deep.equal(before);
      expect(await staleRows(type)).to.deep.equal([]);
      expect(await suite.index.reindex(rows.map((row) => reindexed(row)))).to.equal(0);
      await commit(...puts.map((put) => ({ ...put, index: valuesUnder(FORMER) })));
      expect(await idsUnder(type, NEXT)).to.deep.equal([]);
    });

    it('leaves what was written or deleted since it was read', async () => {
      const type = 'Practitioner';
      const [written, deleted, anew, standing] = Array.from({ length: 4 }, () =>
        aPut({ type, index: valuesUnder(FORMER) }),
      ) as [Put, Put, Put, Put];
      await commit(written, deleted, anew, standing);
      const rows = await staleRows(type);
      const later = valuesUnder(NEXT + 1);
      await commit({ ...written, index: later });
      await commitPlan(suite.records, aPlan({ deletes: [deleted], erased: [{ rows: [anew] }] }));
      await commit({ ...anew, index: valuesUnder(NEXT) });
      const other = { ...valuesUnder(NEXT), tokens: [] };
      expect(await suite.index.reindex(rows.map((row) => reindexed(row, { index: other })))).to.equal(1);
      expect(await idsUnder(type, NEXT + 1)).to.deep.equal([written.id]);
      // It has the version that was read, but was written under the new definition.
      expect(await idsUnder(type, NEXT)).to.deep.equal([anew.id]);
      expect(await read(suite.records, grant, deleted)).to.equal(undefined);
      expect((await staleRows(type)).map(({ id }) => id)).to.deep.equal([written.id]);
    });

    it('moves a row in the lists of everybody who sees it, those included who see it since', async () => {
      const [person, type] = [aPersonKey(), 'ImagingStudy'] as const;
      const puts = [3, 2, 1].map((sort) => aPut({ type, person, sort, index: valuesUnder(FORMER) }));
      const holder = (id: string) => principal.practitioner(`Practitioner/${id}`);
      const right = (id: string) => aRight({ person, principal: holder(id) });
      await commitPlan(suite.records, aPlan({ puts, rights: [right('earlier')] }));
      const rows = await staleRows(type);
      const given = commitPlan(suite.records, aPlan({ rights: [right('meanwhile')] }));
      const moved = suite.index.reindex(rows.map((row) => reindexed(row, { sort: -row.sort })));
      await Promise.all([given, moved]);
      await commitPlan(suite.records, aPlan({ rights: [right('later')] }));
      const expected = puts.map(({ id }) => id).toReversed();
      for (const id of ['earlier', 'meanwhile', 'later']) {
        const pages = await searchPages(suite.records, aGrant(`Practitioner/${id}`), aQuery(type, { count: 1 }));
        expect(
          pages.flatMap((page) => [...idsOf(page.rows)]),
          id,
        ).to.deep.equal(expected);
      }
      const bySystem = await suite.records.peek(SYSTEM, { kind: 'search', query: aQuery(type) });
      expect([...idsOf(bySystem.rows)]).to.deep.equal(expected);
    });

    it('shows a row to whom a Consent shows the exam that it is part of, or its time, by the new values', async () => {
      const [person, type] = [aPersonKey(), 'DocumentReference'] as const;
      const exam = aPut({ type: 'ImagingStudy', person });
      const related = [{ param: 'related', target: `ImagingStudy/${exam.id}` }];
      const year = { lo: Date.UTC(2020, 0), hi: Date.UTC(2021, 0) };
      const dates = [{ param: 'period', lo: year.lo + 1, hi: year.lo + 2 }];
      const under = (definition: number, said: Partial<RowIndex>): RowIndex => ({ ...NO_ENTRIES, ...said, definition });
      const linked = { references: related, dates };
      const [lacking, having] = [{}, linked].map((facts) => aPut({ type, person, index: under(FORMER, facts) }));
      if (lacking === undefined || having === undefined) throw new Error('There are two');
      const aPermit = (practitioner: string, scope: ConsentProvision): Put => {
        const provision: ConsentProvision = {
          type: 'permit',
          period: { start: new Date(NOW - 5).toISOString(), end: new Date(NOW + 5).toISOString() },
          actor: [{ role: {}, reference: { reference: `Practitioner/${practitioner}` } }],
          purpose: [{ system: CODE_SYSTEM.actReason, code: 'TREAT' }],
          ...scope,
        };
        const consent = { resourceType: 'Consent', status: 'active', provision } as Consent;
        return aPut({ type: 'Consent', person, resource: consent });
      };
      const [ofExam, ofTime] = [anId(), anId()];
      const data = [{ meaning: 'instance', reference: { reference: `ImagingStudy/${exam.id}` } }] as const;
      await commit(
        exam,
        lacking,
        having,
        aPermit(ofExam, { data: [...data] }),
        aPermit(ofTime, { dataPeriod: { start: '2020', end: '2020' } }),
      );
      const seen = async (practitioner: string): Promise<readonly string[]> =>
        await searchIds(suite.records, aGrant(`Practitioner/${practitioner}`, NOW), aQuery(type));
      for (const one of [ofExam, ofTime]) expect(await seen(one), 'before').to.deep.equal([having.id]);
      const rows = await staleRows(type);
      await suite.index.reindex(
        rows.map((row) => reindexed(row, { index: under(NEXT, row.id === lacking.id ? linked : {}) })),
      );
      for (const one of [ofExam, ofTime]) expect(await seen(one), 'after').to.deep.equal([lacking.id]);
    });

    it('loses and doubles nothing while rows are written', async () => {
      const type = 'PractitionerRole';
      const puts = Array.from({ length: 40 }, () => aPut({ type, index: valuesUnder(FORMER) }));
      await commit(...puts);
      const write = async (put: Put): Promise<void> => {
        await commit(put).catch((error: unknown) =>
          expect(error).to.be.instanceOf(Fault).with.property('kind', 'transient'),
        );
      };
      const over = new AbortController();
      const writing = Array.from({ length: 3 }, async (_, writer) => {
        for (let at = writer; !over.signal.aborted; at += 3) {
          const put = puts[at % puts.length];
          if (put !== undefined) await write({ ...put, index: valuesUnder(NEXT) });
        }
      });
      const adding = Array.from(
        { length: 10 },
        async () => await write(aPut({ type, id: anId(), index: valuesUnder(NEXT) })),
      );
      for (let rows = await staleRows(type, 7); rows.length > 0; rows = await staleRows(type, 7))
        await suite.index.reindex(rows.map((row) => reindexed(row)));
      over.abort();
      await Promise.all([...writing, ...adding]);
      expect(await idsUnder(type, FORMER)).to.deep.equal([]);
      const found = await idsUnder(type, NEXT);
      expect(found).to.include.members(puts.map(({ id }) => id));
      expect(new Set(found).size).to.equal(found.length);
      expect(await suite.index.countStale(type, [NEXT])).to.equal(0);
    });
  });
}
