/** What shows that a patient was with an establishment: an exam, a report of one or a visit of hers that it filed. */
import type { Consent } from '@medplum/fhirtypes';
import { isRefusal } from '../../../profiles/consent/declaration.ts';
import { Fault } from '../../../profiles/fault.ts';
import { isAttendance } from '../../../profiles/types/row-rules.ts';
import { isStoredType } from '../../../profiles/types/visibility.ts';
import { attendanceRights, type WriteFacts } from '../../access/may-write.ts';
import type { NarrowReading, SystemGrant } from '../../access/grant.ts';
import type { PersonKey, Requester } from '../../access/requester.ts';
import { itemIn, principal, type Right } from '../../access/right.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { findAll } from '../internal-reads.ts';
import type { Work, Written } from '../write/work.ts';

/** What a decision asks of a Consent that is new: what it rests on where an establishment sends it, as it stands. */
export async function attendanceAsked(
  work: Work,
  { placed, resource, known }: Written,
): Promise<Pick<WriteFacts, 'attendance' | 'isRefusal'>> {
  if (isRefusal(resource as Consent)) return { isRefusal: true };
  const isAsked = work.visit.requester.kind === 'establishment' && placed.standing === undefined;
  if (!isAsked || known === undefined) return {};
  const { deps, visit, reading, now } = work;
  const rights = await deps.records.rightsOf(reading({ person: known.person }), known.person);
  requireFew(visit.requester, rights);
  return {
    attendance: await attendanceAmong(
      deps.records,
      reading,
      attendanceRights(visit.requester, rights, now),
      known.person,
    ),
  };
}

/** What shows that a person was with the requester, an establishment; undefined when nothing does. */
export async function attendanceOf(
  records: RecordStore,
  reading: NarrowReading,
  requester: Requester,
  person: PersonKey,
  now: number,
): Promise<Right | undefined> {
  if (requester.kind !== 'establishment') return undefined;
  const rights = await records.rightsOf(reading({ person }), person);
  return await attendanceAmong(records, reading, attendanceRights(requester, rights, now), person);
}

/** Rows that one question asks for: a patient may have had thousands of exams there. */
const AT_ONCE = 50;

async function attendanceAmong(
  records: RecordStore,
  reading: NarrowReading,
  held: readonly Right[],
  person: PersonKey,
): Promise<Right | undefined> {
  for (const [type, some] of Map.groupBy(held, (right) => itemOf(right).split('/')[0] ?? '')) {
    for (let at = 0; at < some.length; at += AT_ONCE) {
      const standing = await firstStanding(records, reading({ person }), type, some.slice(at, at + AT_ONCE));
      if (standing !== undefined) return standing;
    }
  }
  return undefined;
}

/** Declarations of one person that one establishment may have filed: all are read when she withdraws. */
const MOST_DECLARATIONS = 500;

/** @throws {Fault} too-costly - the establishment has filed more */
function requireFew(requester: Requester, rights: readonly Right[]): void {
  const own: string = requester.kind === 'establishment' ? principal.establishment(requester.organization) : '';
  const filed = rights.filter((right) => right.principal === own && itemOf(right).startsWith('Consent/'));
  if (filed.length < MOST_DECLARATIONS) return;
  throw new Fault('too-costly', `An establishment declares ${MOST_DECLARATIONS} times for one person at most`);
}

/** A right outlives the row that gave it: the row is of the person at present, and says that she was there. */
async function firstStanding(
  records: RecordStore,
  hers: SystemGrant,
  type: string,
  rights: readonly Right[],
): Promise<Right | undefined> {
  if (!isStoredType(type)) return undefined;
  const values = rights.map((right) => itemOf(right).slice(type.length + 1));
  const found = await findAll(records, hers, type, [{ kind: 'id', values }]);
  const shown = new Set(
    found.flatMap(({ row, resource }) => (isAttendance(type, resource) ? [`${type}/${row.id}`] : [])),
  );
  return rights.find((right) => shown.has(itemOf(right)));
}

function itemOf({ scope }: Right): string {
  return itemIn(scope) ?? '';
}
