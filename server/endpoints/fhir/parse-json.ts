/** JSON as it comes from peers: valid UTF-8, bounded depth, no name twice in one object. */
import { Fault } from '../../../profiles/fault.ts';

const MAX_DEPTH = 64;

/**
 * Parses JSON.
 * @throws {Fault} invalid - not UTF-8, not JSON, too deep, or a name that comes twice
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  checkStructure(text);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Fault('invalid', 'The body is not valid JSON', { cause: error });
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Fault('invalid', 'The body is not valid UTF-8', { cause: error });
  }
}

const STRING = /"(?:[^"\\]|\\.)*"/gy;

/** One pass over the text before it is parsed: nesting is counted and names are compared within their object. */
function checkStructure(text: string): void {
  const names: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[') {
      if (names.push(character === '{' ? new Set() : undefined) > MAX_DEPTH) throw new Fault('invalid', `JSON is nested more than ${MAX_DEPTH} deep`);
    } else if (character === '}' || character === ']') {
      names.pop();
    } else if (character === '"') {
      STRING.lastIndex = at;
      const token = STRING.exec(text)?.[0];
      if (token === undefined) throw new Fault('invalid', 'The body is not valid JSON');
      at += token.length - 1;
      if (isName(text, at + 1)) addName(names.at(-1), token);
    }
  }
}

function isName(text: string, from: number): boolean {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return text[at] === ':';
}

function addName(names: Set<string> | undefined, token: string): void {
  if (names === undefined) return;
  if (names.has(token)) throw new Fault('invalid', 'A name comes twice in one JSON object');
  names.add(token);
}
