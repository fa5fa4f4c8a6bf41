/** One search parameter of a URL as a criterion. */
import { parseDateRange } from './date-range.ts';
import { comparedUri } from '../codes.ts';
import { Fault } from '../fault.ts';
import { formsOfNumber } from '../professional-numbers.ts';
import type { Criterion, DatePrefix, DateValue, StringCriterion, TokenCriterion, TokenValue } from './criterion.ts';
import { DATE_PREFIXES, numberToken } from './criterion.ts';
import { splitUnescaped, unescapeValue } from './escapes.ts';
import { findSearchParameter } from './parameters.ts';
import { findReferrer } from './referrers.ts';
import type { SearchParameterEntry } from './parameters.ts';
import { normalizeString, targetOf } from './values.ts';
import { isStoredType, STORED_TYPES } from '../types/visibility.ts';
import type { StoredType } from '../types/visibility.ts';

/** Most alternatives of one parameter. */
export const MAX_ALTERNATIVES = 100;

/** Longest value of one parameter, in characters of the decoded form. */
export const MAX_VALUE_LENGTH = 2048;

/** Most references from a row to one that a parameter is of, in either direction. */
export const MAX_LINK_DEPTH = 3;

const HAS = '_has:';

const LOGICAL_ID = /^[A-Za-z0-9\-.]{1,64}$/;

type OwnCriterion = TokenCriterion | StringCriterion;

type Parameter = {
  readonly entry: SearchParameterEntry;
  /** Name as the client wrote it, modifier and chain included: what Faults point at. */
  readonly name: string;
  readonly modifier: string | undefined;
};

/**
 * Parses one parameter of a search on `type`: `code`, `code:modifier`, `code.chained`, `code:Type.chained` or
 * `_has:Type:reference:parameter`, where what is chained may be any of these, up to MAX_LINK_DEPTH references from the
 * first. Undefined when the type has no such parameter.
 *
 * Served modifiers: `:missing` on all but `_id` and `_lastUpdated`; `:not` on tokens; `:exact` and `:contains` on
 * strings; `:identifier` and `:<Type>` on references, and `:not` on those that take it. `ref:identifier` is satisfied
 * by a logical reference with that identifier, by a contained target with it, or by a stored target that has it.
 * @throws {Fault} invalid - a value, modifier, prefix or chain that is not served, naming the parameter
 * @throws {Fault} too-costly - over MAX_ALTERNATIVES or MAX_VALUE_LENGTH
 */
export function parseCriterion(
  type: StoredType,
  name: string,
  value: string,
  deep = MAX_LINK_DEPTH,
): Criterion | undefined {
  if (/^_has(?:[:.]|$)/.test(name)) return parseHas({ type, name, deep }, value);
  const dot = name.indexOf('.');
  const [code = '', ...modifiers] = (dot < 0 ? name : name.slice(0, dot)).split(':');
  const entry = findSearchParameter(type, code);
  if (entry === undefined) return undefined;
  const modifier = modifiers[0];
  if (modifiers.length > 1) throw refused(name, 'has more than one modifier');
  const parameter = { entry, name, modifier };
  if (dot >= 0) return parseChain({ ...parameter, deep }, name.slice(dot + 1), value);
  const values = alternativesOf(name, value);
  if (modifier === 'missing') return parseMissing(parameter, value);
  if (code === '_id') return parseIds(parameter, values);
  return parseByType(parameter, values, value);
}

function parseByType(parameter: Parameter, values: readonly string[], value: string): Criterion {
  switch (parameter.entry.type) {
    case 'token':
    case 'uri':
      return parseToken(parameter, values);
    case 'reference':
      return parseReference(parameter, values, value);
    case 'date':
      return parseDate(parameter, values);
    case 'string':
      return parseString(parameter, values);
  }
}

function alternativesOf(name: string, value: string): readonly string[] {
  if (value.length > MAX_VALUE_LENGTH) {
    throw new Fault('too-costly', `A search value has at most ${MAX_VALUE_LENGTH} characters`, { expression: name });
  }
  const values = splitUnescaped(value, ',');
  if (values.length > MAX_ALTERNATIVES) {
    throw new Fault('too-costly', `A search parameter has at most ${MAX_ALTERNATIVES} values`, { expression: name });
  }
  if (values.some((text) => text === '')) throw refused(name, 'has an empty value');
  return values;
}

function parseMissing({ entry, name }: Parameter, value: string): Criterion {
  if (value !== 'true' && value !== 'false') throw refused(name, 'must be true or false');
  if (entry.code.startsWith('_')) throw refused(name, 'takes no modifier');
  return { kind: 'missing', param: entry.code, missing: value === 'true' };
}

function parseIds({ name, modifier }: Parameter, values: readonly string[]): Criterion {
  if (modifier !== undefined) throw refused(name, 'takes no modifier');
  return { kind: 'id', values: values.map(unescapeValue) };
}

function parseToken({ entry, name, modifier }: Parameter, values: readonly string[]): Criterion {
  if (modifier !== undefined && modifier !== 'not') throw refused(name, 'supports the modifiers not and missing only');
  const tokens = values.flatMap((text) => formsOfToken(parseTokenValue(name, entry, text)));
  const criterion = { kind: 'token', param: entry.code, values: tokens } as const;
  return modifier === 'not' ? { ...criterion, negated: true } : criterion;
}

function parseTokenValue(name: string, entry: SearchParameterEntry | undefined, text: string): TokenValue {
  if (entry?.type === 'uri') return { code: comparedUri(unescapeValue(text)) };
  const [first = '', second, ...rest] = splitUnescaped(text, '|').map((part) => comparedUri(unescapeValue(part)));
  if (rest.length > 0) throw refused(name, 'must be code, system|code, |code or system|');
  if (second === undefined) return { code: first };
  if (first === '' && second === '') throw refused(name, 'has an empty value');
  const system = first === entry?.impliedSystem ? '' : first;
  return second === '' ? { system } : { system, code: second };
}

/** A professional is found by the number in any of its forms. */
function formsOfToken(token: TokenValue): readonly TokenValue[] {
  if (token.system === undefined || token.code === undefined) return [token];
  return formsOfNumber({ system: token.system, value: token.code }).map(numberToken);
}

function parseReference(parameter: Parameter, values: readonly string[], value: string): Criterion {
  const { entry, name, modifier } = parameter;
  if (modifier === 'identifier') return parseLogical(parameter, values, value);
  if (modifier === 'not' && entry.takesNot === true) {
    const criterion = parseReference({ entry, name, modifier: undefined }, values, value);
    return criterion.kind === 'reference' ? { ...criterion, negated: true } : criterion;
  }
  if (modifier !== undefined && !isTarget(entry, modifier)) {
    throw refused(
      name,
      `supports the modifiers ${['identifier', 'missing', ...(entry.targets ?? [])].join(', ')} only`,
    );
  }
  const targets = modifier === undefined ? (entry.targets ?? []) : [modifier];
  const found = values.map(unescapeValue).flatMap((text) => {
    if (LOGICAL_ID.test(text)) return targets.map((target) => `${target}/${text}`);
    if (!/[/:]/.test(text)) throw refused(name, 'must be id, Type/id or a URL');
    return targetOf(text) ?? [];
  });
  if (found.length === 0) throw refused(name, 'must be Type/id or a URL');
  return { kind: 'reference', param: entry.code, values: found };
}

function isTarget(entry: SearchParameterEntry, name: string): name is StoredType {
  return entry.targets?.some((target) => target === name) === true;
}

function parseLogical({ entry, name }: Parameter, values: readonly string[], value: string): Criterion {
  const own: OwnCriterion = {
    kind: 'token',
    param: `${entry.code}:identifier`,
    values: values.flatMap((text) => formsOfToken(parseTokenValue(name, undefined, text))),
  };
  const target = entry.targets?.find((type) => findSearchParameter(type, 'identifier') !== undefined);
  if (target === undefined) return own;
  const criterion = parseCriterion(target, 'identifier', value);
  if (criterion === undefined) return own;
  return { kind: 'chain', param: entry.code, target, ...ofAny(entry), criterion, own };
}

function parseDate({ entry, name, modifier }: Parameter, values: readonly string[]): Criterion {
  if (modifier !== undefined) throw refused(name, 'supports the modifier missing only');
  return { kind: 'date', param: entry.code, values: values.map((text) => parseDateValue(name, text)) };
}

function parseDateValue(name: string, text: string): DateValue {
  const [, written = 'eq', date = ''] = /^([a-z]{2})?(.*)$/s.exec(text) ?? [];
  if (!isPrefix(written)) throw refused(name, `supports the prefixes ${DATE_PREFIXES.join(', ')} only`);
  const range = parseDateRange(date);
  if (range === undefined)
    throw refused(name, 'must be a date: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz');
  return { lo: range.lo, hi: range.hi, prefix: written };
}

function isPrefix(text: string): text is DatePrefix {
  return DATE_PREFIXES.some((prefix) => prefix === text);
}

function parseString({ entry, name, modifier }: Parameter, values: readonly string[]): Criterion {
  const texts = values.map(unescapeValue);
  if (modifier === 'exact') {
    return { kind: 'token', param: `${entry.code}:exact`, values: texts.map((code) => ({ system: '', code })) };
  }
  if (modifier !== undefined && modifier !== 'contains') {
    throw refused(name, 'supports the modifiers exact, contains and missing only');
  }
  const normalized = texts.map(normalizeString);
  if (normalized.includes('')) throw refused(name, 'has an empty value');
  return {
    kind: 'string',
    param: entry.code,
    values: normalized,
    match: modifier === 'contains' ? 'contains' : 'starts',
  };
}

function parseChain(
  { entry, name, modifier, deep }: Parameter & { readonly deep: number },
  chained: string,
  value: string,
): Criterion {
  if (entry.type !== 'reference') throw refused(name, 'chains from a parameter that is no reference');
  const target = chainTarget(entry, modifier, chained);
  if (target === undefined) throw refused(name, 'chains to a type or parameter that is not served');
  const criterion = parseCriterion(target, chained, value, deeper(name, deep));
  if (criterion === undefined) throw refused(name, 'chains to a parameter that is not served');
  const own = ownCriterion(entry.code, criterion);
  const any = modifier === undefined ? ofAny(entry) : {};
  return { kind: 'chain', param: entry.code, target, ...any, criterion, ...(own === undefined ? {} : { own }) };
}

function ofAny({ targets }: SearchParameterEntry): { readonly isOfAny?: true } {
  return targets === STORED_TYPES ? { isOfAny: true } : {};
}

/** Without a type it is the first that has the parameter; for `_has` it must be named where there are several. */
function chainTarget(
  entry: SearchParameterEntry,
  modifier: string | undefined,
  chained: string,
): StoredType | undefined {
  if (modifier !== undefined) return isStoredType(modifier) && isTarget(entry, modifier) ? modifier : undefined;
  const { targets = [] } = entry;
  if (chained.startsWith(HAS)) return targets.length === 1 ? targets[0] : undefined;
  const code = /^[^:.]*/.exec(chained)?.[0] ?? '';
  return targets.find((type) => findSearchParameter(type, code) !== undefined);
}

/** @see https://hl7.org/fhir/R4/search.html#has */
function parseHas(
  { type, name, deep }: { readonly type: StoredType; readonly name: string; readonly deep: number },
  value: string,
): Criterion {
  const [, source = '', code = '', ...rest] = name.split(':');
  const referrer = findReferrer(type, source, code);
  if (referrer === undefined || rest.length === 0)
    throw refused(name, `must be _has:Type:reference:parameter, of a reference to ${type} that is served`);
  const criterion = parseCriterion(referrer.source, rest.join(':'), value, deeper(name, deep));
  if (criterion === undefined) throw refused(name, 'names a parameter that is not served');
  return { kind: 'has', ...referrer, criterion };
}

function deeper(name: string, deep: number): number {
  if (deep === 0) throw refused(name, `follows more than ${MAX_LINK_DEPTH} references`);
  return deep - 1;
}

/** What the index keeps on the row itself of a chain's target, when it is contained or logical. */
function ownCriterion(reference: string, criterion: Criterion): OwnCriterion | undefined {
  if (criterion.kind === 'string') return { ...criterion, param: `${reference}.${criterion.param}` };
  if (criterion.kind !== 'token' || criterion.negated === true) return undefined;
  if (criterion.param === 'identifier') return { ...criterion, param: `${reference}:identifier` };
  return criterion.param.endsWith(':exact') ? { ...criterion, param: `${reference}.${criterion.param}` } : undefined;
}

function refused(name: string, expectation: string): Fault {
  return new Fault('invalid', `Search parameter ${name.slice(0, 64)} ${expectation}`, {
    expression: name.slice(0, 64),
  });
}
