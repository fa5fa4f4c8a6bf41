/**
 * What a requester reads of the patient's relatives: their numbers, addresses and birth dates are their own. The
 * patient, the establishment that sent them and who is meant read them; professionals, and who else represents the
 * patient, read who it is to her, and neither read nor search the rest.
 */
import type { RelatedPerson } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { isLink, type Criterion } from '../../../profiles/search/criterion.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import { marked } from '../../../profiles/search/subset.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import type { Visit } from '../guard.ts';

/** A version of a RelatedPerson as the requester reads it: a part says so (SUBSETTED). Rows of other types stay. */
export function toldRelative<R extends VisibleRow>({ requester }: Visit, row: R): R {
  const isWhole =
    isToldWhole(requester.kind) || (requester.kind === 'representative' && requester.related === nameOf(row));
  if (row.type !== 'RelatedPerson' || row.json === '' || isWhole) return row;
  const whole = JSON.parse(row.json) as RelatedPerson;
  const part = Object.fromEntries(Object.entries(whole).filter(([key]) => TOLD.includes(key.replace(/^_/, ''))));
  return { ...row, json: JSON.stringify(marked(part)) };
}

/**
 * Requires that relatives are searched, directly or behind other rows, and put in order by what the requester reads of
 * all of them: an order, and the cursor of a page, tell of values, too.
 * @throws {Fault} forbidden - by a number, an address, a birth date …
 */
export function requireToldSearch({ requester }: Visit, { type, where, order = [] }: SearchQuery): void {
  if (isToldWhole(requester.kind)) return;
  for (const criterion of where) requireTold(type, criterion);
  for (const { by, param } of order) if (by !== 'moment' && by !== 'id') requireToldParam(type, param);
}

const FRAME = ['resourceType', 'id', 'meta', 'implicitRules', 'modifierExtension', 'language'];
const TOLD: readonly string[] = [...FRAME, 'active', 'patient', 'relationship', 'name', 'period'];

function isToldWhole(kind: Visit['requester']['kind']): boolean {
  return kind === 'patient' || kind === 'establishment';
}

function nameOf({ type, id }: VisibleRow): string {
  return `${type}/${id}`;
}

function requireTold(type: StoredType, criterion: Criterion): void {
  if (isLink(criterion))
    return requireTold(criterion.kind === 'chain' ? criterion.target : criterion.source, criterion.criterion);
  if (criterion.kind !== 'id') requireToldParam(type, criterion.param);
}

function requireToldParam(type: StoredType, named: string): void {
  const [param = ''] = named.split(':');
  if (type !== 'RelatedPerson' || param.startsWith('_') || TOLD.includes(param)) return;
  throw new Fault('forbidden', `Relatives of patients are not searched by ${param} here`);
}
