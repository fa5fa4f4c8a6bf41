/** FHIR update, served on Consent alone: a declaration ends. @see https://hl7.org/fhir/R4/http.html#update */
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import type { FhirDeps } from './deps.ts';
import { readJsonBody, requireJsonAnswer } from './request.ts';
import { answerWritten } from './write.ts';

/** Answers PUT of a Consent, with If-Match when the client knows a version. */
export async function updateConsent(deps: FhirDeps, ctx: Context, id: string): Promise<void> {
  const visit = await deps.identify(ctx, deps.fhirBase());
  requireJsonAnswer(ctx);
  const resource = deps.validate(await readJsonBody(ctx, deps.maxBodyBytes));
  if (resource.resourceType !== 'Consent')
    throw new Fault('invalid', 'The resource is not a Consent', { expression: 'resourceType' });
  if (resource.id !== id)
    throw new Fault('invalid', 'The id of the resource is not the one of the address', { expression: 'Consent.id' });
  const version = versionAsked(ctx.get('If-Match'));
  answerWritten(
    deps,
    ctx,
    await deps.endDeclaration(visit, { id, resource, ...(version === undefined ? {} : { version }) }),
  );
}

function versionAsked(ifMatch: string): number | undefined {
  if (ifMatch === '') return undefined;
  const version = /^(?:W\/)?"(\d{1,9})"$/.exec(ifMatch.trim())?.[1];
  if (version === undefined)
    throw new Fault('invalid', 'If-Match names one version: W/"1"', { expression: 'If-Match' });
  return Number(version);
}
