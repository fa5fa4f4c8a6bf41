/**
 * Bodies of chained events, parted into a frame that many events share and the values that are theirs alone. The parts
 * give the body back to the letter, as its hash demands, whatever they are. None of the signs below occurs in JSON.
 */
const GAP = '\u0001';
const SEPARATOR = '\n';
/** Around what stands as often as its value has parts, which this sign parts, too. */
const REPEATED = '\u0002';

/**
 * What differs between events: ids, times, names of doors, texts, persons, what they erased or cut, commitments, and in
 * references what follows the type.
 */
const OF_CHAIN = ['persons', 'erased', 'erasedAgents', 'cut', 'agents', 'entities', 'request'];
const NAMES = ['id', 'recorded', 'outcomeDesc', 'site', ...OF_CHAIN];
const OWN = new RegExp(`((?:"(?:${NAMES.join('|')})":|"policy":\\[)"|"reference":"(?:\\w+/)?)((?:[^"\\\\]|\\\\.)*)`);

/** A body in two parts. */
export type PartedBody = { readonly frame: string; readonly values: string };

/** Entities that differ in their ids alone, as the exams of a list: however many there are, the form is one. */
const ALIKE = new RegExp(
  `(\\{"type":\\{[^{}]*\\},"role":\\{[^{}]*\\},"what":\\{"reference":"\\w+/${GAP}"\\}\\})(?:,\\1)+`,
);

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
  return { frame: foldAlike(frame, values), values: values.join(SEPARATOR) };
}

/** Writes what is alike once, and makes one of its values. */
function foldAlike(frame: string, values: string[]): string {
  let folded = '';
  let rest = frame;
  for (let found = ALIKE.exec(rest); found !== null; found = ALIKE.exec(rest)) {
    const [run, one = ''] = found;
    folded += `${rest.slice(0, found.index)}${REPEATED}${one}${REPEATED}`;
    rest = rest.slice(found.index + run.length);
    const [last, first] = [gapsIn(folded), gapsIn(run)];
    values.splice(last - 1, first, values.slice(last - 1, last - 1 + first).join(REPEATED));
  }
  return folded + rest;
}

function gapsIn(frame: string): number {
  return frame.split(GAP).length - 1;
}

/** Puts a body together again. */
export function wholeBody({ frame, values }: PartedBody): string {
  const own = values.split(SEPARATOR).values();
  const next = (): string => own.next().value ?? '';
  const parts = frame.split(REPEATED).map((part, at) => {
    const [before = '', ...behind] = part.split(GAP);
    if (at % 2 === 0) return behind.reduce((body, more) => `${body}${next()}${more}`, before);
    return next()
      .split(REPEATED)
      .map((value) => `${before}${value}${behind.join('')}`)
      .join(',');
  });
  return parts.join('');
}
