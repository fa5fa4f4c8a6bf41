/**
 * `npm run ohif`: installs OHIF, the radiology viewer that is offered beside our own page. It is no dependency: its
 * package brings hundreds of others, and is four fifths what no viewer of ours serves.
 */
import { resolve } from 'node:path';
import { Fault } from '../../profiles/fault.ts';
import { readEnv } from '../config/env.ts';
import { VARIABLES } from '../config/variables.ts';
import { OHIF } from '../runtime/ohif-package.ts';
import { installOhif } from './ohif-install.ts';
import { argumentsOf, interruption, runCommand } from './operator.ts';
import { Progress } from './progress.ts';

const USAGE = `Usage: npm run -s ohif [-- --from FILE]
Installs the viewer ${OHIF.name} ${OHIF.version} into the folder that PASSERELLE_OHIF names (57 MB). npm fetches it
(48 MB); --from FILE takes the tarball of \`npm pack ${OHIF.name}@${OHIF.version}\`, for a machine without network.`;

const MEGABYTE = 1_000_000;

async function ohif(): Promise<void> {
  const { values, positionals } = argumentsOf(
    { allowPositionals: true, options: { from: { type: 'string' } } } as const,
    USAGE,
  );
  if (positionals.length > 0) throw new Fault('invalid', USAGE);
  const folder = resolve(readEnv(process.env).OHIF ?? VARIABLES.OHIF.default);
  const progress = new Progress('Unpacking', undefined, process.stderr);
  const told = (step: 'fetch' | 'verify' | 'unpack', done: number, total: number): void => {
    if (step === 'fetch') process.stderr.write(`  Fetching ${OHIF.name} ${OHIF.version} by npm (48 MB)\n`);
    if (step !== 'unpack') return;
    progress.expect(Math.round(total / MEGABYTE));
    progress.show(Math.round(done / MEGABYTE), 'MB');
  };
  const archive = values.from === undefined ? undefined : resolve(values.from);
  try {
    const count = await installOhif({ folder, archive, integrity: OHIF.integrity, signal: interruption(), told });
    progress.end();
    const text = count === 0 ? 'is installed' : 'is now installed: a server offers it from its next start on';
    process.stdout.write(`OHIF ${OHIF.version} ${text}\n`);
  } finally {
    progress.end();
  }
}

await runCommand(ohif);
