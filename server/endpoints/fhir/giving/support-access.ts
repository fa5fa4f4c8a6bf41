/** `Patient/$support-access`. */
import type { ParametersParameter } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { Fault } from '../../../../profiles/fault.ts';
import type { FhirDeps } from '../deps.ts';
import { answerCreated, identityIn, missing, parametersOf, referenceIn } from '../parameters.ts';
import { admit, readBodyResource } from '../request.ts';

/**
 * In: patient (Reference, literal or by the identifier in its domain); ticket, reason (string); until (dateTime); item
 * (Reference to an ImagingStudy or DiagnosticReport). Out: 202 and the Task of who confirms it.
 */
export async function supportAccess(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'support-access' });
  const names = ['patient', 'ticket', 'reason', 'until', 'item'];
  const parameters = parametersOf(await readBodyResource(deps, ctx, admitted), names);
  const patient = identityIn(deps, parameters, 'patient');
  const ticket = textIn(parameters, 'ticket', LONGEST_TICKET);
  const reason = textIn(parameters, 'reason', LONGEST_REASON);
  const until = Date.parse(parameters.get('until')?.valueDateTime ?? '');
  if (Number.isNaN(until)) throw missing('until');
  const item = parameters.has('item') ? itemIn(deps, parameters) : undefined;
  answerCreated(deps, ctx, await deps.askSupport(admitted.visit, { patient, ticket, reason, until, item }));
  ctx.status = 202;
}

/** Longest identifier of a ticket, and reason, in characters. */
const LONGEST_TICKET = 64;
const LONGEST_REASON = 2_000;

function textIn(parameters: ReadonlyMap<string, ParametersParameter>, name: string, longest: number): string {
  const text = parameters.get(name)?.valueString?.trim() ?? '';
  if (text === '') throw missing(name);
  if (text.length <= longest) return text;
  throw new Fault('invalid', `The ${name} has ${longest} characters at most`, { expression: name });
}

function itemIn(deps: FhirDeps, parameters: ReadonlyMap<string, ParametersParameter>): string {
  const item = referenceIn(deps, parameters, 'item');
  if (/^(?:ImagingStudy|DiagnosticReport)\/[A-Za-z0-9.-]{1,64}$/.test(item)) return item;
  throw new Fault('invalid', 'The item is a reference to an ImagingStudy or a DiagnosticReport', {
    expression: 'item',
  });
}
