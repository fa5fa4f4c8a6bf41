import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { startServer } from '../../support/server.ts';

/** Field of `/proc/PID/task/TID/stat` after the name in parentheses. @see proc(5) */
const NICE = 16;

function priorities(pid: number): Map<number, number> {
  return new Map(
    readdirSync(`/proc/${pid}/task`).map((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return [Number(thread), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[NICE])];
    }),
  );
}

describe('The intake thread', () => {
  it('lets every other thread go first', async function () {
    if (process.platform !== 'linux') return this.skip();
    this.timeout(20_000);
    const server = await startServer();
    try {
      const found = priorities(server.pid);
      expect(found.get(server.pid)).to.equal(0);
      expect([...found.values()].filter((nice) => nice > 0)).to.have.length(1);
    } finally {
      await server.stop();
    }
    return undefined;
  });
});
