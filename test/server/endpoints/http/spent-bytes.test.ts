import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { piecesAhead } from '../../../../server/endpoints/http/pieces-ahead.ts';
import { zipped } from '../../../../server/endpoints/dicomweb/zipped.ts';
import type { Piece, SpentBytes } from '../../../../server/ports/image-store.ts';

const NO_BLOBS = {
  reader: async (): Promise<never> => {
    throw new Error('No blob is asked for');
  },
};

/** Bytes in a buffer of their own. */
function own(text: string): Uint8Array {
  return new Uint8Array(Array.from(text, (letter) => letter.charCodeAt(0)));
}

async function sent(pieces: Iterable<Piece>, room: number): Promise<string> {
  let text = '';
  for await (const piece of piecesAhead(NO_BLOBS, pieces)) {
    const target = new Uint8Array(room);
    for (let at = piece.start; at < piece.end;) {
      const length = await piece.read(target, at);
      text += Buffer.from(target.subarray(0, length)).toString('latin1');
      at += length;
    }
  }
  return text;
}

describe('Bytes that nobody looks at once they are sent', () => {
  const shared = Buffer.from('[,]');

  it('give their memory back, part by part, however small the room is', async () => {
    for (const room of [2, 5, 100]) {
      const [first, second] = [own('first'), own('second')];
      const spent = [shared.subarray(0, 1), first, shared.subarray(1, 2), second, shared.subarray(2, 3)];
      expect(await sent([{ spent }], room)).to.equal('[first,second]');
      expect([first.byteLength, second.byteLength]).to.deep.equal([0, 0]);
    }
    expect(shared.toString()).to.equal('[,]');
  });

  it('are others than those that were not said to be', async () => {
    const kept = own('kept');
    expect(await sent([kept, [kept]], 3)).to.equal('keptkept');
    expect(kept.byteLength).to.equal(4);
  });

  it('give it back when they are compressed', async () => {
    const part = own('compressed');
    const groups = async function* (): AsyncGenerator<SpentBytes> {
      yield { spent: [part] };
    };
    const chunks: Uint8Array[] = [];
    for await (const chunk of zipped(groups())) chunks.push(chunk);
    expect(gunzipSync(Buffer.concat(chunks)).toString()).to.equal('compressed');
    expect(part.byteLength).to.equal(0);
  });
});
