/** Operations by which a patient decides of her record as a whole: its erasure, her account, and what she asks. */
import type { ParametersParameter } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { SUBJECT_RIGHTS } from '../../../../profiles/consent/data-subject-request.ts';
import { ERASURE_TASK } from '../../../../profiles/consent/erasure-request.ts';
import { Fault } from '../../../../profiles/fault.ts';
import type { FhirDeps } from '../deps.ts';
import { answerCreated, answerReference, hasBody, missing, NO_PARAMETERS, parametersOf } from '../parameters.ts';
import { answerBegun } from './portability.ts';
import { admit, readBodyResource } from '../request.ts';

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

/**
 * In: right (code), detail (string), organization (Reference); patient (Reference), for establishments. Out: 201 and
 * the Task. Erasure is asked as by its own operation, which takes neither detail nor organization; so is portability
 * of a patient who says no more.
 */
export async function subjectRequest(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'data-subject-request' });
  const body = await readBodyResource(deps, ctx, admitted);
  const parameters = parametersOf(body, ['right', 'detail', 'organization', 'patient']);
  const code = parameters.get('right')?.valueCode;
  const patient = patientIn(deps, parameters);
  if (code === undefined) throw missing('right');
  if (code === ERASURE_TASK.code) {
    if (parameters.has('detail') || parameters.has('organization'))
      throw new Fault('invalid', 'Erasure is of the whole record, and asked of no office', { expression: 'right' });
    return answerCreated(deps, ctx, await deps.requestErasure(admitted.visit, patient));
  }
  const right = SUBJECT_RIGHTS.find((one) => one === code);
  if (right === undefined)
    throw new Fault('invalid', `The right is one of ${[...SUBJECT_RIGHTS, ERASURE_TASK.code].join(', ')}`, {
      expression: 'right',
    });
  // Her record she takes herself, at once; of more an officer is asked.
  const isExport = right === 'portability' && parameters.size === 1;
  if (isExport && admitted.visit.requester.kind === 'patient') return await answerBegun(deps, ctx, admitted.visit);
  const organization = referenceIn(deps, parameters, 'organization');
  answerCreated(
    deps,
    ctx,
    await deps.askAboutData(admitted.visit, { right, ...detailIn(parameters), organization, patient }),
  );
}

/** Longest text of what somebody asks, in characters. */
const MAX_DETAIL = 2_000;

function detailIn(parameters: ReadonlyMap<string, ParametersParameter>): { readonly detail?: string } {
  const detail = parameters.get('detail')?.valueString?.trim() ?? '';
  if (detail.length > MAX_DETAIL)
    throw new Fault('invalid', `The detail has ${MAX_DETAIL} characters at most`, { expression: 'detail' });
  return detail === '' ? {} : { detail };
}

/** The Patient that is named, by a reference to this server. */
function patientIn(deps: FhirDeps, parameters: ReadonlyMap<string, ParametersParameter>): string | undefined {
  return referenceIn(deps, parameters, 'patient');
}

function referenceIn(
  deps: FhirDeps,
  parameters: ReadonlyMap<string, ParametersParameter>,
  name: string,
): string | undefined {
  const reference = parameters.get(name)?.valueReference?.reference;
  const base = `${deps.fhirBase()}/`;
  return reference?.startsWith(base) === true ? reference.slice(base.length) : reference;
}
