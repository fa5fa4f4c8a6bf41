/** Draws a pane: its picture, and the lines that were measured on it. */
import { filled, type Slice, type Texts } from './outline.ts';
import { lengthOf, scaleOf, toPane, type Placing, type Point, type Size } from './view.ts';

/** A measured line, on one picture of the series. */
export type Line = { readonly slice: number; readonly from: Point; to: Point };

/** What is seen in a pane. `picture` is undefined while there is none. */
export type Scene = {
  readonly pane: Size;
  readonly slice: Slice;
  readonly picture: ImageBitmap | undefined;
  readonly placing: Placing;
  readonly isInverse: boolean;
  readonly lines: readonly Line[];
};

/** Above this the pixels of the image are seen as they are. */
const MOST_SMOOTHED = 3;
const LETTERS = 14;
const GAP = 6;

/** Draws it anew. */
export function draw(canvas: HTMLCanvasElement, scene: Scene, texts: Texts): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const { pane, picture, placing } = scene;
  Object.assign(canvas, pane);
  const { backgroundColor: paper, color: ink } = getComputedStyle(canvas);
  context.fillStyle = paper;
  context.fillRect(0, 0, pane.width, pane.height);
  if (picture === undefined) return;
  const frame = frameOf(scene.slice);
  const scale = scaleOf(pane, frame, placing);
  const corner = toPane({ x: 0, y: 0 }, pane, frame, placing);
  const [width, height] = [frame.width * scale, frame.height * scale];
  context.imageSmoothingEnabled = scale < MOST_SMOOTHED;
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, corner.x, corner.y, width, height);
  if (scene.isInverse) {
    context.globalCompositeOperation = 'difference';
    context.fillStyle = 'white';
    context.fillRect(corner.x, corner.y, width, height);
    context.globalCompositeOperation = 'source-over';
  }
  for (const line of scene.lines) drawLine(context, line, scene, { paper, ink, texts });
}

/** The size of a slice in its own pixels. */
export function frameOf({ instance }: Slice): Size {
  return { width: instance.columns, height: instance.rows };
}

/**
 * How long a line is, in words: in millimetres, of the detector where the image tells no others, or plainly in pixels
 * where their spacing is not known.
 */
export function lengthText(line: Line, { instance }: Slice, texts: Texts): string {
  const { spacing, isAtDetector } = instance;
  const length = lengthOf(line.from, line.to, spacing);
  if (spacing === undefined) return filled(texts.pixels, { length: Math.round(length) });
  const text = isAtDetector === true ? texts.atDetector : texts.millimetres;
  return filled(text, { length: Math.round(length * 10) / 10 }, 1);
}

function drawLine(
  context: CanvasRenderingContext2D,
  line: Line,
  { pane, slice, placing }: Scene,
  { paper, ink, texts }: { readonly paper: string; readonly ink: string; readonly texts: Texts },
): void {
  const [from, to] = [line.from, line.to].map((at) => toPane(at, pane, frameOf(slice), placing));
  if (from === undefined || to === undefined) return;
  const ratio = globalThis.devicePixelRatio || 1;
  const text = lengthText(line, slice, texts);
  context.font = `600 ${LETTERS * ratio}px system-ui, sans-serif`;
  const width = context.measureText(text).width;
  const x = Math.min(Math.max(to.x + GAP * ratio, 0), pane.width - width - GAP * ratio);
  const y = Math.min(Math.max(to.y - GAP * ratio, LETTERS * ratio), pane.height - GAP * ratio);
  // Twice, dark below light, so that it is seen on any picture.
  for (const [colour, thick] of [
    [paper, 4],
    [ink, 2],
  ] as const) {
    context.lineWidth = thick * ratio;
    context.strokeStyle = colour;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }
  context.lineWidth = 4 * ratio;
  context.lineJoin = 'round';
  context.strokeStyle = paper;
  context.strokeText(text, x, y);
  context.fillStyle = ink;
  context.fillText(text, x, y);
}
