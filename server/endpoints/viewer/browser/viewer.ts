/** The light viewer: what the page of a study does once it is there. Without it the page shows its first pictures. */
import { Cine } from './cine.ts';
import { listen, nudge, type Tool } from './gestures.ts';
import { listenToKeys } from './keys.ts';
import { dataOf, type Outline, type SeriesOutline, type Texts } from './outline.ts';
import { Pane } from './pane.ts';
import { Pictures } from './pictures.ts';
import { formatPlaces, placesOf } from './place.ts';
import { zoomed } from './view.ts';

/** Pictures a second of cine that is not set otherwise. */
const PER_SECOND = 15;
const ZOOM_STEP = 1.25;
const PAGE = 10;
/** So long nothing moves before it is written into the address, and said to who listens. */
const CALM_MS = 500;

const outline = dataOf<Outline>('outline');
const pictures = new Pictures(outline.root);
const panes = [...document.querySelectorAll<HTMLElement>('[data-pane]')].map(
  (element) => new Pane(element, pictures, dataOf<Texts>('texts'), signInAddress),
);
const cine = new Cine();
let chosen = 0;
let tool: Tool = 'scroll';
let calm: number | undefined;

function pane(): Pane {
  const found = panes[chosen] ?? panes[0];
  if (found === undefined) throw new Error('The page has no pane');
  return found;
}

function isCompared(): boolean {
  return document.body.hasAttribute('data-compared');
}

function signInAddress(): string {
  return `${outline.signIn}${encodeURIComponent(location.pathname + place())}`;
}

/** The panes that are seen, as the end of the address. */
function place(): string {
  const seen = panes.slice(0, isCompared() ? 2 : 1);
  return formatPlaces(
    seen.flatMap(({ series, at }) => (series === undefined ? [] : [{ series: outline.series.indexOf(series), at }])),
  );
}

function choose(at: number): void {
  chosen = at;
  panes.forEach(({ element }, each) => element.toggleAttribute('data-chosen', each === at));
  markState();
}

/** The buttons and lists say what is. */
function markState(): void {
  for (const button of elementsOf('button[data-series]'))
    button.setAttribute('aria-pressed', String(button.dataset['series'] === pane().series?.uid));
  for (const button of elementsOf('[data-tool]'))
    button.setAttribute('aria-pressed', String(button.dataset['tool'] === tool));
  const pressed = { invert: pane().isInverse, cine: cine.isRunning, compare: isCompared() };
  for (const [action, isPressed] of Object.entries(pressed))
    for (const button of elementsOf(`[data-action="${action}"]`))
      button.setAttribute('aria-pressed', String(isPressed));
  for (const button of elementsOf('[data-tool="window"]')) button.toggleAttribute('disabled', pane().isColour);
  for (const part of elementsOf('[data-cine], [data-action="cine"]')) part.hidden = pane().count < 2;
  for (const label of elementsOf('[data-for]')) label.hidden = label.dataset['for'] !== pane().series?.modality;
  const presets = document.querySelector<HTMLSelectElement>('[data-presets]');
  if (presets !== null) presets.value = pane().chosenWindow?.join(',') ?? '';
}

/** What moved is marked at once; the address and who listens are told once it is calm, and not while it plays. */
function moved(): void {
  markState();
  window.clearTimeout(calm);
  calm = window.setTimeout(() => {
    if (cine.isRunning) return;
    if (place() !== location.hash) history.replaceState(history.state, '', place());
    const announced = document.querySelector('[data-announced]');
    // A slider says its own value.
    const isSaid = document.activeElement instanceof HTMLInputElement && pane().trouble === undefined;
    if (announced !== null) announced.textContent = isSaid ? '' : pane().summary;
  }, CALM_MS);
}

function elementsOf(selector: string): readonly HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(selector)];
}

function openPlaces(): void {
  const [first, second] = placesOf(location.hash);
  compare(second !== undefined);
  openAt(0, first?.series ?? 0, first?.at);
  if (second !== undefined) openAt(1, second.series, second.at);
}

function openAt(at: number, series: number, picture: number | undefined): void {
  const found = outline.series[series] ?? outline.series[0];
  if (found !== undefined) void panes[at]?.open(found, picture);
}

/** Shows the second pane, with the series behind the first one's, or takes it away. */
function compare(isWanted: boolean): void {
  document.body.toggleAttribute('data-compared', isWanted);
  const [first, second] = panes;
  if (!isWanted) choose(0);
  else if (second?.series === undefined && first?.series !== undefined) {
    const behind = outline.series.indexOf(first.series) + 1;
    openAt(1, behind < outline.series.length ? behind : 0, undefined);
  }
  moved();
}

function openSeries(series: SeriesOutline | undefined): void {
  if (series !== undefined) void pane().open(series);
}

function zoom(factor: number): void {
  const { canvas } = pane();
  const size = { width: canvas.width, height: canvas.height };
  pane().place((placing) => zoomed(placing, factor, { x: size.width / 2, y: size.height / 2 }, size));
}

function stepSeries(by: 1 | -1): void {
  const now = pane().series;
  if (now !== undefined) openSeries(outline.series[outline.series.indexOf(now) + by]);
}

/** What buttons and keys do. */
const ACTIONS: Readonly<Record<string, () => void>> = {
  next: () => void pane().goTo(pane().at + 1),
  previous: () => void pane().goTo(pane().at - 1),
  'page-next': () => void pane().goTo(pane().at + PAGE),
  'page-previous': () => void pane().goTo(pane().at - PAGE),
  first: () => void pane().goTo(0),
  last: () => void pane().goTo(pane().count - 1),
  invert: () => {
    pane().invert();
    markState();
  },
  reset: () => pane().reset(),
  'zoom-in': () => zoom(ZOOM_STEP),
  'zoom-out': () => zoom(1 / ZOOM_STEP),
  cine: () =>
    cine.toggle(pane, () => Number(document.querySelector<HTMLInputElement>('[data-speed]')?.value) || PER_SECOND),
  compare: () => compare(!isCompared()),
  'full-screen': () => {
    if (document.fullscreenElement === null) void document.documentElement.requestFullscreen();
    else void document.exitFullscreen();
  },
  'next-series': () => stepSeries(1),
  'previous-series': () => stepSeries(-1),
  'other-pane': () => {
    if (isCompared()) panes[(chosen + 1) % panes.length]?.canvas.focus();
  },
  'end-line': () => pane().endLine(),
};

listenToKeys(
  (action) => ACTIONS[action]?.(),
  (by) => nudge(pane(), tool, by),
);
for (const button of elementsOf('[data-action]'))
  button.addEventListener('click', () => ACTIONS[button.dataset['action'] ?? '']?.());
for (const button of elementsOf('[data-tool]'))
  button.addEventListener('click', () => {
    tool = button.dataset['tool'] as Tool;
    markState();
  });
for (const button of elementsOf('button[data-series]'))
  button.addEventListener('click', () =>
    openSeries(outline.series.find(({ uid }) => uid === button.dataset['series'])),
  );
for (const button of elementsOf('[data-action="full-screen"]')) button.hidden = !document.fullscreenEnabled;
document.querySelector('[data-presets]')?.addEventListener('change', (event) => {
  const [center, width] = (event.target as HTMLSelectElement).value.split(',').map(Number);
  void pane().look(center === undefined || width === undefined ? undefined : [center, width]);
});
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  pane().canvas.focus();
});
panes.forEach((each, at) => {
  listen(
    each,
    () => tool,
    () => choose(at),
  );
  each.element.addEventListener('focusin', () => choose(at));
  each.onMoved = moved;
});
cine.onChanged = moved;
window.addEventListener('hashchange', () => {
  if (location.hash !== place()) openPlaces();
});
window.addEventListener('online', () => {
  for (const each of panes) if (each.trouble === 'offline') void each.show();
});
openPlaces();
document.body.toggleAttribute('data-ready', true);
