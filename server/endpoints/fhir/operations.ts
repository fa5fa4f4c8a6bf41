/**
 * Operations on Patient: $break-glass, $withdraw, $reconsent; $ihe-pix and $match have files of their own.
 * @see https://hl7.org/fhir/R4/operations.html
 */
import type { Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { FhirDeps } from './deps.ts';
import { getCrossReference, postCrossReference } from './cross-reference.ts';
import { match } from './match.ts';
import { admit, readBodyResource } from './request.ts';

type Operation = (deps: FhirDeps, ctx: Context) => Promise<void>;

/** The operations that are posted, by name. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['$break-glass', breakGlass],
  ['$ihe-pix', postCrossReference],
  ['$match', match],
  ['$withdraw', async (deps: FhirDeps, ctx: Context) => await changeConsent(deps, ctx, 'withdraw')],
  ['$reconsent', async (deps: FhirDeps, ctx: Context) => await changeConsent(deps, ctx, 'reconsent')],
]);

/** The operations that are asked by GET, too, as they change nothing, by type and name. */
export const QUERIES: ReadonlyMap<string, Operation> = new Map([['Patient/$ihe-pix', getCrossReference]]);

/** In: identifier (Identifier), reason (code), justification (string). Out: 201 and the review Task's address. */
async function breakGlass(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'break-glass' });
  const body = await readBodyResource(deps, ctx, admitted);
  const parameters = parametersOf(body, ['identifier', 'reason', 'justification']);
  const { system, value } = parameters.get('identifier')?.valueIdentifier ?? {};
  if (system === undefined || value === undefined) throw missing('identifier');
  const reason = parameters.get('reason')?.valueCode ?? parameters.get('reason')?.valueCoding?.code;
  if (reason === undefined) throw missing('reason');
  const justification = parameters.get('justification')?.valueString;
  if (justification === undefined) throw missing('justification');
  const { taskId } = await deps.breakGlass(admitted.visit, { identifier: { system, value }, reason, justification });
  answerCreated(deps, ctx, `Task/${taskId}`);
}

/** In: patient (Reference), for establishments. Out: 201 and the address of the Consent that tells of it. */
async function changeConsent(deps: FhirDeps, ctx: Context, change: 'withdraw' | 'reconsent'): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: change });
  const body = hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS;
  const patient = parametersOf(body, ['patient']).get('patient')?.valueReference?.reference;
  const { id } = await deps.changeConsent(admitted.visit, change, patient);
  answerCreated(deps, ctx, `Consent/${id}`);
}

function hasBody(ctx: Context): boolean {
  return ctx.request.length !== 0 && ctx.get('Content-Type') !== '';
}

function answerCreated(deps: FhirDeps, ctx: Context, reference: string): void {
  ctx.status = 201;
  ctx.set('Location', `${deps.fhirBase()}/${reference}`);
  ctx.set('Content-Type', `${MEDIA_TYPE.fhirJson}; charset=utf-8`);
  const answer: Parameters = {
    resourceType: 'Parameters',
    parameter: [{ name: 'return', valueReference: { reference } }],
  };
  ctx.body = JSON.stringify(answer);
}

const NO_PARAMETERS: Parameters = { resourceType: 'Parameters' };

function parametersOf(body: Resource, names: readonly string[]): ReadonlyMap<string, ParametersParameter> {
  if (body.resourceType !== 'Parameters')
    throw new Fault('invalid', 'The body is not a Parameters resource', { expression: 'resourceType' });
  const parameters = new Map<string, ParametersParameter>();
  for (const parameter of body.parameter ?? []) {
    if (!names.includes(parameter.name))
      throw new Fault('invalid', `The operation has the parameters ${names.join(', ')} only`, {
        expression: 'Parameters.parameter',
      });
    if (parameters.has(parameter.name))
      throw new Fault('invalid', `The parameter ${parameter.name} comes twice`, { expression: 'Parameters.parameter' });
    parameters.set(parameter.name, parameter);
  }
  return parameters;
}

function missing(name: string): Fault {
  return new Fault('required', `The parameter ${name} is missing`, { expression: 'Parameters.parameter' });
}
