/** JSON as it comes from peers: valid UTF-8, bounded in depth and number of values, no name twice in one object. */
import { Fault } from '../../../profiles/fault.ts';

const MAX_DEPTH = 64;

/**
 * Parses JSON of at most `maxValues` values: members and items, and what begins an object or array. They cost far more
 * than bytes do: the parser's time grows with their square.
 * @throws {Fault} too-long - more values
 * @throws {Fault} invalid - not UTF-8, not JSON, too deep, or a name that comes twice
 */
export function parseJson(bytes: Uint8Array, maxValues: number): unknown {
  const text = decode(bytes);
  checkStructure(text, maxValues);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw notJson(error);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Fault('invalid', 'The body is not valid UTF-8', { cause: error });
  }
}

/** One pass before the text is parsed: nesting and values are counted, names are compared within their object. */
function checkStructure(text: string, maxValues: number): void {
  const names: (Set<string> | undefined)[] = [];
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[' || character === ',') values += 1;
    if (values > maxValues) throw new Fault('too-long', `The body holds more than ${maxValues} JSON values`);
    if (character === '{' || character === '[') {
      if (names.push(character === '{' ? new Set() : undefined) > MAX_DEPTH)
        throw new Fault('invalid', `JSON is nested more than ${MAX_DEPTH} deep`);
    } else if (character === '}' || character === ']') {
      names.pop();
    } else if (character === '"') {
      const end = endOfString(text, at);
      if (end === -1) throw notJson();
      if (isName(text, end + 1)) addName(names.at(-1), text.slice(at, end + 1));
      at = end;
    }
  }
}

/**
 * The quote that ends the string which begins at `from`, or -1. No regular expression: documents are strings of many
 * megabytes.
 */
function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function isName(text: string, from: number): boolean {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return text[at] === ':';
}

function addName(names: Set<string> | undefined, token: string): void {
  if (names === undefined) return;
  const name = token.includes('\\') ? parseText(token) : token.slice(1, -1);
  if (names.has(name)) throw new Fault('invalid', 'A name comes twice in one JSON object');
  names.add(name);
}

/** A name as it is meant: two spellings of one name are the same. */
function parseText(token: string): string {
  try {
    return String(JSON.parse(token));
  } catch (error) {
    throw notJson(error);
  }
}

function notJson(cause?: unknown): Fault {
  return new Fault('invalid', 'The body is not valid JSON', { cause });
}
