import type { Bundle, OperationOutcome } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { formatSearchset } from '../../../../server/endpoints/fhir/bundles.ts';
import type { FoundPage } from '../../../../server/flows/read/search-resources.ts';

const selfUrl = new URL('https://passerelle.example/fhir/Patient?active=true');
const page: FoundPage = { rows: [], included: [], total: 0, next: undefined, cursor: undefined };

describe('Searchset Bundle (FHIR R4 search.html#return)', () => {
  const format = (found: FoundPage, ignored: readonly string[] = []): Bundle =>
    JSON.parse(
      formatSearchset(found, { fhirBase: 'https://passerelle.example/fhir', selfUrl, ignored, textOf: () => '{}' }),
    ) as Bundle;

  it('has no entry where nothing is found, and nothing to say', () => {
    expect(format(page)).to.deep.equal({
      resourceType: 'Bundle',
      type: 'searchset',
      total: 0,
      link: [{ relation: 'self', url: selfUrl.href }],
    });
  });

  it('says in one outcome what was ignored, and that not all came beside the page', () => {
    const { entry = [] } = format({ ...page, isCut: true }, ['colour']);
    expect(entry.map(({ search }) => search?.mode)).to.deep.equal(['outcome']);
    const issue = (entry[0]?.resource as OperationOutcome | undefined)?.issue ?? [];
    expect(issue.map(({ severity, code }) => `${severity} ${code}`)).to.deep.equal([
      'warning not-supported',
      'warning too-costly',
    ]);
    expect(issue[0]?.diagnostics).to.equal('Search parameter colour was ignored');
  });
});
