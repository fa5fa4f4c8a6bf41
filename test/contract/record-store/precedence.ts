/** Which right is named when several show a row: the order of server/access/right.ts, on every store. */
import { expect } from 'chai';
import { NORMAL } from '../../../profiles/confidentiality.ts';
import { decide, OPEN_STATE } from '../../../server/access/decide.ts';
import type { Grant } from '../../../server/access/grant.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import { principal, type Relation, type Right } from '../../../server/access/right.ts';
import { aGrant, aPersonKey, aPlan, aPut, aQuery, aRight, NOW } from '../../support/plans.ts';
import { ask, read, search } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** The relations that one professional may hold to one record at a time, in the order in which they are named. */
const HELD = ['declared', 'imaging-service', 'break-glass'] as const satisfies readonly Relation[];

function rightOf(relation: Relation, person: PersonKey, practitioner: string, service: string): Right {
  const holder = {
    'imaging-service': principal.radiologists(service),
    'break-glass': principal.breakGlass(practitioner),
  } as const satisfies Partial<Record<Relation, Right['principal']>>;
  const held = relation in holder ? holder[relation as keyof typeof holder] : principal.practitioner(practitioner);
  return aRight({ person, relation, principal: held });
}

/** Runs the contract of the order of rights. */
export function precedenceContract(suite: Suite): void {
  describe('of several rights that show a row', () => {
    for (const [at, first] of HELD.entries()) {
      for (const second of HELD.slice(at + 1)) {
        for (const order of ['before', 'after'] as const) {
          it(`${first} is named, and not ${second} that was given ${order} it`, async () => {
            const person = aPersonKey();
            const [practitioner, service] = [`Practitioner/${person}`, `Organization/${person}`];
            const put = aPut({ person });
            const one = rightOf(first, person, practitioner, service);
            const other = rightOf(second, person, practitioner, service);
            await commitPlan(suite.records, aPlan({ puts: [put], rights: order === 'before' ? [other] : [one] }));
            await commitPlan(suite.records, aPlan({ rights: order === 'before' ? [one] : [other] }));
            const grant = aGrant(practitioner, NOW, [
              { reference: 'PractitionerRole/1', organization: service, within: [], radiologist: true, offices: [] },
            ]);
            expect(await named(suite, grant, put.id)).to.deep.equal([one.id, one.id, one.id]);
            const facts = {
              type: put.type,
              item: `${put.type}/${put.id}`,
              exams: [],
              dates: [],
              released: true,
              ...NORMAL,
            } as const;
            for (const rights of [
              [one, other],
              [other, one],
            ])
              expect(decide(grant, facts, rights, OPEN_STATE)).to.deep.equal({ permitted: true, right: one });
          });
        }
      }
    }
  });
}

/** The right that a read, a search and a search by id name. */
async function named({ records }: Suite, grant: Grant, id: string): Promise<(string | undefined)[]> {
  const type = 'DocumentReference';
  const listed = await search(records, grant, aQuery(type));
  const found = await ask(records, grant, {
    kind: 'search',
    query: aQuery(type, { where: [{ kind: 'id', values: [id] }] }),
  });
  const rows = [await read(records, grant, { type, id }), listed.rows[0], found.rows[0]];
  return rows.map((row) => row?.shownBy?.rightId);
}
