/**
 * Which identifiers of Patients a search is answered with: those of the domains that it names without a value, as
 * `identifier=urn:oid:1.2.3|,urn:oid:4.5.6|`.
 * @see IHE PDQm 3.2, 2:3.78.4.1.2.3 and 2:3.78.4.1.3
 */
import type { OperationOutcomeIssue, Patient } from '@medplum/fhirtypes';
import type { SearchQuery } from '../../profiles/search/query.ts';
import { marked } from '../../profiles/search/subset.ts';

/** The domains (systems) that a search of Patients selects; undefined when it selects none. */
export function selectedDomains({ type, where }: Pick<SearchQuery, 'type' | 'where'>): readonly string[] | undefined {
  if (type !== 'Patient') return undefined;
  const domains = where.flatMap((criterion) => {
    if (criterion.kind !== 'token' || criterion.param !== 'identifier' || criterion.negated === true) return [];
    const { values } = criterion;
    return values.every(({ system = '', code }) => system !== '' && code === undefined)
      ? values.map(({ system = '' }) => system)
      : [];
  });
  return domains.length === 0 ? undefined : domains;
}

/** What is said of a search that selects domains of which some are none of the region: its results are no fewer. */
export const UNKNOWN_DOMAIN: OperationOutcomeIssue = {
  severity: 'warning',
  code: 'not-found',
  diagnostics: 'targetSystem not found',
};

/** A Patient, as JSON text, with identifiers of these domains alone; it says so when others were left out. */
export function withinDomains(json: string, domains: readonly string[]): string {
  const patient = JSON.parse(json) as Patient;
  const { identifier: all = [] } = patient;
  const identifier = all.filter(({ system }) => system !== undefined && domains.includes(system));
  return identifier.length === all.length ? json : JSON.stringify(marked({ ...patient, identifier }));
}
