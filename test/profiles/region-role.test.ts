import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { CodeSystem, ValueSet } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import { codesOfRegionRole, REGION_ROLES, regionRolesOf } from '../../profiles/region-role.ts';

async function definition<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(new URL(`../../profiles/definitions/${name}.json`, import.meta.url), 'utf8')) as T;
}

describe('The offices of a region (CodeSystem region-role)', () => {
  it('are those of the published code system, in its order', async () => {
    const { url, count, concept = [] } = await definition<CodeSystem>('CodeSystem-region-role');
    expect(url).to.equal(CODE_SYSTEM.regionRole);
    expect(concept.map(({ code }) => code)).to.deep.equal([...REGION_ROLES]);
    expect(count).to.equal(REGION_ROLES.length);
    const { compose } = await definition<ValueSet>('ValueSet-region-role');
    expect(compose?.include).to.deep.equal([{ system: url }]);
  });

  it('are read off the code system alone, each once', () => {
    const system = CODE_SYSTEM.regionRole;
    const desk = { coding: [{ system, code: 'region-desk' }] };
    const elsewhere = { coding: [{ system: 'urn:oid:1.2', code: 'support' }, { code: 'support' }] };
    const unknown = { coding: [{ system, code: 'king' }, { system }] };
    expect(regionRolesOf([desk, desk, elsewhere, unknown])).to.deep.equal(['region-desk']);
    expect(codesOfRegionRole([desk, elsewhere, unknown])).to.deep.equal(['region-desk', 'king', '']);
    expect(regionRolesOf(undefined)).to.deep.equal([]);
  });
});
