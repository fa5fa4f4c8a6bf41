/**
 * A declaration ends: whoever wrote the Consent, or the patient, sets it inactive, and the rights that it gave end in
 * the same plan. Nothing else of a Consent can be changed: another declaration is another Consent.
 */
import type { Consent } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemGrant } from '../../access/grant.ts';
import type { Right } from '../../access/right.ts';
import { changed, sameContent } from '../write/changed-put.ts';
import { eventRecord, grantOf, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import { requireScope } from '../require-scope.ts';
import { findById, type Found } from '../study/study-content.ts';
import type { SubmittedResult } from '../write/submission.ts';

/** What the flow needs. */
export type EndDeclarationDeps = GuardDeps & { readonly indexer: Indexer };

/** The Consent as it should be; `version` when the client names the one that it knows (If-Match). */
export type DeclarationUpdate = { readonly id: string; readonly resource: Consent; readonly version?: number };

const ENDED: readonly Consent['status'][] = ['inactive', 'entered-in-error'];

/**
 * Ends a declaration.
 * @throws {Fault} not-found - no such Consent, or none that the requester may see
 * @throws {Fault} not-supported - the Consent is no declaration, or more than its status would change
 * @throws {Fault} version-conflict - it has another version
 */
export function endDeclaration(deps: EndDeclarationDeps) {
  return async (visit: Visit, update: DeclarationUpdate): Promise<SubmittedResult> =>
    await refusalsRecorded(deps, visit, 'update', async () => {
      requireScope(visit.requester, 'Consent', 'u');
      const { receipt, result } = await commitFresh(deps.records, async () => await planOf(deps, visit, update));
      return { status: '200 OK', type: 'Consent', id: update.id, version: receipt.versions[0] ?? result };
    });
}

async function planOf(deps: EndDeclarationDeps, visit: Visit, update: DeclarationUpdate) {
  const now = deps.clock.now();
  const { standing, rights } = await standingDeclaration(deps, visit, update.id);
  const { row, resource } = standing;
  if (update.version !== undefined && update.version !== row.version)
    throw new Fault('version-conflict', 'The Consent has another version');
  const ended: Consent = { ...resource, status: endedStatus(update.resource, resource) };
  const { person, subject } = row;
  const facts = { ...(person === undefined ? {} : { person }), ...(subject === undefined ? {} : { subject }) };
  const audit = eventRecord(deps.clock, visit, 'update', {
    ...(person === undefined ? {} : { person }),
    ...(subject === undefined ? {} : { patient: subject }),
    entities: [{ what: { reference: `Consent/${row.id}` } }],
  });
  const plan = joinParts(changed(deps.indexer, row, ended, now, facts), {
    revoked: rights.map(({ id }) => id),
    audit: [audit],
  });
  return { plan, result: row.version };
}

/** The Consent, when the requester is one of those it names, and the rights that it still gives. */
async function standingDeclaration(
  deps: EndDeclarationDeps,
  visit: Visit,
  id: string,
): Promise<{ standing: Found<Consent>; rights: Right[] }> {
  const grant = systemGrant('change-consent', deps.clock.now());
  const reference = `Consent/${id}`;
  const standing = await findById<Consent>(deps.records, grant, 'Consent', id);
  const rights = standing?.row.person === undefined ? [] : await deps.records.rightsOf(grant, standing.row.person);
  const { principals } = grantOf(deps, visit);
  const isNamed = rights.some(
    ({ scope, relation, principal }) =>
      relation === 'named' && scope !== 'record' && scope.item === reference && principals.includes(principal),
  );
  if (standing === undefined || !isNamed) throw new Fault('not-found', 'No such resource');
  return { standing, rights: rights.filter(({ relation, source }) => relation === 'declared' && source === reference) };
}

function endedStatus(sent: Consent, standing: Consent): Consent['status'] {
  if (!isDeclaration(standing))
    throw new Fault('not-supported', 'This Consent is changed by its own operation', { expression: 'Consent' });
  if (!ENDED.includes(sent.status))
    throw new Fault('not-supported', 'A declaration can be ended only: inactive or entered-in-error', {
      expression: 'Consent.status',
    });
  if (!sameContent(standing, { ...sent, status: standing.status }))
    throw new Fault('not-supported', 'Only the status of a Consent can be changed', { expression: 'Consent' });
  return sent.status;
}

/** A declaration names professionals and has no end of its own making; emergencies and withdrawals do not pass here. */
function isDeclaration({ provision }: Consent): boolean {
  const purposes = (provision?.purpose ?? []).map(({ code }) => code);
  return provision?.type === 'permit' && (provision.actor?.length ?? 0) > 0 && !purposes.includes('BTG');
}
