/** What is used of `preact-render-to-string` (tsconfig.json leads its name here, as with markup.d.ts). */
import type { Markup } from './markup.d.ts';

/** The text of a piece of a page. */
export function renderToString(markup: Markup): string;
