/** The scripts of package.json, to be run without npm around them. */
import { readFileSync } from 'node:fs';

const PACKAGE = new URL('../../package.json', import.meta.url);

/** The line of each script. */
export const { scripts: SCRIPTS } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** What follows `node` in a script, as arguments. @throws {Error} there is no such script, or it does not run node */
export function nodeArguments(name: string): string[] {
  const [, line] = /^exec node (.+)$/.exec(SCRIPTS[name] ?? '') ?? [];
  if (line === undefined) throw new Error(`package.json has no script ${name} that runs node`);
  return line.split(' ');
}
