/** A withdrawal that an earlier server kept of a person whom it had joined, when one of her identities leaves her. */
import type { Consent } from '@medplum/fhirtypes';
import { sharingOf } from '../../../profiles/consent/sharing.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { findAll } from '../internal-reads.ts';
import type { PlanParts } from '../write/plan-parts.ts';

/** An identity (`Patient/id`) that leaves a person: what it is by itself, and whom it leaves. */
export type Leaver = { readonly identity: string; readonly home: PersonKey; readonly from: PersonKey };

/**
 * The switches of both afterwards: each withdrawal goes with the identity that it is filed under. Where no Consent
 * tells whose it is, both keep it.
 */
export async function partedWithdrawal(
  records: RecordStore,
  reading: NarrowReading,
  { identity, home, from }: Leaver,
): Promise<NonNullable<PlanParts['states']>> {
  const grant = reading({ person: from });
  const { withdrawn } = await records.stateOf(grant, from);
  if (!withdrawn) return [];
  const consents = await findAll<Consent>(records, grant, 'Consent', []);
  const subjects = new Map(consents.map(({ row, resource }) => [resource, row.subject]));
  const denials = sharingOf([...subjects.keys()]).denials.map((denial) => subjects.get(denial));
  const left = denials.filter((subject) => subject !== identity);
  return [
    { person: home, change: { withdrawn: denials.length === 0 || left.length < denials.length } },
    { person: from, change: { withdrawn: denials.length === 0 || left.length > 0 } },
  ];
}
