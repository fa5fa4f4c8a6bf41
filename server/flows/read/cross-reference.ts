/**
 * A requester asks by which identifiers a patient is known elsewhere: ITI-83. What she bears, and that there is such a
 * patient, is told as a search of Patients tells it: hidden is unknown.
 * @see IHE PIXm 3.1, 2:3.83
 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { PIXM_DIAGNOSTICS, type CrossReference } from '../../../ihe/iti-83/response.ts';
import type { CrossReferenceQuery } from '../../../ihe/iti-83/request.ts';
import { affinityIdentifier, type AffinityDomain, type IssuedIdentifier } from '../../../profiles/affinity-domain.ts';
import { Fault } from '../../../profiles/fault.ts';
import { ISSUE_CODE } from '../../../profiles/operation-outcome.ts';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import { requireReader } from '../../access/may-attempt.ts';
import type { Passage, SearchPage, VisibleRow } from '../../ports/record-store.ts';
import { foundNothing, further, guarded, NOTHING, refusalsRecorded } from '../guard.ts';
import type { Account, GuardDeps, Visit } from '../guard.ts';
import type { RegionIndex } from '../identity/region-index.ts';

/** What the flow needs. */
export type CrossReferenceDeps = GuardDeps & {
  readonly region: RegionIndex;
  readonly affinityDomain: AffinityDomain;
  /** The system of logical ids of this server, whose values are `Patient/id`. */
  readonly fhirBase: () => string;
};

/** A query, and its text for the audit trail. */
export type CrossReferenceRequest = CrossReferenceQuery & { readonly text: string };

/** Patients of one identifier, and of one person, at most. */
const MANY = 100;
/** Identifiers by which the other Patients of a person are looked for. */
const MOST_IDENTIFIERS = 50;

/**
 * Finds the identifiers that correspond.
 * @throws {Fault} forbidden - the scopes do not allow it; or a target domain is none of the region
 * @throws {Fault} invalid - the domain of the identifier is none of the region
 * @throws {Fault} not-found - the requester sees no patient of this identifier, or several, whom it tells not apart
 */
export function crossReference(deps: CrossReferenceDeps) {
  return async (visit: Visit, request: CrossReferenceRequest): Promise<CrossReference> =>
    await refusalsRecorded(deps, visit, 'iti-83', async () => {
      requireReader(visit.requester);
      requireDomains(deps, request);
      const question = questionOf([criterionOf(deps, request.source)]);
      const tell = (page: SearchPage): Account => accountOf(page, request.text);
      const { answer, passage } = await guarded(deps, visit, 'iti-83', question, tell);
      if (!isOnePerson(answer.rows)) throw foundNothing(PIXM_DIAGNOSTICS.unknownIdentifier);
      const rows = [...answer.rows, ...(await othersOf(deps, passage, answer.rows))];
      return correspondingOf(deps, request, rows);
    });
}

function requireDomains({ region, affinityDomain, fhirBase }: CrossReferenceDeps, request: CrossReferenceQuery): void {
  const known = new Set([
    ...region.establishments.map((organization) => region.domainOf(organization).patientIdSystem),
    ...region.qualifiedSystems,
    ...affinityDomain.patientIdSystems,
    affinityDomain.ownSystem,
    fhirBase(),
  ]);
  const detail = { protocolCode: ISSUE_CODE.codeInvalid };
  if (!known.has(request.source.system)) throw new Fault('invalid', PIXM_DIAGNOSTICS.unknownDomain, detail);
  if (!request.targets.every((target) => known.has(target)))
    throw new Fault('forbidden', PIXM_DIAGNOSTICS.unknownTarget, detail);
}

function criterionOf({ affinityDomain, fhirBase }: CrossReferenceDeps, { system, value }: IssuedIdentifier): Criterion {
  if (system === affinityDomain.ownSystem) return { kind: 'id', values: [value] };
  if (system === fhirBase()) return { kind: 'id', values: [value.replace(/^Patient\//, '')] };
  return byIdentifiers([{ system, value }]);
}

function byIdentifiers(identifiers: readonly IssuedIdentifier[]): Criterion {
  const values = identifiers.map(({ system, value }) => ({ system, code: value }));
  return { kind: 'token', param: 'identifier', values };
}

function questionOf(where: readonly Criterion[]) {
  return { kind: 'search', query: { type: 'Patient', where, count: MANY, total: 'none', include: [] } } as const;
}

/** A number that several persons bear is told to be of nobody: the event is of no patient. */
function accountOf({ rows }: SearchPage, text: string): Account {
  const entities = [{ role: '24', query: text }];
  return isOnePerson(rows) ? { rows, entities } : { ...NOTHING, entities };
}

function isOnePerson(rows: readonly VisibleRow[]): boolean {
  return new Set(rows.map(({ person }) => person)).size === 1;
}

/** A person may have a Patient at each source; they share a qualified number. */
async function othersOf(
  deps: CrossReferenceDeps,
  passage: Passage,
  known: readonly VisibleRow[],
): Promise<readonly VisibleRow[]> {
  const ids = new Set(known.map(({ id }) => id));
  const issued = known.flatMap(identifiersOf).flatMap(issuedOf).slice(0, MOST_IDENTIFIERS);
  if (issued.length === 0) return [];
  const { rows } = await further(deps, passage, questionOf([byIdentifiers(issued)]));
  return rows.filter(({ id, person }) => !ids.has(id) && person === known[0]?.person);
}

function identifiersOf({ json }: VisibleRow): readonly Identifier[] {
  return (JSON.parse(json) as Patient).identifier ?? [];
}

function issuedOf({ system, value }: Identifier): readonly IssuedIdentifier[] {
  return system === undefined || value === undefined ? [] : [{ system, value }];
}

/** Without the identifier that was asked by. @see IHE PIXm 3.1, 2:3.83.4.2.2.1 */
function correspondingOf(
  { affinityDomain, fhirBase }: CrossReferenceDeps,
  { source, targets }: CrossReferenceQuery,
  rows: readonly VisibleRow[],
): CrossReference {
  const borne = rows.flatMap(identifiersOf).filter(({ system }) => system !== affinityDomain.ownSystem);
  const [first] = rows;
  const own = first && affinityIdentifier({ id: first.id, identifier: [...borne] }, affinityDomain);
  const all = own?.system === affinityDomain.ownSystem ? [...borne, own] : borne;
  const isAsked = ({ system, value }: IssuedIdentifier): boolean =>
    (targets.length === 0 || targets.includes(system)) && !(system === source.system && value === source.value);
  const asked = all.filter((identifier) => issuedOf(identifier).some(isAsked));
  const once = new Map(asked.map((identifier) => [`${identifier.system}|${identifier.value}`, identifier]));
  const patients = rows.map(({ id }) => `Patient/${id}`);
  const named = source.system === fhirBase() ? `Patient/${source.value.replace(/^Patient\//, '')}` : undefined;
  return { identifiers: [...once.values()], patients: patients.filter((patient) => patient !== named) };
}
