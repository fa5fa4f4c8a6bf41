/** Who sent an instance, and of whom: several may have sent the same. */
import type { ItemReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { FurtherSource, InstanceRow } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { knownPatient, type KnownPatient } from '../identity/persons.ts';

/** What one establishment sent, and of whom. */
export type Sent = Pick<InstanceRow, 'source' | 'subject' | 'person' | 'movedFrom'>;

/** Finds the person of an identity (`Patient/id`). */
export type PersonOf = (subject: string) => Promise<PersonKey | undefined>;

/** Few identities send a study: each is looked up once. */
export function personsBySubject(records: RecordStore, reading: ItemReading): PersonOf {
  const known = new Map<string, PersonKey | undefined>();
  return async (subject) => {
    if (!known.has(subject)) known.set(subject, (await knownPatient(records, reading, subject))?.person);
    return known.get(subject);
  };
}

/** Who sent an instance, the first one first. What names no identity is of whoever the study is of. */
export async function sentOf(
  row: InstanceRow,
  owner: Pick<KnownPatient, 'patient' | 'person'>,
  personOf: PersonOf,
): Promise<readonly [Sent, ...Sent[]]> {
  const further = async ({ subject = owner.patient, ...one }: FurtherSource): Promise<Sent> => ({
    ...one,
    subject,
    person: (await personOf(subject)) ?? owner.person,
  });
  const sent: [Sent, ...Sent[]] = [row];
  for (const one of row.furtherSources ?? []) sent.push(await further(one));
  return sent;
}
