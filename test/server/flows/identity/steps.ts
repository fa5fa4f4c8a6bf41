/** Does the steps of a sequence, one after the other. */
import { judge, move, clear } from './desks.ts';
import { declare, feed, image, report, usurp } from './senders.ts';
import type { Feed, Judge, Move, Step } from './sequences.ts';
import { nameOf, partitionOf, whoseOf, type Session } from './session.ts';

/** What is done by mistake: `mistake` resolves with whether anything was done. */
export type Mistake = {
  readonly does: (Feed | Judge | Move)['does'];
  readonly mistake: () => Promise<boolean>;
  readonly undo: () => Promise<void>;
};

type Undone = (session: Session, mistake: Mistake) => Promise<void>;

/** Does a step; `undone` is called with each mistake, to do and undo it. */
export async function doStep(session: Session, step: Step, undone: Undone): Promise<void> {
  const { model, world } = session;
  switch (step.does) {
    case 'feed':
      await feed(session, step);
      return;
    case 'image':
      await image(session, step);
      return;
    case 'report':
      await report(session, step);
      return;
    case 'join':
    case 'separate':
      await judge(session, step);
      return;
    case 'move':
      await move(session, step);
      return;
    case 'declare':
      await declare(session, step.of);
      return;
    case 'erase':
      if (!model.studies.has(String(step.study))) return;
      await world.rest();
      model.erase(String(step.study), partitionOf(await session.known()));
      await world.flows.eraseStudy(session.studyUid(step.study));
      return;
    case 'release':
    case 'discard':
      await clear(session, step.does, step.study);
      return;
    case 'usurp':
      await usurp(session, step);
      return;
    case 'err':
      await err(session, step.mistake, undone);
  }
}

/** Errs and undoes it, where what was done can be undone by whoever did it. */
async function err(session: Session, mistake: Feed | Judge | Move, undone: Undone): Promise<void> {
  const { does } = mistake;
  const pair = await pairOf(session, mistake);
  if (pair !== undefined) await undone(session, { does, ...pair });
}

async function pairOf(session: Session, mistake: Feed | Judge | Move): Promise<Omit<Mistake, 'does'> | undefined> {
  if (mistake.does === 'feed') {
    const back = session.feeds.get(nameOf(mistake.of));
    if (back === undefined) return undefined;
    const undo = async (): Promise<void> => void (await feed(session, back));
    return { mistake: async () => await feed(session, mistake), undo };
  }
  if (mistake.does === 'move') {
    const owner = session.model.studies.get(String(mistake.study))?.owner;
    if (owner === undefined) return undefined;
    const back: Move = { ...mistake, by: 'desk', to: whoseOf(owner) };
    return { mistake: async () => await move(session, mistake), undo: async () => void (await move(session, back)) };
  }
  const who = partitionOf(await session.known());
  if ((who.get(nameOf(mistake.one)) === who.get(nameOf(mistake.other))) === (mistake.does === 'join')) return undefined;
  const back: Judge = { ...mistake, does: mistake.does === 'join' ? 'separate' : 'join' };
  return { mistake: async () => await judge(session, mistake), undo: async () => void (await judge(session, back)) };
}
