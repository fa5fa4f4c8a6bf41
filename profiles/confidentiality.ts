/** The confidentiality label of an item and its order. */
import type { Meta } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from './codes.ts';

/**
 * Levels of the product, in rising order: normal, restricted (confidential), very restricted (private). Labels
 * below N count as N.
 * @see https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html
 */
export const LEVELS = ['N', 'R', 'V'] as const;

/** One of {@link LEVELS}. */
export type Level = (typeof LEVELS)[number];

/** The rank of a level, 0 to 2, as stores keep it. */
export function rankOf(level: Level): number {
  return LEVELS.indexOf(level);
}

/** The level of a rank; a rank out of range is the most private one. */
export function levelOf(rank: number): Level {
  return LEVELS[rank] ?? 'V';
}

/** The higher of two levels. */
export function higher(a: Level, b: Level): Level {
  return rankOf(a) >= rankOf(b) ? a : b;
}

/** Reads the label in `meta.security`; without one the item is normal, with several the highest counts. */
export function labelOf(meta: Meta | undefined): Level {
  let level: Level = 'N';
  for (const coding of meta?.security ?? []) {
    if (coding.system !== CODE_SYSTEM.confidentiality) continue;
    if (coding.code === 'R' || coding.code === 'V') level = higher(level, coding.code);
  }
  return level;
}
