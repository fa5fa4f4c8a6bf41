/** How the file of a type writes its search parameters. */
import type { ResourceType } from '@medplum/fhirtypes';

/** Kinds of search parameter that are served. */
export type ParameterType = 'token' | 'reference' | 'date' | 'string' | 'uri';

/** One search parameter of one type. */
export type ParameterDefinition = {
  readonly code: string;
  readonly type: ParameterType;
  /** Canonical URL of the SearchParameter. */
  readonly definition: string;
  /** FHIRPath of ours; without it the expression of the R4 definition counts. */
  readonly expression?: string;
  /**
   * References only: types that it may lead to; those that are not stored here do not count. A chain without a type
   * takes the first that has the chained parameter. `any` is every stored type.
   */
  readonly targets?: readonly ResourceType[] | 'any';
  /** References only: a logical reference counts when it says its type, as the element holds many types. */
  readonly needsType?: true;
  /** References only: `:not` finds what does not refer so. */
  readonly takesNot?: true;
  /** AuditEvents only: no index keeps it, as it can be erased or is rarely asked for; the events are read for it. */
  readonly isRead?: true;
  /** Tokens on a `code` or boolean only: the system that the element implies. The index keeps none for it. */
  readonly impliedSystem?: string;
};

const R4 = 'http://hl7.org/fhir/SearchParameter/';
const BOOLEANS = 'http://terminology.hl7.org/CodeSystem/special-values';

type Extra = Omit<ParameterDefinition, 'code' | 'type' | 'definition'>;

/** A token of R4; `name` is the end of its canonical URL. */
export function token(code: string, name: string, extra: Extra = {}): ParameterDefinition {
  return { code, type: 'token', definition: R4 + name, ...extra };
}

/** A token of R4 on a `code` with a required binding; `system` is the end of the URL of its code system. */
export function codeToken(code: string, name: string, system: string): ParameterDefinition {
  return token(code, name, { impliedSystem: `http://hl7.org/fhir/${system}` });
}

/** A token of R4 on a boolean. */
export function booleanToken(code: string, name: string): ParameterDefinition {
  return token(code, name, { impliedSystem: BOOLEANS });
}

/** A reference of R4. */
export function reference(
  code: string,
  name: string,
  targets: readonly ResourceType[] | 'any',
  extra: Extra = {},
): ParameterDefinition {
  return { code, type: 'reference', definition: R4 + name, targets, ...extra };
}

/**
 * The `patient` of R4, with an expression of ours: R4 writes `where(resolve() is Patient)`, which drops a logical
 * reference without a type. The indexer looks at the type of what is referred to instead.
 */
export function patient(name: string, expression: string, extra: Extra = {}): ParameterDefinition {
  return reference('patient', name, ['Patient'], { expression, ...extra });
}

/** A date of R4. */
export function date(code: string, name: string): ParameterDefinition {
  return { code, type: 'date', definition: R4 + name };
}

/** A string of R4. */
export function string(code: string, name: string, extra: Extra = {}): ParameterDefinition {
  return { code, type: 'string', definition: R4 + name, ...extra };
}

/** A URI of R4. */
export function uri(code: string, name: string): ParameterDefinition {
  return { code, type: 'uri', definition: R4 + name };
}

/** A parameter of ours: R4 has none for it. */
export function own(
  type: ResourceType,
  code: string,
  kind: 'string' | 'date' | 'reference' | 'token',
  expression: string,
  extra: Extra = {},
): ParameterDefinition {
  return { code, type: kind, definition: `urn:passerelle:SearchParameter:${type}-${code}`, expression, ...extra };
}
