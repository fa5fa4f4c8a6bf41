/** What runs within a page of the viewer: reads its canvas, and compares it with a picture that it draws itself. */

/** A picture beside the one on a canvas, from 0 to 255. */
export type Comparison = {
  /** The mean difference of all values. */
  readonly mean: number;
  /** The part of the values that are further apart than {@link FAR}. */
  readonly far: number;
  /** Different values on the canvas within the picture: one alone is blank. */
  readonly values: number;
};

/** One frame on the page: where it is asked for below a study, its width, and the side that the page asks for. */
export type ShownFrame = { readonly path: string; readonly columns: number; readonly side: number };

type Context = {
  imageSmoothingEnabled: boolean;
  imageSmoothingQuality: string;
  fillRect(x: number, y: number, width: number, height: number): void;
  drawImage(picture: object, x: number, y: number, width: number, height: number): void;
  getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
};
type Canvas = { readonly width: number; readonly height: number; getContext(kind: '2d'): Context };
type InPage = {
  readonly document: { querySelector(selector: string): unknown };
  readonly OffscreenCanvas: new (width: number, height: number) => Canvas;
  createImageBitmap(picture: Blob): Promise<{ readonly width: number; readonly height: number }>;
};
type Outline = {
  readonly series: readonly {
    readonly uid: string;
    readonly instances: readonly {
      readonly uid: string;
      readonly frames: number;
      readonly columns: number;
      readonly rows: number;
    }[];
  }[];
};

/** Which frame the first pane shows, of a series and picture from 1. Runs in the page. */
export function frameInPage([series, picture]: readonly [number, number]): ShownFrame {
  const { document } = globalThis as unknown as InPage;
  const data = document.querySelector('#outline') as { dataset: { json: string } };
  const canvas = document.querySelector('canvas') as Canvas;
  const one = (JSON.parse(data.dataset.json) as Outline).series[series - 1];
  const slices = (one?.instances ?? []).flatMap((instance) =>
    Array.from({ length: instance.frames }, (_, at) => ({ ...instance, frame: at + 1 })),
  );
  const slice = slices[picture - 1];
  const side = [256, 512, 1024, 2048, 4096].find((each) => each >= Math.max(canvas.width, canvas.height));
  return {
    path: `series/${one?.uid}/instances/${slice?.uid}/frames/${slice?.frame}`,
    columns: slice?.columns ?? 0,
    side: Math.min(side ?? 0, Math.max(slice?.columns ?? 0, slice?.rows ?? 0)),
  };
}

/** Draws a picture as large as it fits, in the middle, and compares the canvas with it there. Runs in the page. */
export async function compareInPage([base64, columns, mostFar]: readonly [
  string,
  number,
  number,
]): Promise<Comparison> {
  const { document, OffscreenCanvas, createImageBitmap } = globalThis as unknown as InPage;
  const canvas = document.querySelector('[data-pane="0"] canvas') as Canvas;
  const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))]));
  const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const [left, top] = [(canvas.width - width) / 2, (canvas.height - height) / 2];
  const own = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
  own.fillRect(0, 0, canvas.width, canvas.height);
  own.imageSmoothingEnabled = width / columns < 3;
  own.imageSmoothingQuality = 'high';
  own.drawImage(picture, left, top, width, height);
  // Its very edge may be rounded otherwise.
  const inside = [left + 2, top + 2, width - 4, height - 4].map(Math.round) as [number, number, number, number];
  const shown = canvas.getContext('2d').getImageData(...inside).data;
  const expected = own.getImageData(...inside).data;
  let [sum, far] = [0, 0];
  for (let at = 0; at < shown.length; at += 1) {
    const apart = Math.abs((shown[at] ?? 0) - (expected[at] ?? 0));
    sum += apart;
    if (apart > mostFar) far += 1;
  }
  const count = (shown.length * 3) / 4;
  return { mean: sum / count, far: far / count, values: new Set(shown).size };
}
