/** The text of a resource as every store keeps it: `meta` first, and in it what a store alone can give. */
import { requireText } from '../ports/bounds.ts';

/** A text that lacks the version and the time, which come between both. */
export type StampedText = { readonly head: string; readonly tail: string };

/**
 * Splits the JSON of a resource where the stamp goes: inside `meta`, before its other members.
 * @throws {Fault} too-long - one store could not keep it
 */
export function unstamped(resource: object, id: string): StampedText {
  const { resourceType, id: _id, meta, ...rest } = resource as { resourceType: string; id?: string; meta?: object };
  const { versionId: _v, lastUpdated: _l, ...kept } = (meta ?? {}) as { versionId?: string; lastUpdated?: string };
  const head = `${JSON.stringify({ resourceType, id }).slice(0, -1)},"meta":{`;
  const tail = `${afterOpening(kept)}${afterOpening(rest)}`;
  requireText(tail, 'resource');
  return { head, tail };
}

/** Puts a version and its time (epoch milliseconds) into a text. */
export function stamped({ head, tail }: StampedText, version: number, updated: number): string {
  return `${head}"versionId":"${version}","lastUpdated":"${new Date(updated).toISOString()}"${tail}`;
}

/** The members of an object and its closing brace, with a leading comma when there are any. */
function afterOpening(value: object): string {
  const text = JSON.stringify(value).slice(1);
  return text === '}' ? text : `,${text}`;
}
