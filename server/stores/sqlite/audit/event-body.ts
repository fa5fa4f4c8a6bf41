/**
 * Bodies of chained events, parted into a frame that many events share and the values that are theirs alone. The parts
 * give the body back to the letter, as its hash demands, whatever they are. Neither sign below occurs in JSON.
 */
const GAP = '\u0001';
const SEPARATOR = '\n';

/**
 * What differs between events: ids, times, names of doors, texts, persons, what they erased, commitments, and in
 * references what follows the type.
 */
const OF_CHAIN = ['persons', 'erased', 'erasedAgents', 'agents', 'entities', 'request'];
const NAMES = ['id', 'recorded', 'outcomeDesc', 'site', ...OF_CHAIN];
const OWN = new RegExp(`((?:"(?:${NAMES.join('|')})":|"policy":\\[)"|"reference":"(?:\\w+/)?)((?:[^"\\\\]|\\\\.)*)`);

/** A body in two parts. */
export type PartedBody = { readonly frame: string; readonly values: string };

/** Parts a body, which is JSON as JSON.stringify writes it. */
export function partBody(body: string): PartedBody {
  const values: string[] = [];
  // What stands before the first value; then of each its name, itself and what follows.
  const [first = '', ...parts] = body.split(OWN);
  let frame = first;
  for (let at = 0; at + 2 < parts.length; at += 3) {
    frame += `${parts[at]}${GAP}${parts[at + 2]}`;
    values.push(parts[at + 1] ?? '');
  }
  return { frame, values: values.join(SEPARATOR) };
}

/** Puts a body together again. */
export function wholeBody({ frame, values }: PartedBody): string {
  const own = values.split(SEPARATOR);
  return frame.split(GAP).reduce((body, part, at) => `${body}${own[at - 1] ?? ''}${part}`);
}
