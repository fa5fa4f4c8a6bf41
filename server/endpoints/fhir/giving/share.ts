/** `$share` of an ImagingStudy or a DiagnosticReport, and `Consent/[id]/$revoke-share`. */
import type { ParametersParameter } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { Fault } from '../../../../profiles/fault.ts';
import type { SharedType } from '../../../../profiles/consent/giving/share.ts';
import { parseDateRange } from '../../../../profiles/search/date-range.ts';
import type { FhirDeps } from '../deps.ts';
import { answerCreated, answerReference, hasBody, missing, NO_PARAMETERS, parametersOf } from '../parameters.ts';
import { admit, readBodyResource } from '../request.ts';

/**
 * In: email, reason (string); end (dateTime), uses (positiveInt), download (boolean), each or none. Out: 201 and the
 * Consent that is the share.
 */
export async function share(deps: FhirDeps, ctx: Context, type: SharedType, id: string): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'share' });
  const body = await readBodyResource(deps, ctx, admitted);
  const parameters = parametersOf(body, ['email', 'reason', 'end', 'uses', 'download']);
  const [email, reason] = ['email', 'reason'].map((name) => parameters.get(name)?.valueString);
  if (email === undefined) throw missing('email');
  if (reason === undefined) throw missing('reason');
  const uses = parameters.get('uses');
  const asked = {
    type,
    id,
    email,
    reason,
    download: parameters.get('download')?.valueBoolean ?? false,
    ...(uses === undefined ? {} : { uses: uses.valuePositiveInt ?? uses.valueInteger ?? 0 }),
    ...endIn(parameters.get('end')),
  };
  answerCreated(deps, ctx, await deps.shareItem(admitted.visit, asked));
}

/** A moment with its zone: what counts is what she was shown. */
function endIn(said: ParametersParameter | undefined): { readonly end?: number } {
  if (said === undefined) return {};
  const text = said.valueDateTime ?? '';
  const range = text.includes('T') ? parseDateRange(text) : undefined;
  if (range === undefined) throw new Fault('invalid', 'The end is a moment with its zone', { expression: 'end' });
  return { end: range.lo };
}

/** In: nothing. Out: the share. */
export async function shareRevoked(deps: FhirDeps, ctx: Context, id: string): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'revoke-share' });
  parametersOf(hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS, []);
  await deps.revokeShare(admitted.visit, id);
  answerReference(ctx, `Consent/${id}`);
}
