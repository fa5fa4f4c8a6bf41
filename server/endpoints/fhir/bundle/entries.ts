/**
 * Entries of a batch or transaction: each is a write, or a read by its url.
 * @see https://hl7.org/fhir/R4/http.html#transaction
 */
import { Buffer } from 'node:buffer';
import type { BundleEntry, BundleEntryRequest, Resource } from '@medplum/fhirtypes';
import { MEDIA_TYPE } from '../../../../profiles/codes.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { readPatch, type PatchOperation } from '../../../../profiles/json-patch.ts';
import { storedType, type StoredType } from '../../../../profiles/types/visibility.ts';
import type { WriteAct } from '../../../flows/write/act.ts';
import { tagsOf, type Aim } from '../write/aim.ts';
import { parseJson } from '../parse-json.ts';
import { requireConditional, requireServed, resourceOfType } from '../served.ts';

/** Most entries of a batch or transaction: each may become several rows, and a plan holds 2,000. */
export const MAX_ENTRIES = 200;

/** Most JSON values of a patch. */
const MAX_PATCH_VALUES = 5_000;

/** An entry that reads: its address below the base, and the versions that the client has. */
export type ReadEntry = { readonly method: 'GET' | 'HEAD'; readonly url: string; readonly ifNoneMatch: string };

/** An entry: what it writes, or what it reads. */
export type Entry = { readonly act: WriteAct } | { readonly read: ReadEntry };

/**
 * Reads an entry, whose resource is valid.
 * @throws {Fault} required, invalid - it lacks something, or its url does not fit its resource
 * @throws {Fault} not-found, not-supported - its type or interaction is not served
 */
export function readEntry({ fullUrl, resource, request }: BundleEntry, fhirBase: string): Entry {
  if (request === undefined)
    throw new Fault('required', 'An entry needs a request', { expression: 'Bundle.entry.request' });
  const url = relativeUrl(request.url ?? '', fhirBase);
  const { method, ifNoneMatch = '' } = request;
  if (method === 'GET' || method === 'HEAD') return { read: { method, url, ifNoneMatch } };
  const { type, ...aim } = aimOfEntry(url);
  const aimed = { type, ...(fullUrl === undefined ? {} : { fullUrl }) };
  if (method === 'POST') return { act: toCreate(aimed, aim, needed(resource), request) };
  if (aim.id === undefined && aim.condition === undefined)
    throw new Fault('invalid', 'The url of an entry has an id or a condition', { expression: URL_EXPRESSION });
  const target = { ...aimed, ...aim, ...tagsOf(request.ifMatch, request.ifNoneMatch) };
  return { act: toChange(method, target, resource) };
}

const URL_EXPRESSION = 'Bundle.entry.request.url';

/** Addresses may be absolute at this server, or begin with a slash. */
function relativeUrl(url: string, fhirBase: string): string {
  const path = url.startsWith(`${fhirBase}/`) ? url.slice(fhirBase.length) : url;
  return path.replace(/^\//, '');
}

function aimOfEntry(url: string): { readonly type: StoredType } & Pick<Aim, 'id' | 'condition'> {
  const [path = '', ...query] = url.split('?');
  const [name = '', id, ...below] = path.split('/');
  if (below.length > 0 || id?.startsWith('$') === true || id?.startsWith('_') === true || name.startsWith('$'))
    throw new Fault('not-supported', 'This is not served in a Bundle', { expression: URL_EXPRESSION });
  const type = storedType(name);
  if (id !== undefined) return { type, id };
  return query.length === 0 ? { type } : { type, condition: query.join('?') };
}

type Aimed = { readonly type: StoredType; readonly fullUrl?: string };

function toCreate(aimed: Aimed, aim: Aim, resource: Resource, { ifNoneExist }: BundleEntryRequest): WriteAct {
  requireServed(aimed.type, 'create');
  if (aim.id !== undefined || aim.condition !== undefined)
    throw new Fault('invalid', 'The url of an entry is the type of its resource', { expression: URL_EXPRESSION });
  const created = { interaction: 'create', ...aimed, resource: resourceOfType(resource, aimed.type) } as const;
  if (ifNoneExist === undefined || ifNoneExist === '') return created;
  requireConditional(aimed.type, 'create');
  return { ...created, condition: ifNoneExist };
}

function toChange(method: BundleEntryRequest['method'], target: Aimed & Aim, resource: Resource | undefined): WriteAct {
  const { type } = target;
  const interaction = method === 'PUT' ? 'update' : method === 'PATCH' ? 'patch' : 'delete';
  requireServed(type, interaction);
  if (target.condition !== undefined) requireConditional(type, interaction);
  if (interaction === 'delete') return { interaction, ...target };
  if (interaction === 'patch') return { interaction, ...target, patch: patchOf(needed(resource)) };
  return { interaction, ...target, resource: resourceOfType(needed(resource), type) };
}

function needed(resource: Resource | undefined): Resource {
  if (resource === undefined)
    throw new Fault('required', 'An entry needs a resource', { expression: 'Bundle.entry.resource' });
  return resource;
}

/** A JSON Patch travels in a Bundle as a Binary. */
function patchOf(resource: Resource): readonly PatchOperation[] {
  if (resource.resourceType !== 'Binary' || resource.contentType !== MEDIA_TYPE.jsonPatch)
    throw new Fault(
      'not-supported',
      `A patch is a Binary of ${MEDIA_TYPE.jsonPatch}; FHIRPath Patch is not supported`,
      {
        expression: 'Bundle.entry.resource',
      },
    );
  return readPatch(parseJson(Buffer.from(resource.data ?? '', 'base64'), MAX_PATCH_VALUES));
}
