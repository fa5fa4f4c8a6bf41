/** How much of the trail a search of the office of an establishment reads on SQLite. */
import { expect } from 'chai';
import type { Criterion } from '../../../../../profiles/search/criterion.ts';
import { authorRightsOf } from '../../../../../server/access/right.ts';
import { officeWhere } from '../../../../../server/stores/sqlite/audit/office.ts';
import type { Database } from '../../../../../server/stores/sqlite/database.ts';
import { MOST_EVENTS } from '../../../../../server/stores/event-chain.ts';
import { expectFault } from '../../../../support/faults.ts';

const FILER = 'Organization/filer';

describe('Searches of the office of an establishment (SQLite)', () => {
  const ids = ['ImagingStudy/1', 'ImagingStudy/2'].map((item) => ({ id: authorRightsOf(FILER) + item }));
  const records = {
    all: (_text: string, asked: string) =>
      asked.startsWith('[') ? ids.filter(({ id }) => (JSON.parse(asked) as string[]).includes(id)) : ids,
  } as unknown as Database;

  /** What is asked of a trail, in which so many events are of the items. */
  const asked = async (where: readonly Criterion[], events: number): Promise<readonly (readonly unknown[])[]> => {
    const questions: (readonly unknown[])[] = [];
    const trail = {
      get: () => ({ first: 1, last: 9 }),
      all: (_text: string, ...values: readonly unknown[]) => {
        questions.push(values);
        return Array.from({ length: Math.min(events, Number(values.at(-1))) }, (_, rid) => ({ rid }));
      },
    } as unknown as Database;
    await officeWhere({ organizations: [FILER], records }, trail, where, undefined);
    return questions;
  };

  it('looks for the events of the items that are asked for, of all that it filed where none is', async () => {
    const entity = { kind: 'reference', param: 'entity', values: ['ImagingStudy/2', 'ImagingStudy/3'] } as const;
    const items = async (where: readonly Criterion[]) => (await asked(where, 1)).map(([, names]) => names);
    expect(await items([entity])).to.deep.equal(['["ImagingStudy/2"]']);
    expect(await items([])).to.deep.equal(['["ImagingStudy/1","ImagingStudy/2"]']);
  });

  it('reads one event more than it may find, and no further', async () => {
    const [question = []] = await asked([], 1);
    expect(question.at(-1)).to.equal(MOST_EVENTS + 1);
    await asked([], MOST_EVENTS);
    await expectFault(asked([], MOST_EVENTS + 2), 'too-costly');
  });
});
