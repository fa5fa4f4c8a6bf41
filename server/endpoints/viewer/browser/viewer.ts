/** The light viewer: what the page of a study does once it is there. Without it the page shows its first pictures. */
import { Cine } from './cine.ts';
import { listen, type Tool } from './gestures.ts';
import { dataOf, type Outline, type SeriesOutline, type Texts } from './outline.ts';
import { Pane } from './pane.ts';
import { Pictures } from './pictures.ts';
import { zoomed } from './view.ts';

/** Pictures a second of cine that is not set otherwise. */
const PER_SECOND = 15;
const ZOOM_STEP = 1.25;
const PAGE = 10;

const outline = dataOf<Outline>('outline');
const texts = dataOf<Texts>('texts');
const pictures = new Pictures(outline.root);
const panes = [...document.querySelectorAll<HTMLElement>('[data-pane]')].map(
  (element) => new Pane(element, pictures, texts, outline.signIn),
);
const cine = new Cine();
let chosen = 0;
let tool: Tool = 'scroll';

function pane(): Pane {
  const found = panes[chosen] ?? panes[0];
  if (found === undefined) throw new Error('The page has no pane');
  return found;
}

function choose(at: number): void {
  chosen = at;
  panes.forEach(({ element }, place) => element.toggleAttribute('data-chosen', place === at));
  markSeries();
}

/** The strip says which series the chosen pane shows. */
function markSeries(): void {
  for (const button of seriesButtons())
    button.setAttribute('aria-pressed', String(button.dataset['series'] === pane().series?.uid));
}

function seriesButtons(): readonly HTMLButtonElement[] {
  return [...document.querySelectorAll<HTMLButtonElement>('button[data-series]')];
}

function seriesOf(uid: string | undefined): SeriesOutline | undefined {
  return outline.series.find((series) => series.uid === uid);
}

/** The address names what is looked at, so that it can be reloaded and bookmarked; it holds no more than numbers. */
function keepPlace(): void {
  const first = panes[0];
  if (first?.series === undefined) return;
  const place = `#${outline.series.indexOf(first.series) + 1}.${first.at + 1}`;
  if (place !== location.hash) history.replaceState(null, '', place);
}

function openFirst(): void {
  const [series, picture] = location.hash.slice(1).split('.').map(Number);
  const found = outline.series[(series ?? 1) - 1] ?? outline.series[0];
  if (found === undefined) return;
  panes[0]?.open(found, picture !== undefined && picture >= 1 ? picture - 1 : undefined);
  const other = outline.series[outline.series.indexOf(found) === 0 ? 1 : 0];
  if (other !== undefined) panes[1]?.open(other);
}

/** What buttons and keys do. */
const ACTIONS: Readonly<Record<string, () => void>> = {
  next: () => pane().goTo(pane().at + 1),
  previous: () => pane().goTo(pane().at - 1),
  'page-next': () => pane().goTo(pane().at + PAGE),
  'page-previous': () => pane().goTo(pane().at - PAGE),
  first: () => pane().goTo(0),
  last: () => pane().goTo(pane().count - 1),
  invert: () => pane().invert(),
  reset: () => {
    pane().reset();
    pane().forgetLines();
  },
  'zoom-in': () => zoom(ZOOM_STEP),
  'zoom-out': () => zoom(1 / ZOOM_STEP),
  cine: () => {
    cine.toggle(pane, () => Number(document.querySelector<HTMLInputElement>('[data-speed]')?.value ?? PER_SECOND));
    press('cine', cine.isRunning);
  },
  compare: () => {
    const isCompared = document.body.toggleAttribute('data-compared');
    press('compare', isCompared);
    if (!isCompared) choose(0);
    for (const each of panes) void each.show();
  },
  'full-screen': () => {
    if (document.fullscreenElement === null) void document.documentElement.requestFullscreen?.();
    else void document.exitFullscreen();
  },
  'next-series': () => stepSeries(1),
  'previous-series': () => stepSeries(-1),
  'other-pane': () => choose(document.body.hasAttribute('data-compared') ? (chosen + 1) % panes.length : 0),
};

const KEYS: Readonly<Record<string, string>> = {
  ArrowDown: 'next',
  ArrowRight: 'next',
  ArrowUp: 'previous',
  ArrowLeft: 'previous',
  PageDown: 'page-next',
  PageUp: 'page-previous',
  Home: 'first',
  End: 'last',
  i: 'invert',
  r: 'reset',
  '+': 'zoom-in',
  '-': 'zoom-out',
  ' ': 'cine',
  c: 'compare',
  f: 'full-screen',
  n: 'next-series',
  p: 'previous-series',
  x: 'other-pane',
};

function zoom(factor: number): void {
  const { canvas } = pane();
  const size = { width: canvas.width, height: canvas.height };
  pane().place((placing) => zoomed(placing, factor, { x: size.width / 2, y: size.height / 2 }, size));
}

function stepSeries(by: 1 | -1): void {
  const now = pane().series;
  const next = now === undefined ? undefined : outline.series[outline.series.indexOf(now) + by];
  if (next !== undefined) pane().open(next);
  markSeries();
}

function press(action: string, isPressed: boolean): void {
  document.querySelector(`[data-action="${action}"]`)?.setAttribute('aria-pressed', String(isPressed));
}

function useTool(named: Tool): void {
  tool = named;
  for (const button of document.querySelectorAll<HTMLElement>('[data-tool]'))
    button.setAttribute('aria-pressed', String(button.dataset['tool'] === named));
}

document.addEventListener('keydown', (event) => {
  // Fields and links keep their own keys, and so does the browser.
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  if (target.closest('input, select, textarea, iframe') !== null) return;
  if (event.key === ' ' && target.closest('button, a, summary') !== null) return;
  const action = ACTIONS[KEYS[event.key] ?? ''];
  if (action === undefined) return;
  event.preventDefault();
  action();
});
for (const button of document.querySelectorAll<HTMLElement>('[data-action]'))
  button.addEventListener('click', () => ACTIONS[button.dataset['action'] ?? '']?.());
for (const button of document.querySelectorAll<HTMLElement>('[data-tool]'))
  button.addEventListener('click', () => useTool(button.dataset['tool'] as Tool));
for (const button of seriesButtons())
  button.addEventListener('click', () => {
    const series = seriesOf(button.dataset['series']);
    if (series !== undefined) pane().open(series);
    markSeries();
  });
document.querySelector<HTMLSelectElement>('[data-presets]')?.addEventListener('change', (event) => {
  const [center, width] = (event.target as HTMLSelectElement).value.split(',').map(Number);
  pane().look(center === undefined || width === undefined ? undefined : [center, width]);
});
panes.forEach((each, at) => {
  listen(
    each,
    () => tool,
    () => choose(at),
  );
  each.element.addEventListener('focusin', () => choose(at));
  each.onMoved = keepPlace;
});
useTool('scroll');
openFirst();
choose(0);
document.body.toggleAttribute('data-ready', true);
