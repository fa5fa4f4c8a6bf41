/** The order in which rows begin to give rights. */

/** Of one millisecond so many begin before the next one is used ahead of time. */
const PER_MILLISECOND = 2_048;

let last = 0;

/** A number behind all that came before it, in this process always and elsewhere as far as clocks agree. */
export function nextPlace(): number {
  last = Math.max(last + 1, Date.now() * PER_MILLISECOND);
  return last;
}
