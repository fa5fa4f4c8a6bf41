/** Nobody decides at a desk about herself or a person whom she represents. */
import type { Patient, Practitioner, RelatedPerson } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { mayBeSameHuman, type HumanTraits } from '../../../profiles/same-human.ts';
import { systemReading } from '../../access/grant.ts';
import type { PersonKey, Requester } from '../../access/requester.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { findAll, findById } from '../internal-reads.ts';

/** What the check needs. */
export type OwnMatterDeps = { readonly records: RecordStore; readonly clock: Clock };

/**
 * Refuses a professional's decision about persons when one of them may be herself, or names her as somebody of hers. It
 * is told from names, birth dates and numbers, so homonyms leave it to a colleague, too. Establishments decide by rule.
 * @throws {Fault} forbidden
 */
export function refuseOwnMatter({ records, clock }: OwnMatterDeps) {
  return async (requester: Requester, persons: readonly PersonKey[]): Promise<void> => {
    if (requester.kind !== 'practitioner') return;
    const reading = systemReading('decide-at-desk', clock.now());
    const id = requester.practitioner.replace(/^Practitioner\//, '');
    const found = await findById<Practitioner>(records, reading, 'Practitioner', id);
    if (found === undefined) throw refusal();
    for (const person of persons) {
      const patients = await findAll<Patient>(records, reading({ person }), 'Patient', []);
      const related = await findAll<RelatedPerson>(records, reading({ person }), 'RelatedPerson', []);
      const close: readonly HumanTraits[] = [...patients, ...related].map(({ resource }) => resource);
      if (close.some((one) => mayBeSameHuman(found.resource, one))) throw refusal();
    }
  };
}

function refusal(): Fault {
  return new Fault(
    'forbidden',
    'Nobody decides at a desk about herself or a person whom she represents: a colleague does',
  );
}
