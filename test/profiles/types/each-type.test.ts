/** What holds of every type by its file: examples are valid, indexed and found; the doors announce what it says. */
import type { Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { buildCapabilityStatement } from '../../../profiles/capability-statement.ts';
import { ALONE, matchesCriterion } from '../../../profiles/search/match.ts';
import { searchParametersOf } from '../../../profiles/search/parameters.ts';
import { sortKeyOf } from '../../../profiles/search/sort-key.ts';
import { subjectOf } from '../../../profiles/types/row-rules.ts';
import { fhirType, STORED_TYPES } from '../../../profiles/types/visibility.ts';
import { allows } from '../../../server/access/scope.ts';
import { SERVED } from '../../../server/endpoints/fhir/served.ts';
import { demandsOf } from '../../../server/endpoints/smart/sign-in/demands.ts';
import { loadDefinitions, type LoadedDefinitions } from '../../../server/runtime/definitions.ts';
import { absentCriterionOf, criterionOf, indexedParametersOf } from '../../support/examples/example-queries.ts';
import { exampleResources } from '../../support/examples/example-resources.ts';

describe('Each type by its file', () => {
  let loaded: LoadedDefinitions;
  before(async () => {
    loaded = await loadDefinitions();
  });

  for (const type of STORED_TYPES) {
    const file = fhirType(type);

    describe(type, () => {
      let examples: readonly (Resource & { readonly id: string })[] = [];
      before(() => {
        examples = exampleResources(type, loaded);
      });

      it('has definitions: examples of it are valid, and one of them with a further element is not', () => {
        expect(examples).to.not.have.lengthOf(0);
        for (const example of examples) loaded.validate(example);
        expect(() => loaded.validate({ ...examples[0], notOfR4: true })).to.throw();
      });

      it('is found by each of its search parameters, and not by other values', () => {
        for (const parameter of indexedParametersOf(type)) {
          const found = examples.flatMap((example) => {
            const entries = { ...loaded.indexer(example), type, id: example.id };
            const criterion = criterionOf(type, parameter, entries);
            if (criterion === undefined) return [];
            expect(matchesCriterion(entries, absentCriterionOf(type, parameter), ALONE)).to.equal(false);
            return [matchesCriterion(entries, criterion, ALONE)];
          });
          expect(found, `no example is indexed under ${parameter.code}`).to.not.have.lengthOf(0);
          expect(found, parameter.code).to.not.include(false);
        }
      });

      it('is sorted by one of its parameters, and by its own moment where its file names elements', () => {
        expect(searchParametersOf(type).map(({ code }) => code)).to.include(file.sort.by);
        const moments = examples.map((example) => sortKeyOf(example, -1));
        expect(moments.some((moment) => moment !== -1)).to.equal(file.sort.elements.length > 0);
      });

      it('says whose a row is, where its file names the element', () => {
        const subjects = examples.map((example) => subjectOf(type, example));
        expect(subjects.includes('Patient/example')).to.equal(file.subject !== undefined);
      });

      it('is opened by its scopes alone, in words of its own', () => {
        expect(allows([`user/${type}.r`], type, 'r')).to.equal(true);
        expect(allows([`user/${type}.r`], type, 's')).to.equal(false);
        for (const other of STORED_TYPES.filter((name) => name !== type)) {
          expect(allows([`user/${other}.rs`], type, 'r'), other).to.equal(false);
          expect(fhirType(other).words, other).to.not.equal(file.words);
        }
        expect(demandsOf([`patient/${type}.rs`], 'own')[0]?.items).to.deep.equal([file.words]);
      });

      it('is announced as its file says, or not at all', () => {
        const announced = statementOf().find((one) => one.type === type);
        expect(announced?.interaction?.map(({ code }) => code) ?? []).to.deep.equal([...file.interactions]);
        if (!file.interactions.includes('search-type')) return;
        const codes = ['_id', '_lastUpdated', ...file.parameters.map(({ code }) => code)];
        expect(announced?.searchParam?.map(({ name }) => name)).to.deep.equal(codes);
      });
    });
  }
});

function statementOf() {
  const address = 'https://passerelle.example';
  const statement = buildCapabilityStatement({
    served: SERVED,
    isServed: () => true,
    systemInteractions: ['transaction'],
    version: '0',
    date: '2026-01-01',
    fhirBase: `${address}/fhir`,
    authorizationEndpoint: `${address}/authorize`,
    tokenEndpoint: `${address}/token`,
  });
  return statement.rest?.[0]?.resource ?? [];
}
