/** The parts of a search, neutral of stores. Parsed by parse-criterion.ts, judged by match.ts. */
import type { StoredType } from '../types/visibility.ts';

/** Prefixes of a date parameter that are served; `ap` is not. @see https://hl7.org/fhir/R4/search.html#prefix */
export const DATE_PREFIXES = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb'] as const;

/** One of {@link DATE_PREFIXES}. */
export type DatePrefix = (typeof DATE_PREFIXES)[number];

/** A token that is asked for. `system` undefined means any, '' means none; `code` undefined means any of the system. */
export type TokenValue = { readonly system?: string; readonly code?: string };

/** The token of an identifier, as it is asked for. */
export function numberToken({ system, value }: { readonly system: string; readonly value: string }): TokenValue {
  return { system, code: value };
}

/** A searched range, epoch milliseconds, `lo` inclusive and `hi` exclusive, and how a row's range compares with it. */
export type DateValue = { readonly lo: number; readonly hi: number; readonly prefix: DatePrefix };

/** Tokens, booleans and URIs. Comparison is exact, letter case included. `negated` is the modifier `:not`. */
export type TokenCriterion = {
  readonly kind: 'token';
  readonly param: string;
  readonly values: readonly TokenValue[];
  readonly negated?: true;
};

/**
 * Values are in the form of `normalizeString`, and so are the indexed ones. The modifier `:exact` is not here: it
 * becomes a token on `<param>:exact`, where the index keeps the text as written. In a `pattern`, `*` is any text and
 * `?` any character; it is the whole text.
 */
export type StringCriterion = {
  readonly kind: 'string';
  readonly param: string;
  readonly values: readonly string[];
  readonly match: 'starts' | 'exact' | 'contains' | 'pattern';
};

/** One condition. All criteria of a query must hold (AND); the values of one criterion are alternatives (OR). */
export type Criterion =
  | { readonly kind: 'id'; readonly values: readonly string[] }
  | TokenCriterion
  /**
   * Values are `Type/id`, or an absolute URI. Of AuditEvents alone: or the event itself satisfies `own`, by what it
   * tells of whom it refers to.
   */
  | {
      readonly kind: 'reference';
      readonly param: string;
      readonly values: readonly string[];
      readonly negated?: boolean;
      readonly own?: TokenCriterion;
    }
  | { readonly kind: 'date'; readonly param: string; readonly values: readonly DateValue[] }
  | StringCriterion
  /** Whether the row has no entry at all, of any kind, under `param` or `<param>:identifier`. */
  | { readonly kind: 'missing'; readonly param: string; readonly missing: boolean }
  /**
   * A reference under `param` leads to a visible `target` row that satisfies `criterion`; or the row itself satisfies
   * `own`: the entries that the index keeps for contained and for logical references. `isOfAny`: no type was named
   * where the reference may lead to every type, and `target` is the first that has what is chained.
   */
  | {
      readonly kind: 'chain';
      readonly param: string;
      readonly target: StoredType;
      readonly isOfAny?: true;
      readonly criterion: Criterion;
      readonly own?: TokenCriterion | StringCriterion;
    }
  /** A visible `source` row that satisfies `criterion` refers to the row under `param`. */
  | {
      readonly kind: 'has';
      readonly source: StoredType;
      readonly param: string;
      readonly criterion: Criterion;
    };

/** A condition on rows that others lead to. */
export type LinkCriterion = Extract<Criterion, { readonly kind: 'chain' | 'has' }>;

/** Whether a criterion is one on other rows. */
export function isLink(criterion: Criterion): criterion is LinkCriterion {
  return criterion.kind === 'chain' || criterion.kind === 'has';
}

/** The condition that a date compares so with a moment, epoch milliseconds. */
export function dateCriterion(param: string, prefix: DatePrefix, moment: number): Criterion {
  return { kind: 'date', param, values: [{ lo: moment, hi: moment, prefix }] };
}
