/** FHIR requests of a test, as JSON. */
import { randomUUID } from 'node:crypto';
import type { Bundle, Resource } from '@medplum/fhirtypes';

/** Where a request goes and who sends it. */
export type Access = { readonly url: string; readonly token: string };

/** Searches one page; its matches. */
export async function find<T extends Resource>({ url, token }: Access, query: string): Promise<T[]> {
  const response = await fetch(`${url}/fhir/${query}`, {
    headers: { Authorization: `Bearer ${token}`, Accept: 'application/fhir+json' },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${query}: ${response.status} ${text}`);
  const { entry = [] } = JSON.parse(text) as Bundle<T>;
  return entry.flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
}

/** Posts; resolves with the request id under which the passage is audited. */
export async function send({ url, token }: Access, path: string, resource?: Resource): Promise<string> {
  const requestId = `urn:uuid:${randomUUID()}`;
  const headers = { Authorization: `Bearer ${token}`, 'X-Request-Id': requestId };
  const body = resource === undefined ? {} : { body: JSON.stringify(resource) };
  const type: Record<string, string> = resource === undefined ? {} : { 'Content-Type': 'application/fhir+json' };
  const response = await fetch(`${url}/fhir${path}`, { method: 'POST', headers: { ...headers, ...type }, ...body });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${text}`);
  return requestId;
}
