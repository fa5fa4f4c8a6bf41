/**
 * Earlier servers kept one Patient for what each source knew of somebody, and joined persons for good. Each becomes an
 * identity here. Two that were joined stand apart at first, and are placed by what their sources say: a join that
 * today's rules would not make is undone by that, and desks find it as a Task.
 */
import type { Patient } from '@medplum/fhirtypes';
import { toIdentityResource, type IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import { readReliability } from '../../../profiles/identity/reliability.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { establishmentOf } from '../../access/right.ts';
import { adoptionWarrant, systemWarrant } from '../../access/system-warrant.ts';
import { personKey, type PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Clock } from '../../ports/clock.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { commitFresh, filedBy, joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';
import { nextTurn, readTurn } from '../turns.ts';
import type { UpgradeStep } from '../upgrade/upgrade-step.ts';
import { compositeParts } from './composite-parts.ts';
import { identitiesOf, identityAt, readAs, sourcePatientOf } from './identities.ts';
import type { PlaceDeps } from './identity-change.ts';
import { partedWithdrawal, type Leaver } from './parted-withdrawal.ts';
import { placeIdentity } from './place-identity.ts';

/** What the story needs. */
export type AdoptDeps = PlaceDeps & { readonly clock: Clock };

/** Makes identities of the Patients that have none, then places them. */
export function adoptIdentities(deps: AdoptDeps): readonly UpgradeStep[] {
  const pass = { reason: 'adopt-identities', where: [] } as const;
  return [
    { ...pass, name: 'identities', type: 'Patient', work: async (row) => await adopt(deps, row) },
    { ...pass, name: 'persons', type: 'Person', work: async (row) => await placeAdopted(deps, row) },
  ];
}

/**
 * A Patient becomes an identity: nothing of it is for desks yet. The first of a person bears her key on, and others
 * leave her: two servers that adopt of one person at once take turns.
 */
async function adopt(deps: AdoptDeps, { id }: InternalRow): Promise<number> {
  await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const reading = systemReading('adopt-identities', now);
    const row = await rowById(deps.records, reading, 'Patient', id);
    const person = row?.person;
    const turn = person && (await readTurn(deps.records, reading, claimKey.sharing(person)));
    const known = await rowById(deps.records, reading, 'Person', id);
    if (row === undefined || known !== undefined || person === undefined || turn === undefined)
      return { warrant: systemWarrant('adopt-identities'), plan: joinParts(), result: undefined };
    const [first] = await identitiesOf(deps.records, person, now);
    const home = first === undefined ? person : personKey(newId());
    const content = await contentOf(deps, reading, row, home);
    const next = nextTurn(turn);
    if (first === undefined) return planOf(deps, row, { content, parted: next }, now);
    const leaving = await leavingParts(deps, reading, { identity: `Patient/${id}`, home, from: person });
    const parted = joinParts(next, leaving);
    return planOf(deps, row, { content: { ...content, formerly: first.content.id }, parted }, now);
  });
  return 0;
}

type Adopted = { readonly content: IdentityContent; readonly parted: PlanParts };

function planOf(deps: AdoptDeps, row: InternalRow, { content, parted }: Adopted, now: number) {
  const [home, from] = [personKey(content.home), row.person ?? personKey(content.home)];
  const subject = `Patient/${content.id}`;
  const facts = { person: home, subject, origin: filedBy(...content.sources) };
  const composite = { id: content.id, row, sources: [sourcePatientOf(deps.region, content)] };
  const plan = joinParts(
    parted,
    { puts: [putOf(deps.indexer, toIdentityResource(content), now, facts)] },
    compositeParts(deps, composite, now, facts),
  );
  return { warrant: adoptionWarrant(subject, from, home), plan, result: undefined };
}

/**
 * An identity of a person who was joined is made known as hers, and leaves her. Both keep every switch of which nothing
 * tells whose it is.
 */
async function leavingParts({ records }: AdoptDeps, reading: NarrowReading, leaver: Leaver): Promise<PlanParts> {
  const { identity, home, from: person } = leaver;
  const change = await records.stateOf(reading({ person }), person);
  const move = { identity, home, patient: identity };
  return {
    moves: [
      { ...move, from: home, to: person },
      { ...move, from: person, to: home },
    ],
    states: [{ person: home, change }, ...(await partedWithdrawal(records, reading, leaver))],
  };
}

async function contentOf(
  deps: AdoptDeps,
  reading: NarrowReading,
  row: InternalRow,
  home: PersonKey,
): Promise<IdentityContent> {
  const said = withoutStamp(openedResource<Patient>(row));
  const sources = await sourcesOf(deps, reading, row);
  const source = sources[0] ?? said.managingOrganization?.reference ?? '';
  return {
    id: row.id,
    home,
    since: await madeAt(deps, reading, row),
    changed: row.updated,
    source,
    sources: sources.length === 0 ? [source] : sources,
    fromImage: isFromImage(said, row.version),
    own: await ownOf(deps, reading, row.id, said),
    said,
    verdicts: [],
    formerPersons: [],
    reviews: [],
  };
}

/** Who was there first tells which of two Patients stays, whoever was last changed. */
async function madeAt(
  { records }: AdoptDeps,
  reading: NarrowReading,
  { id, version, updated }: InternalRow,
): Promise<number> {
  if (version === 1) return updated;
  const first = { kind: 'resource', type: 'Patient', id, version: 1 } as const;
  return (await records.peek(reading({ item: `Patient/${id}` }), first))?.updated ?? updated;
}

/** An image says neither how reliable a Patient is nor the use of her names, and changes none that stands. */
function isFromImage(said: Patient, version: number): boolean {
  const hasUse = (said.name ?? []).some(({ use }) => use !== undefined);
  return version === 1 && !hasUse && readReliability(said).status === 'unsaid';
}

function withoutStamp({ meta, ...patient }: Patient): Patient {
  const { versionId: _version, lastUpdated: _updated, ...kept } = meta ?? {};
  return Object.keys(kept).length === 0 ? patient : { ...patient, meta: kept };
}

async function sourcesOf({ records }: AdoptDeps, reading: NarrowReading, row: InternalRow): Promise<readonly string[]> {
  if (row.person === undefined) return [];
  const rights = await records.rightsOf(reading({ person: row.person }), row.person, `Patient/${row.id}`);
  return [
    ...new Set(rights.filter(({ relation }) => relation === 'author').flatMap((one) => establishmentOf(one.principal))),
  ];
}

/** The identifier by which its source finds it; of an image without a PatientID nobody can tell. */
async function ownOf(
  { records }: AdoptDeps,
  reading: NarrowReading,
  id: string,
  { identifier = [] }: Patient,
): Promise<IdentityContent['own']> {
  for (const { system = '', value = '' } of identifier) {
    const held = await claimOf(records, reading, claimKey.identity(system, value));
    if (held === `Patient/${id}`) return { system, value };
  }
  return { system: '', value: '' };
}

/** Places an identity by its numbers; answers how many Tasks ask desks to look at it. */
async function placeAdopted(deps: AdoptDeps, { id }: InternalRow): Promise<number> {
  const { result } = await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const standing = await identityAt(deps.records, systemReading('adopt-identities', now), `Patient/${id}`);
    if (standing === undefined) throw new Error('An identity is gone');
    const { numbers } = readAs(deps.region, standing.content);
    if (standing.content.formerly === undefined && !numbers.some(({ isQualified }) => isQualified))
      return { warrant: systemWarrant('adopt-identities'), plan: joinParts(), result: 0 };
    const placed = await placeIdentity(deps, { content: standing.content, standing }, now);
    const warrant = systemWarrant('adopt-identities', ...placed.reached, ...placed.reviewed, placed.person);
    const { puts = [] } = placed.parts;
    return { warrant, plan: joinParts(placed.parts), result: puts.filter(({ type }) => type === 'Task').length };
  });
  return result;
}
