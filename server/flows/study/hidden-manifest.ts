/**
 * Manifests that nobody is shown: of an exam that holds nothing, or is another's now, and what was made of a mistake.
 * Each is hidden with its bytes until it, or one that replaced it, says again what is so, and keeps its UID, which no
 * other manifest is to have.
 */
import type { DocumentReference } from '@medplum/fhirtypes';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Found } from '../internal-reads.ts';
import { hiddenPut, type PlanParts } from '../write/plan-parts.ts';

type Manifest = Found<DocumentReference>;

/** Whether a manifest is hidden: it says what is wrong at present, or was made of a mistake. */
export function isHidden({ resource }: Manifest): boolean {
  return resource.status === 'entered-in-error';
}

/** Hides a manifest, with its bytes. */
export function hiddenParts(indexer: Indexer, manifest: Manifest, now: number): PlanParts {
  if (isHidden(manifest)) return {};
  const { row, resource } = manifest;
  const { id, version, person, subject } = row;
  const facts = { ...(person === undefined ? {} : { person }), ...(subject === undefined ? {} : { subject }) };
  return {
    preconditions: [{ kind: 'version', type: 'DocumentReference', id, version }],
    puts: [hiddenPut(indexer, { ...resource, status: 'entered-in-error' }, now, facts)],
  };
}
