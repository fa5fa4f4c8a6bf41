/** What shows that a patient was with an establishment: an exam, a report of one or a visit of hers that it filed. */
import type { Consent } from '@medplum/fhirtypes';
import { isRefusal } from '../../../profiles/consent/declaration.ts';
import { isAttendance } from '../../../profiles/types/row-rules.ts';
import { isStoredType } from '../../../profiles/types/visibility.ts';
import { attendanceRights, type WriteFacts } from '../../access/may-write.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Right } from '../../access/right.ts';
import { findAll } from '../internal-reads.ts';
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

/** Rows that one question asks for: a patient may have had thousands of exams there. */
const AT_ONCE = 50;

async function attendanceOf(work: Work, person: PersonKey): Promise<Right | undefined> {
  const { deps, visit, reading, now } = work;
  const rights = await deps.records.rightsOf(reading({ person }), person);
  const held = attendanceRights(visit.requester, rights, now);
  for (const [type, some] of Map.groupBy(held, (right) => itemOf(right).split('/')[0] ?? '')) {
    for (let at = 0; at < some.length; at += AT_ONCE) {
      const standing = await firstStanding(work, person, type, some.slice(at, at + AT_ONCE));
      if (standing !== undefined) return standing;
    }
  }
  return undefined;
}

/** A right outlives the row that gave it: the row is of the person at present, and says that she was there. */
async function firstStanding(
  { deps, reading }: Work,
  person: PersonKey,
  type: string,
  rights: readonly Right[],
): Promise<Right | undefined> {
  if (!isStoredType(type)) return undefined;
  const values = rights.map((right) => itemOf(right).slice(type.length + 1));
  const found = await findAll(deps.records, reading({ person }), type, [{ kind: 'id', values }]);
  const shown = new Set(
    found.flatMap(({ row, resource }) => (isAttendance(type, resource) ? [`${type}/${row.id}`] : [])),
  );
  return rights.find((right) => shown.has(itemOf(right)));
}

function itemOf({ scope }: Right): string {
  return scope === 'record' ? '' : scope.item;
}
