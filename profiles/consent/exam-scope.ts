/**
 * What a Consent is to: the record, exams and other items alone, or what of the record is of a time.
 * @see IHE PCF 1.1, Consent Intermediate (provision.data, provision.dataPeriod); access.md C8
 */
import type { ConsentProvision, ConsentProvisionData } from '@medplum/fhirtypes';
import { periodRange, type DateRange } from '../search/date-range.ts';
import { fhirType, isStoredType } from '../types/visibility.ts';
import { offsetsIn } from './time-span.ts';

/** Each gives a right of its own to each actor, and each row is looked at for each of them. */
const MAX_ITEMS = 20;

const ID = /^[A-Za-z0-9.-]{1,64}$/;

/**
 * The exams and other items (`Type/id`, each once) that a provision is to: without `data` it is to the record, and
 * names none. Undefined of data that is not read, or too much.
 */
export function examsNamed({ data }: ConsentProvision): { readonly exams?: readonly string[] } | undefined {
  if (data === undefined) return {};
  const exams = [...new Set(data.flatMap((one) => examIn(one) ?? []))];
  const isRead = data.every((one) => examIn(one) !== undefined) && exams.length > 0 && exams.length <= MAX_ITEMS;
  return isRead ? { exams } : undefined;
}

function examIn({ meaning, modifierExtension, reference }: ConsentProvisionData): string | undefined {
  const exam = reference.reference ?? '';
  const [type = '', id = ''] = exam.split('/');
  const meanings = isStoredType(type) ? (fhirType(type).consentedBy ?? []) : [];
  const isRead = meanings.some((known) => known === meaning) && ID.test(id) && modifierExtension === undefined;
  return isRead && exam === `${type}/${id}` ? exam : undefined;
}

/** What a permit is to: the exams and items, or the time (epoch milliseconds); the record where it names neither. */
export type PermitScope = { readonly exams?: readonly string[]; readonly dataPeriod?: DateRange };

/**
 * Reads it; undefined of what is not read: other data, a time that is none, or both. Bare days are those of `zone` (a
 * name of the IANA database), or of UTC.
 */
export function permitScopeOf(provision: ConsentProvision, zone?: string): PermitScope | undefined {
  const scope = examsNamed(provision);
  const { dataPeriod } = provision;
  if (dataPeriod === undefined || scope === undefined) return scope;
  const { start, end } = dataPeriod;
  const range = start === undefined && end === undefined ? undefined : periodRange(start, end, offsetsIn(zone));
  return range === undefined || scope.exams !== undefined ? undefined : { dataPeriod: range };
}
