/**
 * Fault to ebXML RegistryError, and the registry responses that carry them.
 * @see ITI TF-3 4.2.4
 */
import type { Fault, FaultKind } from '../../profiles/fault.ts';
import { ERROR_SEVERITY, NAMESPACE, RESPONSE_STATUS, XDS_ERROR } from '../codes.ts';
import type { ResponseStatus } from '../codes.ts';
import { escapeAttribute } from '../xml/escape.ts';

/** Which actor answers: the imaging document source answers as a repository. */
export type XdsActor = 'registry' | 'repository';

/** One RegistryError. */
export type RegistryErrorEntry = {
  readonly errorCode: string;
  /** Text for the person who must act, never empty. */
  readonly codeContext: string;
  readonly severity: keyof typeof ERROR_SEVERITY;
  /** What it is about: a document's uniqueId, a parameter's name. */
  readonly location?: string;
};

/** Error code of each kind, by actor. A code that the standard defines for submissions only is not used for queries. */
export const REGISTRY_ERROR_OF_FAULT = {
  invalid: { registry: XDS_ERROR.registryMetadataError, repository: XDS_ERROR.repositoryMetadataError },
  required: { registry: XDS_ERROR.registryMetadataError, repository: XDS_ERROR.repositoryMetadataError },
  'not-supported': { registry: XDS_ERROR.registryError, repository: XDS_ERROR.repositoryError },
  login: { registry: XDS_ERROR.registryError, repository: XDS_ERROR.repositoryError },
  forbidden: { registry: XDS_ERROR.registryError, repository: XDS_ERROR.documentUniqueIdError },
  'not-found': { registry: XDS_ERROR.registryError, repository: XDS_ERROR.documentUniqueIdError },
  deleted: { registry: XDS_ERROR.registryError, repository: XDS_ERROR.documentUniqueIdError },
  'business-rule': { registry: XDS_ERROR.registryMetadataError, repository: XDS_ERROR.repositoryMetadataError },
  conflict: { registry: XDS_ERROR.duplicateUniqueIdInRegistry, repository: XDS_ERROR.repositoryError },
  'version-conflict': { registry: XDS_ERROR.registryError, repository: XDS_ERROR.repositoryError },
  'too-costly': { registry: XDS_ERROR.tooManyResults, repository: XDS_ERROR.repositoryError },
  'too-long': { registry: XDS_ERROR.registryOutOfResources, repository: XDS_ERROR.repositoryOutOfResources },
  throttled: { registry: XDS_ERROR.registryBusy, repository: XDS_ERROR.repositoryBusy },
  'no-store': { registry: XDS_ERROR.registryOutOfResources, repository: XDS_ERROR.repositoryOutOfResources },
  transient: { registry: XDS_ERROR.registryNotAvailable, repository: XDS_ERROR.repositoryBusy },
  exception: { registry: XDS_ERROR.registryError, repository: XDS_ERROR.repositoryError },
} as const satisfies Record<FaultKind, Record<XdsActor, string>>;

const EBXML_CODE = /^[A-Za-z]+$/;

/**
 * Turns a Fault into a RegistryError: its protocolCode when it is one of ebXML, else the code of its kind. The
 * location is the one given, else the Fault's expression.
 */
export function toRegistryError(fault: Fault, actor: XdsActor, location = fault.expression): RegistryErrorEntry {
  const { protocolCode = '' } = fault;
  return {
    errorCode: EBXML_CODE.test(protocolCode) ? protocolCode : REGISTRY_ERROR_OF_FAULT[fault.kind][actor],
    codeContext: fault.message || fault.kind,
    severity: 'error',
    ...(location === undefined ? {} : { location }),
  };
}

/** Decides the status: warnings leave a success, errors beside results make it partial. */
export function statusOf(errors: readonly RegistryErrorEntry[], hasResults: boolean): ResponseStatus {
  if (errors.every(({ severity }) => severity === 'warning')) return RESPONSE_STATUS.success;
  return hasResults ? RESPONSE_STATUS.partialSuccess : RESPONSE_STATUS.failure;
}

/** Formats rs:RegistryErrorList; the empty string when there is nothing to list. The prefix `rs` must be declared. */
export function formatRegistryErrorList(errors: readonly RegistryErrorEntry[]): string {
  if (errors.length === 0) return '';
  const highest = errors.some(({ severity }) => severity === 'error') ? ERROR_SEVERITY.error : ERROR_SEVERITY.warning;
  return (
    `<rs:RegistryErrorList highestSeverity="${highest}">` +
    `${errors.map(formatRegistryError).join('')}</rs:RegistryErrorList>`
  );
}

/** Formats a whole rs:RegistryResponse. */
export function formatRegistryResponse(status: ResponseStatus, errors: readonly RegistryErrorEntry[] = []): string {
  const list = formatRegistryErrorList(errors);
  return `<rs:RegistryResponse xmlns:rs="${NAMESPACE.rs}" status="${status}">${list}</rs:RegistryResponse>`;
}

function formatRegistryError({ errorCode, codeContext, severity, location }: RegistryErrorEntry): string {
  const place = location === undefined ? '' : ` location="${escapeAttribute(location)}"`;
  return (
    `<rs:RegistryError errorCode="${escapeAttribute(errorCode)}" codeContext="${escapeAttribute(codeContext)}"` +
    `${place} severity="${ERROR_SEVERITY[severity]}"/>`
  );
}
