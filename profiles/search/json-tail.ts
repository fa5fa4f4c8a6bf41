/** The last member of a resource as JSON, which may be many times as long as the rest. */

/**
 * Returns the text with which a list begins that is the last member. It occurs nowhere else where no member within
 * bears the same name: in texts its quotes are escaped.
 */
export function beginningOfTail(member: string): string {
  return `,"${member}":[`;
}
