/**
 * Who is told of an erasure: the person, while her address is known, and the establishments that were given data of
 * hers (GDPR 19), without her name.
 */
import type { AuditEvent } from '@medplum/fhirtypes';
import { buildRecipientTask } from '../../../profiles/consent/erasure-recipient.ts';
import { Fault } from '../../../profiles/fault.ts';
import { erasedMailOf } from '../../../profiles/notices/mail-text.ts';
import { recipientOf } from '../../../profiles/notices/recipient.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { systemGrant } from '../../access/grant.ts';
import type { Mailer } from '../../ports/mailer.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { identitiesOf, readAs, sourcePatientOf, type StandingIdentity } from '../identity/identities.ts';
import { pagesOfAll } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { newId } from '../new-id.ts';
import { joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';
import { keepProgress, type Begun } from './begin-erasure.ts';
import type { EraseStudyDeps } from './erase-study.ts';

/** What telling needs. Undefined: the region sends no mail. */
export type TellErasedDeps = EraseStudyDeps & { readonly mailer?: Mailer | undefined };

/** A mail server that takes no mail for so many attempts of the work keeps the erasure waiting no longer. */
const MOST_ATTEMPTS = 5;

/**
 * Mails her, once unless the server dies meanwhile, and keeps whether that was done. Undefined: another has ended it.
 * @throws {Fault} transient - the mail could not be handed over, and it is to be tried again
 */
export async function tellPerson(deps: TellErasedDeps, begun: Begun, attempts: number): Promise<Begun | undefined> {
  if (begun.isTold !== undefined) return begun;
  const isTold = await isMailed(deps, begun, attempts);
  return await keepProgress(deps, begun, { isTold });
}

async function isMailed(deps: TellErasedDeps, begun: Begun, attempts: number): Promise<boolean> {
  const { mailer, clock, region } = deps;
  const now = clock.now();
  const members = (await erasedIdentities(deps, begun)).map(({ content }) => sourcePatientOf(region, content));
  const filedUnder = begun.subject.replace(/^Patient\//, '');
  const { address: to, language = region.language } = recipientOf(members, filedUnder, now);
  if (mailer === undefined || to === undefined) return false;
  try {
    return (await mailer.send({ id: begun.task, to, language, ...erasedMailOf(begun.task, language) })) === 'sent';
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'transient' || attempts < MOST_ATTEMPTS) throw error;
    return false;
  }
}

async function erasedIdentities(
  { records, clock }: EraseStudyDeps,
  begun: Begun,
): Promise<readonly StandingIdentity[]> {
  const ids = new Set(begun.identities.map(({ id }) => id));
  return (await identitiesOf(records, begun.person, clock.now())).filter(({ content }) => ids.has(content.id));
}

/**
 * Tells the establishments that fed her, and those whose people or software saw or took something of hers. Undefined:
 * another has ended it.
 */
export async function tellRecipients(deps: EraseStudyDeps, begun: Begun): Promise<Begun | undefined> {
  if (begun.recipients !== undefined) return begun;
  const identities = await erasedIdentities(deps, begun);
  const sources = identities.flatMap(({ content }) => content.sources);
  const organizations = new Set([...sources, ...(await readersOf(deps, begun))]);
  const parts = [...organizations].map((organization) => recipientParts(deps, begun, organization, identities));
  const recipients = organizations.size;
  return await keepProgress(deps, begun, { recipients }, joinParts(...parts));
}

/** `Organization/id` of whoever acted in events of hers, or stood behind who did. */
async function readersOf({ records, clock }: EraseStudyDeps, begun: Begun): Promise<ReadonlySet<string>> {
  const patients = begun.identities.map(({ id }) => `Patient/${id}`);
  const where: readonly Criterion[] = [{ kind: 'reference', param: 'patient', values: patients }];
  const trail = systemGrant('erase-record', 'whole', clock.now());
  const organizations = new Set<string>();
  for await (const page of pagesOfAll<AuditEvent>(records, trail, 'AuditEvent', where))
    for (const { resource } of page)
      for (const { who } of resource.outcome === '0' ? resource.agent : [])
        if (who?.reference?.startsWith('Organization/') === true) organizations.add(who.reference);
  return organizations;
}

function recipientParts(
  { indexer, clock, region }: EraseStudyDeps,
  { task, person }: Begun,
  organization: string,
  identities: readonly StandingIdentity[],
): PlanParts {
  const now = clock.now();
  const id = newId();
  const numbers = identities.flatMap(({ content }) => [
    ...(content.sources.includes(organization) ? [content.own] : []),
    // What nobody vouches for may be another's, of whom they would take it to be told.
    ...readAs(region, content).numbers.filter(({ isQualified }) => isQualified),
  ]);
  const told = buildRecipientTask({ id, organization, request: `Task/${task}`, numbers, now });
  const offices = [
    { office: 'establishment-dpo' as const, organization },
    { office: 'region-dpo' as const, organization: '' },
  ];
  const entities = [{ what: { reference: `Task/${id}` }, detail: { operation: 'erase-record' } }];
  return {
    puts: [putOf(indexer, told, now, { person, origin: { sources: [], services: [], offices } })],
    jobs: [jobOf('alert-officers', id, now)],
    audit: [recordOf(clock, ownOccasion('passerelle'), 'operation', { person, entities })],
  };
}
