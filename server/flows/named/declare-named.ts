/**
 * Declares the correspondents whom the images of a study name, where the establishment that sent them attests that
 * these are whom the patient declared there: a Consent of that establishment for each professional of the directory. A
 * name that is nobody's waits: its Consent is proposed, until a desk or another directory says who is meant.
 * What she says goes before it: a withdrawal, a block, and the end of any declaration of the same one. A study that
 * became another person's takes along what it gave.
 * @see access.md R-16, C11, C12
 */
import type { Consent, ImagingStudy } from '@medplum/fhirtypes';
import { buildNamedConsent, isNamedConsent } from '../../../profiles/consent/privacy-consent.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { stateAllows, type PatientState } from '../../access/decide.ts';
import { systemGrant, systemReading, type Reading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { namedWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import type { JobRequest, TakenJob } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { ownOccasion, recordOf, type About } from '../audit/event-records.ts';
import { endedConsent } from '../consent/end-consent.ts';
import { declarationKey } from '../consent/standing-declarations.ts';
import { knownParts, unknownParts } from '../consent/unknown-parts.ts';
import type { KnownPatient } from '../identity/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { claimOf, findById, pagesOfAll } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { newId } from '../new-id.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { loadStudy } from '../study/study-content.ts';
import { nextTurn, readTurn } from '../turns.ts';
import { commitFresh, filedBy, joinParts, oneOf, putOf, type Planned, type PlanParts } from '../write/plan-parts.ts';
import { lookedAt, lookedAtOf, lookedAtParts, unseenOf, type LookedAt } from './looked-at.ts';
import { namesOfStudy, type NamedCorrespondent } from './names-of-study.ts';
import { professionalNamed } from './professional-named.ts';
import { saidBefore } from './said-before.ts';
import { takeUp, WAITING } from './take-up.ts';

/** What the work needs. */
export type DeclareNamedDeps = {
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  /** IANA name. */
  readonly timeZone: string;
};

/** Asks for it, of a study. */
export function declaringOf(studyInstanceUID: string, now: number): JobRequest {
  return jobOf('declare-named', studyInstanceUID, now);
}

/** Makes the work of `declare-named`. */
export function declareNamed(deps: DeclareNamedDeps) {
  return async ({ subject }: Pick<TakenJob<'declare-named'>, 'subject'>, run: JobRun): Promise<void> => {
    if (subject === WAITING) return await takeUp(deps, run);
    await commitFresh(deps.records, async () => await planOf(deps, subject));
  };
}

/** Somebody of whom images name correspondents, at a time. */
type Work = {
  readonly deps: DeclareNamedDeps;
  readonly reading: Reading;
  readonly known: KnownPatient;
  readonly state: PatientState;
  readonly now: number;
};

async function planOf(deps: DeclareNamedDeps, studyInstanceUID: string): Promise<Planned<void>> {
  const { records, region, clock } = deps;
  const now = clock.now();
  const reading = systemReading('declare-named', now);
  const nothing = { warrant: namedWarrant([]), plan: joinParts(), result: undefined };
  const study = await loadStudy(records, reading, studyInstanceUID);
  if (study === undefined) return nothing;
  const { patient: known } = study;
  const { patient, person } = known;
  // Whatever changes whether she shares conflicts with what rests on it.
  const turn = await readTurn(records, reading, claimKey.sharing(person));
  const state = await records.stateOf(reading({ person }), person);
  if (state.erasurePending) return nothing;
  const seen = await lookedAt(records, reading, studyInstanceUID);
  const isHers = seen.patient === patient;
  const names = unseenOf(seen, patient, namesOfStudy(region, study));
  const left = isHers ? undefined : await leftBehind({ deps, reading, now }, studyInstanceUID, seen);
  if (names.length === 0 && left === undefined) return nothing;
  const made = await declaredParts({ deps, reading, known, state, now }, names);
  const all = isHers ? { ...seen.names, ...made.names } : made.names;
  const plan = joinParts(
    { preconditions: [{ kind: 'claimed', key: claimKey.study(studyInstanceUID), value: patient }] },
    lookedAtParts(seen, { patient, names: all }),
    nextTurn(turn),
    ...made.parts,
    ...(left?.parts ?? []),
  );
  return { warrant: namedWarrant([known, ...(left?.patients ?? [])]), plan, result: undefined };
}

/** A Consent that a name makes, and its claim; without parts it is one that stands. */
type MadeOne = { readonly id: string; readonly key: string; readonly parts: readonly PlanParts[] };

type Made = { readonly parts: readonly PlanParts[]; readonly names: Readonly<Record<string, string>> };

async function declaredParts(work: Work, names: readonly NamedCorrespondent[]): Promise<Made> {
  const parts: PlanParts[] = [];
  const made: Record<string, string> = {};
  const taken = new Set<string>();
  for (const named of names) {
    made[named.key] = '';
    const one = await declarationOf(work, named);
    // Two names may be of one professional.
    if (one === undefined || taken.has(one.key)) continue;
    taken.add(one.key);
    made[named.key] = one.id;
    parts.push(...one.parts);
  }
  return { parts, names: made };
}

/**
 * The Consent that a name makes. Where nobody is known by it, it is proposed, and a desk finds out who is meant. What
 * is named while she shares nothing does not revive when she does again.
 */
async function declarationOf(
  { deps, reading, known: { person, patient }, state, now }: Work,
  { source, actor: named }: NamedCorrespondent,
): Promise<MadeOne | undefined> {
  const { records, indexer, clock, timeZone: zone } = deps;
  if (!stateAllows('declared', state)) return undefined;
  const actor = (await professionalNamed(records, reading, person, named)) ?? named;
  const id = newId();
  const consent = buildNamedConsent({ id, patient, organization: source, actor, now });
  const key = declarationKey(patient, source, consent);
  const last = await claimOf(records, reading, key);
  if (last !== undefined) return { id: last, key, parts: [] };
  const { reference } = actor;
  const said = reference === undefined ? undefined : await saidBefore(records, reading, person, [reference]);
  if (said?.isAgainst === true) return undefined;
  const whose = { person, subject: patient };
  const origin = { ...filedBy(source), zone };
  const about = { person, patient, consent: `Consent/${id}`, entities: [{ what: { reference: `Consent/${id}` } }] };
  const parts = [
    { puts: [putOf(indexer, consent, now, { ...whose, origin })], claims: [{ key, value: id }] },
    said === undefined
      ? unknownParts({ deps, now }, consent, { ...whose, by: source })
      : { preconditions: said.preconditions, jobs: [tellingOf(`Consent/${id}`, now)] },
    { audit: [recordOf(clock, ownOccasion('passerelle'), 'create', about)] },
  ];
  return { id, key, parts };
}

/**
 * What ends with a study that became another person's: whom it declared for whoever it was taken for. What the
 * establishment has said itself since, and what another exam of that person says, stays.
 */
async function leftBehind(
  { deps: { records, indexer, clock }, reading, now }: Pick<Work, 'deps' | 'reading' | 'now'>,
  studyInstanceUID: string,
  { names }: LookedAt,
) {
  const parts: PlanParts[] = [];
  const patients: Pick<KnownPatient, 'patient' | 'person'>[] = [];
  const others = new Map<PersonKey, ReadonlySet<string>>();
  for (const id of new Set(Object.values(names))) {
    const found = id === '' ? undefined : await findById<Consent>(records, reading, 'Consent', id);
    const { person, subject: patient } = found?.row ?? {};
    if (found === undefined || person === undefined || patient === undefined) continue;
    if (found.resource.status !== 'active' && found.resource.status !== 'proposed') continue;
    if (!isNamedConsent(found.resource)) continue;
    const named = others.get(person) ?? (await namedByOthers({ records, reading, now }, person, studyInstanceUID));
    others.set(person, named);
    if (named.has(id)) continue;
    const record = (about: About): AuditRecord => recordOf(clock, ownOccasion('passerelle'), 'update', about);
    parts.push(endedConsent(indexer, found, now, record));
    parts.push(...(await knownParts({ deps: { records, indexer }, reading, now }, person, id)));
    patients.push({ patient, person });
  }
  return parts.length === 0 ? undefined : { parts: [oneOf(parts)], patients };
}

/** Ids of the Consents that the names in other studies of a person say, too. */
async function namedByOthers(
  { records, reading, now }: Pick<DeclareNamedDeps, 'records'> & Pick<Work, 'reading' | 'now'>,
  person: PersonKey,
  studyInstanceUID: string,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const page of pagesOfAll<ImagingStudy>(records, reading({ person }), 'ImagingStudy')) {
    const uids = page.map(({ resource }) => studyInstanceUIDIn(resource)).filter((uid) => uid !== studyInstanceUID);
    for (const id of await lookedAtOf(records, systemGrant('declare-named', 'whole', now), uids)) ids.add(id);
  }
  return ids;
}
