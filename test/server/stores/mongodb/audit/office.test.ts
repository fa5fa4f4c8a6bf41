/** How much of the trail a search of the office of an establishment reads on MongoDB. */
import { expect } from 'chai';
import type { Criterion } from '../../../../../profiles/search/criterion.ts';
import { authorRightsOf } from '../../../../../server/access/right.ts';
import { MOST_EVENTS } from '../../../../../server/stores/event-chain.ts';
import { officeWhere } from '../../../../../server/stores/mongodb/audit/office.ts';
import type { Reader } from '../../../../../server/stores/mongodb/read/reader.ts';
import { expectFault } from '../../../../support/faults.ts';
import { aGrant, NOW } from '../../../../support/plans.ts';

const FILER = 'Organization/filer';
const OFFICER = aGrant('Practitioner/officer', NOW, [
  {
    reference: 'PractitionerRole/1',
    organization: FILER,
    within: [FILER],
    radiologist: false,
    offices: ['establishment-dpo'],
    oversees: [FILER],
  },
]);

type Asked = { readonly filter: unknown; readonly limit: number };

describe('Searches of the office of an establishment (MongoDB)', () => {
  /** What is asked of a trail, in which so many events are of the items. */
  const asked = async (where: readonly Criterion[], events: number): Promise<readonly Asked[]> => {
    const rights = ['ImagingStudy/1', 'ImagingStudy/2'].map((item) => ({ _id: authorRightsOf(FILER) + item }));
    const found = (some: readonly object[]) => {
      const cursor = { sort: () => cursor, limit: () => cursor, toArray: async () => some };
      return cursor;
    };
    const questions: Asked[] = [];
    const collections = {
      rights: {
        find: ({ _id }: { readonly _id: { readonly $in?: readonly string[] } }) =>
          found(rights.filter((right) => _id.$in?.includes(right._id) ?? true)),
      },
      audit: {
        find: (filter: unknown, { limit }: { readonly limit: number }) => {
          questions.push({ filter, limit });
          return found(Array.from({ length: Math.min(events, limit) }, (_, at) => ({ _id: String(at) })));
        },
      },
    };
    await officeWhere({ collections, grant: OFFICER } as unknown as Reader, where, undefined);
    return questions;
  };

  it('looks for the events of the items that are asked for, of all that it filed where none is', async () => {
    const entity = { kind: 'reference', param: 'entity', values: ['ImagingStudy/2', 'ImagingStudy/3'] } as const;
    const items = async (where: readonly Criterion[]) =>
      JSON.stringify(await asked(where, 1)).match(/ImagingStudy\/\d/g);
    expect(await items([entity])).to.deep.equal(['ImagingStudy/2']);
    expect(await items([])).to.deep.equal(['ImagingStudy/1', 'ImagingStudy/2']);
  });

  it('reads one event more than it may find, and no further', async () => {
    expect((await asked([], 1)).map(({ limit }) => limit)).to.deep.equal([MOST_EVENTS + 1]);
    await asked([], MOST_EVENTS);
    await expectFault(asked([], MOST_EVENTS + 2), 'too-costly');
  });
});
