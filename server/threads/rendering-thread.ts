/**
 * A thread of the pool that renders: it reads the bytes of an instance, decodes a frame and makes the picture, or reads
 * a document and writes its page. What it is told is plain data, and what brings it down takes nothing else along.
 */
import { constants, setPriority } from 'node:os';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { DocumentRequest, Picture, RenderRequest } from '../ports/frame-renderer.ts';
import type { renderDocument } from '../rendering/render-document.ts';
import { renderFrame } from '../rendering/render-frame.ts';
import { openFileImages } from '../stores/files/image-store.ts';
import { talk } from './thread-talk.ts';

/** What the thread is started with. */
export type RenderingSettings = { readonly dataDir: string };

/** What it may be asked. */
export type RenderingCalls = {
  readonly render: { readonly ask: RenderRequest | DocumentRequest; readonly answer: Picture };
};

async function run(port: MessagePort, { dataDir }: RenderingSettings): Promise<void> {
  // Whoever reads goes first (intake-thread.ts).
  if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
  const images = await openFileImages({ dataDir, ownThread: true });
  const frame = renderFrame(images);
  // What reads XML is loaded with the first document: a first picture need not wait for it.
  const document: ReturnType<typeof renderDocument> = async (request) => {
    const { renderDocument } = await import('../rendering/render-document.ts');
    return await renderDocument(images)(request);
  };
  talk<Record<string, never>, RenderingCalls>(port, {
    render: async (request) => await ('document' in request ? document(request) : frame(request)),
  });
}

if (parentPort !== null) await run(parentPort, workerData as RenderingSettings);
