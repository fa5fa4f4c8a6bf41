/**
 * A RelatedPerson. One that represents the patient before the law, by the relationship, opens her record: an
 * establishment where she was names such a one, and the patient herself, once she is of age, who has her mandate.
 */
import type { Patient, RelatedPerson } from '@medplum/fhirtypes';
import { majorityOf, namedTime, opensFurther, representationsOf } from '../../../profiles/consent/representation.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { WriteFacts } from '../../access/may-write.ts';
import { principal, whoseId } from '../../access/right.ts';
import { NO_ORIGIN, rightsGivenBy } from '../../access/rights-of.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow, VersionPlace } from '../../ports/record-store.ts';
import { attendanceOf } from '../consent/attendance.ts';
import { findById } from '../internal-reads.ts';
import type { KnownPatient } from '../identity/persons.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { PLAIN_HOOK } from '../write/plain-parts.ts';
import { joinParts } from '../write/plan-parts.ts';
import type { ActParts, Placed, Work, Written } from '../write/work.ts';

/** The steps of a RelatedPerson. */
export const REPRESENTATIVE_HOOK = { ...PLAIN_HOOK, asked: nominationAsked, parts: representativeParts };

/** What a decision asks of one that an establishment names: what shows that the patient was there. */
async function nominationAsked(
  work: Work,
  { placed: { standing }, resource, known }: Written,
): Promise<Pick<WriteFacts, 'attendance' | 'isNomination'>> {
  if (known === undefined) return {};
  const { deps, visit, reading, now } = work;
  const { requester } = visit;
  // What is over opens nothing: it may be corrected.
  if ((namedTime(resource as RelatedPerson, deps.timeZone)?.to ?? now) <= now) return {};
  const isHeld = standing?.person === known.person && (await representsNow(work, standing, known));
  const former = isHeld ? openedResource<RelatedPerson>(standing) : {};
  if (!opensFurther(resource as RelatedPerson, former, deps.timeZone)) return {};
  return { isNomination: true, attendance: await attendanceOf(deps.records, reading, requester, known.person, now) };
}

/** Whether a row gives a right now: one of an earlier server says that somebody represents her, and gives none. */
async function representsNow({ deps, reading, now }: Work, { type, id }: InternalRow, { person }: KnownPatient) {
  const item = `${type}/${id}`;
  const rights = await deps.records.rightsOf(reading({ person }), person, item);
  const holder = principal.representative(item);
  return rights.some((right) => right.principal === holder && right.scope === 'record' && now < right.to);
}

/**
 * Works out its parts.
 * @throws {Fault} business-rule - a version has other identifiers than the one before, where either represents, or
 *   than the last one that did, also before the row was deleted
 * @throws {Fault} required - a mandate that does not say when it begins: it would never count
 * @throws {Fault} forbidden - a patient names a parent or guardian of hers, or anybody before she is of age
 */
async function representativeParts(work: Work, written: Written): Promise<ActParts> {
  const said = written.resource as RelatedPerson;
  const kinds = representationsOf(said);
  await requireSamePerson(work, written.placed, said);
  const { timeZone: zone } = work.deps;
  // A version that represents nobody takes back what one before it gave.
  if (kinds.length === 0) return await PLAIN_HOOK.parts(work, written, { zone });
  requireBegin(said, kinds);
  if (work.visit.requester.kind === 'patient') await requireMandate(work, written.known, kinds);
  const made = await PLAIN_HOOK.parts(work, written, { zone, represents: true }, await givesOtherwise(work, written));
  if (made.parts.puts === undefined) return made;
  const jobs = [tellingOf(`RelatedPerson/${written.placed.id}`, work.now)];
  return { ...made, parts: joinParts(made.parts, { jobs }) };
}

/** Whether a row that stands gives other rights than it would now: those of earlier servers gave fewer. */
async function givesOtherwise(
  { deps: { records, timeZone: zone }, reading, now }: Work,
  { placed: { id, standing }, resource, known }: Written,
): Promise<boolean> {
  if (standing === undefined || known === undefined) return false;
  const { person } = known;
  const item = `RelatedPerson/${id}`;
  const holders = [principal.representative(item), principal.representativeOfChild(item)];
  const origin = { ...NO_ORIGIN, zone, represents: true } as const;
  const gives = rightsGivenBy({ type: 'RelatedPerson', id, person, origin, masks: [], content: () => resource });
  const held = await records.rightsOf(reading({ person }), person, item);
  const [had, has] = [held, gives].map((rights) =>
    rights
      .filter((right) => holders.includes(right.principal) && now < right.to)
      .map(whoseId)
      .toSorted(),
  );
  return JSON.stringify(had) !== JSON.stringify(has);
}

/**
 * Who signed in as the one of before must not go on as another, nor come back as one: that one is another
 * RelatedPerson, even where nobody was represented in between.
 */
async function requireSamePerson(work: Work, { act, id, standing }: Placed, said: RelatedPerson): Promise<void> {
  const former = standing && openedResource<RelatedPerson>(standing);
  const named = act.interaction === 'create' ? undefined : await lastNamed(work, id);
  const isNaming = [said, former].some((one) => one !== undefined && representationsOf(one).length > 0);
  for (const one of [named, isNaming ? former : undefined]) requireNumbers(said, one);
}

function requireNumbers(said: RelatedPerson, former: RelatedPerson | undefined): void {
  const numbersOf = ({ identifier = [] }: RelatedPerson): string =>
    JSON.stringify(identifier.map(({ system, value }) => [system, value]).toSorted());
  if (former === undefined || numbersOf(said) === numbersOf(former)) return;
  const expression = 'RelatedPerson.identifier';
  throw new Fault('business-rule', 'Another person who represents the patient is another RelatedPerson', {
    expression,
  });
}

/** Versions that are looked at together. */
const VERSIONS = 50;

/** The last version of a row that represented the patient, whether or not the row was deleted since. */
async function lastNamed({ deps, reading }: Work, id: string): Promise<RelatedPerson | undefined> {
  const grant = reading({ item: `RelatedPerson/${id}` });
  const asked = { kind: 'history', type: 'RelatedPerson', id, limit: VERSIONS } as const;
  for (let after: VersionPlace | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const page = await deps.records.peek(grant, { ...asked, ...(after === undefined ? {} : { after }) });
    const versions = page.rows.filter(({ isDeletion }) => isDeletion !== true);
    const named = versions
      .map((row) => openedResource<RelatedPerson>(row))
      .find((one) => representationsOf(one).length > 0);
    if (named !== undefined) return named;
    after = page.next;
  }
  return undefined;
}

function requireBegin({ period }: RelatedPerson, kinds: ReturnType<typeof representationsOf>): void {
  if (!kinds.includes('mandate') || period?.start !== undefined) return;
  throw new Fault('required', 'A mandate says when it begins', { expression: 'RelatedPerson.period.start' });
}

async function requireMandate(
  { deps, reading, now }: Work,
  known: KnownPatient | undefined,
  kinds: ReturnType<typeof representationsOf>,
): Promise<void> {
  const [, id = ''] = (known?.present ?? '').split('/');
  const patient = await findById<Patient>(deps.records, reading, 'Patient', id);
  const majority = majorityOf(patient?.resource.birthDate, deps.timeZone);
  const isOfAge = majority !== undefined && majority <= now;
  if (isOfAge && kinds.every((kind) => kind === 'mandate')) return;
  throw new Fault(
    'forbidden',
    'Parents and guardians are named by an establishment; a patient of age names a mandate',
    {
      expression: 'RelatedPerson.relationship',
    },
  );
}
