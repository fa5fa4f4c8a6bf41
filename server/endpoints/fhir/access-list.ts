/** `Patient/$who-can-access` by GET and POST: who may open the record of the patient who asks, or for whom is asked. */
import type { CodeableConcept, Parameters, ParametersParameter, Reference, Resource } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import type { Access } from '../../flows/consent/access-list/access.ts';
import type { Visit } from '../../flows/guard.ts';
import { answerJson } from './answer.ts';
import type { FhirDeps } from './deps.ts';
import { hasBody, NO_PARAMETERS, parametersOf } from './parameters.ts';
import { admit, readBodyResource } from './request.ts';

const ATTEMPT = { interaction: 'operation', operation: 'who-can-access' } as const;
const NAMES = ['name', 'identifier', '_count', '_offset'] as const;
const COUNT = { usual: 100, most: 500 } as const;

/** In: name (string), identifier (token), _count and _offset (integer), in the URL. Out: Parameters. */
export async function getAccessList(deps: FhirDeps, ctx: Context): Promise<void> {
  const { visit } = await admit(deps, ctx, ATTEMPT);
  await answer(deps, ctx, visit, valuesOfUrl(ctx, NAMES));
}

/** In: the same as Parameters. */
export async function postAccessList(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, ATTEMPT);
  const body = hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS;
  await answer(deps, ctx, admitted.visit, valuesOfBody(body, NAMES));
}

async function answer(
  deps: FhirDeps,
  ctx: Context,
  visit: Visit,
  valueOf: ValueOf<(typeof NAMES)[number]>,
): Promise<void> {
  const found = await deps.whoCanAccess(visit, {
    name: valueOf('name') ?? '',
    identifier: valueOf('identifier') ?? '',
    count: Math.min(integerIn(valueOf('_count'), COUNT.usual), COUNT.most),
    offset: integerIn(valueOf('_offset'), 0),
  });
  const answered: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'total', valueInteger: found.total },
      ...found.page.map((access) => ({ name: 'access', part: partsOf(access) })),
    ],
  };
  answerJson(ctx, 200, JSON.stringify(answered));
}

/** The text of a parameter, if it is given. */
export type ValueOf<Name extends string> = (name: Name) => string | undefined;

/**
 * The parameters of a URL.
 * @throws {Fault} invalid - others than these, or one twice
 */
export function valuesOfUrl<Name extends string>(ctx: Context, names: readonly Name[]): ValueOf<Name> {
  const given = new URLSearchParams(ctx.querystring);
  const all = [...given.keys()];
  if (new Set(all).size < all.length || !all.every((name) => names.some((one) => one === name)))
    throw new Fault('invalid', `The operation has the parameters ${names.join(', ')}, each once`, {
      expression: 'Parameters.parameter',
    });
  return (name) => given.get(name) ?? undefined;
}

/**
 * The same of Parameters, whose values are texts, codes, dates, numbers and booleans.
 * @throws {Fault} invalid - others than these, or one twice
 */
export function valuesOfBody<Name extends string>(body: Resource, names: readonly Name[]): ValueOf<Name> {
  const parameters = parametersOf(body, names);
  return (name) => {
    const given = parameters.get(name) ?? { name };
    const value = given.valueString ?? given.valueCode ?? given.valueDate ?? given.valueDateTime;
    return value ?? (given.valueInteger ?? given.valueBoolean)?.toString();
  };
}

/**
 * A count, or the usual one.
 * @throws {Fault} invalid - it is no whole number
 */
export function integerIn(text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  if (!/^\d{1,6}$/.test(text))
    throw new Fault('invalid', 'A count is a whole number', { expression: 'Parameters.parameter' });
  return Number(text);
}

function partsOf(access: Access): ParametersParameter[] {
  const { roles, institutions, relation, reach, since, until, consent, isTemporary } = access;
  const dateTime = (name: string, at: number | undefined): ParametersParameter[] =>
    at === undefined ? [] : [{ name, valueDateTime: new Date(at).toISOString() }];
  const concepts = (name: string, all: readonly CodeableConcept[]): ParametersParameter[] =>
    all.map((valueCodeableConcept) => ({ name, valueCodeableConcept }));
  return [
    { name: 'who', valueReference: referenceTo(access) },
    { name: 'relation', valueCode: relation },
    { name: 'reach', valueCode: reach },
    { name: 'temporary', valueBoolean: isTemporary },
    ...roles.flatMap(({ code = [] }) => concepts('role', code)),
    ...roles.flatMap(({ specialty = [] }) => concepts('specialty', specialty)),
    ...institutions.map((valueReference) => ({ name: 'institution', valueReference })),
    ...dateTime('since', since),
    ...dateTime('until', until),
    ...(consent === undefined ? [] : [{ name: 'consent', valueReference: { reference: consent } }]),
  ];
}

function referenceTo({ who, display }: Access): Reference {
  const [identifier] = who.identifier ?? [];
  return {
    reference: `${who.resourceType}/${who.id}`,
    ...(identifier === undefined ? {} : { identifier }),
    ...(display === '' ? {} : { display }),
  };
}
