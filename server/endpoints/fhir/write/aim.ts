/** What a write is aimed at: an id or a condition, and the version that the client expects. */
import type { Context } from 'koa';
import { parseTags, type VersionTags } from '../../../flows/write/preconditions.ts';

/** The members of an act that say so. */
export type Aim = {
  readonly id?: string;
  readonly condition?: string;
  readonly ifMatch?: VersionTags;
  readonly ifNoneMatch?: VersionTags;
};

/** The aim of a request; without an id its query is the condition. */
export function aimOf(ctx: Context, id: string | undefined): Aim {
  return {
    ...(id === undefined ? { condition: ctx.querystring } : { id }),
    ...tagsOf(ctx.get('If-Match'), ctx.get('If-None-Match')),
  };
}

/** The expected versions, of headers or of an entry. @throws {Fault} invalid - they name none */
export function tagsOf(match: string | undefined, noneMatch: string | undefined): Pick<Aim, 'ifMatch' | 'ifNoneMatch'> {
  const ifMatch = parseTags(match, 'If-Match');
  const ifNoneMatch = parseTags(noneMatch, 'If-None-Match');
  return { ...(ifMatch === undefined ? {} : { ifMatch }), ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }) };
}
