/**
 * Acts that stand or fall together, each worked out on what stands: what two of them make of one row would be what the
 * later one makes. So each row is written by one of them, or by several that make the same of it.
 * @see https://hl7.org/fhir/R4/http.html#trules
 */
import { isDeepStrictEqual } from 'node:util';
import type { Consent } from '@medplum/fhirtypes';
import { Fault } from '../../../../profiles/fault.ts';
import type { Put } from '../../../ports/commit-plan.ts';
import { isIdentity } from '../hooks.ts';
import type { Placed, WorkedAct } from '../work.ts';

/** @throws {Fault} invalid - a resource is the object of two acts */
export function refuseTwice(places: readonly Placed[]): void {
  const names = places.map(({ act, id }) => `${act.type}/${id}`);
  const conditions = places.flatMap(({ act, standing }) =>
    act.condition === undefined || standing !== undefined ? [] : [`${act.type}?${act.condition}`],
  );
  const urls = places.flatMap(({ act }) => act.fullUrl ?? []);
  for (const list of [names, conditions, urls]) if (new Set(list).size < list.length) throw twice();
}

/**
 * The acts, so that none undoes what another does. A Consent that one of them ends is ended, whatever the others make
 * of it by the way, as a team that it names.
 * @throws {Fault} invalid - two acts change one row, or one person, or make one resource
 */
export function eachRowOnce(worked: readonly WorkedAct[]): readonly WorkedAct[] {
  refuseTwoOfOneName(worked);
  refuseTwoOfOnePerson(worked);
  const ended = endedConsents(worked);
  const left = worked.map((one) => withoutEnded(one, ended));
  refuseTwoOfOneRow(left);
  return left;
}

/** Two new resources under one identity or identifier are one, too. */
function refuseTwoOfOneName(worked: readonly WorkedAct[]): void {
  const values = new Map<string, string>();
  for (const { key, value } of worked.flatMap(({ parts }) => parts.claims ?? [])) {
    if ((values.get(key) ?? value) !== value) throw twice();
    values.set(key, value);
  }
}

/** The one Patient of a person is made of what stands: of two changes of it in one plan one would be lost. */
function refuseTwoOfOnePerson(worked: readonly WorkedAct[]): void {
  const fed = worked.filter(({ act: { type }, parts: { puts = [] } }) => isIdentity(type) && puts.length > 0);
  const persons = fed.flatMap(({ touched }) => [...(touched?.keys() ?? [])]);
  if (new Set(persons).size === persons.length) return;
  throw new Fault('invalid', 'Two entries of the transaction change one person: send one after the other', {
    expression: 'Bundle.entry',
  });
}

function twice(): Fault {
  return new Fault('invalid', 'Two entries of the transaction are of one resource', { expression: 'Bundle.entry' });
}

type Slot = Pick<Put, 'type' | 'id'>;

function slotOf({ type, id }: Slot): string {
  return `${type}/${id}`;
}

const ENDED: readonly Consent['status'][] = ['inactive', 'entered-in-error'];

function isEnded({ type, resource }: Put): boolean {
  return type === 'Consent' && ENDED.includes((resource as Consent).status);
}

function endedConsents(worked: readonly WorkedAct[]): ReadonlySet<string> {
  return new Set(worked.flatMap(({ parts: { puts = [] } }) => puts.filter(isEnded).map(slotOf)));
}

/** An act without what it makes, beside its own resource, of Consents that end. */
function withoutEnded(one: WorkedAct, ended: ReadonlySet<string>): WorkedAct {
  const { puts = [] } = one.parts;
  const left = puts.filter((put) => !ended.has(slotOf(put)) || isEnded(put) || isOwn(one, put));
  return left.length === puts.length ? one : { ...one, parts: { ...one.parts, puts: left } };
}

/** Whether a put is of the resource that an act is of, or is answered by. */
function isOwn({ act, id, answered }: WorkedAct, put: Slot): boolean {
  const { type, id: own } = answered ?? { type: act.type, id };
  return put.type === type && put.id === own;
}

function refuseTwoOfOneRow(worked: readonly WorkedAct[]): void {
  const made = new Map<string, { readonly by: WorkedAct; readonly put: Put }>();
  for (const by of worked)
    for (const put of by.parts.puts ?? []) {
      const other = made.get(slotOf(put));
      if (other !== undefined && other.by !== by && !isDeepStrictEqual(other.put, put)) throw twoOfOne();
      made.set(slotOf(put), { by, put });
    }
  for (const by of worked)
    for (const slot of goneOf(by)) if ((made.get(slotOf(slot))?.by ?? by) !== by) throw twoOfOne();
}

function goneOf({ parts: { deletes = [], erased = [] } }: WorkedAct): readonly Slot[] {
  return [...deletes, ...erased.flatMap(({ rows = [] }) => rows)];
}

function twoOfOne(): Fault {
  return new Fault('invalid', 'Two entries of the transaction change one resource: send one after the other', {
    expression: 'Bundle.entry',
  });
}
