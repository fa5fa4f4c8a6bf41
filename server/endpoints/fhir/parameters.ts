/** Parameters of operations, and their answers. @see https://hl7.org/fhir/R4/operations.html */
import type { Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { NamedIdentity } from '../../flows/identity/judge-identities.ts';
import type { FhirDeps } from './deps.ts';

/** The body of a request that has none. */
export const NO_PARAMETERS: Parameters = { resourceType: 'Parameters' };

/**
 * The parameters of a body by name.
 * @throws {Fault} invalid - no Parameters, a name that the operation has not, or one name twice
 */
export function parametersOf(body: Resource, names: readonly string[]): ReadonlyMap<string, ParametersParameter> {
  if (body.resourceType !== 'Parameters')
    throw new Fault('invalid', 'The body is not a Parameters resource', { expression: 'resourceType' });
  const parameters = new Map<string, ParametersParameter>();
  for (const parameter of body.parameter ?? []) {
    if (!names.includes(parameter.name))
      throw new Fault('invalid', `The operation has ${listOf(names)}`, { expression: 'Parameters.parameter' });
    if (parameters.has(parameter.name))
      throw new Fault('invalid', `The parameter ${parameter.name} comes twice`, { expression: 'Parameters.parameter' });
    parameters.set(parameter.name, parameter);
  }
  return parameters;
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'no parameters' : `the parameters ${names.join(', ')} only`;
}

/** The refusal of a request without a parameter. */
export function missing(name: string): Fault {
  return new Fault('required', `The parameter ${name} is missing`, { expression: 'Parameters.parameter' });
}

/** The identity that a parameter names: by a reference to this server, or its number in its domain. */
export function identityIn(
  deps: FhirDeps,
  parameters: ReadonlyMap<string, ParametersParameter>,
  name: string,
): NamedIdentity {
  const { reference, identifier } = parameters.get(name)?.valueReference ?? {};
  const { system, value } = identifier ?? {};
  if (reference === undefined && system !== undefined && value !== undefined) return { system, value };
  return { reference: referenceIn(deps, parameters, name) };
}

/** A reference that a parameter is, within this server. @throws {Fault} required - there is none */
export function referenceIn(
  deps: FhirDeps,
  parameters: ReadonlyMap<string, ParametersParameter>,
  name: string,
): string {
  const reference = parameters.get(name)?.valueReference?.reference;
  if (reference === undefined) throw missing(name);
  const base = `${deps.fhirBase()}/`;
  return reference.startsWith(base) ? reference.slice(base.length) : reference;
}

/** Whether a request has a body: operations without required parameters need none. */
export function hasBody(ctx: Context): boolean {
  return ctx.request.length !== 0 && ctx.get('Content-Type') !== '';
}

/** Answers 201 with the address of what was made, and further references (`standing`). */
export function answerCreated(deps: FhirDeps, ctx: Context, reference: string, standing: readonly string[] = []): void {
  ctx.status = 201;
  ctx.set('Location', `${deps.fhirBase()}/${reference}`);
  answerBody(ctx, reference, standing);
}

/** Answers 200 with a reference. */
export function answerReference(ctx: Context, reference: string): void {
  ctx.status = 200;
  answerBody(ctx, reference);
}

function answerBody(ctx: Context, reference: string, standing: readonly string[] = []): void {
  ctx.set('Content-Type', `${MEDIA_TYPE.fhirJson}; charset=utf-8`);
  const answer: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'return', valueReference: { reference } },
      ...standing.map((one) => ({ name: 'standing', valueReference: { reference: one } })),
    ],
  };
  ctx.body = JSON.stringify(answer);
}
