/** Rows over time: deleted and unknown, former versions, what lasts. */
import { expect } from 'chai';
import { FOREVER, principal, rightId, type Right } from '../../../server/access/right.ts';
import {
  aClaimKey,
  aBlob,
  aGrant,
  aJob,
  anAudit,
  anId,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  NOW,
  SYSTEM,
} from '../../support/plans.ts';
import { read, searchIds } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of versions, deletes and durability. */
export function historyContract(suite: Suite): void {
  const grant = aGrant('Practitioner/lambert');

  describe('former versions', () => {
    it('answers a version of a visible row as it was stored', async () => {
      const person = aPersonKey();
      const id = anId();
      const version = (text: string) =>
        aPut({ id, person, resource: { resourceType: 'DocumentReference', id, text } as never });
      await commitPlan(suite.records, aPlan({ puts: [version('premier')], rights: [aRight({ person })] }));
      await commitPlan(suite.records, aPlan({ puts: [version('deuxième')] }));
      const [first, second, third] = [
        await read(suite.records, grant, version(''), 1),
        await read(suite.records, grant, version(''), 2),
        await read(suite.records, grant, version(''), 3),
      ];
      expect(JSON.parse(first?.json ?? '{}')).to.deep.include({ text: 'premier' });
      expect(JSON.parse(first?.json ?? '{}').meta).to.include({ versionId: '1' });
      expect(first?.version).to.equal(1);
      expect(JSON.parse(second?.json ?? '{}')).to.deep.include({ text: 'deuxième' });
      expect(third).to.equal(undefined);
    });

    it('hides all versions from whoever may not see the present one', async () => {
      const person = aPersonKey();
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [aRight({ person })] }));
      expect(await read(suite.records, grant, put, 1)).not.to.equal(undefined);
      await commitPlan(suite.records, aPlan({ puts: [{ ...put, level: 'V' }] }));
      expect(await read(suite.records, grant, put, 1)).to.equal(undefined);
      expect(await read(suite.records, grant, put, 2)).to.equal(undefined);
    });

    it('keeps the bytes that belonged to it', async () => {
      const [put, later] = [aPut({ type: 'Binary', parent: 'DocumentReference/none', blob: aBlob('é') }), aBlob()];
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      await commitPlan(suite.records, aPlan({ puts: [{ ...put, blob: later }] }));
      const question = { kind: 'resource', type: put.type, id: put.id } as const;
      expect((await suite.records.peek(SYSTEM, question))?.blob).to.deep.equal(later);
      expect((await suite.records.peek(SYSTEM, { ...question, version: 1 }))?.blob).to.deep.equal(put.blob);
      const names = new Set<string>();
      for await (const name of suite.records.blobNames(SYSTEM)) names.add(name);
      expect([names.has(put.blob?.name ?? ''), names.has(later.name)]).to.deep.equal([true, true]);
    });

    it('answers no version that no row ever had', async () => {
      const put = aPut();
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      const question = { kind: 'resource', type: put.type, id: put.id } as const;
      for (const version of [0, 2, -1]) {
        expect(await suite.records.peek(SYSTEM, { ...question, version })).to.equal(undefined);
      }
    });
  });

  describe('deleted rows', () => {
    it('are as absent as unknown ones, from reads and from searches', async () => {
      const person = aPersonKey();
      const [put, other] = [aPut({ person }), aPut({ person })];
      const right = aRight({ person, principal: principal.practitioner(`Practitioner/${person}`) });
      const holder = aGrant(`Practitioner/${person}`);
      await commitPlan(suite.records, aPlan({ puts: [put, other], rights: [right] }));
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      expect(await read(suite.records, holder, put)).to.equal(undefined);
      expect(await read(suite.records, holder, { type: put.type, id: anId() })).to.equal(undefined);
      expect(await searchIds(suite.records, holder, aQuery('DocumentReference'))).to.deep.equal([other.id]);
    });

    it('keep their history for the server', async () => {
      const put = aPut();
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      const row = await suite.records.peek(SYSTEM, { kind: 'resource', type: put.type, id: put.id, version: 1 });
      expect(row?.version).to.equal(1);
    });

    it('may be put again, at a version that none had before', async () => {
      const put = aPut();
      const { type, id } = put;
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      const receipt = await commitPlan(
        suite.records,
        aPlan({ preconditions: [{ kind: 'absent', type, id }], puts: [put] }),
      );
      expect(receipt.versions[0]).to.be.greaterThan(1);
      expect((await suite.records.peek(SYSTEM, { kind: 'resource', type, id }))?.version).to.equal(receipt.versions[0]);
    });

    it('are what a plan rests on that puts one again: none that was deleted since passes', async () => {
      const put = aPut();
      const { type, id } = put;
      const again = async (deletion: number) =>
        await commitPlan(
          suite.records,
          aPlan({ preconditions: [{ kind: 'absent', type, id, deletion }], puts: [put] }),
        ).catch(({ kind }: { readonly kind: string }) => kind);
      expect(await again(1)).to.equal('conflict');
      expect(await again(0)).to.have.property('versions');
      expect(await again(0), 'it stands').to.equal('conflict');
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      const left = await suite.records.peek(SYSTEM, { kind: 'resource', type, id, orDeleted: true });
      expect(await again(0), 'put and deleted since').to.equal('conflict');
      expect(await again(left?.version ?? 0)).to.have.property('versions');
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      expect(await again(left?.version ?? 0), 'put again and deleted since').to.equal('conflict');
      await commitPlan(suite.records, aPlan({ erased: [{ rows: [put] }] }));
      expect(await again(0), 'erased').to.have.property('versions');
    });

    it('change nothing when they are absent', async () => {
      const receipt = await commitPlan(suite.records, aPlan({ deletes: [{ type: 'DocumentReference', id: anId() }] }));
      expect(receipt.versions).to.deep.equal([]);
    });
  });

  describe('stores that are closed and opened again', () => {
    it('keep rows, versions, rights, states, claims, jobs, plans and the trail', async () => {
      const person = aPersonKey();
      const [put, right, audit, key] = [
        aPut({ person, blob: aBlob() }),
        aRight({ person }),
        anAudit([person]),
        aClaimKey(),
      ];
      const plan = aPlan({
        puts: [put],
        rights: [right],
        states: [{ person, change: { accountOff: true } }],
        claims: [{ key, value: 'kept' }],
        jobs: [aJob({ subject: key, at: 7 })],
        audit: [audit],
      });
      const receipt = await commitPlan(suite.records, plan);
      const head = await suite.trail.head();
      await suite.reopen();
      const row = await read(suite.records, grant, put);
      expect(row).to.deep.include({ version: 1, person, blob: put.blob });
      expect(row?.shownBy).to.deep.equal({ rightId: right.id, relation: 'declared', source: right.giver });
      expect(await suite.records.stateOf(SYSTEM, person)).to.include({ accountOff: true, withdrawn: false });
      expect(await suite.records.claimed(SYSTEM, key)).to.equal('kept');
      expect((await suite.jobs.list({ limit: 1_000 }, 7)).map(({ subject }) => subject)).to.include(key);
      expect(await commitPlan(suite.records, plan)).to.deep.equal(receipt);
      expect((await suite.trail.head()).sequence).to.equal(head.sequence + 1);
    });
  });

  describe('what the server asks of a person', () => {
    it('answers the rights that have not ended, as they were given', async () => {
      const person = aPersonKey();
      const put = aPut({ person, origin: { sources: ['Organization/radiology'], services: [] } });
      const item = `${put.type}/${put.id}`;
      const said = {
        person,
        principal: principal.establishment('Organization/radiology'),
        relation: 'author',
        scope: { item },
        from: 0,
        to: FOREVER,
      } as const;
      const author: Right = { ...said, id: rightId(said), giver: item };
      const later = aRight({ person, from: NOW + 1, to: NOW + 2 });
      const [over, ended] = [aRight({ person, to: NOW }), aRight({ person })];
      const rights = [later, over, ended, aRight({ person: aPersonKey() })];
      await commitPlan(suite.records, aPlan({ puts: [put], rights }));
      await commitPlan(suite.records, aPlan({ ended: [ended] }));
      const found = await suite.records.rightsOf(SYSTEM, person);
      // The Consents name the patient.
      expect(found.filter(({ relation }) => relation !== 'named')).to.have.deep.members([author, later]);
    });

    it('answers the state as the changes left it', async () => {
      const person = aPersonKey();
      const closed = { opposed: false, withdrawn: false, erasurePending: false, accountOff: false };
      expect(await suite.records.stateOf(SYSTEM, person)).to.deep.equal(closed);
      await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn: true } }] }));
      await commitPlan(suite.records, aPlan({ states: [{ person, change: { opposed: true } }] }));
      expect(await suite.records.stateOf(SYSTEM, person)).to.deep.equal({ ...closed, withdrawn: true, opposed: true });
      await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn: false } }] }));
      expect(await suite.records.stateOf(SYSTEM, person)).to.deep.equal({ ...closed, opposed: true });
    });
  });
}
