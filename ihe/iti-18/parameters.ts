/**
 * Parameters of a stored query: rim:Slots whose values are literals and lists of literals.
 * @see ITI TF-2 3.18.4.1.2.3
 */
import type { XmlElement } from 'libxml2-wasm';
import { Fault } from '../../profiles/fault.ts';
import { XDS_ERROR } from '../codes.ts';
import { attributeOf, childrenNamed } from '../xml/select.ts';

/**
 * Parameters by name. Each holds one group of values for each Slot of that name, in order: values of a group are
 * alternatives (OR), groups add up (AND).
 */
export type QueryParameters = ReadonlyMap<string, readonly (readonly string[])[]>;

const MAX_VALUES = 1_000;

/**
 * Reads the slots of an AdhocQuery. Names are trimmed: a published constant ends in a blank.
 * @throws {Fault} invalid (XDSRegistryError) - a value that is neither a quoted string, a number nor a list of them
 * @throws {Fault} too-costly (XDSRegistryError) - more than 1,000 values
 */
export function readQueryParameters(adhocQuery: XmlElement): QueryParameters {
  const parameters = new Map<string, string[][]>();
  let count = 0;
  for (const slot of childrenNamed(adhocQuery, 'rim', 'Slot')) {
    const name = attributeOf(slot, 'name') ?? '';
    const group = valuesOf(slot).flatMap(value => parseParameterValue(value, name));
    count += group.length;
    if (count > MAX_VALUES) {
      const detail = { expression: name, protocolCode: XDS_ERROR.registryError };
      throw new Fault('too-costly', `A stored query may hold ${MAX_VALUES} values`, detail);
    }
    parameters.set(name, [...(parameters.get(name) ?? []), group]);
  }
  return parameters;
}

function valuesOf(slot: XmlElement): string[] {
  return childrenNamed(slot, 'rim', 'ValueList')
    .flatMap(list => childrenNamed(list, 'rim', 'Value'))
    .map(value => value.content.trim());
}

const LITERAL = String.raw`'[^']*(?:''[^']*)*'|-?\d+(?:\.\d+)?`;
const SINGLE = new RegExp(`^(?:${LITERAL})$`);
const NEXT_LITERAL = new RegExp(String.raw`\s*(${LITERAL})\s*(,|$)`, 'y');

/**
 * Parses one rim:Value: `'text'` (a quote inside is doubled), a number, or a list of them in parentheses.
 * @throws {Fault} invalid (XDSRegistryError) - any other form
 */
export function parseParameterValue(value: string, name: string): string[] {
  if (SINGLE.test(value)) return [unquote(value)];
  if (!value.startsWith('(') || !value.endsWith(')')) throw badValue(name);
  const list = value.slice(1, -1);
  const literals: string[] = [];
  NEXT_LITERAL.lastIndex = 0;
  for (let at = 0, ended = false; !ended; at = NEXT_LITERAL.lastIndex) {
    NEXT_LITERAL.lastIndex = at;
    const match = NEXT_LITERAL.exec(list);
    if (match?.[1] === undefined) throw badValue(name);
    literals.push(unquote(match[1]));
    ended = match[2] === '';
  }
  return literals;
}

function unquote(literal: string): string {
  return literal.startsWith("'") ? literal.slice(1, -1).replaceAll("''", "'") : literal;
}

function badValue(name: string): Fault {
  return refusedValue(name, "must be written 'text', a number, or ('a','b')");
}

/** Builds the refusal of a value that is not of its type (XDSRegistryError). */
export function refusedValue(name: string, rule: string): Fault {
  const detail = { expression: name, protocolCode: XDS_ERROR.registryError };
  return new Fault('invalid', `A value of ${name} ${rule}`, detail);
}

/** Reads a value by a parser of its type, whose refusal becomes one of the parameter (XDSRegistryError). */
export function typedValue<T>(name: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('invalid', error.message, { expression: name, protocolCode: XDS_ERROR.registryError });
  }
}

/**
 * Returns the one value of a parameter; undefined when it is absent.
 * @throws {Fault} invalid (XDSStoredQueryParamNumber) - several values
 */
export function singleValue(parameters: QueryParameters, name: string): string | undefined {
  const values = parameters.get(name)?.flat() ?? [];
  if (values.length > 1) throw wrongNumber(name, 'accepts one value');
  return values[0];
}

/**
 * Returns the alternatives of a parameter, empty when it is absent.
 * @throws {Fault} invalid (XDSStoredQueryParamNumber) - several slots, which only AND-OR parameters may have
 */
export function alternatives(parameters: QueryParameters, name: string): readonly string[] {
  const [group = [], ...others] = parameters.get(name) ?? [];
  if (others.length > 0) throw wrongNumber(name, 'may be given by one Slot only');
  return group;
}

/** Returns the groups of an AND-OR parameter, empty when it is absent. */
export function alternativeGroups(parameters: QueryParameters, name: string): readonly (readonly string[])[] {
  return (parameters.get(name) ?? []).filter(group => group.length > 0);
}

/** Builds the refusal of a parameter that must be there. */
export function missingParameter(name: string): Fault {
  return new Fault('required', `The stored query needs the parameter ${name}`, {
    expression: name,
    protocolCode: XDS_ERROR.storedQueryMissingParam,
  });
}

/** Builds the refusal of a number of values that the parameter does not accept. */
export function wrongNumber(name: string, rule: string): Fault {
  return new Fault('invalid', `The parameter ${name} ${rule}`, {
    expression: name,
    protocolCode: XDS_ERROR.storedQueryParamNumber,
  });
}
