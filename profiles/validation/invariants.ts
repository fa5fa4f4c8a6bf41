/** Invariants of whole resources that neither a JSON schema nor one element can say. Keys as in R4. */
import { parseDateRange } from '../search/date-range.ts';
import { CODE_SYSTEM } from '../codes.ts';
import { Fault } from '../fault.ts';
import { isJsonObject } from './resource-walk.ts';
import type { JsonObject } from './resource-walk.ts';

/**
 * Checks the invariants of a resource that satisfies the schema.
 * @throws {Fault} invalid - the first invariant that does not hold, with the FHIRPath of its element
 */
export function checkInvariants(resource: JsonObject, path: string): void {
  switch (resource['resourceType']) {
    case 'Bundle':
      return checkBundle(resource, path);
    case 'Consent':
      return checkConsent(resource, path);
    case 'Task':
      return checkTask(resource, path);
    default:
  }
}

function demand(condition: boolean, path: string, expectation: string): void {
  if (!condition) throw new Fault('invalid', `${path} ${expectation}`, { expression: path });
}

function checkConsent({ scope, patient }: JsonObject, path: string): void {
  const isPrivacy = codingsOf(scope).some(
    ({ system, code }) => system === CODE_SYSTEM.consentScope && code === 'patient-privacy',
  );
  demand(!isPrivacy || patient !== undefined, path, 'must name the patient, as its scope is patient-privacy (ppc-2)');
}

function checkTask({ authoredOn, lastModified }: JsonObject, path: string): void {
  const authored = typeof authoredOn === 'string' ? parseDateRange(authoredOn) : undefined;
  const modified = typeof lastModified === 'string' ? parseDateRange(lastModified) : undefined;
  if (authored === undefined || modified === undefined) return;
  demand(modified.hi > authored.lo, path, 'must have lastModified after authoredOn (inv-1)');
}

const REQUESTS = ['batch', 'transaction', 'history'];
const RESPONSES = ['batch-response', 'transaction-response', 'history'];

/** bdl-1 to bdl-5 and bdl-7 to bdl-11. @see https://hl7.org/fhir/R4/bundle.html */
function checkBundle(bundle: JsonObject, path: string): void {
  const type = String(bundle['type']);
  const entries = arrayOf(bundle['entry']);
  demand(
    bundle['total'] === undefined || ['searchset', 'history'].includes(type),
    `${path}.total`,
    'is for searchset and history only (bdl-1)',
  );
  for (const [index, entry] of entries.entries()) checkEntry(entry, type, `${path}.entry[${index}]`);
  if (type !== 'history') checkFullUrls(entries, path);
  if (type === 'document') checkDocument(bundle, entries, path);
}

function checkEntry(entry: JsonObject, type: string, path: string): void {
  const { request, response, search, resource, fullUrl } = entry;
  demand(search === undefined || type === 'searchset', `${path}.search`, 'is for a searchset only (bdl-2)');
  const needsRequest = REQUESTS.includes(type);
  demand(
    (request !== undefined) === needsRequest,
    `${path}.request`,
    needsRequest ? 'is required (bdl-3)' : 'is not for this type of Bundle (bdl-3)',
  );
  const needsResponse = RESPONSES.includes(type);
  demand(
    (response !== undefined) === needsResponse,
    `${path}.response`,
    needsResponse ? 'is required (bdl-4)' : 'is not for this type of Bundle (bdl-4)',
  );
  demand(needsRequest || needsResponse || resource !== undefined, path, 'must have a resource (bdl-5)');
  demand(!String(fullUrl ?? '').includes('/_history/'), `${path}.fullUrl`, 'must not name a version (bdl-8)');
}

function checkFullUrls(entries: readonly JsonObject[], path: string): void {
  const seen = new Set<string>();
  for (const [index, { fullUrl, resource }] of entries.entries()) {
    if (typeof fullUrl !== 'string') continue;
    const meta = isJsonObject(resource) ? resource['meta'] : undefined;
    const key = `${fullUrl} ${isJsonObject(meta) ? String(meta['versionId'] ?? '') : ''}`;
    demand(!seen.has(key), `${path}.entry[${index}].fullUrl`, 'must be unique in the Bundle (bdl-7)');
    seen.add(key);
  }
}

function checkDocument({ identifier, timestamp }: JsonObject, entries: readonly JsonObject[], path: string): void {
  const isNamed = isJsonObject(identifier) && identifier['system'] !== undefined && identifier['value'] !== undefined;
  demand(isNamed, `${path}.identifier`, 'must have a system and a value in a document (bdl-9)');
  demand(timestamp !== undefined, `${path}.timestamp`, 'is required in a document (bdl-10)');
  const first = entries[0]?.['resource'];
  const isComposition = isJsonObject(first) && first['resourceType'] === 'Composition';
  demand(isComposition, `${path}.entry[0].resource`, 'must be a Composition in a document (bdl-11)');
}

function codingsOf(concept: unknown): readonly JsonObject[] {
  return isJsonObject(concept) ? arrayOf(concept['coding']) : [];
}

function arrayOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
