/** What fingers, pen, mouse and wheel do in a pane, by the tool that is chosen. */
import type { Pane } from './pane.ts';
import { draggedWindow, moved, zoomed, type Point } from './view.ts';

/** What a drag does. */
export type Tool = 'scroll' | 'window' | 'zoom' | 'pan' | 'measure';

/** Pixels of a drag for one picture of a series, where the screen has one for each of the page. */
const PICTURE_STEP = 8;
/** What a wheel turns for one picture. */
const WHEEL_STEP = 40;

/** Where an image says no window: that of eight bits. */
const WHOLE = [128, 256] as const;

/** A drag of one pointer. */
type Drag = { readonly began: Point; last: Point; readonly at: number; readonly window: readonly [number, number] };

/** Listens to a pane. `toolOf` is asked at each drag; `chosen` is told that the pane is worked on. */
export function listen(pane: Pane, toolOf: () => Tool, chosen: () => void): void {
  const { canvas } = pane;
  const pointers = new Map<number, Point>();
  let drag: Drag | undefined;
  let turned = 0;

  const placeOf = (event: MouseEvent): Point => {
    const { left, top } = canvas.getBoundingClientRect();
    const ratio = globalThis.devicePixelRatio || 1;
    return { x: (event.clientX - left) * ratio, y: (event.clientY - top) * ratio };
  };
  canvas.addEventListener('pointerdown', (event) => {
    chosen();
    canvas.setPointerCapture(event.pointerId);
    const at = placeOf(event);
    pointers.set(event.pointerId, at);
    drag = pointers.size === 1 ? { began: at, last: at, at: pane.at, window: pane.window ?? WHOLE } : undefined;
  });
  canvas.addEventListener('pointermove', (event) => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return;
    const at = placeOf(event);
    pointers.set(event.pointerId, at);
    if (pointers.size === 2) return pinch(pane, pointers, event.pointerId, before, at);
    if (drag === undefined) return;
    const isNew = drag.last === drag.began;
    // The other mouse buttons have a tool of their own, as readers of images are used to.
    act(pane, event.buttons === 4 ? 'pan' : event.buttons === 2 ? 'window' : toolOf(), drag, at, isNew);
    drag.last = at;
  });
  for (const name of ['pointerup', 'pointercancel'] as const)
    canvas.addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      if (drag !== undefined && pane.window !== undefined && drag.last !== drag.began) settle(pane, toolOf(), event);
      drag = undefined;
    });
  canvas.addEventListener('contextmenu', (event) => event.preventDefault());
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      chosen();
      if (event.ctrlKey) {
        const size = { width: canvas.width, height: canvas.height };
        pane.place((placing) => zoomed(placing, Math.exp(-event.deltaY / 200), placeOf(event), size));
        return;
      }
      // A wheel that counts in lines turns one picture a notch; a touchpad counts in pixels.
      turned += event.deltaMode === WheelEvent.DOM_DELTA_LINE ? Math.sign(event.deltaY) * WHEEL_STEP : event.deltaY;
      const pictures = Math.trunc(turned / WHEEL_STEP);
      if (pictures === 0) return;
      turned -= pictures * WHEEL_STEP;
      void pane.goTo(pane.at + pictures);
    },
    { passive: false },
  );
}

function act(pane: Pane, tool: Tool, { began, last, at: first, window }: Drag, at: Point, isNew: boolean): void {
  const by = { x: at.x - last.x, y: at.y - last.y };
  const all = { x: at.x - began.x, y: at.y - began.y };
  switch (tool) {
    case 'scroll':
      return void pane.goTo(first + Math.round(all.y / (PICTURE_STEP * (globalThis.devicePixelRatio || 1))));
    case 'window':
      return void pane.look(draggedWindow(window, all), true);
    case 'zoom': {
      const size = { width: pane.canvas.width, height: pane.canvas.height };
      return pane.place((placing) => zoomed(placing, Math.exp(-by.y / 150), began, size));
    }
    case 'pan':
      return pane.place((placing) => moved(placing, by));
    case 'measure':
      return pane.measure(began, at, isNew);
  }
}

/** The window of a drag that has ended is looked through in full size. */
function settle(pane: Pane, tool: Tool, { button }: PointerEvent): void {
  if (tool === 'window' || button === 2) void pane.look(pane.window);
}

/** What a drag of so many pixels would do, for who has no pointer. */
export function nudge(pane: Pane, tool: Tool, by: Point): void {
  const size = { width: pane.canvas.width, height: pane.canvas.height };
  const middle = { x: size.width / 2, y: size.height / 2 };
  switch (tool) {
    case 'scroll':
      return void pane.goTo(pane.at + Math.sign(by.x + by.y));
    case 'window':
      return void pane.look(draggedWindow(pane.window ?? WHOLE, by));
    case 'zoom':
      return pane.place((placing) => zoomed(placing, Math.exp((by.x - by.y) / 150), middle, size));
    case 'pan':
      return pane.place((placing) => moved(placing, by));
    case 'measure':
      return pane.stretch(by);
  }
}

/** Two fingers zoom around their middle, and move. */
function pinch(pane: Pane, pointers: ReadonlyMap<number, Point>, id: number, before: Point, at: Point): void {
  const other = [...pointers].find(([pointer]) => pointer !== id)?.[1];
  if (other === undefined) return;
  const distance = (from: Point): number => Math.max(1, Math.hypot(from.x - other.x, from.y - other.y));
  const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
  const size = { width: pane.canvas.width, height: pane.canvas.height };
  pane.place((placing) =>
    moved(zoomed(placing, distance(at) / distance(before), middle, size), {
      x: (at.x - before.x) / 2,
      y: (at.y - before.y) / 2,
    }),
  );
}
