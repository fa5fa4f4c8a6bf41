/** Who reads events: a person reads those of every identity that is she at present, and nobody else does. */
import { grantOfOthers, type AnyGrant } from '../../../access/grant.ts';
import { personKey } from '../../../access/requester.ts';
import { personOf, principal, type Principal } from '../../../access/right.ts';
import type { Database } from '../database.ts';

/** The grant under which a requester reads the trail. */
export function ofIdentities(trail: Database, grant: AnyGrant): AnyGrant {
  if (grant.system) return grant;
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

/** The identities that are a person, with what was joined to each for good by earlier servers; and herself where she is another. */
const FORMERS = `WITH RECURSIVE f (former) AS (
    SELECT former FROM former_person WHERE person = ?1
    UNION SELECT p.former FROM f JOIN former_person p ON p.person = f.former)
  SELECT former FROM f UNION ALL SELECT former FROM former_person WHERE former = ?1`;
