/** If-Match and If-None-Match, of a request and of an entry. @see https://hl7.org/fhir/R4/http.html#concurrency */
import { Fault } from '../../../profiles/fault.ts';

/** Versions that a client names, or `*` for any. */
export type VersionTags = '*' | readonly number[];

/** Most tags of one header. */
const MAX_TAGS = 100;

/**
 * Reads a list of entity tags, weak or strong: `W/"3"`, `"3"`, `W/"1", W/"2"`, `*`. Undefined for an empty text.
 * @throws {Fault} invalid - it is none, or names no version
 */
export function parseTags(text: string | undefined, name: 'If-Match' | 'If-None-Match'): VersionTags | undefined {
  const tags = (text ?? '').trim();
  if (tags === '') return undefined;
  if (tags === '*') return '*';
  const versions = tags.split(',').map((tag) => Number(/^(?:W\/)?"([1-9]\d{0,8})"$/.exec(tag.trim())?.[1]));
  if (versions.length > MAX_TAGS || versions.some((version) => !Number.isInteger(version)))
    throw new Fault('invalid', `${name} names versions: W/"1"`, { expression: name });
  return versions;
}

/**
 * Requires that a row stands as the client says. `version` is undefined when none stands.
 * @throws {Fault} version-conflict
 */
export function requireVersion(
  { type, ifMatch, ifNoneMatch }: Readonly<{ type: string; ifMatch?: VersionTags; ifNoneMatch?: VersionTags }>,
  version: number | undefined,
): void {
  if (ifMatch !== undefined && !isAmong(ifMatch, version))
    throw new Fault('version-conflict', `The ${type} has another version`, { expression: 'If-Match' });
  if (ifNoneMatch !== undefined && isAmong(ifNoneMatch, version))
    throw new Fault('version-conflict', `The ${type} stands already`, { expression: 'If-None-Match' });
}

function isAmong(tags: VersionTags, version: number | undefined): boolean {
  return version !== undefined && (tags === '*' || tags.includes(version));
}
