/**
 * Whom a match compares: those who bear one of the numbers, and those of the same birth date who share a part of a
 * name. Each is a search; what is found is graded (grade.ts).
 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { Fault } from '../../profiles/fault.ts';
import { DATE_PREFIXES, type Criterion, type TokenValue } from '../../profiles/search/criterion.ts';
import { parseDateRange } from '../../profiles/search/date-range.ts';
import { normalizeString } from '../../profiles/search/values.ts';

/** Most numbers, and parts of names, by which Patients are looked for. */
const MOST = 20;

/**
 * Returns the criteria of the searches, numbers first.
 * @throws {Fault} required - the Patient has neither a number with its system, nor a birth date and a name
 */
export function matchCriteria(sought: Patient): readonly (readonly Criterion[])[] {
  const searches = [byNumbers(sought), byTraits(sought)].filter((where) => where.length > 0);
  if (searches.length > 0) return searches;
  throw new Fault('required', 'A match needs an identifier with its system, or a birth date and a name', {
    expression: 'Patient',
  });
}

function byNumbers({ identifier = [] }: Patient): readonly Criterion[] {
  const values = identifier.flatMap(tokenOf).slice(0, MOST);
  return values.length === 0 ? [] : [{ kind: 'token', param: 'identifier', values }];
}

function tokenOf({ system, value }: Identifier): readonly TokenValue[] {
  return system === undefined || value === undefined ? [] : [{ system, code: value }];
}

function byTraits({ birthDate, name = [] }: Patient): readonly Criterion[] {
  const born = birthDate === undefined ? undefined : parseDateRange(birthDate);
  const parts = name.flatMap(({ family = '', given = [] }) => [family, ...given]).map(normalizeString);
  const values = [...new Set(parts.filter((part) => part !== ''))].slice(0, MOST);
  if (born === undefined || values.length === 0) return [];
  const [equal] = DATE_PREFIXES;
  return [
    { kind: 'date', param: 'birthdate', values: [{ lo: born.lo, hi: born.hi, prefix: equal }] },
    { kind: 'string', param: 'name', values, match: 'starts' },
  ];
}
