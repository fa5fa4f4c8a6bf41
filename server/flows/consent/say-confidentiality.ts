/**
 * The patient, or the author of an item, says how confidential a report or the images of an exam are:
 * `DiagnosticReport/[id]/$set-confidentiality`, or of an ImagingStudy. What one says takes the place of what the same
 * one said before; of what all say the strictest counts. Documents follow in the same plan.
 */
import type { Coding, DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { labelOf } from '../../../profiles/confidentiality.ts';
import { withCodingsSaid, type LabelSayer } from '../../../profiles/said-label.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { mayLabel, type LabelledFacts, type MayLabel } from '../../access/may-label.ts';
import { isRowSeen } from '../aside/seen.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findById, type Found } from '../internal-reads.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { relabelledReportParts, relabelledStudiesParts } from '../study/relabelled-parts.ts';
import { commitFresh, joinParts, type Planned, type PlanParts } from '../write/plan-parts.ts';

/** What the flow needs. */
export type SetConfidentialityDeps = GuardDeps & { readonly indexer: Indexer; readonly region: RegionIndex };

/** The types whose confidentiality is said. */
export type LabelledType = 'DiagnosticReport' | 'ImagingStudy';

/** An item, and the codings that the requester says of it from now on. */
export type SaidLabel = { readonly type: LabelledType; readonly id: string; readonly codings: readonly Coding[] };

type Labelled = Found<DiagnosticReport | ImagingStudy>;

/**
 * Makes the flow.
 * @throws {Fault} not-found - no such item, or one that is hidden
 * @throws {Fault} forbidden - the requester is neither its patient nor its author
 * @throws {Fault} invalid - a patient masks it from herself
 */
export function sayConfidentiality(deps: SetConfidentialityDeps) {
  return async (visit: Visit, said: SaidLabel): Promise<void> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      await commitFresh(deps.records, async () => await planOf(deps, visit, said));
    });
}

async function planOf(
  deps: SetConfidentialityDeps,
  visit: Visit,
  { type, id, codings }: SaidLabel,
): Promise<Planned<void>> {
  const now = deps.clock.now();
  const reading = systemReading('set-confidentiality', now);
  const found = await findById<DiagnosticReport | ImagingStudy>(deps.records, reading, type, id);
  const facts = found && (await factsOf(deps, visit, reading, found));
  const { warrant, sayers } = mayLabel(visit.requester, facts, now);
  if (found === undefined || facts === undefined) throw new Fault('not-found', 'No such resource');
  refuseFromHerself(sayers[0], codings);
  const { subject } = found.row;
  // She reads the event: what is to be announced to her is not said in it.
  const toldToHer = codings.filter((coding) => !labelOf({ security: [coding] }).masks.includes('patient'));
  const label = toldToHer.map(({ code }) => code).join(' ');
  const entities = [{ what: { reference: facts.item }, detail: { operation: 'set-confidentiality', label } }];
  const about = { person: facts.person, ...(subject === undefined ? {} : { patient: subject }) };
  // What was masked from her she may see now.
  const isNews = labelOf(found.resource.meta).masks.includes('patient');
  const plan = joinParts(await partsOf(deps, reading, labelled(found, sayers, codings), sayers[0], now), {
    jobs: isNews ? [tellingOf(facts.item, now)] : [],
    audit: [eventRecord(deps.clock, visit, 'operation', { ...about, entities })],
  });
  return { warrant, plan, result: undefined };
}

/** What she hid from herself she could never show again. */
function refuseFromHerself(sayer: LabelSayer, codings: readonly Coding[]): void {
  if (sayer !== 'patient' || !labelOf({ security: [...codings] }).masks.includes('patient')) return;
  throw new Fault('invalid', 'A patient masks nothing from herself', { expression: 'confidentiality' });
}

async function factsOf(
  deps: SetConfidentialityDeps,
  visit: Visit,
  reading: NarrowReading,
  { row }: Labelled,
): Promise<LabelledFacts | undefined> {
  const { type, id, person } = row;
  if (person === undefined) return undefined;
  const item = `${type}/${id}`;
  const rights = await deps.records.rightsOf(reading({ person }), person, item);
  return { item, person, rights, isSeen: await isRowSeen(deps, visit, reading, row) };
}

function labelled(
  { row, resource }: Labelled,
  [sayer, ...former]: MayLabel['sayers'],
  codings: readonly Coding[],
): Labelled {
  const cleared = former.reduce((some, one) => withCodingsSaid(some, one, []), resource);
  return { row, resource: withCodingsSaid(cleared, sayer, codings) };
}

async function partsOf(
  deps: SetConfidentialityDeps,
  reading: NarrowReading,
  { row, resource }: Labelled,
  sayer: LabelSayer,
  now: number,
): Promise<PlanParts> {
  if (resource.resourceType === 'ImagingStudy')
    return joinParts(...(await relabelledStudiesParts(deps, reading, [{ row, resource }], now)));
  const parts = await relabelledReportParts(deps, reading, { row, resource }, sayer, now);
  if (parts === undefined) throw new Fault('conflict', 'The report has changed meanwhile');
  return parts;
}
