/** Types that the region file alone writes: what it says of them is read and searched at the door. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { fhirType, isStoredType, STORED_TYPES } from '../../profiles/types/visibility.ts';
import { loadDefinitions, type LoadedDefinitions } from '../../server/runtime/definitions.ts';
import { resourcesOf, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { personCaller } from '../support/demonstration.ts';
import { indexedParametersOf, searchValueOf } from '../support/examples/example-queries.ts';
import { exampleResources } from '../support/examples/example-resources.ts';
import { startServer, type TestServer } from '../support/server.ts';

const DEMONSTRATION = new URL('../../fixtures/region/region.json', import.meta.url);

const DIRECTORY = STORED_TYPES.filter((type) => fhirType(type).class === 'directory');

describe('The directory of the region file', () => {
  let folder = '';
  let loaded: LoadedDefinitions;
  let server: TestServer | undefined;
  let stranger: FhirCaller;
  const examples = new Map<string, readonly (Resource & { readonly id: string })[]>();

  before(async function start() {
    this.timeout(60_000);
    loaded = await loadDefinitions();
    for (const type of DIRECTORY) examples.set(type, exampleResources(type, loaded, optionsOf(type)));
    folder = await mkdtemp(join(tmpdir(), 'passerelle-directory-'));
    const path = join(folder, 'region.json');
    await writeFile(path, JSON.stringify(withEntries([...examples.values()].flat())));
    server = await startServer({ env: { REGION: path } });
    stranger = await personCaller(server, 'demo-stranger');
  });
  after(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const type of DIRECTORY) {
    it(`${type}: is read, and found by each search parameter, by somebody who holds no right`, async () => {
      expect(examples.get(type) ?? []).to.not.have.lengthOf(0);
      for (const example of examples.get(type) ?? []) {
        const answer = await stranger.get(`${type}/${example.id}`);
        expect(answer.status, answer.text).to.equal(200);
        expect(answer.json<Resource>()).to.deep.include({ ...example, meta: answer.json<Resource>().meta });
        const entries = loaded.indexer(example);
        for (const parameter of indexedParametersOf(type)) {
          const value = searchValueOf(parameter, entries);
          if (value === undefined) continue;
          const query = `${type}?${parameter.code}=${encodeURIComponent(value)}&_count=100`;
          const found = await stranger.get(query, { prefer: 'handling=strict' });
          expect(found.status, `${query}: ${found.text}`).to.equal(200);
          expect(
            resourcesOf(found.json<Bundle>()).map(({ id }) => id),
            query,
          ).to.include(example.id);
        }
      }
    });
  }
});

/** References lead to other examples of the directory; the element that would name a person is left out. */
function optionsOf(type: (typeof DIRECTORY)[number]) {
  const { subject } = fhirType(type);
  return {
    findTarget: ([name = '']: readonly string[]): string | undefined =>
      isStoredType(name) && DIRECTORY.includes(name) ? `${name}/${name}-1` : undefined,
    without: subject === undefined ? [] : [subject],
  };
}

function withEntries(resources: readonly Resource[]): object {
  const region = JSON.parse(readFileSync(DEMONSTRATION, 'utf8')) as { readonly bundle: Bundle };
  const entries = resources.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  return { ...region, bundle: { ...region.bundle, entry: [...(region.bundle.entry ?? []), ...entries] } };
}
