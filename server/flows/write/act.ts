/** A write as an act: one FHIR interaction on one resource, whichever door it came through. */
import type { Resource } from '@medplum/fhirtypes';
import type { PatchOperation } from '../../../profiles/json-patch.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { VersionTags } from './preconditions.ts';

type Aimed = {
  readonly type: StoredType;
  /** The id in the address. */
  readonly id?: string;
  /** The search that stands for an id, and of a create the one of If-None-Exist; as the client wrote it. */
  readonly condition?: string;
  readonly ifMatch?: VersionTags;
  readonly ifNoneMatch?: VersionTags;
  /** The name of the resource within its transaction. */
  readonly fullUrl?: string;
};

/** One act. A resource has been validated; a patch is of known form. */
export type WriteAct = Aimed &
  (
    | { readonly interaction: 'create' | 'update'; readonly resource: Resource }
    | { readonly interaction: 'patch'; readonly patch: readonly PatchOperation[] }
    | { readonly interaction: 'delete' }
  );

/** What became of an act. */
export type WriteResult = {
  readonly interaction: WriteAct['interaction'];
  /** 204 of a delete; 200 of what stood already, or was changed; 202 of what somebody else has to agree to. */
  readonly status: 200 | 201 | 202 | 204;
  readonly type: StoredType;
  /** Undefined when a delete found nothing. */
  readonly id?: string;
  readonly version?: number;
  /** Epoch milliseconds. */
  readonly updated?: number;
};
