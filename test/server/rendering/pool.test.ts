import { expect } from 'chai';
import type { Picture, RenderRequest } from '../../../server/ports/frame-renderer.ts';
import { renderingPool, type PoolOptions, type RenderingThread } from '../../../server/rendering/pool.ts';
import { errorOf } from '../../support/faults.ts';

const PICTURE: Picture = { bytes: new Uint8Array(100), mediaType: 'image/jpeg' };

function requestOf(name: string, frame = 1): RenderRequest {
  const instance = { blob: { name, size: 1 }, dataSetOffset: 0, transferSyntaxUID: '1.2' };
  return { instance, frame, mediaType: 'image/jpeg' };
}

/** Threads whose work ends when the test says so. */
class Threads {
  readonly asked: string[] = [];
  started = 0;
  readonly #pending: { readonly done: () => void; readonly failed: (error: Error) => void }[] = [];

  readonly start = (): RenderingThread => {
    this.started += 1;
    const ended = Promise.withResolvers<void>();
    const gone = ended.promise.then(() => {
      throw new Error('The thread has ended');
    });
    gone.catch(() => undefined);
    return {
      render: async (request) => {
        this.asked.push(`${request.instance.blob.name}/${'frame' in request ? request.frame : ''}`);
        const work = Promise.withResolvers<Picture>();
        this.#pending.push({ done: () => work.resolve(PICTURE), failed: work.reject });
        return await Promise.race([work.promise, gone]);
      },
      end: async () => ended.resolve(),
      ended: ended.promise,
    };
  };

  /** Ends the oldest work. */
  async finish(): Promise<void> {
    await turn();
    this.#pending.shift()?.done();
    await turn();
  }
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('The pool that renders', () => {
  const pools: ReturnType<typeof renderingPool>[] = [];
  function open(threads: Threads, options: Partial<PoolOptions> = {}): ReturnType<typeof renderingPool> {
    const pool = renderingPool({
      startThread: threads.start,
      threads: 2,
      maxWaiting: 3,
      timeLimitMs: 60_000,
      idleMs: 60_000,
      cacheBytes: 1_000,
      ...options,
    });
    pools.push(pool);
    return pool;
  }

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
  });

  it('renders as many pictures at a time as it has threads, and refuses what would wait too long', async () => {
    const threads = new Threads();
    const pool = open(threads);
    const asked = [1, 2, 3, 4, 5].map(async (frame) => await pool.render(requestOf('a', frame)));
    await turn();
    expect(threads.asked).to.deep.equal(['a/1', 'a/2']);
    const refused = await errorOf(pool.render(requestOf('a', 6)));
    expect(refused).to.include({ kind: 'transient' });
    for (let at = 0; at < 5; at += 1) await threads.finish();
    await Promise.all(asked);
    expect(threads.started).to.equal(2);
  });

  it('makes a picture once for all who ask for it, and keeps it', async () => {
    const threads = new Threads();
    const pool = open(threads);
    const asked = [pool.render(requestOf('a')), pool.render(requestOf('a'))];
    await threads.finish();
    await Promise.all(asked);
    await pool.render(requestOf('a'));
    expect(threads.asked).to.deep.equal(['a/1']);
  });

  it('forgets what it keeps of an instance, and what is being made of it', async () => {
    const threads = new Threads();
    const pool = open(threads);
    for (const isForgottenFirst of [false, true]) {
      const asked = pool.render(requestOf('a'));
      if (isForgottenFirst) pool.forget(['a']);
      await threads.finish();
      await asked;
      if (!isForgottenFirst) pool.forget(['a']);
    }
    void pool.render(requestOf('a'));
    await threads.finish();
    expect(threads.asked).to.deep.equal(['a/1', 'a/1', 'a/1']);
  });

  it('keeps no more bytes than it may, the last ones asked for', async () => {
    const threads = new Threads();
    const pool = open(threads, { cacheBytes: 450 });
    const show = async (name: string): Promise<void> => {
      const before = threads.asked.length;
      const asked = pool.render(requestOf(name));
      await turn();
      if (threads.asked.length > before) await threads.finish();
      await asked;
    };
    for (const name of ['a', 'b', 'c', 'd', 'a', 'e', 'a', 'b']) await show(name);
    expect(threads.asked.map((asked) => asked[0])).to.deep.equal(['a', 'b', 'c', 'd', 'e', 'b']);
  });

  it('ends a thread that takes too long, and goes on with another', async () => {
    const threads = new Threads();
    const pool = open(threads, { threads: 1, timeLimitMs: 20 });
    const late = await errorOf(pool.render(requestOf('slow')));
    expect(late).to.include({ kind: 'too-costly' });
    await turn();
    const asked = pool.render(requestOf('good'));
    await turn();
    expect(threads.asked).to.deep.equal(['slow/1', 'good/1']);
    expect(threads.started).to.equal(2);
    await threads.finish();
    await threads.finish();
    await asked;
  });

  it('ends threads that have had nothing to do, and refuses when it is closed', async () => {
    const threads = new Threads();
    const pool = open(threads, { threads: 1, idleMs: 1 });
    for (const name of ['a', 'b']) {
      const asked = pool.render(requestOf(name));
      await threads.finish();
      await asked;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(threads.started).to.equal(2);
    await pool.close();
    expect(await errorOf(pool.render(requestOf('c')))).to.include({ kind: 'transient' });
  });
});
