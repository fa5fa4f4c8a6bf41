/** Who represents the patient before the law, as the access list says it: those whose time counts at her age. */
import type { Patient, RelatedPerson } from '@medplum/fhirtypes';
import { FOREVER, referenceOf, type Right } from '../../../access/right.ts';
import { displayNameOf } from '../../directory/directory-changes.ts';
import type { GuardDeps, Reading } from '../../guard.ts';
import { toldRow } from '../../read/told-report.ts';
import { timeOf } from '../../care/representatives.ts';
import type { Access } from './access.ts';
import { ownRowAt, ownRows } from './own-rows.ts';

/** One for each of these rights that is a representative's and holds at `now` (epoch milliseconds). */
export async function representativesListed(
  deps: GuardDeps & { readonly timeZone: string },
  reading: Reading,
  rights: readonly Right[],
  now: number,
): Promise<readonly Access[]> {
  const named = rights.filter(({ relation, scope }) => relation === 'representative' && scope === 'record');
  const [patient = {}] = named.length === 0 ? [] : await ownRows<Patient>(deps, reading, 'Patient');
  const listed: Access[] = [];
  for (const right of named) {
    const row = await ownRowAt(deps, reading, referenceOf(right.principal));
    if (row === undefined) continue;
    const who = JSON.parse(toldRow(reading.visit, row).json) as RelatedPerson;
    const time = timeOf(right, who, patient, deps.timeZone);
    if (time === undefined || now < time.from || now >= time.to) continue;
    listed.push({
      who,
      display: displayNameOf(who) ?? '',
      roles: [],
      institutions: [],
      relation: 'representative',
      reach: 'record',
      since: time.from > 0 ? time.from : row.sort,
      until: time.to === FOREVER ? undefined : time.to,
      consent: undefined,
      isTemporary: false,
    });
  }
  return listed;
}
