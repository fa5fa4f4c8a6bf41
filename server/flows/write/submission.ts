/** What comes in by FHIR create, conditional update or transaction, as entries of one kind. */
import type { Resource } from '@medplum/fhirtypes';
import type { WriteHook } from '../../../profiles/types/fhir-type.ts';
import type { TypesWith } from '../../../profiles/types/visibility.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { PlanParts } from './plan-parts.ts';

/** A resource of a type whose file names one of some hooks for its writes. */
export type HookedResource<Hook extends WriteHook> = Extract<
  Resource,
  { resourceType: TypesWith<'hooks', { readonly write: Hook }> }
>;

/** A resource of a type that clients may send. */
export type SubmittedResource = HookedResource<WriteHook>;

/** One entry. `condition` is the search of If-None-Exist (POST) or of the conditional update (PUT). */
export type SubmittedEntry = {
  readonly method: 'POST' | 'PUT';
  readonly resource: SubmittedResource;
  readonly fullUrl?: string;
  readonly condition?: string;
};

/** What became of an entry. */
export type SubmittedResult = {
  readonly status: '200 OK' | '201 Created';
  readonly type: string;
  readonly id: string;
  readonly version: number;
};

/** The parts that one entry adds to the plan. `standing` is the version of a row that is left as it is. */
export type EntryParts = {
  readonly parts: PlanParts;
  readonly type: string;
  readonly id: string;
  readonly status: SubmittedResult['status'];
  readonly standing?: number;
  readonly person: PersonKey;
  /** `Patient/id` */
  readonly subject: string;
};
