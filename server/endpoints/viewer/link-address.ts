/** The address of a link as it was opened: what our own pages add to its query is no part of it. */
import type { Context } from 'koa';

/** What a page adds: the language that its reader chose, and that the reader comes back from a form. */
export const PAGE_PARAMETERS = { language: 'lang', emergency: 'emergency' } as const;

/** The query of the link. */
export function linkQueryOf({ querystring }: Pick<Context, 'querystring'>): URLSearchParams {
  const query = new URLSearchParams(querystring);
  for (const own of Object.values(PAGE_PARAMETERS)) query.delete(own);
  return query;
}

/** The link, with what a page adds to it. */
export function linkAddressOf(
  ctx: Pick<Context, 'path' | 'querystring'>,
  further: Readonly<Record<string, string>> = {},
): string {
  const query = linkQueryOf(ctx);
  for (const [name, value] of Object.entries(further)) query.set(name, value);
  return query.size === 0 ? ctx.path : `${ctx.path}?${query.toString()}`;
}
