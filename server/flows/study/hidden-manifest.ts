/**
 * Manifests that nobody is shown. One of an exam that holds nothing, or is another's now, is hidden until it says again
 * what is so. One that was made of a mistake is withdrawn: its bytes and what it said of the patient are erased, and
 * the document stays for its UID, which no other manifest is to have.
 */
import type { DocumentReference } from '@medplum/fhirtypes';
import { withdrawnDocument } from '../../../profiles/documents/former-document.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Found } from '../internal-reads.ts';
import { hiddenPut, type PlanParts } from '../write/plan-parts.ts';

type Manifest = Found<DocumentReference>;

/** Whether a manifest is hidden: it says what is wrong at present, or was made of a mistake. */
export function isHidden({ resource }: Manifest): boolean {
  return resource.status === 'entered-in-error';
}

/** Whether the bytes of a manifest are kept. */
export function isKept({ resource }: Manifest): boolean {
  return resource.content.some(({ attachment }) => attachment.url !== undefined);
}

/** Hides a manifest, with its bytes. */
export function hiddenParts(indexer: Indexer, manifest: Manifest, now: number): PlanParts {
  if (isHidden(manifest)) return {};
  return putHidden(indexer, manifest, { ...manifest.resource, status: 'entered-in-error' }, now);
}

/** Withdraws a manifest: its bytes are to be removed once it is so. */
export function withdrawnParts(indexer: Indexer, manifest: Manifest, now: number): PlanParts {
  if (!isKept(manifest)) return {};
  const { row, resource } = manifest;
  const parts = putHidden(indexer, manifest, withdrawnDocument(resource), now);
  return { ...parts, erased: [{ rows: bytesOf(resource), history: [{ type: 'DocumentReference', id: row.id }] }] };
}

function putHidden(indexer: Indexer, { row }: Manifest, resource: DocumentReference, now: number): PlanParts {
  const { id, version, person, subject } = row;
  const facts = { ...(person === undefined ? {} : { person }), ...(subject === undefined ? {} : { subject }) };
  return {
    preconditions: [{ kind: 'version', type: 'DocumentReference', id, version }],
    puts: [hiddenPut(indexer, resource, now, facts)],
  };
}

function bytesOf({ content }: DocumentReference): { readonly type: 'Binary'; readonly id: string }[] {
  return content.flatMap(({ attachment: { url = '' } }) =>
    url.includes('/Binary/') ? [{ type: 'Binary', id: url.split('/Binary/').at(-1) ?? '' } as const] : [],
  );
}
