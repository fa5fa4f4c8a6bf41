/**
 * What a Consent is to: the record, one exam or report alone, or what of the record is of a time.
 * @see IHE PCF 1.1, Consent Intermediate (provision.data, provision.dataPeriod); access.md C8
 */
import type { Consent, ConsentProvision } from '@medplum/fhirtypes';
import { labelOf, maskCoding } from '../confidentiality.ts';
import { periodRange, type DateRange } from '../search/date-range.ts';
import { codingsSaid, withCodingsSaid } from '../said-label.ts';
import { offsetsIn } from './time-span.ts';

/** The types of what a Consent may be to alone, and by which meanings of it. */
const MEANINGS: readonly (readonly [type: string, meanings: readonly string[]])[] = [
  // The exam is one thing: its images, and what was written of them.
  ['ImagingStudy', ['instance', 'related']],
  ['DiagnosticReport', ['instance']],
];

const ID = /^[A-Za-z0-9.-]{1,64}$/;

/**
 * The exam or report (`Type/id`) that a provision is to: without `data` it is to the record, and names none. Undefined
 * of data that is not read.
 */
export function examScopeOf({ data }: ConsentProvision): { readonly exam?: string } | undefined {
  if (data === undefined) return {};
  const [one, ...others] = data;
  const exam = one?.reference.reference ?? '';
  const [type, id = ''] = exam.split('/');
  const [, meanings = []] = MEANINGS.find(([known]) => known === type) ?? [];
  const isRead = others.length === 0 && meanings.some((meaning) => meaning === one?.meaning) && ID.test(id);
  return isRead && one?.modifierExtension === undefined && exam === `${type}/${id}` ? { exam } : undefined;
}

/** What a permit is to: the exam, or the time (epoch milliseconds); the record where it names neither. */
export type PermitScope = { readonly exam?: string; readonly dataPeriod?: DateRange };

/**
 * Reads it; undefined of what is not read: other data, a time that is none, or both. Bare days are those of `zone` (a
 * name of the IANA database), or of UTC.
 */
export function permitScopeOf(provision: ConsentProvision, zone?: string): PermitScope | undefined {
  const scope = examScopeOf(provision);
  const { dataPeriod } = provision;
  if (dataPeriod === undefined || scope === undefined) return scope;
  const { start, end } = dataPeriod;
  const range = start === undefined && end === undefined ? undefined : periodRange(start, end, offsetsIn(zone));
  return range === undefined || scope.exam !== undefined ? undefined : { dataPeriod: range };
}

/** The Consent as it is kept: masked from who represents the patient where the exam that it names is. */
export function maskedAsExam<C extends Consent>(consent: C, isMasked: boolean): C {
  return withCodingsSaid(consent, 'server', isMasked ? [maskCoding('representatives')] : []);
}

/** Whether one is masked so. */
export function isMaskedAsExam(consent: object): boolean {
  const { meta, provision } = consent as Partial<Consent>;
  const security = [...codingsSaid(meta, 'server')];
  return provision?.data !== undefined && labelOf({ security }).masks.includes('representatives');
}
