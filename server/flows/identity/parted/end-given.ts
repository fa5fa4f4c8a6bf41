/**
 * After persons who were one by a mistake are two again: what was given meanwhile to an identity that may have been
 * taken for the other one ends: tokens and sessions, emergencies, and whom the patient declared or took close to her
 * record, if somebody signed in meanwhile. Data protection officers read who opened what. Withdrawals stay, and what
 * establishments declared of an identity of theirs. Of an exam that was moved the events of the wrong person keep no
 * words. It may run at any time, and twice.
 */
import type { CareTeam, Consent, Resource } from '@medplum/fhirtypes';
import { PASSAGE } from '../../../../profiles/audit/shapes.ts';
import { shareOf } from '../../../../profiles/consent/giving/share.ts';
import { permitOf } from '../../../../profiles/consent/declaration.ts';
import { circleOf } from '../../../../profiles/consent/record-circle.ts';
import type { Indexer } from '../../../../profiles/search/indexer.ts';
import type { Criterion } from '../../../../profiles/search/query.ts';
import { systemGrant, systemReading, type SystemGrant } from '../../../access/grant.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { establishmentOf } from '../../../access/right.ts';
import { systemWarrant } from '../../../access/system-warrant.ts';
import type { AuditTrail } from '../../../ports/audit-trail.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { TakenJob } from '../../../ports/job-queue.ts';
import type { RecordStore } from '../../../ports/record-store.ts';
import type { TokenStore } from '../../../ports/token-store.ts';
import { ownOccasion, recordOf } from '../../audit/event-records.ts';
import { dropLostTeams } from '../../care/lost-teams.ts';
import { GIVES_OR_WAITS } from '../../consent/standing-declarations.ts';
import { knownParts } from '../../consent/unknown-parts.ts';
import { destroyGiven } from '../../directory/end-tokens.ts';
import { findAll, type Found } from '../../internal-reads.ts';
import type { JobRun } from '../../jobs/job-runner.ts';
import { changed } from '../../write/changed-put.ts';
import { aboutRow } from '../../write/plain-parts.ts';
import { commitFresh, joinParts, type PlanParts } from '../../write/plan-parts.ts';
import { identitiesOf, qualifiedKeys, type StandingIdentity } from '../identities.ts';
import type { RegionIndex } from '../region-index.ts';
import { eventsMeanwhile } from './events-meanwhile.ts';
import { forgetWords } from './forget-words.ts';
import { tellOpened } from './tell-opened.ts';

/** What it needs. */
export type EndGivenDeps = {
  readonly records: RecordStore;
  readonly tokens: Pick<TokenStore, 'given' | 'destroy'>;
  readonly clock: Clock;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  readonly trail: AuditTrail;
};

/** Accounts (`Patient/id`) that may have been taken for the other one since (epoch milliseconds), and who signed in. */
type Unsure = {
  readonly since: number;
  readonly accounts: ReadonlySet<string>;
  readonly signedIn: ReadonlySet<string>;
};

const SIGN_IN: Criterion = {
  kind: 'token',
  param: 'subtype',
  values: PASSAGE['sign-in'].subtype.flatMap(({ code }) => (code === undefined ? [] : { code })),
};
const ACTIVE: Criterion = { kind: 'token', param: 'status', values: [{ code: 'active' }] };

/** Makes the work of `end-given`. */
export function endGiven(deps: EndGivenDeps) {
  return async ({ subject, payload }: TakenJob<'end-given'>, run: JobRun): Promise<void> => {
    const { records, region, clock } = deps;
    const { from, to, since, unnumbered = [], item } = payload;
    const now = clock.now();
    const stayed = await identitiesOf(records, from, now);
    const left = from === to ? [] : await identitiesOf(records, to, now);
    const identities = [...left, ...stayed];
    const patients = identities.map(({ content }) => `Patient/${content.id}`);
    const accounts = new Set([
      ...unsureOf(region, stayed, left, unnumbered),
      ...unsureOf(region, left, stayed, unnumbered),
    ]);
    if (accounts.size > 0) {
      // What earlier servers gave does not say when.
      await destroyGiven(deps.tokens, ({ account = '', givenAt = since }) => accounts.has(account) && givenAt >= since);
      const unsure = { since, accounts, signedIn: await signedInMeanwhile(records, patients, payload, now) };
      for (const person of [from, to]) await endGifts(deps, person, unsure);
    }
    for (const person of [from, to]) await dropLostTeams(deps, person);
    await tellOpened(deps, subject, identities, payload, eventsMeanwhile(records, patients, payload, now));
    if (item === undefined) return;
    const whole = systemGrant('end-given', 'whole', now);
    await forgetWords(deps, whole, item, { person: from, identities: stayed }, run.goOn);
  };
}

/** Who of these signed in (`Patient/id`). */
async function signedInMeanwhile(
  records: RecordStore,
  patients: readonly string[],
  span: Pick<TakenJob<'end-given'>['payload'], 'since' | 'until'>,
  now: number,
): Promise<ReadonlySet<string>> {
  const signedIn = new Set<string>();
  for await (const events of eventsMeanwhile(records, patients, span, now, [SIGN_IN]))
    for (const { who } of events.flatMap(({ agent }) => agent))
      if (who?.reference !== undefined) signedIn.add(who.reference);
  return signedIn;
}

/** Identities of one person by which the other one may have been meant: of a number that both bear, or that is gone. */
function unsureOf(
  region: RegionIndex,
  some: readonly StandingIdentity[],
  others: readonly StandingIdentity[],
  unnumbered: readonly string[],
): readonly string[] {
  const theirs = new Set(others.flatMap(({ content }) => qualifiedKeys(region, content)));
  const unsure = some.filter(
    ({ content }) => unnumbered.includes(content.id) || qualifiedKeys(region, content).some((key) => theirs.has(key)),
  );
  return unsure.map(({ content }) => `Patient/${content.id}`);
}

async function endGifts(deps: EndGivenDeps, person: PersonKey, unsure: Unsure): Promise<void> {
  await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const reading = systemReading('end-given', now);
    const hers = reading({ person });
    const parts: PlanParts[] = [];
    for (const found of await findAll<Consent>(deps.records, hers, 'Consent', [GIVES_OR_WAITS])) {
      if (!(await isUnsure(deps.records, hers, person, found, unsure))) continue;
      parts.push(ended(deps, person, found, now));
      if (isWaiting(found)) parts.push(...(await knownParts({ deps, reading, now }, person, found.row.id)));
    }
    // She alone files those that open her record.
    for (const found of await findAll<CareTeam>(deps.records, hers, 'CareTeam', [ACTIVE]))
      if (circleOf(found.resource) !== undefined && isGivenUnsure(found, unsure) && isSignedIn(found, unsure))
        parts.push(ended(deps, person, found, now));
    return { warrant: systemWarrant('end-given', person), plan: joinParts(...parts), result: undefined };
  });
}

/** Whether a Consent permits something that the other one may have meant. Establishments say of whom it is. */
async function isUnsure(
  records: RecordStore,
  hers: SystemGrant,
  person: PersonKey,
  found: Found<Consent>,
  unsure: Unsure,
): Promise<boolean> {
  const permit = permitOf(found.resource);
  const isGift = isWaiting(found) || permit !== undefined || shareOf(found.resource) !== undefined;
  if (!isGift || !isGivenUnsure(found, unsure)) return false;
  const isEmergency = permit?.kind === 'break-glass';
  if (isEmergency || !isSignedIn(found, unsure)) return isEmergency;
  const rights = await records.rightsOf(hers, person, `Consent/${found.row.id}`);
  return !rights.some(({ principal }) => establishmentOf(principal).length > 0);
}

/** Whether a Consent gives nothing until somebody whom it names is known. */
function isWaiting({ resource }: Found<Consent>): boolean {
  return resource.status === 'proposed';
}

function isGivenUnsure({ row: { subject = '', updated } }: Found<Resource>, { since, accounts }: Unsure): boolean {
  return updated >= since && accounts.has(subject);
}

function isSignedIn({ row: { subject = '' } }: Found<Resource>, { signedIn }: Unsure): boolean {
  return signedIn.has(subject);
}

function ended(
  { clock, indexer }: EndGivenDeps,
  person: PersonKey,
  { row, resource }: Found<Consent | CareTeam>,
  now: number,
): PlanParts {
  const { patient = row.subject } = row;
  const event = recordOf(clock, ownOccasion('passerelle'), 'withdraw', {
    person,
    ...(patient === undefined ? {} : { patient }),
    ...(row.type === 'Consent' ? { consent: `Consent/${row.id}` } : {}),
    entities: [
      {
        ...(row.type === 'Consent' ? {} : { what: { reference: `${row.type}/${row.id}` } }),
        detail: { change: 'ended: given while two persons were one' },
      },
    ],
  });
  return joinParts({ audit: [event] }, changed(indexer, row, { ...resource, status: 'inactive' }, now, aboutRow(row)));
}
