/** FHIR update, served on Consent alone: a declaration ends. @see https://hl7.org/fhir/R4/http.html#update */
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import type { FhirDeps } from './deps.ts';
import { admit, readResource } from './request.ts';
import { answerWritten } from './write.ts';

/** Answers PUT of a Consent, with If-Match when the client knows a version. */
export async function updateConsent(deps: FhirDeps, ctx: Context, id: string): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'update', type: 'Consent' });
  const resource = await readResource(deps, ctx, admitted);
  if (resource.resourceType !== 'Consent')
    throw new Fault('invalid', 'The resource is not a Consent', { expression: 'resourceType' });
  if (resource.id !== id)
    throw new Fault('invalid', 'The id of the resource is not the one of the address', { expression: 'Consent.id' });
  const version = versionAsked(ctx.get('If-Match'));
  const update = { id, resource, ...(version === undefined ? {} : { version }) };
  answerWritten(deps, ctx, await deps.endDeclaration(admitted.visit, update));
}

function versionAsked(ifMatch: string): number | undefined {
  if (ifMatch === '') return undefined;
  const version = /^(?:W\/)?"(\d{1,9})"$/.exec(ifMatch.trim())?.[1];
  if (version === undefined)
    throw new Fault('invalid', 'If-Match names one version: W/"1"', { expression: 'If-Match' });
  return Number(version);
}
