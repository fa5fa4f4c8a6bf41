/** Where a picture lies in its pane, and what the reader does to it: pure geometry. */

/** A place or a distance, in pixels. */
export type Point = { readonly x: number; readonly y: number };

/** A width and a height, in pixels. */
export type Size = { readonly width: number; readonly height: number };

/** How a picture is placed: larger than fitting by a factor, and moved from the middle, in pixels of the pane. */
export type Placing = { readonly zoom: number; readonly moved: Point };

/** The picture fits and lies in the middle. */
export const FITTING: Placing = { zoom: 1, moved: { x: 0, y: 0 } };

const LEAST_ZOOM = 0.5;
const MOST_ZOOM = 16;

/** Pixels of the pane for a pixel of the frame. */
export function scaleOf(pane: Size, frame: Size, { zoom }: Placing): number {
  return Math.min(pane.width / frame.width, pane.height / frame.height) * zoom;
}

/** Where a place of the frame is seen. */
export function toPane(at: Point, pane: Size, frame: Size, placing: Placing): Point {
  const scale = scaleOf(pane, frame, placing);
  return {
    x: pane.width / 2 + placing.moved.x + (at.x - frame.width / 2) * scale,
    y: pane.height / 2 + placing.moved.y + (at.y - frame.height / 2) * scale,
  };
}

/** Which place of the frame is seen there. */
export function toFrame(at: Point, pane: Size, frame: Size, placing: Placing): Point {
  const scale = scaleOf(pane, frame, placing);
  return {
    x: frame.width / 2 + (at.x - pane.width / 2 - placing.moved.x) / scale,
    y: frame.height / 2 + (at.y - pane.height / 2 - placing.moved.y) / scale,
  };
}

/** Zooms by a factor; what is seen at a place stays there. */
export function zoomed(placing: Placing, factor: number, at: Point, pane: Size): Placing {
  const zoom = Math.min(Math.max(placing.zoom * factor, LEAST_ZOOM), MOST_ZOOM);
  const ratio = zoom / placing.zoom;
  const middle = { x: at.x - pane.width / 2, y: at.y - pane.height / 2 };
  return {
    zoom,
    moved: {
      x: middle.x - (middle.x - placing.moved.x) * ratio,
      y: middle.y - (middle.y - placing.moved.y) * ratio,
    },
  };
}

/** Moves by a distance. */
export function moved(placing: Placing, by: Point): Placing {
  return { ...placing, moved: { x: placing.moved.x + by.x, y: placing.moved.y + by.y } };
}

/** The length of a line on a frame: millimetres where the spacing of its pixels is known, else pixels. */
export function lengthOf(from: Point, to: Point, spacing: readonly [number, number] | undefined): number {
  const [rows, columns] = spacing ?? [1, 1];
  return Math.hypot((to.x - from.x) * columns, (to.y - from.y) * rows);
}

/** A window after a drag: to the right wider, upwards brighter. The step grows with the width. */
export function draggedWindow([center, width]: readonly [number, number], by: Point): readonly [number, number] {
  const step = Math.max(width, 1) / 256;
  return [round(center + by.y * step), Math.max(1, round(width + by.x * step))];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
