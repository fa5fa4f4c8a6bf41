/** Who reads events: a person reads those of every identity that is she at present. */
import { grantWith, type AnyGrant } from '../../../access/grant.ts';
import { personKey } from '../../../access/requester.ts';
import { personOf, principal } from '../../../access/right.ts';
import type { Database } from '../database.ts';

/** The grant under which a requester reads the trail. */
export function ofIdentities(trail: Database, grant: AnyGrant): AnyGrant {
  if (grant.system) return grant;
  const persons = grant.principals.flatMap((name) => personOf(name) ?? []);
  const formers = persons.flatMap((person) =>
    trail.all<{ former: string }>('SELECT former FROM former_person WHERE person = ?', person),
  );
  return formers.length === 0
    ? grant
    : grantWith(
        grant,
        formers.map(({ former }) => principal.patient(personKey(former))),
      );
}
