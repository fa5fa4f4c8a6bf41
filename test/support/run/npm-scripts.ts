/** The scripts of package.json, to be run without npm around them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = new URL('../../..', import.meta.url).pathname;

/** The line of each script, by its name; of a checkout, without one of this one. */
export function scriptsOf(root = ROOT): Readonly<Record<string, string>> {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  return scripts;
}

/**
 * What follows `node` in a script, as arguments. Scripts of former commits do not say `exec`.
 * @throws {Error} there is no such script, or it does not run node
 */
export function nodeArguments(name: string, root = ROOT): readonly string[] {
  const [, line] = /^(?:exec )?node (.+)$/.exec(scriptsOf(root)[name] ?? '') ?? [];
  if (line === undefined) throw new Error(`package.json has no script ${name} that runs node`);
  return line.split(' ');
}
