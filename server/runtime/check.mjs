/**
 * Runs before every command of package.json. Plain JavaScript for any Node, so that a wrong runtime gets an
 * explanation and not a SyntaxError; then sees to it that the list of types is that of their files, and that the
 * generated FHIR definitions are there.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const REQUIRED_MAJOR = 24;

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const major = Number(process.versions.node.split('.')[0]);

if (major < REQUIRED_MAJOR) {
  process.stderr.write(`${explain()}\n`);
  process.exit(1);
}

const { writeTypeList } = await import('./type-list.ts');
await writeTypeList();
const { cacheFolder, isGenerated } = await import('./cache-key.ts');
if (!isGenerated(cacheFolder())) {
  const { generate } = await import('./generate.ts');
  await generate();
}

function explain() {
  const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const name = `node-${platform}`;
  const own = process.versions.node;
  const lines = [`Passerelle needs Node ${REQUIRED_MAJOR} or later; this is Node ${own} on ${platform}.`];
  if (existsSync(join(root, 'node_modules', name))) {
    lines.push(
      `The right one is installed (node_modules/${name}). Start through npm (npm start, npm test),`,
      'or put node_modules/.bin first on PATH.',
    );
  } else {
    lines.push(
      `The package ${name} that brings it is not installed.`,
      'On linux-x64, linux-arm64 and win-x64: run "npm ci" again, without --omit=optional.',
      `On another platform: install Node ${REQUIRED_MAJOR} yourself and put it first on PATH.`,
    );
  }
  return lines.join('\n');
}
