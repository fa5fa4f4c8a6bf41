import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { Fault } from '../../../../../profiles/fault.ts';
import { Database } from '../../../../../server/stores/sqlite/database.ts';
import { runGroup } from '../../../../../server/stores/sqlite/write/order-thread.ts';

type Order = { readonly sequence: number; readonly fails?: true };

describe('A group of orders (SQLite)', () => {
  let [database, savepoints]: [Database, number] = [new Database(new DatabaseSync(':memory:')), 0];
  beforeEach(() => {
    class Counting extends Database {
      override run(...asked: Parameters<Database['run']>): number {
        if (asked[0].startsWith('SAVEPOINT')) savepoints += 1;
        return super.run(...asked);
      }
    }
    [database, savepoints] = [new Counting(new DatabaseSync(':memory:')), 0];
    database.script('CREATE TABLE done (sequence INTEGER)');
  });
  afterEach(() => database.close());

  const done = (): readonly number[] =>
    database.all<{ sequence: number }>('SELECT sequence FROM done').map(({ sequence }) => sequence);
  const execute = ({ sequence, fails }: Order): number => {
    database.run('INSERT INTO done VALUES (?)', sequence);
    if (fails === true) throw new Fault('conflict', 'Taken');
    return sequence * 10;
  };

  it('in which none fails needs no savepoint', () => {
    const { answers, isCommitted } = runGroup(database, [{ sequence: 1 }, { sequence: 2 }], execute);
    expect(answers).to.deep.equal([
      { sequence: 1, answer: 10 },
      { sequence: 2, answer: 20 },
    ]);
    expect([isCommitted, done(), savepoints]).to.deep.equal([true, [1, 2], 0]);
  });

  it('in which one fails stands without that one, each order applied once', () => {
    let begun = 0;
    const orders: readonly Order[] = [{ sequence: 1 }, { sequence: 2, fails: true }, { sequence: 3 }];
    const { answers, isCommitted } = runGroup(database, orders, execute, {
      again: () => {
        begun += 1;
        expect(done()).to.deep.equal([]);
      },
      last: () => database.run('INSERT INTO done VALUES (99)'),
    });
    expect(answers.map((answer) => 'answer' in answer)).to.deep.equal([true, false, true]);
    expect([isCommitted, done(), begun]).to.deep.equal([true, [1, 3, 99], 1]);
  });

  it('of one order that fails leaves nothing, and is not tried again', () => {
    let begun = 0;
    const again = (): void => void (begun += 1);
    const { answers, isCommitted } = runGroup(database, [{ sequence: 1, fails: true }], execute, { again });
    expect(answers).to.have.nested.property('[0].fault.kind', 'conflict');
    expect([isCommitted, done(), begun]).to.deep.equal([false, [], 0]);
  });

  it('whose end fails leaves nothing', () => {
    const last = (): void => {
      throw new Error('No');
    };
    const { answers, isCommitted } = runGroup(database, [{ sequence: 1 }, { sequence: 2 }], execute, { last });
    expect(answers.every((answer) => 'fault' in answer && answer.fault.bug)).to.equal(true);
    expect([isCommitted, done()]).to.deep.equal([false, []]);
  });
});
