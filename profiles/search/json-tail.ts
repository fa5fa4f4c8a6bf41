/** The last member of a resource as JSON, which may be many times as long as the rest. */

/** That of an ImagingStudy. */
export const STUDY_TAIL = 'series';

/**
 * Returns the text with which a list begins that is the last member. It occurs nowhere else where no member within
 * bears the same name: in texts its quotes are escaped.
 */
export function beginningOfTail(member: string): string {
  return `,"${member}":[`;
}

/** A resource as JSON without that member. */
export function headOf(json: string, member: string): string {
  const at = json.indexOf(beginningOfTail(member));
  return at === -1 ? json : `${json.slice(0, at)}}`;
}
