/** `$set-confidentiality` of a DiagnosticReport or an ImagingStudy. */
import type { Coding, Resource } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { codingsIn } from '../../../profiles/confidentiality.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { LabelledType } from '../../flows/consent/say-confidentiality.ts';
import type { FhirDeps } from './deps.ts';
import { answerReference } from './parameters.ts';
import { admit, readBodyResource } from './request.ts';

const NAME = 'confidentiality';
const MAX_CODINGS = 4;

/** In: confidentiality (Coding), 0..4: all that the requester says of the item from now on. Out: the item. */
export async function setConfidentiality(deps: FhirDeps, ctx: Context, type: LabelledType, id: string): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'set-confidentiality' });
  const codings = codingsOf(await readBodyResource(deps, ctx, admitted));
  await deps.sayConfidentiality(admitted.visit, { type, id, codings });
  answerReference(ctx, `${type}/${id}`);
}

/** @throws {Fault} invalid - no Parameters, a code that is none of a label, or two levels */
function codingsOf(body: Resource): readonly Coding[] {
  if (body.resourceType !== 'Parameters')
    throw new Fault('invalid', 'The body is not a Parameters resource', { expression: 'resourceType' });
  const said = body.parameter ?? [];
  if (said.length > MAX_CODINGS || said.some(({ name }) => name !== NAME))
    throw new Fault('invalid', `The operation has the parameter ${NAME} only, ${MAX_CODINGS} times at most`, {
      expression: 'Parameters.parameter',
    });
  const codings = codingsIn(said.map(({ valueCoding }) => valueCoding ?? {}));
  if (codings === undefined)
    throw new Fault('invalid', 'Confidentiality is one of N, R and V, and masks of TRE_A07, each once', {
      expression: NAME,
    });
  return codings;
}
