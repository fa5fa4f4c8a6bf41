/** Stories that are told in a world which they share, each with people of its own. */
import { openSession, type Session } from './session.ts';
import { openWorld, type World } from './world.ts';

const TIMEOUT_MS = 120_000;

/** Describes what happens in a world; each story begins a session in it. */
export function describeWorld(title: string, stories: (begin: () => Session) => void): void {
  describe(title, function () {
    this.timeout(TIMEOUT_MS);
    let world: World | undefined;
    before(async () => void (world = await openWorld()));
    after(async () => await world?.close());
    stories(() => {
      if (world === undefined) throw new Error('No world');
      return openSession(world);
    });
  });
}
