/** What access costs: lists of who sees little and much, and a record after a change of a consent. */
import type { Row } from '../support/figures.ts';
import { measurePages } from './pages.ts';
import { measureRecompute } from './recompute.ts';

/** The parts by name, in the order of a whole run. */
export const ACCESS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  pages: measurePages,
  recompute: measureRecompute,
};
