/** Bundles made of stored JSON: rows are put together as text, nothing is parsed again. */
import type { FoundPage } from '../../flows/read/search-resources.ts';
import type { SubmittedResult } from '../../flows/write/submission.ts';
import type { VisibleRow } from '../../ports/record-store.ts';

/** Formats a searchset. `selfUrl` is the request as understood; `ignored` names parameters that were not used. */
export function formatSearchset(page: FoundPage, fhirBase: string, selfUrl: URL, ignored: readonly string[]): string {
  const entries = [
    ...page.rows.map((row) => entryOf(row, fhirBase, 'match')),
    ...page.included.map((row) => entryOf(row, fhirBase, 'include')),
    ...(ignored.length === 0 ? [] : [ignoredEntry(ignored)]),
  ];
  const total = page.total === undefined ? '' : `"total":${page.total},`;
  const entry = entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`;
  const link = JSON.stringify(linksOf(page, selfUrl));
  return `{"resourceType":"Bundle","type":"searchset",${total}"link":${link}${entry}}`;
}

function entryOf(row: VisibleRow, fhirBase: string, mode: 'match' | 'include'): string {
  const fullUrl = JSON.stringify(`${fhirBase}/${row.type}/${row.id}`);
  return `{"fullUrl":${fullUrl},"resource":${row.json},"search":{"mode":"${mode}"}}`;
}

function ignoredEntry(ignored: readonly string[]): string {
  const issue = ignored.map((name) => ({
    severity: 'warning',
    code: 'not-supported',
    diagnostics: `Search parameter ${name} was ignored`,
  }));
  return JSON.stringify({ resource: { resourceType: 'OperationOutcome', issue }, search: { mode: 'outcome' } });
}

function linksOf(page: FoundPage, selfUrl: URL) {
  const self = { relation: 'self', url: selfUrl.href };
  if (page.cursor === undefined) return [self];
  const next = new URL(selfUrl);
  next.searchParams.set('_cursor', page.cursor);
  return [self, { relation: 'next', url: next.href }];
}

/** Formats the answer to a transaction: one entry for each of the request, in its order. */
export function formatTransactionResponse(results: readonly SubmittedResult[]): string {
  const entry = results.map(({ status, type, id, version }) => ({
    response: { status, location: `${type}/${id}/_history/${version}`, etag: `W/"${version}"` },
  }));
  return JSON.stringify({ resourceType: 'Bundle', type: 'transaction-response', entry });
}
