/** `Patient/$presence-code` and `Patient/$redeem-presence-code`. */
import type { Parameters } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { Fault } from '../../../../profiles/fault.ts';
import { answerJson } from '../answer.ts';
import type { FhirDeps } from '../deps.ts';
import { answerCreated, hasBody, missing, NO_PARAMETERS, parametersOf } from '../parameters.ts';
import { admit, readBodyResource } from '../request.ts';

/** In: nothing. Out: code (string), until (dateTime). */
export async function presenceCode(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'presence-code' });
  parametersOf(hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS, []);
  const { code, until } = await deps.makePresenceCode(admitted.visit);
  const answer: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'code', valueString: code },
      { name: 'until', valueDateTime: new Date(until).toISOString() },
    ],
  };
  answerJson(ctx, 200, JSON.stringify(answer));
}

/** In: identifier (Identifier), code (string). Out: 201 and the Consent, which says until when. */
export async function presenceCodeRedeemed(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'redeem-presence-code' });
  const parameters = parametersOf(await readBodyResource(deps, ctx, admitted), ['identifier', 'code']);
  const { system, value } = parameters.get('identifier')?.valueIdentifier ?? {};
  if (system === undefined || value === undefined) throw missing('identifier');
  const code = parameters.get('code')?.valueString;
  if (code === undefined) throw missing('code');
  if (code.length > LONGEST) throw new Fault('invalid', 'The code is too long', { expression: 'code' });
  answerCreated(deps, ctx, await deps.redeemPresenceCode(admitted.visit, { identifier: { system, value }, code }));
}

const LONGEST = 100;
