/** What follows a join and a separation, when a process is killed after each commit of it (identity.md 2 and 4). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { expect } from 'chai';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { differences } from './readers.ts';
import type { Step } from './sequences.ts';
import { openSession, type Session } from './session.ts';
import { doStep } from './steps.ts';
import { openWorld, worldFolder } from './world.ts';

const PROGRAM = new URL('killed-process.ts', import.meta.url).pathname;
const ONE = { at: 'strasbourg', number: 0 } as const;
const OTHER = { at: 'nancy', number: 0 } as const;
const JUDGED = { one: ONE, other: OTHER, by: 'desk' } as const;
const SENT: readonly Step[] = [
  { does: 'image', of: ONE, study: 0, instance: 0 },
  { does: 'image', of: OTHER, study: 0, instance: 1 },
  { does: 'image', of: OTHER, study: 0, instance: 0, as: 'strasbourg' },
  { does: 'report', of: OTHER, study: 0, isFinal: true },
];

/** Does the work that waits until a number of commits; resolves with whether there were as many. */
async function killedAfter(store: string, folder: string, commits: number): Promise<boolean> {
  const order = [PROGRAM, store, folder, String(commits)];
  const child = spawn(process.execPath, order, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (code !== 0) expect(signal, `exit code ${code}`).to.equal('SIGKILL');
  return code !== 0;
}

/** What is cut is the same on every store; on a slow one each second place is enough. */
const STEP: Readonly<Record<string, number>> = { MongoDB: 2 };

for (const { name, missing, open } of EACH_STORE)
  describe(`Processes that are killed amid what follows from who is who, on ${name}`, function () {
    this.timeout(600_000);
    let opened: Awaited<ReturnType<typeof open>>;
    let folder: string | undefined;
    before(async function start() {
      if (missing() !== undefined) this.skip();
      [opened, folder] = [await open(), await worldFolder()];
    });
    after(async () => {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
      await opened?.close();
    });

    /** Does a step, and cuts what follows after some commits; resolves with whether there were as many. */
    async function isCut(former: Session, step: Step, commits: number): Promise<boolean> {
      const begun = await openWorld(opened.store, folder);
      await doStep(openSession(begun, former), step, async () => undefined);
      await begun.close();
      const isKilled = await killedAfter(opened.store, folder ?? '', commits);
      const world = await openWorld(opened.store, folder);
      expect(await differences(openSession(world, former)), `${step.does}, ${commits}`).to.deep.equal([]);
      await world.close();
      return isKilled;
    }

    it('leaves what the model gives, and loses no bytes', async () => {
      const world = await openWorld(opened.store, folder);
      const session = openSession(world);
      for (const step of SENT) await doStep(session, step, async () => undefined);
      await world.rest();
      await world.close();
      const cutAfter = async (does: 'join' | 'separate', commits: number): Promise<boolean> =>
        await isCut(session, { ...JUDGED, does }, commits);
      let commits = 1;
      while ([await cutAfter('join', commits), await cutAfter('separate', commits)].includes(true))
        commits += STEP[name] ?? 1;
      expect(commits).to.be.greaterThan(3);
    });
  });
