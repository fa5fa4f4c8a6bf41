/** Who reads events, and of whom: a person those of every identity that is she at present, and nobody else. */
import {
  grantBarred,
  grantOfOthers,
  organizationsOverseen,
  readsWholeTrail,
  systemGrant,
  type AnyGrant,
} from '../../../access/grant.ts';
import { personKey } from '../../../access/requester.ts';
import { personOf, principal, type Principal } from '../../../access/right.ts';
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import type { Database } from '../database.ts';

/**
 * The grant under which a requester reads the trail: of events no one is barred whom they name. What the office of an
 * establishment reads of the whole trail is said beside it (office.ts).
 */
export function ofIdentities(trail: Database, asked: AnyGrant): AnyGrant {
  if (asked.system) return asked;
  if (readsWholeTrail(asked) || organizationsOverseen(asked).length > 0)
    return systemGrant('read-trail', 'whole', asked.now);
  const grant = grantBarred(asked, []);
  const present = grant.principals.flatMap((name) => presentPrincipals(trail, name));
  return present.join() === grant.principals.join() ? grant : grantOfOthers(grant, present);
}

function presentPrincipals(trail: Database, name: Principal): readonly Principal[] {
  const person = personOf(name);
  if (person === undefined) return [name];
  const found = trail.all<{ former: string }>(FORMERS, person);
  if (found.some(({ former }) => former === person)) return [];
  return [name, ...found.map(({ former }) => principal.patient(personKey(former)))];
}

/**
 * The identities that are a person, with what was joined to each for good by earlier servers; and herself where she is
 * another.
 */
const FORMERS = `WITH RECURSIVE f (former) AS (
    SELECT former FROM former_person WHERE person = ?1
    UNION SELECT p.former FROM f JOIN former_person p ON p.person = f.former)
  SELECT former FROM f UNION ALL SELECT former FROM former_person WHERE former = ?1`;

/** Criteria on events: who is asked for by the Patient of an identity, is asked for by those of all that are she. */
export function ofAllPatients(records: Database, where: readonly Criterion[]): readonly Criterion[] {
  return where.map((criterion) =>
    criterion.kind === 'reference'
      ? { ...criterion, values: criterion.values.flatMap((value) => patientsOf(records, value)) }
      : criterion,
  );
}

function patientsOf(records: Database, value: string): readonly string[] {
  if (!value.startsWith('Patient/')) return [value];
  const found = records.all<{ id: string }>(IDENTITIES, value.slice('Patient/'.length));
  return found.length === 0 ? [value] : found.map(({ id }) => `Patient/${id}`);
}

const IDENTITIES = `SELECT y.id FROM resource x CROSS JOIN resource y INDEXED BY resource_identity
  ON y.person = x.person AND y.type = 'Person' WHERE x.type = 'Person' AND x.id = ?`;
