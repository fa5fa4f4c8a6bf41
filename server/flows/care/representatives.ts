/**
 * Who represents a patient before the law, as an account: a RelatedPerson who is named for this time, of a patient
 * whose age leaves it. Her age is looked at each time, for her birth date may be corrected, and joins change it.
 */
import { randomUUID } from 'node:crypto';
import type { Patient, RelatedPerson } from '@medplum/fhirtypes';
import { majorityOf, representationsOf, representedTime } from '../../../profiles/consent/representation.ts';
import { readTraits, traitsAgree, type Traits } from '../../../profiles/identity/traits.ts';
import { numberToken, type Criterion } from '../../../profiles/search/criterion.ts';
import { stateAllows } from '../../access/decide.ts';
import { systemGrant, systemReading, type NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { principal, type Right } from '../../access/right.ts';
import type { Account, Asking, VouchedNumber } from '../../ports/account-directory.ts';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { recordOf } from '../audit/event-records.ts';
import { displayNameOf } from '../directory/directory-changes.ts';
import { findAll, findById } from '../internal-reads.ts';

/** What it takes; `timeZone` (IANA) is where birthdays begin. */
export type RepresentativeDeps = { readonly records: RecordStore; readonly clock: Clock; readonly timeZone: string };

/** The same, and where it is recorded to whom names are shown. */
export type FindRepresentedDeps = RepresentativeDeps & { readonly trail: Pick<AuditTrail, 'record'> };

/** Somebody who represents a patient at this moment. `until` is epoch milliseconds. */
export type Representative = {
  readonly related: RelatedPerson;
  readonly person: PersonKey;
  /** `Patient/id` of the identity that she is named for, and of the person that it is at present. */
  readonly patient: string;
  readonly present: string;
  readonly of: Patient;
  readonly until: number;
};

/** How many records somebody may choose from: more than who is a guardian by profession has. */
const MOST_REPRESENTED = 500;

/** Reads who an account (`RelatedPerson/id`) is; undefined where she represents nobody now, or the account is off. */
export function representativeAt(deps: RepresentativeDeps) {
  return async (reference: string): Promise<Representative | undefined> => {
    const now = deps.clock.now();
    const reading = systemReading('resolve-identity', now);
    const stored = await deps.records.accountOf(reading({ item: reference }), reference);
    return stored === undefined || stored.isOff ? undefined : await representing(deps, reading, stored.row, now);
  };
}

/** Tells whether an account (`RelatedPerson/id`) may be signed in to now: the patient's state leaves it anything. */
export function representativeStands(deps: RepresentativeDeps) {
  const at = representativeAt(deps);
  return async (reference: string): Promise<boolean> => {
    const one = await at(reference);
    return one !== undefined && (await isOpen(deps, one));
  };
}

/**
 * Finds whom the bearer of some identifiers represents: one account for each person whose state leaves a representative
 * anything, by name. Where traits are vouched for, the RelatedPerson's agree with them: a number that is wrongly typed
 * opens no record to a stranger. Each person reads in the trail to whom her name was shown.
 */
export function findRepresented({ trail, ...deps }: FindRepresentedDeps) {
  const at = representativeAt(deps);
  return async (numbers: readonly VouchedNumber[], { traits, ...client }: Asking): Promise<readonly Account[]> => {
    if (numbers.length === 0) return [];
    const named: Criterion = { kind: 'token', param: 'identifier', values: numbers.map(numberToken) };
    const grant = systemGrant('resolve-identity', 'whole', deps.clock.now());
    const rows = await findAll<RelatedPerson>(deps.records, grant, 'RelatedPerson', [named]);
    const found = new Map<PersonKey, Account>();
    const shown: AuditRecord[] = [];
    for (const { row, resource } of rows.toSorted((one, other) => (one.row.id < other.row.id ? -1 : 1))) {
      if (found.size >= MOST_REPRESENTED) break;
      if (row.person === undefined || found.has(row.person) || !agrees(resource, traits)) continue;
      const one = await at(`RelatedPerson/${row.id}`);
      if (one === undefined || !(await isOpen(deps, one))) continue;
      const account = accountOf(row.id, one);
      found.set(one.person, account);
      shown.push(shownTo(deps.clock, client, account, one));
    }
    if (shown.length > 0) await trail.record(shown);
    return [...found.values()].toSorted((one, other) => represented(one).localeCompare(represented(other), 'fr'));
  };
}

/** Whether the state of a person leaves who represents her anything. */
async function isOpen({ records, clock }: RepresentativeDeps, { person }: Representative): Promise<boolean> {
  const reading = systemReading('resolve-identity', clock.now());
  return stateAllows('representative', await records.stateOf(reading({ person }), person));
}

/** The event of a name that is shown to who signs in. */
function shownTo(
  clock: Clock,
  { clientId, address }: Omit<Asking, 'traits'>,
  { reference, display }: Account,
  { person, present }: Representative,
): AuditRecord {
  const occasion = {
    requestId: randomUUID(),
    server: 'auth',
    client: { id: clientId, address },
    user: { reference, display, purpose: 'FAMRQT' },
  };
  const entities = [{ what: { reference: present } }];
  return recordOf(clock, occasion, 'read', { person, patient: present, relation: 'representative', entities });
}

/** The time in which somebody represents a patient by a right of the RelatedPerson; undefined: never. */
export function timeOf(
  right: Pick<Right, 'from' | 'to'>,
  related: RelatedPerson,
  { birthDate }: Pick<Patient, 'birthDate'>,
  timeZone: string,
): ReturnType<typeof representedTime> {
  return representedTime(representationsOf(related), right, majorityOf(birthDate, timeZone));
}

async function representing(
  { records, timeZone }: RepresentativeDeps,
  reading: NarrowReading,
  row: InternalRow,
  now: number,
): Promise<Representative | undefined> {
  const { id, person, subject } = row;
  if (row.type !== 'RelatedPerson' || person === undefined || subject === undefined) return undefined;
  const item = `RelatedPerson/${id}`;
  const rights = await records.rightsOf(reading({ person }), person, item);
  const held = rights.find(
    ({ principal: holder, scope }) => holder === principal.representative(item) && scope === 'record',
  );
  const present = row.patient ?? subject;
  const of = held && (await findById<Patient>(records, reading, 'Patient', present.replace(/^Patient\//, '')));
  if (held === undefined || of?.row.person !== person) return undefined;
  const related = openedResource<RelatedPerson>(row);
  const time = timeOf(held, related, of.resource, timeZone);
  if (time === undefined || now < time.from || now >= time.to) return undefined;
  return { related, person, patient: subject, present, of: of.resource, until: time.to };
}

function agrees({ name, birthDate, gender }: RelatedPerson, traits: Traits | undefined): boolean {
  if (traits === undefined) return true;
  const said = { ...(name && { name }), ...(birthDate && { birthDate }), ...(gender && { gender }) };
  return traitsAgree(readTraits({ resourceType: 'Patient', ...said }), traits, { ignoresSex: false });
}

function accountOf(id: string, { related, of }: Representative): Account {
  const { birthDate } = of;
  const represents = { name: displayNameOf(of) ?? '', ...(birthDate === undefined ? {} : { birthDate }) };
  return { reference: `RelatedPerson/${id}`, display: displayNameOf(related) ?? '', represents };
}

function represented({ represents }: Account): string {
  return represents?.name ?? '';
}
