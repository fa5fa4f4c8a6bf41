/** Search values as arrays of keys that ordinary multikey indexes serve: the same functions write and ask. */
import type { IndexEntries } from '../../../../profiles/search/indexer.ts';
import type { IndexArrays, RowDocument } from '../documents.ts';

/** The key of a token; a part that is undefined stands for any. */
export function tokenKey(param: string, system: string | undefined, value: string | undefined): string {
  return JSON.stringify([param, system ?? null, value ?? null]);
}

/** What the keys of a parameter's codes in any system begin with. */
export function codesPrefix(param: string): string {
  return `${JSON.stringify([param, null]).slice(0, -1)},`;
}

/** The codes of a row's tokens under a parameter. */
export function codesOf(tok: readonly string[], param: string): readonly string[] {
  const prefix = codesPrefix(param);
  const keys = tok.filter((key) => key.startsWith(prefix) && key !== tokenKey(param, undefined, undefined));
  // The last member of a key with a code is that code.
  return keys.map((key) => (JSON.parse(key) as [string, null, string])[2]);
}

/** The keys of which a row has one when it has any entry under a parameter: a token, or something else. */
export function presenceKeys(param: string): readonly string[] {
  return [tokenKey(param, undefined, undefined), JSON.stringify([param])];
}

/** The key of a reference. */
export function referenceKey(param: string, target: string): string {
  return `${param} ${target}`;
}

/** The targets of a row's references under a parameter. */
export function targetsOf(ref: readonly string[], param: string): readonly string[] {
  return ref.filter((key) => key.startsWith(`${param} `)).map((key) => key.slice(param.length + 1));
}

/**
 * What a row refers to when doors show a Patient in place of the one that it is filed under, and `filedRef`, what it
 * refers to as it was filed: where both are the same there is none.
 */
export function shownRef(
  filedRef: readonly string[],
  { subject, patient }: Pick<RowDocument, 'subject' | 'patient'>,
): Pick<RowDocument, 'ref' | 'filedRef'> {
  if ((patient ?? undefined) === undefined) return { ref: filedRef, filedRef: undefined };
  const suffix = ` ${subject}`;
  const ref = filedRef.map((key) => (key.endsWith(suffix) ? `${key.slice(0, -suffix.length)} ${patient}` : key));
  return { ref: [...new Set(ref)], filedRef };
}

/** The keys of every three characters of a text, each once; none for a shorter text. */
export function trigramKeys(param: string, text: string): readonly string[] {
  const characters = [...text];
  const keys = new Set<string>();
  for (let at = 0; at + 3 <= characters.length; at += 1) keys.add(`${param} ${characters.slice(at, at + 3).join('')}`);
  return [...keys];
}

/** Lays index entries out as arrays. `updated` is the time that the store stamps: nobody else can know it. */
export function toIndexArrays(index: IndexEntries, updated: number): IndexArrays {
  const dates = index.dates.filter(({ param }) => param !== '_lastUpdated');
  const stamped = [...dates, { param: '_lastUpdated', lo: updated, hi: updated + 1 }];
  return {
    tok: [...new Set([...index.tokens.flatMap(tokenKeys), ...presenceKeysOf({ ...index, dates: stamped })])],
    ref: index.references.map(({ param, target }) => referenceKey(param, target)),
    dates: stamped.map(({ param, lo, hi }) => ({ p: param, lo, hi })),
    str: index.strings.map(({ param, value }) => ({ p: param, v: value })),
    tri: [...new Set(index.strings.flatMap(({ param, value }) => trigramKeys(param, value)))],
  };
}

function tokenKeys({ param, system, value }: IndexEntries['tokens'][number]): readonly string[] {
  return [
    tokenKey(param, system, value),
    tokenKey(param, undefined, value),
    tokenKey(param, system, undefined),
    tokenKey(param, undefined, undefined),
  ];
}

function presenceKeysOf({ references, dates, strings }: IndexEntries): readonly string[] {
  return [...references, ...dates, ...strings].map(({ param }) => JSON.stringify([param]));
}
