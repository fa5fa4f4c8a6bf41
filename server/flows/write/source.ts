/** What a requester has to do with a row or a Patient: what the decision on a write rests on. */
import type { Resource } from '@medplum/fhirtypes';
import { levelOfRow } from '../../../profiles/types/row-rules.ts';
import { decide } from '../../access/decide.ts';
import { principal, type Right } from '../../access/right.ts';
import type { Requester } from '../../access/requester.ts';
import type { RowVersion } from '../../ports/record-store.ts';
import { grantOf } from '../guard.ts';
import { knownPatient, type KnownPatient } from '../identity/persons.ts';
import type { WriteFacts } from './who-may-write.ts';
import type { Work } from './work.ts';

/** The relations of who wrote a row; rows of the own class have those whom their writer named. */
const WRITERS: readonly Right['relation'][] = ['author', 'named'];

/**
 * What a row, or its deletion, is to the requester. Who wrote it may write it on while its own record hides it, but
 * not where the answer would tell what it says (`mustSee`).
 */
export async function standingFor(
  { deps, visit, grant }: Work,
  row: RowVersion,
  mustSee = false,
): Promise<WriteFacts['standing']> {
  if (row.person === undefined) return 'hidden';
  const asking = grantOf(deps, visit);
  const item = `${row.type}/${row.id}`;
  const rights = await deps.records.rightsOf(grant, row.person);
  const isWriter = rights.some(
    ({ scope, relation, principal: holder }) =>
      WRITERS.includes(relation) && scope !== 'record' && scope.item === item && asking.principals.includes(holder),
  );
  if (isWriter && !mustSee) return 'own';
  if (row.isDeletion === true) return 'hidden';
  const state = await deps.records.stateOf(grant, row.person);
  const facts = {
    type: row.type,
    item,
    level: levelOfRow(row.type, JSON.parse(row.json) as Resource),
    released: row.released,
  };
  if (!decide(asking, facts, rights, state).permitted) return 'hidden';
  return isWriter ? 'own' : 'seen';
}

/** A Patient by reference, and whose it is. A Patient that the requester has nothing to do with is not told. */
export async function patientFor(
  work: Work,
  reference: string,
): Promise<{ readonly known: KnownPatient | undefined; readonly subject: WriteFacts['subject'] }> {
  const { deps, grant, visit } = work;
  const known = await knownPatient(deps.records, grant, reference);
  if (known === undefined) return { known, subject: 'other' };
  const { requester } = visit;
  if (requester.kind === 'patient' && requester.person === known.person) return { known, subject: 'own' };
  return (await feeds(work, requester, known)) ? { known, subject: 'fed' } : { known: undefined, subject: 'other' };
}

async function feeds({ deps, grant }: Work, requester: Requester, known: KnownPatient): Promise<boolean> {
  if (requester.kind !== 'establishment') return false;
  const holder = principal.establishment(requester.organization);
  const rights = await deps.records.rightsOf(grant, known.person);
  return rights.some(
    (right) => right.principal === holder && right.scope !== 'record' && right.scope.item === known.patient,
  );
}
