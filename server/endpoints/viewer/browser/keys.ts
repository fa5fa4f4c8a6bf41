/** The keys of the viewer. Letters count only where images and tools have the focus (WCAG 2.2, 2.1.4). */
import type { Point } from './view.ts';

const KEYS: Readonly<Record<string, string>> = {
  ArrowDown: 'next',
  ArrowRight: 'next',
  ArrowUp: 'previous',
  ArrowLeft: 'previous',
  PageDown: 'page-next',
  PageUp: 'page-previous',
  Home: 'first',
  End: 'last',
};
const LETTERS: Readonly<Record<string, string>> = {
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
  Enter: 'end-line',
};
/** With Shift the arrows do what a drag does with the chosen tool, by so many pixels. */
const DRAGS: Readonly<Record<string, Point>> = {
  ArrowDown: { x: 0, y: 10 },
  ArrowRight: { x: 10, y: 0 },
  ArrowUp: { x: 0, y: -10 },
  ArrowLeft: { x: -10, y: 0 },
};

/** Listens: `act` is given the name of an action, `drag` a distance. */
export function listenToKeys(act: (action: string) => void, drag: (by: Point) => void): void {
  document.addEventListener('keydown', (event) => {
    // Fields and links keep their own keys, and so does the browser.
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (target.closest('input, select, textarea, iframe') !== null) return;
    const isAtWork = target.closest('.panes, .toolbar, .strip') !== null;
    if (!isAtWork && (target !== document.body || isScrolled())) return;
    if ([' ', 'Enter'].includes(event.key) && target.closest('button, a, summary') !== null) return;
    const by = event.shiftKey ? DRAGS[event.key] : undefined;
    const action = KEYS[event.key] ?? (isAtWork ? (LETTERS[event.key.toLowerCase()] ?? LETTERS[event.key]) : undefined);
    if (by === undefined && action === undefined) return;
    event.preventDefault();
    if (by !== undefined) drag(by);
    else if (action !== undefined) act(action);
  });
}

/** A page that is longer than its window keeps its arrows. */
function isScrolled(): boolean {
  return document.documentElement.scrollHeight > window.innerHeight;
}
