/** One pane: a series, of which one picture is seen. */
import { draw, frameOf, lengthText, type Line } from './drawing.ts';
import { filled, slicesOf, type SeriesOutline, type Slice, type Texts } from './outline.ts';
import { NoPicture, type Look, type Pictures, type Trouble, type Waiting } from './pictures.ts';
import { FITTING, scaleOf, toFrame, type Placing, type Point, type Size } from './view.ts';

/** The elements that a pane works with. */
type Parts = {
  readonly canvas: HTMLCanvasElement;
  readonly slider: HTMLInputElement;
  readonly caption: HTMLElement;
  readonly notice: HTMLElement;
};

/** Sides in which pictures are asked for: so a change of the window's size seldom asks anew. */
const SIDES = [256, 512, 1024, 2048, 4096] as const;
/** What is drawn first where the network is slow, and while the window is dragged. */
const SMALL_SIDE = 256;
/** So long the full picture may take before a small one is asked for, and before the reader is told. */
const SOON_MS = 200;

/** A pane on the page. Its `data-state` is `loading`, `small`, `shown` or a {@link Trouble}. */
export class Pane {
  readonly element: HTMLElement;
  readonly #parts: Parts;
  readonly #pictures: Pictures;
  readonly #texts: Texts;
  readonly #signIn: () => string;
  /** Told when another picture is looked at, or the same otherwise. */
  onMoved: () => void = () => undefined;
  #series: SeriesOutline | undefined;
  #slices: readonly Slice[] = [];
  #at = 0;
  #step: 1 | -1 = 1;
  #window: readonly [number, number] | undefined;
  #isDragged = false;
  #isInverse = false;
  #placing: Placing = FITTING;
  #shown: ImageBitmap | undefined;
  #lines: Line[] = [];
  #isLineOpen = false;
  #waiting: readonly Waiting[] = [];
  /** Counts what was asked for, so that what comes late is not shown over what came since. */
  #asked = 0;

  constructor(element: HTMLElement, pictures: Pictures, texts: Texts, signIn: () => string) {
    const part = <E extends HTMLElement>(name: string): E => {
      const found = element.querySelector<E>(`[data-part="${name}"]`);
      if (found === null) throw new Error(`The pane has no ${name}`);
      return found;
    };
    this.element = element;
    this.#parts = { canvas: part('canvas'), slider: part('slider'), caption: part('caption'), notice: part('notice') };
    this.#pictures = pictures;
    this.#texts = texts;
    this.#signIn = signIn;
    this.#parts.slider.addEventListener('input', () => void this.goTo(Number(this.#parts.slider.value)));
    new ResizeObserver(() => void this.show()).observe(this.#parts.canvas);
  }

  get series(): SeriesOutline | undefined {
    return this.#series;
  }

  get at(): number {
    return this.#at;
  }

  get count(): number {
    return this.#slices.length;
  }

  get canvas(): HTMLCanvasElement {
    return this.#parts.canvas;
  }

  get isInverse(): boolean {
    return this.#isInverse;
  }

  /** Whether the picture has colours, and so no window. */
  get isColour(): boolean {
    return this.#slices[this.#at]?.instance.isColour === true;
  }

  /** Why no picture is seen; undefined when one is, or comes. */
  get trouble(): Trouble | undefined {
    const state = this.element.dataset['state'] ?? '';
    return ['loading', 'small', 'shown', ''].includes(state) ? undefined : (state as Trouble);
  }

  /** The window that is looked through; undefined where there is none, as in colour. */
  get window(): readonly [number, number] | undefined {
    return this.isColour ? undefined : (this.#window ?? this.#slices[this.#at]?.instance.window);
  }

  /** The window that the reader chose. */
  get chosenWindow(): readonly [number, number] | undefined {
    return this.#window;
  }

  /** Takes a series, from one of its pictures on. */
  async open(series: SeriesOutline, at = Math.floor((slicesOf(series).length - 1) / 2)): Promise<void> {
    this.#series = series;
    this.#slices = slicesOf(series);
    this.#lines = [];
    this.#isLineOpen = false;
    this.#shown = undefined;
    this.#parts.slider.max = String(Math.max(this.#slices.length - 1, 0));
    this.#parts.slider.hidden = this.#slices.length < 2;
    this.#look({ window: undefined, placing: FITTING, isInverse: false });
    await this.goTo(at);
  }

  /** Looks at another picture; beyond the ends stays at them. */
  async goTo(at: number): Promise<void> {
    const place = Math.min(Math.max(at, 0), this.#slices.length - 1);
    if (place !== this.#at) this.#step = place > this.#at ? 1 : -1;
    this.#at = place;
    this.#isLineOpen = false;
    this.#parts.slider.value = String(place);
    this.onMoved();
    await this.show();
  }

  /** Looks through another window; `isDragged` while it still changes. Colour has none. */
  async look(window: readonly [number, number] | undefined, isDragged = false): Promise<void> {
    if (this.isColour) return;
    this.#window = window;
    this.#isDragged = isDragged;
    this.onMoved();
    await this.show();
  }

  /** Moves or zooms; a larger picture is asked for when the zoom wants one. */
  place(change: (placing: Placing) => Placing): void {
    const side = this.#lookNow().side;
    this.#placing = change(this.#placing);
    if (this.#lookNow().side === side) this.#draw();
    else void this.show();
  }

  invert(): void {
    this.#isInverse = !this.#isInverse;
    this.#draw();
  }

  /** As the images are meant to be seen, without lines. */
  reset(): void {
    this.#lines = [];
    this.#isLineOpen = false;
    this.#look({ window: undefined, placing: FITTING, isInverse: false });
    this.onMoved();
    void this.show();
  }

  #look(look: {
    readonly window: readonly [number, number] | undefined;
    readonly placing: Placing;
    readonly isInverse: boolean;
  }): void {
    this.#window = look.window;
    this.#placing = look.placing;
    this.#isInverse = look.isInverse;
    this.#isDragged = false;
  }

  /** Draws a line between two places of the pane, in place of the last one while it is drawn. */
  measure(from: Point, to: Point, isNew: boolean): void {
    const slice = this.#slices[this.#at];
    if (slice === undefined) return;
    const place = (at: Point): Point => toFrame(at, this.#pane(), frameOf(slice), this.#placing);
    if (!isNew) this.#lines.pop();
    this.#lines.push({ slice: this.#at, from: place(from), to: place(to) });
    this.#isLineOpen = false;
    this.#draw();
  }

  /** The same by keys: a line from the middle of the pane, whose end moves by pixels of the pane. */
  stretch(by: Point): void {
    const slice = this.#slices[this.#at];
    if (slice === undefined) return;
    const [pane, frame] = [this.#pane(), frameOf(slice)];
    const middle = toFrame({ x: pane.width / 2, y: pane.height / 2 }, pane, frame, this.#placing);
    const last = this.#isLineOpen ? this.#lines.pop() : undefined;
    const { from, to } = last ?? { from: middle, to: middle };
    const scale = scaleOf(pane, frame, this.#placing);
    this.#lines.push({ slice: this.#at, from, to: { x: to.x + by.x / scale, y: to.y + by.y / scale } });
    this.#isLineOpen = true;
    this.onMoved();
    this.#draw();
  }

  /** The next line that is stretched is another one. */
  endLine(): void {
    this.#isLineOpen = false;
  }

  /** Has the picture loaded and drawn; the one before stays until it is there. */
  async show(): Promise<void> {
    const slice = this.#slices[this.#at];
    const series = this.#series;
    if (slice === undefined || series === undefined || this.#parts.canvas.clientWidth === 0) return;
    this.#caption(series);
    const asked = (this.#asked += 1);
    const look = this.#lookNow();
    const address = this.#pictures.addressOf(series, slice, look);
    const left = this.#waiting;
    if (this.#pictures.kept(address) === undefined) {
      this.#pictures.makeWay();
      const isLate = !this.#parts.notice.hidden && this.trouble === undefined;
      this.#state('loading', isLate ? this.#texts.loading : '');
    }
    const waiting = this.#pictures.waitFor(address);
    this.#waiting = [waiting];
    for (const each of left) each.leave();
    const timer = window.setTimeout(() => this.#showSmall(series, slice, look, asked), SOON_MS);
    try {
      const picture = await waiting.picture;
      if (asked !== this.#asked) return;
      this.#see(picture, 'shown');
      this.#pictures.lookAhead(series, this.#slices, this.#at, this.#step, look);
    } catch (error) {
      if (asked === this.#asked) this.#explain(error instanceof NoPicture ? error.trouble : 'unreadable');
    } finally {
      window.clearTimeout(timer);
    }
  }

  /** Says that the picture is late, and shows a small one meanwhile. */
  #showSmall(series: SeriesOutline, slice: Slice, look: Look, asked: number): void {
    if (asked !== this.#asked) return;
    this.#state('loading', this.#texts.loading);
    if (look.side <= SMALL_SIDE) return;
    const small = this.#pictures.waitFor(this.#pictures.addressOf(series, slice, { ...look, side: SMALL_SIDE }));
    this.#waiting = [...this.#waiting, small];
    small.picture
      .then((picture) => {
        if (asked === this.#asked && this.element.dataset['state'] === 'loading') this.#see(picture, 'small');
      })
      .catch(() => undefined);
  }

  #see(picture: ImageBitmap, state: 'small' | 'shown'): void {
    this.#shown = picture;
    this.#state(state, state === 'small' ? this.#texts.loading : '');
    this.#draw();
  }

  #lookNow(): Look {
    const { width, height } = this.#pane();
    const needed = Math.max(width, height) * Math.max(this.#placing.zoom, 1);
    const fitting = SIDES.find((side) => side >= needed) ?? SIDES[SIDES.length - 1] ?? SMALL_SIDE;
    const { columns = SMALL_SIDE, rows = SMALL_SIDE } = this.#slices[this.#at]?.instance ?? {};
    // Larger than it is the canvas shows it in no time; the server would be at it longer than at all the rest.
    return { window: this.#window, side: Math.min(this.#isDragged ? SMALL_SIDE : fitting, Math.max(columns, rows)) };
  }

  /** The size of the canvas in its own pixels. */
  #pane(): Size {
    const { clientWidth, clientHeight } = this.#parts.canvas;
    const ratio = globalThis.devicePixelRatio || 1;
    return {
      width: Math.max(1, Math.round(clientWidth * ratio)),
      height: Math.max(1, Math.round(clientHeight * ratio)),
    };
  }

  #draw(): void {
    const slice = this.#slices[this.#at];
    if (slice === undefined) return;
    const scene = {
      pane: this.#pane(),
      slice,
      picture: this.#shown,
      placing: this.#placing,
      isInverse: this.#isInverse,
      lines: this.#lines.filter((line) => line.slice === this.#at),
    };
    draw(this.#parts.canvas, scene, this.#texts);
  }

  /** In words: which picture is looked at, through which window; the line that is stretched; or why there is none. */
  get summary(): string {
    const slice = this.#slices[this.#at];
    if (slice === undefined) return '';
    if (this.trouble !== undefined) return this.#texts[this.trouble];
    const line = this.#isLineOpen ? this.#lines.at(-1) : undefined;
    return line === undefined ? this.#position() : lengthText(line, slice, this.#texts);
  }

  #position(): string {
    const position = filled(this.#texts.position, { at: this.#at + 1, count: this.#slices.length });
    const [center, width] = this.window ?? [];
    if (center === undefined || width === undefined) return position;
    return `${position} · ${filled(this.#texts.windowing, { center, width })}`;
  }

  #caption(series: SeriesOutline): void {
    const position = this.#position();
    this.#parts.caption.textContent = `${series.title} · ${position}`;
    this.#parts.canvas.setAttribute('aria-label', `${series.title}, ${position}`);
    this.#parts.slider.setAttribute('aria-valuetext', position);
  }

  /** Says why nothing is seen, and what the reader can do. */
  #explain(trouble: Trouble): void {
    this.#shown = undefined;
    this.#draw();
    this.#state(trouble, this.#texts[trouble]);
    if (trouble === 'expired') {
      const link = document.createElement('a');
      link.className = 'button';
      link.href = this.#signIn();
      link.textContent = this.#texts.signIn;
      this.#parts.notice.append(link);
    } else if (trouble === 'offline' || trouble === 'busy') {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = this.#texts.retry;
      button.addEventListener('click', () => {
        this.#parts.canvas.focus();
        void this.show();
      });
      this.#parts.notice.append(button);
    }
    this.onMoved();
  }

  #state(state: Trouble | 'loading' | 'small' | 'shown', text: string): void {
    this.element.dataset['state'] = state;
    const { notice } = this.#parts;
    const words = document.createElement('span');
    words.textContent = text;
    notice.replaceChildren(words);
    notice.hidden = text === '';
  }
}
