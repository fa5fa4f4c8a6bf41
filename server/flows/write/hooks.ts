/** What writes of a type do that others do not, by the hook that the file of the type names. */
import type { Resource } from '@medplum/fhirtypes';
import type { WriteHook } from '../../../profiles/types/fhir-type.ts';
import { fhirType, type StoredType } from '../../../profiles/types/visibility.ts';
import type { WriteFacts } from '../../access/may-write.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import type { WriteAct } from './act.ts';
import { RIGHTS_HOOK } from '../consent/rights-hook.ts';
import { CIRCLE_HOOK } from '../care/circle-hook.ts';
import { REPRESENTATIVE_HOOK } from '../care/representative-hook.ts';
import { STAY_HOOK } from '../care/stay-hook.ts';
import { PATIENT_HOOK } from './patient-parts.ts';
import { PLAIN_HOOK } from './plain-parts.ts';
import { REPORT_HOOK } from './report-parts.ts';
import type { StoredDocument } from './store-document.ts';
import type { ActParts, Placed, Work, WriteDeps, Written } from './work.ts';

/** The steps of a write that depend on the type. */
export type Hook = {
  /** The type under which a row is kept, where it is another: its versions are those of that row. */
  readonly keptAs?: StoredType;
  /** The resource as its writer said it, where the row holds something else. */
  readonly opened?: (row: InternalRow) => Resource;
  /** Makes bytes durable, before anything is read; they are removed again when no row comes to name them. */
  readonly prepare?: (deps: WriteDeps, act: WriteAct) => Promise<StoredDocument | undefined>;
  /** The requester's own row that a condition names, where it is not found by a search; `searched` where it is. */
  readonly match?: (
    work: Work,
    act: WriteAct,
    condition: URLSearchParams,
  ) => Promise<InternalRow | 'searched' | undefined>;
  /** The requester's own row that a resource is, by what it says itself, when it is sent by a plain create. */
  readonly find?: (work: Work, resource: Resource) => Promise<InternalRow | undefined>;
  /** What a decision asks of the resource beside whom it is about. */
  readonly asked?: (
    work: Work,
    written: Written,
  ) => Promise<Pick<WriteFacts, 'attendance' | 'isRefusal' | 'isSharingChoice' | 'isNomination'>>;
  /** What writing the resource adds to the plan. */
  readonly parts: (work: Work, written: Written) => Promise<ActParts>;
  /** What deleting it adds to the plan. */
  readonly remove: (work: Work, placed: Placed & { readonly standing: InternalRow }) => Promise<ActParts>;
};

const HOOKS: Readonly<Record<WriteHook, Hook>> = {
  identity: PATIENT_HOOK,
  documents: REPORT_HOOK,
  rights: RIGHTS_HOOK,
  circle: CIRCLE_HOOK,
  stay: STAY_HOOK,
  representative: REPRESENTATIVE_HOOK,
};

/** The hook of a type; types without one are written as they come. */
export function hookOf(type: StoredType): Hook {
  const name = fhirType(type).hooks?.write;
  return name === undefined ? PLAIN_HOOK : HOOKS[name];
}

/** The type under which the rows of a type are written. */
export function keptTypeOf(type: StoredType): StoredType {
  return hookOf(type).keptAs ?? type;
}

/** Whether rows of a type are persons, whom others of a transaction refer to. */
export function isIdentity(type: StoredType): boolean {
  return fhirType(type).hooks?.write === 'identity';
}
