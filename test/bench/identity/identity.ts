/** Who is who: what a join costs those who wait for it, and lookups and feeds among a million identities. */
import { measureFeeds } from './feeds.ts';
import type { Row } from '../support/figures.ts';
import { measureJoin } from './join.ts';
import { measureLookups } from './lookups.ts';

/** The parts by name, in the order of a whole run. */
export const IDENTITY: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  join: measureJoin,
  lookups: measureLookups,
  feeds: measureFeeds,
};
