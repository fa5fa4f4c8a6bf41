import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { DEFINED_TYPES } from '../../../profiles/validation/defined-types.ts';
import { CACHE_FILES, cacheFolder, isGenerated } from '../../../server/runtime/cache-key.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { generate } from '../../../server/runtime/generate.ts';

const CHECK = join(import.meta.dirname, '..', '..', '..', 'server', 'runtime', 'check.mjs');

describe('Generated FHIR definitions', () => {
  it('stand after the check, and a second check changes nothing', () => {
    expect(spawnSync(process.execPath, [CHECK]).status).to.equal(0);
    const folder = cacheFolder();
    expect(isGenerated(folder)).to.equal(true);
    const before = statSync(join(folder, CACHE_FILES.validators)).mtimeMs;
    const again = spawnSync(process.execPath, [CHECK], { encoding: 'utf8' });
    expect([again.status, again.stdout, again.stderr]).to.deep.equal([0, '', '']);
    expect(statSync(join(folder, CACHE_FILES.validators)).mtimeMs).to.equal(before);
  });

  it('are the same folder for processes that generate at once', async () => {
    expect(await Promise.all([generate(), generate()])).to.deep.equal([cacheFolder(), cacheFolder()]);
  });

  it('hold every defined type and all that it needs, without elements of the library', async () => {
    const { definitions } = await loadDefinitions();
    const byType = new Map(definitions.structureDefinitions.map((definition) => [definition.type, definition]));
    for (const type of [...DEFINED_TYPES, 'HumanName', 'Extension', 'dateTime']) {
      expect(byType.get(type)?.snapshot?.element.length, type).to.be.greaterThan(0);
    }
    expect(byType.get('Meta')?.snapshot?.element.map(({ path }) => path)).not.to.include('Meta.project');
    expect(byType.has('Account')).to.equal(false);
  });
});

describe('Check of the runtime', () => {
  it('explains itself on a Node that is too old and exits with 1', function () {
    const old = ['/usr/local/bin/node', '/usr/bin/node'].find((path) => {
      const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
      return /^v(?:1\d|2[0-3])\./.test(stdout ?? '');
    });
    if (old === undefined) return this.skip();
    const { status, stderr } = spawnSync(old, [CHECK], { encoding: 'utf8' });
    expect(status).to.equal(1);
    expect(stderr).to.match(/needs Node 24 or later; this is Node 2?\d/).and.match(/npm/);
    return undefined;
  });
});
