/** Operations by which a patient decides of her record as a whole: its erasure, and her account. */
import type { ParametersParameter } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import type { FhirDeps } from './deps.ts';
import { answerCreated, answerReference, hasBody, missing, NO_PARAMETERS, parametersOf } from './parameters.ts';
import { admit, readBodyResource } from './request.ts';

/** In: patient (Reference), for establishments. Out: 201 and the Task, which says until when. */
export async function erasureRequest(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'request-erasure' });
  const body = hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS;
  const task = await deps.requestErasure(admitted.visit, patientIn(deps, parametersOf(body, ['patient'])));
  answerCreated(deps, ctx, task);
}

/** In: patient (Reference), for establishments. Out: the Task. */
export async function erasureCancelled(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'cancel-erasure' });
  const body = hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS;
  answerReference(ctx, await deps.cancelErasure(admitted.visit, patientIn(deps, parametersOf(body, ['patient']))));
}

/** In: active (boolean); patient (Reference), for desks. Out: the Patient. */
export async function account(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'set-account' });
  const parameters = parametersOf(await readBodyResource(deps, ctx, admitted), ['active', 'patient']);
  const said = parameters.get('active');
  if (said === undefined) throw missing('active');
  if (said.valueBoolean === undefined)
    throw new Fault('invalid', 'The parameter active is true or false', { expression: 'active' });
  const patient = patientIn(deps, parameters);
  answerReference(ctx, await deps.setAccount(admitted.visit, { active: said.valueBoolean, patient }));
}

/** The Patient that is named, by a reference to this server. */
function patientIn(deps: FhirDeps, parameters: ReadonlyMap<string, ParametersParameter>): string | undefined {
  const reference = parameters.get('patient')?.valueReference?.reference;
  const base = `${deps.fhirBase()}/`;
  return reference?.startsWith(base) === true ? reference.slice(base.length) : reference;
}
