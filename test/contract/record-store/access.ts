/** Who sees which row: relations and their ceilings, states, classes, times. */
import { expect } from 'chai';
import { LEVELS, MASKS, type Mask } from '../../../profiles/confidentiality.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { grantOfOthers, systemGrant, type Grant } from '../../../server/access/grant.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import { principal, type Principal, type Right } from '../../../server/access/right.ts';
import type { CommitPlan, Put } from '../../../server/ports/commit-plan.ts';
import {
  aGrant,
  anEstablishmentGrant,
  anId,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRepresentativeGrant,
  aRight,
  NOW,
  SYSTEM,
} from '../../support/plans.ts';
import { ask, idsOf, read, search, searchIds } from '../../support/reads.ts';
import { LEFT, MASKED, REACHED, type Tested } from '../refusals/relations.ts';
import type { Suite } from '../suite.ts';
import { restrictedPut, unsharedPut } from './unshared.ts';
import { commitPlan } from '../../support/warrants.ts';

type Holder = { readonly principal: Principal; readonly grant: Grant };

/** A holder of each kind of principal that nobody else uses. */
function holderOf(relation: Tested, person: PersonKey): Holder {
  const [practitioner, organization] = [`Practitioner/${person}`, `Organization/${person}`];
  const role = {
    reference: 'PractitionerRole/1',
    organization,
    within: [organization],
    radiologist: false,
    offices: [],
  };
  switch (relation) {
    case 'self':
      return { principal: principal.patient(person), grant: aPatientGrant(person) };
    case 'break-glass':
    case 'break-glass-confidential':
    case 'break-glass-past-block': {
      // Who holds one of these holds the first, too, which is named of what both show.
      const holder = principal.breakGlass(practitioner, relation);
      return { principal: holder, grant: grantOfOthers(aGrant(practitioner), [holder]) };
    }
    case 'own-service':
    case 'imaging-service': {
      const grant = aGrant(practitioner, NOW, [{ ...role, radiologist: true }]);
      return { principal: principal.radiologists(organization), grant };
    }
    case 'dpo': {
      const grant = aGrant(practitioner, NOW, [{ ...role, offices: ['establishment-dpo'] }]);
      return { principal: principal.office('establishment-dpo', organization), grant };
    }
    case 'support': {
      const grant = aGrant(practitioner, NOW, [{ ...role, offices: ['support'] }]);
      return { principal: principal.support(practitioner), grant };
    }
    case 'representative': {
      const related = `RelatedPerson/${person}`;
      return { principal: principal.representative(related), grant: aRepresentativeGrant(related, person) };
    }
    case 'representative-of-child': {
      const holder = principal.representativeOfChild(`RelatedPerson/${person}`);
      return { principal: holder, grant: grantOfOthers(aPatientGrant(person), [holder]) };
    }
    case 'author':
      return {
        principal: principal.establishment(`Organization/${person}`),
        grant: anEstablishmentGrant(`Organization/${person}`),
      };
    case 'stay': {
      const organization = `Organization/${person}`;
      const role = { reference: 'PractitionerRole/s', organization, within: [organization] };
      const grant = aGrant(practitioner, NOW, [{ ...role, radiologist: false, offices: [] }]);
      return { principal: principal.members(organization), grant };
    }
    case 'declared':
    case 'presence':
    case 'referent':
    case 'circle':
    case 'assistant':
    case 'named':
      return { principal: principal.practitioner(practitioner), grant: aGrant(practitioner) };
  }
}

/** A type whose rows a relation shows: what is named is of the own class. */
function typeFor(relation: Tested): StoredType {
  return relation === 'named' ? 'Task' : 'DocumentReference';
}

/** A plan that puts rows and gives a relation to them: by whom the rows come from, or by a row of its own. */
function given(relation: Tested, holder: Pick<Right, 'person' | 'principal'>, puts: readonly Put[]): CommitPlan {
  if (relation === 'own-service') return aPlan({ puts: puts.map((put) => unsharedPut(put, holder)) });
  if (relation === 'dpo') return aPlan({ puts: puts.map((put) => restrictedPut(put, holder)) });
  if (relation !== 'author' && relation !== 'named') return aPlan({ puts, rights: [aRight({ ...holder, relation })] });
  const origin = { sources: [holder.principal.slice(holder.principal.indexOf(':') + 1)], services: [] };
  return aPlan({ puts: puts.map((put) => ({ ...put, origin })) });
}

/** Runs the contract of the decision. */
export function accessContract(suite: Suite): void {
  const relations = Object.keys(REACHED) as Tested[];

  const shown = async (grant: Grant, type: StoredType = 'DocumentReference'): Promise<readonly string[]> =>
    [...(await searchIds(suite.records, grant, aQuery(type)))].sort();

  describe('the ceiling of a relation', () => {
    for (const relation of relations) {
      it(`lets ${relation} see the labels ${REACHED[relation].join(', ')} and no others`, async () => {
        const person = aPersonKey();
        const { grant, principal } = holderOf(relation, person);
        const type = typeFor(relation);
        const puts = LEVELS.map((level) => aPut({ type, person, level }));
        await commitPlan(suite.records, given(relation, { person, principal }, puts));
        const expected = puts.filter((put) => REACHED[relation].some((level) => level === put.level));
        expect(await shown(grant, type)).to.deep.equal(expected.map((put) => put.id).sort());
        for (const put of puts) {
          const row = await read(suite.records, grant, put);
          expect(row?.shownBy?.relation).to.equal(expected.includes(put) ? relation : undefined);
        }
      });
    }

    for (const relation of relations.filter((one) => one !== 'own-service' && one !== 'dpo')) {
      it(`hides what is masked from ${relation}, before and after it is masked`, async () => {
        const person = aPersonKey();
        const { grant, principal } = holderOf(relation, person);
        const type = typeFor(relation);
        const puts = MASKS.map((mask) => aPut({ type, person, masks: [mask] }));
        const later = aPut({ type, person });
        await commitPlan(suite.records, given(relation, { person, principal }, [...puts, later]));
        const isShown = (masks: readonly Mask[]): boolean => !masks.some((mask) => MASKED[mask].includes(relation));
        const expected = puts.filter(({ masks }) => isShown(masks));
        expect(await shown(grant, type)).to.deep.equal([...expected, later].map(({ id }) => id).sort());
        await commitPlan(suite.records, aPlan({ puts: [{ ...later, masks: MASKS }] }));
        expect((await read(suite.records, grant, later)) !== undefined).to.equal(isShown(MASKS));
        await commitPlan(suite.records, aPlan({ puts: [later] }));
        expect(await read(suite.records, grant, later)).not.to.equal(undefined);
      });
    }

    it('counts the rows that are shown to some principals, each once, while their rights last', async () => {
      const person = aPersonKey();
      const [one, other] = [holderOf('declared', person), holderOf('imaging-service', person)];
      const former = principal.practitioner(`Practitioner/${anId()}`);
      const counted = async (...names: readonly Principal[]) =>
        await suite.records.shownTo(systemGrant('load-region', 'whole', NOW), names);
      const puts = LEVELS.map((level) => aPut({ person, level }));
      const rights = [
        aRight({ person, principal: one.principal, relation: 'declared' }),
        aRight({ person, principal: other.principal, relation: 'imaging-service' }),
        aRight({ person, principal: former, relation: 'declared', from: NOW - 2, to: NOW }),
      ];
      await commitPlan(suite.records, aPlan({ puts: [...puts, aPut({ person })], rights }));
      expect(await counted(one.principal)).to.equal(2);
      expect(await counted(one.principal, other.principal)).to.equal(2);
      expect(await counted(former)).to.equal(0);
      expect(await counted()).to.equal(0);
    });

    it('is that of the highest relation that the requester holds', async () => {
      const person = aPersonKey();
      const put = aPut({ person, level: 'V', origin: { sources: [`Practitioner/${person}`], services: [] } });
      const holder = principal.practitioner(`Practitioner/${person}`);
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [aRight({ person, principal: holder })] }));
      expect((await read(suite.records, aGrant(`Practitioner/${person}`), put))?.shownBy?.relation).to.equal('author');
    });
  });

  describe('the state of the patient', () => {
    for (const [change, left] of LEFT) {
      const name = Object.keys(change).join();
      it(`${name} leaves ${left.join(', ')}, and gives the others back when it ends`, async () => {
        for (const relation of relations) {
          const person = aPersonKey();
          const { grant, principal } = holderOf(relation, person);
          const type = typeFor(relation);
          const [first, second] = [aPut({ type, person }), aPut({ type, person })];
          await commitPlan(suite.records, given(relation, { person, principal }, [first]));
          await commitPlan(suite.records, aPlan({ states: [{ person, change }] }));
          await commitPlan(suite.records, given(relation, { person, principal }, [second]));
          const both = [first.id, second.id].sort();
          expect(await shown(grant, type), `${name} ${relation}`).to.deep.equal(left.includes(relation) ? both : []);
          expect((await read(suite.records, grant, first)) !== undefined, relation).to.equal(left.includes(relation));
          const back = Object.fromEntries(Object.keys(change).map((key) => [key, false]));
          await commitPlan(suite.records, aPlan({ states: [{ person, change: back }] }));
          expect(await shown(grant, type), `${name} ended, ${relation}`).to.deep.equal(both);
        }
      });
    }

    it('of one person changes nothing for another', async () => {
      const [person, other] = [aPersonKey(), aPersonKey()];
      const holder = principal.practitioner(`Practitioner/${person}`);
      const [hidden, kept] = [aPut({ person }), aPut({ person: other })];
      const rights = [aRight({ person, principal: holder }), aRight({ person: other, principal: holder })];
      await commitPlan(suite.records, aPlan({ puts: [hidden, kept], rights }));
      await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn: true } }] }));
      expect(await shown(aGrant(`Practitioner/${person}`))).to.deep.equal([kept.id]);
    });

    it('that comes in the plan of rows and rights governs them', async () => {
      const person = aPersonKey();
      const put = aPut({ person });
      await commitPlan(
        suite.records,
        aPlan({ puts: [put], rights: [aRight({ person })], states: [{ person, change: { opposed: true } }] }),
      );
      expect(await read(suite.records, aGrant('Practitioner/lambert'), put)).to.equal(undefined);
    });
  });

  describe('the classes of types', () => {
    it('directory rows are for any grant, whatever their label', async () => {
      const put = aPut({ type: 'Organization', level: 'V', released: false });
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      for (const grant of [aGrant(anId()), aPatientGrant(aPersonKey()), anEstablishmentGrant(anId())]) {
        const row = await read(suite.records, grant, put);
        expect(row).to.include({ id: put.id, person: undefined, shownBy: undefined });
        const page = await search(
          suite.records,
          grant,
          aQuery('Organization', { where: [{ kind: 'id', values: [put.id] }] }),
        );
        expect(idsOf(page.rows)).to.deep.equal([put.id]);
      }
    });

    it('a patient row is visible under a right to the record, and not without', async () => {
      const person = aPersonKey();
      const put = aPut({ type: 'Patient', person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [aRight({ person })] }));
      expect(await read(suite.records, aGrant('Practitioner/lambert'), put)).not.to.equal(undefined);
      expect(await read(suite.records, aGrant('Practitioner/other'), put)).to.equal(undefined);
    });

    it('own rows are for the principals that are named, and for no holder of the record', async () => {
      const person = aPersonKey();
      const origin = { sources: [`Organization/${person}`], services: [] };
      const put = aPut({ type: 'Task', person, level: 'V', origin });
      const self = aRight({ person, principal: principal.patient(person), relation: 'self' });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [self, aRight({ person })] }));
      expect(await shown(anEstablishmentGrant(`Organization/${person}`), 'Task')).to.deep.equal([put.id]);
      expect(await shown(aPatientGrant(person), 'Task')).to.deep.equal([]);
      expect(await read(suite.records, aGrant('Practitioner/lambert'), put)).to.equal(undefined);
    });

    for (const order of ['before', 'after'] as const) {
      it(`a part that is put ${order} its item in one plan is visible as the item`, async () => {
        const person = aPersonKey();
        const origin = { sources: [`Practitioner/${person}`], services: [] };
        const item = aPut({ person, level: 'R', released: false, origin });
        const part = aPut({
          type: 'Binary',
          person,
          parent: `DocumentReference/${item.id}`,
          level: 'R',
          released: false,
        });
        const rights = [aRight({ person }), aRight({ person, principal: principal.patient(person), relation: 'self' })];
        await commitPlan(suite.records, aPlan({ puts: order === 'after' ? [item, part] : [part, item], rights }));
        expect(await read(suite.records, aGrant(`Practitioner/${person}`), part)).not.to.equal(undefined);
        expect(await read(suite.records, aGrant('Practitioner/lambert'), part)).to.equal(undefined);
        expect(await read(suite.records, aPatientGrant(person), part)).to.equal(undefined);
        await commitPlan(suite.records, aPlan({ puts: [{ ...item, level: 'N', released: true }] }));
        expect(await read(suite.records, aGrant('Practitioner/lambert'), part)).not.to.equal(undefined);
        expect(await read(suite.records, aPatientGrant(person), part)).not.to.equal(undefined);
      });
    }

    it('a part says its item where it is asked for that, and whether the patient may see that', async () => {
      const person = aPersonKey();
      const item = aPut({ person, released: false, origin: { sources: ['Practitioner/lambert'], services: [] } });
      const part = aPut({ type: 'Binary', person, parent: `DocumentReference/${item.id}` });
      const asked = { kind: 'resource', type: 'Binary', id: part.id } as const;
      const itemOf = async () =>
        (await ask(suite.records, aGrant('Practitioner/lambert'), { ...asked, withItem: true }))?.item;
      await commitPlan(suite.records, aPlan({ puts: [item, part] }));
      expect(await itemOf())
        .to.include({ type: 'DocumentReference', id: item.id })
        .and.not.have.property('isOpenToPatient');
      await commitPlan(suite.records, aPlan({ puts: [{ ...item, released: true }] }));
      expect((await itemOf())?.isOpenToPatient).to.equal(true);
      expect(await ask(suite.records, aGrant('Practitioner/lambert'), asked)).to.not.have.property('item');
    });

    it('a part that comes after its item is shown to those who hold the item', async () => {
      const person = aPersonKey();
      const item = aPut({ person, origin: { sources: ['Practitioner/lambert'], services: [] } });
      await commitPlan(suite.records, aPlan({ puts: [item] }));
      const part = aPut({ type: 'Binary', person, parent: `DocumentReference/${item.id}` });
      await commitPlan(suite.records, aPlan({ puts: [part] }));
      expect(await read(suite.records, aGrant('Practitioner/lambert'), part)).not.to.equal(undefined);
    });
  });

  describe('times and holders', () => {
    it('a right counts from its first millisecond up to its end, which is out', async () => {
      const person = aPersonKey();
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [aRight({ person, from: NOW, to: NOW + 10 })] }));
      const seen = async (now: number): Promise<boolean> =>
        (await read(suite.records, aGrant('Practitioner/lambert', now), put)) !== undefined;
      expect([await seen(NOW - 1), await seen(NOW), await seen(NOW + 9), await seen(NOW + 10)]).to.deep.equal([
        false,
        true,
        true,
        false,
      ]);
    });

    it('an embargo hides from the patient alone', async () => {
      const person = aPersonKey();
      const put = aPut({ person, released: false });
      const self = aRight({ person, principal: principal.patient(person), relation: 'self' });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [self, aRight({ person })] }));
      expect(await read(suite.records, aPatientGrant(person), put)).to.equal(undefined);
      expect(await read(suite.records, aGrant('Practitioner/lambert'), put)).not.to.equal(undefined);
    });

    it('a role without reading images gives nothing of an imaging service, nor does another principal', async () => {
      const person = aPersonKey();
      const organization = `Organization/${person}`;
      const put = aPut({ person });
      const right = aRight({ person, principal: principal.radiologists(organization), relation: 'imaging-service' });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [right] }));
      const secretary = aGrant('Practitioner/s', NOW, [
        { reference: 'PractitionerRole/1', organization, within: [], radiologist: false, offices: [] },
      ]);
      expect(await read(suite.records, secretary, put)).to.equal(undefined);
      expect(await read(suite.records, anEstablishmentGrant(organization), put)).to.equal(undefined);
    });

    it('the server itself sees every row, shown by no right', async () => {
      const person = aPersonKey();
      const put = aPut({ person, level: 'V', released: false, subject: `Patient/${person}` });
      await commitPlan(suite.records, aPlan({ puts: [put], states: [{ person, change: { erasurePending: true } }] }));

      const row = await suite.records.peek(SYSTEM, { kind: 'resource', type: put.type, id: put.id });
      expect(row).to.include({ id: put.id, person, subject: `Patient/${person}`, released: false, shownBy: undefined });
    });
  });
}
