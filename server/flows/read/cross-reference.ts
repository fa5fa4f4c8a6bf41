/**
 * A requester asks by which identifiers a patient is known elsewhere: ITI-83. What she bears, and that there is such a
 * patient, is told as a search of Patients tells it: hidden is unknown.
 * @see IHE PIXm 3.1, 2:3.83
 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { PIXM_DIAGNOSTICS, type CrossReference } from '../../../ihe/iti-83/response.ts';
import type { CrossReferenceQuery } from '../../../ihe/iti-83/request.ts';
import { affinityIdentifier, type IssuedIdentifier } from '../../../profiles/affinity-domain.ts';
import { Fault } from '../../../profiles/fault.ts';
import { ISSUE_CODE } from '../../../profiles/operation-outcome.ts';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import { requireReader } from '../../access/may-attempt.ts';
import type { SearchPage, VisibleRow } from '../../ports/record-store.ts';
import { foundNothing, guarded, NOTHING, refusalsRecorded } from '../guard.ts';
import type { Account, GuardDeps, Visit } from '../guard.ts';
import type { RegionIndex } from '../identity/region-index.ts';

/** What the flow needs. */
export type CrossReferenceDeps = GuardDeps & {
  readonly region: RegionIndex;
  /** The system of logical ids of this server, whose values are `Patient/id`. */
  readonly fhirBase: () => string;
};

/** A query, and its text for the audit trail. */
export type CrossReferenceRequest = CrossReferenceQuery & { readonly text: string };

/** More than one Patient of an identifier are nobody. */
const MANY = 2;

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
      const { answer } = await guarded(deps, visit, 'iti-83', question, tell);
      const patient = onlyRow(answer);
      if (patient === undefined) throw foundNothing(PIXM_DIAGNOSTICS.unknownIdentifier);
      return correspondingOf(deps, request, patient);
    });
}

function requireDomains({ region, fhirBase }: CrossReferenceDeps, request: CrossReferenceQuery): void {
  const isKnown = (system: string): boolean => region.patientDomains.has(system) || system === fhirBase();
  const detail = { protocolCode: ISSUE_CODE.codeInvalid };
  if (!isKnown(request.source.system)) throw new Fault('invalid', PIXM_DIAGNOSTICS.unknownDomain, detail);
  if (!request.targets.every(isKnown)) throw new Fault('forbidden', PIXM_DIAGNOSTICS.unknownTarget, detail);
}

function criterionOf({ region, fhirBase }: CrossReferenceDeps, { system, value }: IssuedIdentifier): Criterion {
  if (system === region.affinityDomain.ownSystem) return { kind: 'id', values: [value] };
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

/** A number that several Patients bear is told to be of nobody: the event is of no patient. */
function accountOf(page: SearchPage, text: string): Account {
  const entities = [{ role: '24', query: text }];
  return onlyRow(page) === undefined ? { ...NOTHING, entities } : { rows: page.rows, entities };
}

/** A person has one Patient. */
function onlyRow({ rows }: SearchPage): VisibleRow | undefined {
  return rows.length === 1 ? rows[0] : undefined;
}

function identifiersOf({ json }: VisibleRow): readonly Identifier[] {
  return (JSON.parse(json) as Patient).identifier ?? [];
}

function issuedOf({ system, value }: Identifier): readonly IssuedIdentifier[] {
  return system === undefined || value === undefined ? [] : [{ system, value }];
}

/** Without the identifier that was asked by. @see IHE PIXm 3.1, 2:3.83.4.2.2.1 */
function correspondingOf(
  { region: { affinityDomain }, fhirBase }: CrossReferenceDeps,
  { source, targets }: CrossReferenceQuery,
  row: VisibleRow,
): CrossReference {
  const borne = identifiersOf(row).filter(({ system }) => system !== affinityDomain.ownSystem);
  const own = affinityIdentifier({ id: row.id, identifier: [...borne] }, affinityDomain);
  const all = own?.system === affinityDomain.ownSystem ? [...borne, own] : borne;
  const isAsked = ({ system, value }: IssuedIdentifier): boolean =>
    (targets.length === 0 || targets.includes(system)) && !(system === source.system && value === source.value);
  const identifiers = all.filter((identifier) => issuedOf(identifier).some(isAsked));
  return { identifiers, patients: source.system === fhirBase() ? [] : [`Patient/${row.id}`] };
}
