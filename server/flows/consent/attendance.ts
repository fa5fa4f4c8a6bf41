/** What shows that a patient was with an establishment: an exam, a report of one or a visit of hers that it filed. */
import type { Consent } from '@medplum/fhirtypes';
import { isRefusal } from '../../../profiles/consent/declaration.ts';
import { isAttendance } from '../../../profiles/types/row-rules.ts';
import { isStoredType } from '../../../profiles/types/visibility.ts';
import { attendanceRights, type WriteFacts } from '../../access/may-write.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Right } from '../../access/right.ts';
import { openedResource } from '../../ports/internal-row.ts';
import { rowById } from '../internal-reads.ts';
import type { Work, Written } from '../write/work.ts';

/** What a decision asks of a Consent that is new: what it rests on where an establishment sends it, as it stands. */
export async function attendanceAsked(
  work: Work,
  { placed, resource, known }: Written,
): Promise<Pick<WriteFacts, 'attendance' | 'isRefusal'>> {
  if (isRefusal(resource as Consent)) return { isRefusal: true };
  const isAsked = work.visit.requester.kind === 'establishment' && placed.standing === undefined;
  return isAsked && known !== undefined ? { attendance: await attendanceOf(work, known.person) } : {};
}

async function attendanceOf(work: Work, person: PersonKey): Promise<Right | undefined> {
  const { deps, visit, reading, now } = work;
  const rights = await deps.records.rightsOf(reading({ person }), person);
  for (const right of attendanceRights(visit.requester, rights, now)) if (await isStanding(work, right)) return right;
  return undefined;
}

/** A right outlives the row that gave it: it is of the person at present, and says that she was there. */
async function isStanding({ deps, reading }: Work, { person, scope }: Right): Promise<boolean> {
  const [type = '', id = ''] = scope === 'record' ? [] : scope.item.split('/');
  if (!isStoredType(type)) return false;
  const row = await rowById(deps.records, reading, type, id);
  return row?.person === person && isAttendance(type, openedResource(row));
}
