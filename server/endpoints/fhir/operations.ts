/**
 * Operations on Patient: $break-glass, $withdraw, $reconsent, $join, $separate, and in files of their own $ihe-pix,
 * $match, $who-can-access, $access-history, $presence-code, $redeem-presence-code, $support-access, $request-erasure,
 * $cancel-erasure, $set-account, $data-subject-request and $portability; on a Task of instances kept aside: $discard,
 * $refile, $release; on that of an emergency, or of what a patient asked about her data: $decide; on an ImagingStudy:
 * $move; on that and a DiagnosticReport, in files of their own: $set-confidentiality, $share; on a Consent:
 * $revoke-share.
 * @see https://hl7.org/fhir/R4/operations.html
 */
import type { ParametersParameter, Resource } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { REQUEST_VERDICTS } from '../../../profiles/consent/data-subject-request.ts';
import { PURGE_VERDICTS } from '../../../profiles/identity/joined-purge.ts';
import { CORRESPONDENT_VERDICTS } from '../../../profiles/consent/unknown-correspondent.ts';
import { PAPER_VERDICTS, type Paper } from '../../../profiles/consent/reconsent/paper.ts';
import { SUPPORT_VERDICTS } from '../../../profiles/consent/giving/support.ts';
import { VERDICTS } from '../../../profiles/consent/emergency.ts';
import { Fault } from '../../../profiles/fault.ts';
import { studyInstanceUIDOf } from '../../../profiles/imaging/identifiers.ts';
import type { Sought, StudySought } from '../../flows/consent/emergency-parts.ts';
import type { Visit } from '../../flows/guard.ts';
import type { FhirDeps } from './deps.ts';
import { getCrossReference, postCrossReference } from './cross-reference.ts';
import { presenceCode, presenceCodeRedeemed } from './giving/presence-code.ts';
import { share, shareRevoked } from './giving/share.ts';
import { supportAccess } from './giving/support-access.ts';
import { match } from './match.ts';
import {
  answerCreated,
  answerReference,
  hasBody,
  identityIn,
  missing,
  NO_PARAMETERS,
  parametersOf,
  referenceIn,
} from './parameters.ts';
import { admit, readBodyResource } from './request.ts';
import { getAccessHistory, postAccessHistory } from './access-history.ts';
import { getAccessList, postAccessList } from './access-list.ts';
import { account, erasureCancelled, erasureRequest, subjectRequest } from './own/own-record.ts';
import { portability } from './own/portability.ts';
import { setConfidentiality } from './set-confidentiality.ts';

type Operation = (deps: FhirDeps, ctx: Context) => Promise<void>;
type InstanceOperation = (deps: FhirDeps, ctx: Context, id: string) => Promise<void>;

/** The operations on a type by name. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['Patient/$break-glass', breakGlass],
  ['Patient/$ihe-pix', postCrossReference],
  ['Patient/$match', match],
  ['Patient/$who-can-access', postAccessList],
  ['Patient/$access-history', postAccessHistory],
  ['Patient/$withdraw', async (deps: FhirDeps, ctx: Context) => await changeConsent(deps, ctx, 'withdraw')],
  ['Patient/$reconsent', async (deps: FhirDeps, ctx: Context) => await changeConsent(deps, ctx, 'reconsent')],
  ['Patient/$presence-code', presenceCode],
  ['Patient/$redeem-presence-code', presenceCodeRedeemed],
  ['Patient/$support-access', supportAccess],
  ['Patient/$request-erasure', erasureRequest],
  ['Patient/$cancel-erasure', erasureCancelled],
  ['Patient/$set-account', account],
  ['Patient/$data-subject-request', subjectRequest],
  ['Patient/$portability', portability],
  ['Patient/$join', async (deps: FhirDeps, ctx: Context) => await judge(deps, ctx, 'join')],
  ['Patient/$separate', async (deps: FhirDeps, ctx: Context) => await judge(deps, ctx, 'separate')],
]);

/** The operations on a resource by type and name. */
export const INSTANCE_OPERATIONS: ReadonlyMap<string, InstanceOperation> = new Map([
  ['Task/$discard', async (deps: FhirDeps, ctx: Context, id: string) => await clear(deps, ctx, id, 'discard')],
  ['Task/$release', async (deps: FhirDeps, ctx: Context, id: string) => await clear(deps, ctx, id, 'release')],
  ['Task/$refile', refile],
  ['Task/$decide', decide],
  ['ImagingStudy/$move', move],
  [
    'ImagingStudy/$share',
    async (deps: FhirDeps, ctx: Context, id: string) => await share(deps, ctx, 'ImagingStudy', id),
  ],
  [
    'DiagnosticReport/$share',
    async (deps: FhirDeps, ctx: Context, id: string) => await share(deps, ctx, 'DiagnosticReport', id),
  ],
  ['Consent/$revoke-share', shareRevoked],
  [
    'DiagnosticReport/$set-confidentiality',
    async (deps: FhirDeps, ctx: Context, id: string) => await setConfidentiality(deps, ctx, 'DiagnosticReport', id),
  ],
  [
    'ImagingStudy/$set-confidentiality',
    async (deps: FhirDeps, ctx: Context, id: string) => await setConfidentiality(deps, ctx, 'ImagingStudy', id),
  ],
]);

/** The operations that are asked by GET, too, as they change nothing, by type and name. */
export const QUERIES: ReadonlyMap<string, Operation> = new Map([
  ['Patient/$ihe-pix', getCrossReference],
  ['Patient/$who-can-access', getAccessList],
  ['Patient/$access-history', getAccessHistory],
]);

/**
 * In: identifier (Identifier) or resource (Patient), reason (code), justification (string), duration (Duration), study
 * (Reference). Out: 201 and the review Task's address.
 */
async function breakGlass(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'break-glass' });
  const body = await readBodyResource(deps, ctx, admitted);
  const parameters = parametersOf(body, ['identifier', 'resource', 'reason', 'justification', 'duration', 'study']);
  const sought = soughtIn(parameters);
  const reason = parameters.get('reason')?.valueCode ?? parameters.get('reason')?.valueCoding?.code;
  if (reason === undefined) throw missing('reason');
  const justification = parameters.get('justification')?.valueString;
  if (justification === undefined) throw missing('justification');
  const further = { ...durationIn(parameters), ...studyIn(deps, parameters) };
  const { taskId } = await deps.breakGlass(admitted.visit, { sought, reason, justification, ...further });
  answerCreated(deps, ctx, `Task/${taskId}`);
}

function soughtIn(parameters: ReadonlyMap<string, ParametersParameter>): Sought {
  const { system, value } = parameters.get('identifier')?.valueIdentifier ?? {};
  const traits = parameters.get('resource')?.resource;
  if (traits === undefined) {
    if (system === undefined || value === undefined) throw missing('identifier');
    return { identifier: { system, value } };
  }
  if (parameters.has('identifier'))
    throw new Fault('invalid', 'Either identifier or resource is given', { expression: 'Parameters.parameter' });
  if (traits.resourceType !== 'Patient')
    throw new Fault('invalid', 'The parameter resource is a Patient', { expression: 'Parameters.parameter' });
  return { traits };
}

/** The one exam that is meant: by a reference to this server, or its Study Instance UID alone. */
function studyIn(
  deps: FhirDeps,
  parameters: ReadonlyMap<string, ParametersParameter>,
): { readonly study?: StudySought } {
  if (!parameters.has('study')) return {};
  const { reference, identifier = {} } = parameters.get('study')?.valueReference ?? {};
  const studyInstanceUID = reference === undefined ? studyInstanceUIDOf(identifier) : undefined;
  if (studyInstanceUID !== undefined) return { study: { studyInstanceUID } };
  const [, id] = /^ImagingStudy\/([A-Za-z0-9.-]{1,64})$/.exec(referenceIn(deps, parameters, 'study')) ?? [];
  if (id !== undefined) return { study: { id } };
  throw new Fault('invalid', 'The study is a reference to an ImagingStudy, or its Study Instance UID', {
    expression: 'study',
  });
}

/** Milliseconds of the units of UCUM that a duration has. */
const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, min: 60_000 };

function durationIn(parameters: ReadonlyMap<string, ParametersParameter>): { readonly duration?: number } {
  const said = parameters.get('duration')?.valueDuration;
  if (said === undefined) return {};
  const { value, system, code = '' } = said;
  const unit = Object.hasOwn(UNITS, code) ? UNITS[code] : undefined;
  if (value === undefined || unit === undefined || system !== CODE_SYSTEM.ucum)
    throw new Fault('invalid', 'The duration has a value in h or min of UCUM', { expression: 'duration' });
  return { duration: value * unit };
}

/**
 * In: patient (Reference), for establishments; task (Reference), for a patient who confirms what one asked. Out: 201
 * and the address of the Consent that tells of it, with the withdrawals that still stand (`standing`); 202 and that of
 * the Task to an establishment that gives back, whatever stands, and to a desk that records a paper.
 */
async function changeConsent(deps: FhirDeps, ctx: Context, change: 'withdraw' | 'reconsent'): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: change });
  const body = hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS;
  const isDesk = admitted.visit.requester.kind === 'practitioner';
  if (isDesk && change === 'reconsent') return await paperRecorded(deps, ctx, admitted.visit, body);
  const parameters = parametersOf(body, change === 'reconsent' ? ['patient', 'task'] : ['patient']);
  const named = (name: string): string | undefined => parameters.get(name)?.valueReference?.reference;
  const asked = { change, patient: named('patient'), task: named('task') };
  const { outcome, reference, standing } = await deps.changeConsent(admitted.visit, asked);
  answerCreated(deps, ctx, reference, standing);
  if (outcome === 'requested') ctx.status = 202;
}

/**
 * In: patient (Reference, literal or by the identifier in its domain); paper (Attachment);
 * identity (string), how it was checked who signed. Out: 202 and the Task of who confirms it.
 */
async function paperRecorded(deps: FhirDeps, ctx: Context, visit: Visit, body: Resource): Promise<void> {
  const parameters = parametersOf(body, ['patient', 'paper', 'identity']);
  const patient = identityIn(deps, parameters, 'patient');
  const paper = paperIn(parameters);
  const identity = parameters.get('identity')?.valueString?.trim() ?? '';
  if (identity === '') throw missing('identity');
  if (identity.length > MAX_COMMENT)
    throw new Fault('invalid', `The identity has ${MAX_COMMENT} characters at most`, { expression: 'identity' });
  answerCreated(deps, ctx, await deps.recordPaper(visit, { patient, paper, identity }));
  ctx.status = 202;
}

/** Where it is, or the title under which the desk keeps it: a scan has no place here. */
function paperIn(parameters: ReadonlyMap<string, ParametersParameter>): Paper {
  const attachment = parameters.get('paper')?.valueAttachment;
  const { data, url, title } = attachment ?? {};
  if (data !== undefined)
    throw new Fault('invalid', 'A paper is told by its address or title, without its bytes', { expression: 'paper' });
  if (attachment === undefined || (url === undefined && title === undefined)) throw missing('paper');
  return attachment;
}

/** In: nothing. Out: the Task. */
async function clear(deps: FhirDeps, ctx: Context, id: string, operation: 'discard' | 'release'): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation });
  const body = hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS;
  parametersOf(body, []);
  await deps.clearAside(admitted.visit, id, { operation });
  answerReference(ctx, `Task/${id}`);
}

/** In: verdict (code), comment (string), professional (Reference) who is meant by a name. Out: the Task. */
async function decide(deps: FhirDeps, ctx: Context, id: string): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'decide' });
  const parameters = parametersOf(await readBodyResource(deps, ctx, admitted), ['verdict', 'comment', 'professional']);
  const code = parameters.get('verdict')?.valueCode;
  const verdicts = [...new Set([...VERDICTS, ...REQUEST_VERDICTS, ...CORRESPONDENT_VERDICTS, ...DESK_VERDICTS])];
  const verdict = verdicts.find((one) => one === code);
  if (code === undefined) throw missing('verdict');
  if (verdict === undefined)
    throw new Fault('invalid', `The verdict is one of ${verdicts.join(', ')}`, { expression: 'verdict' });
  const comment = parameters.get('comment')?.valueString?.trim() ?? '';
  if (comment === '') throw missing('comment');
  if (comment.length > MAX_COMMENT)
    throw new Fault('invalid', `The comment has ${MAX_COMMENT} characters at most`, { expression: 'comment' });
  const professional = parameters.has('professional') ? referenceIn(deps, parameters, 'professional') : undefined;
  await deps.decideReview(admitted.visit, id, { verdict, comment, professional });
  answerReference(ctx, `Task/${id}`);
}

const DESK_VERDICTS = [...PURGE_VERDICTS, ...PAPER_VERDICTS, ...SUPPORT_VERDICTS] as const;

/** Longest comment of a verdict, and of how an identity was checked, in characters. */
const MAX_COMMENT = 2_000;

/** In: patient (Reference), one of the establishment. Out: the Task. */
async function refile(deps: FhirDeps, ctx: Context, id: string): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'refile' });
  const patient = patientOf(deps, await readBodyResource(deps, ctx, admitted));
  await deps.clearAside(admitted.visit, id, { operation: 'refile', patient });
  answerReference(ctx, `Task/${id}`);
}

/** In: patient (Reference), whose the exam is. Out: the ImagingStudy. */
async function move(deps: FhirDeps, ctx: Context, id: string): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'move' });
  const patient = patientOf(deps, await readBodyResource(deps, ctx, admitted));
  await deps.moveStudy(admitted.visit, id, patient);
  answerReference(ctx, `ImagingStudy/${id}`);
}

/**
 * In: patient and other (Reference, literal or by the identifier in its domain), two identities; reason (string). Out:
 * the Patient that the first is now.
 */
async function judge(deps: FhirDeps, ctx: Context, operation: 'join' | 'separate'): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation });
  const parameters = parametersOf(await readBodyResource(deps, ctx, admitted), ['patient', 'other', 'reason']);
  const patients = [identityIn(deps, parameters, 'patient'), identityIn(deps, parameters, 'other')] as const;
  const reason = parameters.get('reason')?.valueString?.trim() ?? '';
  if (reason === '') throw missing('reason');
  const { present } = await deps.judgeIdentities(admitted.visit, { operation, patients, reason });
  answerReference(ctx, present);
}

/** The Patient that a parameter names, by a reference to this server. */
function patientOf(deps: FhirDeps, body: Resource): string {
  return referenceIn(deps, parametersOf(body, ['patient']), 'patient');
}
