/** How long events are kept. */

/** Years for which every event is kept, whatever is configured. */
export const LEAST_RETENTION_YEARS = 3;

/** Since when events are kept at a time, both in epoch milliseconds: what was recorded before may go. */
export function keptSince(at: number, years: number): number {
  const since = new Date(at);
  since.setUTCFullYear(since.getUTCFullYear() - years);
  return since.getTime();
}
