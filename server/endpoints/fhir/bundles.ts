/** Bundles made of stored JSON: rows are put together as text, nothing is parsed again. */
import { randomUUID } from 'node:crypto';
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { FoundHistory } from '../../flows/read/read-history.ts';
import type { FoundPage } from '../../flows/read/search-resources.ts';
import type { RowVersion, VisibleRow } from '../../ports/record-store.ts';

/**
 * What a searchset says beside its rows: the request as understood, names of parameters that were not used, what a
 * profile has to say of it, and the text of each row.
 */
export type Searchset = {
  readonly fhirBase: string;
  readonly selfUrl: URL;
  readonly ignored: readonly string[];
  readonly warnings?: readonly OperationOutcomeIssue[];
  readonly textOf: (row: VisibleRow, mode: EntryMode) => string;
};

/** Why a row is in a searchset. @see https://hl7.org/fhir/R4/valueset-search-entry-mode.html */
export type EntryMode = 'match' | 'include';

/** Formats a searchset. */
export function formatSearchset(page: FoundPage, searchset: Searchset): string {
  const { fhirBase, selfUrl, textOf } = searchset;
  const entryOf = (row: VisibleRow, mode: EntryMode): string => {
    const fullUrl = JSON.stringify(`${fhirBase}/${row.type}/${row.id}`);
    return `{"fullUrl":${fullUrl},"resource":${textOf(row, mode)},"search":{"mode":"${mode}"}}`;
  };
  const entries = [
    ...page.rows.map((row) => entryOf(row, 'match')),
    ...page.included.map((row) => entryOf(row, 'include')),
    ...outcomeEntries(page, searchset),
  ];
  const total = page.total === undefined ? '' : `"total":${page.total},`;
  const entry = entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`;
  const link = JSON.stringify(linksOf(page, selfUrl));
  return `{"resourceType":"Bundle","type":"searchset",${total}"link":${link}${entry}}`;
}

function outcomeEntries({ isCut, lacksEarlier }: FoundPage, { ignored, warnings = [] }: Searchset): readonly string[] {
  const unused = ignored.map((name) => ({
    severity: 'warning',
    code: 'not-supported',
    diagnostics: `Search parameter ${name} was ignored`,
  }));
  const issue = [...unused, ...warnings];
  if (isCut === true) {
    const diagnostics = 'More resources come beside this page than one answer brings; ask for smaller pages';
    issue.push({ severity: 'warning', code: 'too-costly', diagnostics });
  }
  if (lacksEarlier === true) {
    const diagnostics = 'Events that were recorded before one of these parameters was served are not found by it';
    issue.push({ severity: 'warning', code: 'incomplete', diagnostics });
  }
  if (issue.length === 0) return [];
  const resource = { resourceType: 'OperationOutcome', issue };
  return [JSON.stringify({ fullUrl: `urn:uuid:${randomUUID()}`, resource, search: { mode: 'outcome' } })];
}

/** Formats a history. `selfUrl` is the request as understood. */
export function formatHistory(page: FoundHistory, fhirBase: string, selfUrl: URL): string {
  const entries = page.rows.map((row) => versionEntry(row, fhirBase));
  const entry = entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`;
  const link = JSON.stringify(linksOf(page, selfUrl));
  return `{"resourceType":"Bundle","type":"history","link":${link}${entry}}`;
}

/** How a version came about: the first was posted, a later one put, the last may be a deletion. */
function versionEntry({ type, id, version, updated, json, isDeletion }: RowVersion, fhirBase: string): string {
  const [method, status] = isDeletion === true ? ['DELETE', '204'] : version === 1 ? ['POST', '201'] : ['PUT', '200'];
  const url = method === 'POST' ? type : `${type}/${id}`;
  const response = { status, etag: `W/"${version}"`, lastModified: new Date(updated).toISOString() };
  const resource = isDeletion === true ? '' : `"resource":${json},`;
  const how = `"request":${JSON.stringify({ method, url })},"response":${JSON.stringify(response)}`;
  return `{"fullUrl":${JSON.stringify(`${fhirBase}/${type}/${id}`)},${resource}${how}}`;
}

function linksOf(page: { readonly cursor: string | undefined }, selfUrl: URL) {
  const self = { relation: 'self', url: selfUrl.href };
  if (page.cursor === undefined) return [self];
  const next = new URL(selfUrl);
  next.searchParams.set('_cursor', page.cursor);
  return [self, { relation: 'next', url: next.href }];
}
