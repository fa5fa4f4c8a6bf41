/** One pane: a series, of which one picture is seen. */
import { filled, slicesOf, type SeriesOutline, type Slice, type Texts } from './outline.ts';
import { NoPicture, type Look, type Pictures, type Trouble } from './pictures.ts';
import { FITTING, lengthOf, scaleOf, toFrame, toPane, type Placing, type Point, type Size } from './view.ts';

/** A measured line, on one picture of the series. */
type Line = { readonly slice: number; readonly from: Point; to: Point };

/** The elements that a pane works with. */
type Parts = {
  readonly canvas: HTMLCanvasElement;
  readonly slider: HTMLInputElement;
  readonly caption: HTMLElement;
  readonly notice: HTMLElement;
};

/** Sides in which pictures are asked for: so a change of the window's size seldom asks anew. */
const SIDES = [256, 512, 1024, 2048, 4096] as const;
/** While the window is dragged, a smaller picture comes sooner. */
const DRAGGED_SIDE = 256;

/** A pane on the page. */
export class Pane {
  readonly element: HTMLElement;
  readonly #parts: Parts;
  readonly #pictures: Pictures;
  readonly #texts: Texts;
  readonly #signIn: string;
  /** Told when another picture is looked at. */
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
  /** Counts what was asked for, so that what comes late is not shown over what came since. */
  #asked = 0;

  constructor(element: HTMLElement, pictures: Pictures, texts: Texts, signIn: string) {
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
    this.#parts.slider.addEventListener('input', () => this.goTo(Number(this.#parts.slider.value)));
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

  /** The window that is looked through; undefined where the image says none. */
  get window(): readonly [number, number] | undefined {
    return this.#window ?? this.#slices[this.#at]?.instance.window;
  }

  /** Takes a series, from one of its pictures on. */
  open(series: SeriesOutline, at = Math.floor((slicesOf(series).length - 1) / 2)): void {
    this.#series = series;
    this.#slices = slicesOf(series);
    this.#lines = [];
    this.#shown = undefined;
    this.#parts.slider.max = String(Math.max(this.#slices.length - 1, 0));
    this.#parts.slider.hidden = this.#slices.length < 2;
    this.reset();
    this.goTo(at);
  }

  /** Looks at another picture; beyond the ends stays at them. */
  goTo(at: number): void {
    const place = Math.min(Math.max(at, 0), this.#slices.length - 1);
    if (place !== this.#at) this.#step = place > this.#at ? 1 : -1;
    this.#at = place;
    this.#parts.slider.value = String(place);
    this.onMoved();
    void this.show();
  }

  /** Looks through another window; `isDragged` while it still changes. */
  look(window: readonly [number, number] | undefined, isDragged = false): void {
    this.#window = window;
    this.#isDragged = isDragged;
    void this.show();
  }

  place(change: (placing: Placing) => Placing): void {
    this.#placing = change(this.#placing);
    this.#draw();
  }

  invert(): void {
    this.#isInverse = !this.#isInverse;
    this.#draw();
  }

  /** As the images are meant to be seen. */
  reset(): void {
    this.#placing = FITTING;
    this.#window = undefined;
    this.#isInverse = false;
    void this.show();
  }

  /** Draws a line between two places of the pane, in place of the last one while it is drawn. */
  measure(from: Point, to: Point, isNew: boolean): void {
    const frame = this.#frame();
    if (frame === undefined) return;
    const place = (at: Point): Point => toFrame(at, this.#pane(), frame, this.#placing);
    if (!isNew) this.#lines.pop();
    this.#lines.push({ slice: this.#at, from: place(from), to: place(to) });
    this.#draw();
  }

  forgetLines(): void {
    this.#lines = [];
    this.#draw();
  }

  /** Has the picture loaded and drawn; the one before stays until it is there. */
  async show(): Promise<void> {
    const slice = this.#slices[this.#at];
    const series = this.#series;
    if (slice === undefined || series === undefined) return;
    this.#caption(series, slice);
    const asked = (this.#asked += 1);
    const address = this.#pictures.addressOf(series, slice, this.#lookNow());
    if (!this.#pictures.has(address) && this.#shown === undefined) this.#tell(this.#texts.loading);
    try {
      const picture = await this.#pictures.get(address);
      if (asked !== this.#asked) return;
      this.#shown = picture;
      this.#parts.notice.hidden = true;
      this.#draw();
      this.#pictures.lookAhead(series, this.#slices, this.#at, this.#step, this.#lookNow());
    } catch (error) {
      if (asked === this.#asked) this.#explain(error instanceof NoPicture ? error.trouble : 'unreadable');
    }
  }

  #lookNow(): Look {
    const { width, height } = this.#pane();
    const needed = Math.max(width, height) * Math.max(this.#placing.zoom, 1);
    const side = this.#isDragged ? DRAGGED_SIDE : (SIDES.find((side) => side >= needed) ?? SIDES[SIDES.length - 1]);
    const { width: columns, height: rows } = this.#frame() ?? { width: DRAGGED_SIDE, height: DRAGGED_SIDE };
    // Larger than it is the canvas shows it in no time; the server would be at it longer than at all the rest.
    return { window: this.#window, side: Math.min(side ?? DRAGGED_SIDE, Math.max(columns, rows)) };
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

  #frame(): Size | undefined {
    const instance = this.#slices[this.#at]?.instance;
    return instance && { width: instance.columns, height: instance.rows };
  }

  #draw(): void {
    const { canvas } = this.#parts;
    const context = canvas.getContext('2d');
    const [pane, frame] = [this.#pane(), this.#frame()];
    if (context === null || frame === undefined) return;
    Object.assign(canvas, pane);
    context.fillStyle = '#000';
    context.fillRect(0, 0, pane.width, pane.height);
    if (this.#shown === undefined) return;
    const scale = scaleOf(pane, frame, this.#placing);
    const corner = toPane({ x: 0, y: 0 }, pane, frame, this.#placing);
    context.imageSmoothingEnabled = scale < 3;
    if (this.#isInverse) context.filter = 'invert(1)';
    context.drawImage(this.#shown, corner.x, corner.y, frame.width * scale, frame.height * scale);
    context.filter = 'none';
    for (const line of this.#lines) if (line.slice === this.#at) this.#drawLine(context, line, pane, frame);
  }

  #drawLine(context: CanvasRenderingContext2D, line: Line, pane: Size, frame: Size): void {
    const [from, to] = [line.from, line.to].map((at) => toPane(at, pane, frame, this.#placing));
    if (from === undefined || to === undefined) return;
    const { spacing } = this.#slices[this.#at]?.instance ?? {};
    const length = lengthOf(line.from, line.to, spacing);
    const text = filled(spacing === undefined ? this.#texts.pixels : this.#texts.millimetres, {
      length: length.toFixed(spacing === undefined ? 0 : 1),
    });
    context.lineWidth = 2;
    context.strokeStyle = '#ffd400';
    context.fillStyle = '#ffd400';
    context.font = `${14 * (globalThis.devicePixelRatio || 1)}px system-ui, sans-serif`;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    context.fillText(text, to.x + 6, to.y - 6);
  }

  #caption(series: SeriesOutline, { instance }: Slice): void {
    const position = filled(this.#texts.position, { at: this.#at + 1, count: this.#slices.length });
    const [center, width] = this.#window ?? instance.window ?? [];
    const window = center === undefined ? '' : ` · ${filled(this.#texts.windowing, { center, width: width ?? 0 })}`;
    this.#parts.caption.textContent = `${series.title} · ${position}${window}`;
    this.#parts.canvas.setAttribute('aria-label', `${series.title}, ${position}`);
    this.#parts.slider.setAttribute('aria-valuetext', position);
  }

  /** Says why nothing is seen, and what the reader can do. */
  #explain(trouble: Trouble): void {
    this.#shown = undefined;
    this.#draw();
    this.#tell(this.#texts[trouble]);
    if (trouble === 'expired') {
      const link = document.createElement('a');
      link.href = this.#signIn;
      link.textContent = this.#texts.signIn;
      this.#parts.notice.append(' ', link);
    } else if (trouble === 'offline') {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = this.#texts.retry;
      button.addEventListener('click', () => void this.show());
      this.#parts.notice.append(' ', button);
    }
  }

  #tell(text: string): void {
    this.#parts.notice.textContent = text;
    this.#parts.notice.hidden = false;
  }
}
