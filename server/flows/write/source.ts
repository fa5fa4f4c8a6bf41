/** What a requester has to do with a row or a Patient: what the decision on a write rests on. */
import { decide, OPEN_STATE } from '../../access/decide.ts';
import { standingOf, type Standing, type StandingFacts, type SubjectFacts } from '../../access/may-write.ts';
import type { InternalVersion } from '../../ports/record-store.ts';
import { factsOfRow } from '../aside/seen.ts';
import { grantOf } from '../guard.ts';
import { filingPatient, subjectFacts, type KnownPatient } from '../identity/persons.ts';
import type { WriteAct } from './act.ts';
import type { ActParts, Placed, Work } from './work.ts';

/** What a row, or its deletion, is to the requester. */
export async function standingFor(work: Work, row: InternalVersion, act: WriteAct): Promise<Standing> {
  return standingOf(work.visit.requester, act, await standingFacts(work, row), work.now);
}

/** What a decision asks of a row, or of its deletion, which nobody sees. */
export async function standingFacts(
  { deps, visit, reading }: Work,
  row: InternalVersion,
  isOwn = false,
): Promise<StandingFacts> {
  const { person } = row;
  const item = `${row.type}/${row.id}`;
  if (person === undefined) return { item, person, state: OPEN_STATE, rights: [], isOwn, isSeen: false };
  const grant = reading({ person });
  const [state, rights] = await Promise.all([
    deps.records.stateOf(grant, person),
    deps.records.rightsOf(grant, person, item),
  ]);
  const isSeen = row.isDeletion !== true && decide(grantOf(deps, visit), factsOfRow(row), rights, state).permitted;
  return { item, person, state, rights, isOwn, isSeen };
}

/** A Patient, and what a decision asks of her. */
export type AskedPatient = KnownPatient & { readonly facts: SubjectFacts };

/** A Patient that stands, by reference: as the identity that the requester files under. */
export async function patientFor(work: Work, reference: string): Promise<AskedPatient | undefined> {
  const { deps, reading, visit, now } = work;
  const known = await filingPatient(deps.records, reading, visit.requester, reference, now);
  if (known === undefined) return undefined;
  return { ...known, facts: await subjectFacts(deps.records, reading, visit.requester, known) };
}

/** A Patient that the same plan writes: an identity of the requester's own, as no other can be written. */
export async function patientFed(
  { deps, reading, visit }: Work,
  { standing }: Placed,
  { known, reached = [], reviewed = [] }: ActParts,
): Promise<AskedPatient> {
  if (known === undefined) throw new Error('A Patient is a person');
  const facts = {
    ...(await subjectFacts(deps.records, reading, visit.requester, known)),
    isOwn: true,
    joined: reached.filter((person) => person !== known.person),
    reviewed,
  };
  return { ...known, facts: { ...facts, isNew: standing === undefined } };
}
