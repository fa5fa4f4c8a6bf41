/**
 * By which texts a person is found in events of the trail that are not hers alone. What is short or says nothing would
 * be found in the events of everybody.
 */
import type { ContactPoint, Patient } from '@medplum/fhirtypes';
import { parseDate, parseTime } from '../../../profiles/dicom/date-time.ts';
import type { IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import { nationalIdentifier } from '../../../profiles/national-identifiers.ts';
import { MIN_NAME_LENGTH } from './erased-parts.ts';

type Name = readonly string[];

/** What names her by one identity of hers: each by the texts that have to come together. */
export function trailNamesOf({ own, said }: Pick<IdentityContent, 'own' | 'said'>): readonly Name[] {
  const { identifier = [], telecom = [] } = said;
  return [...[own, ...identifier].flatMap(numberOf), ...familiesOf(said), ...telecom.flatMap(telecomOf)];
}

type Number = { readonly system?: string; readonly value?: string };

/** A local number is others', too: with its domain alone it is hers, and a short one where both stand together. */
function numberOf({ system = '', value = '' }: Number): readonly Name[] {
  if (nationalIdentifier({ system, value }) !== undefined) return [[value]];
  const domain = system.replace(/^urn:oid:/, '');
  if (domain === '' || value === '') return [];
  const isShort = [domain, value].some((part) => lengthOf(part) < MIN_NAME_LENGTH);
  if (!isShort) return [[value, domain]];
  const whole = `${domain}|${value}`;
  return lengthOf(whole) < MIN_NAME_LENGTH ? [] : [[whole]];
}

/** Of letters and digits alone: others are found between any two words. */
function lengthOf(text: string): number {
  return text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
}

function familiesOf({ name = [], birthDate = '' }: Patient): readonly Name[] {
  const families = name.flatMap(({ family = '' }) => (/\p{L}/u.test(family) ? [family] : []));
  return birthDate === '' ? [] : families.map((family) => [family, birthDate]);
}

/** Fewer digits are a number of a room, or of nothing. */
const MIN_DIGITS = 6;

/** An address of mail, or a telephone: not what is written where there is none, and no day or time. */
function telecomOf({ value = '' }: ContactPoint): readonly Name[] {
  const text = value.trim();
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)) return [[text]];
  const digits = text.replaceAll(/\D/g, '');
  const isNone = digits.length < MIN_DIGITS || new Set(digits).size === 1;
  return isNone || isMoment(text) ? [] : [[text]];
}

function isMoment(text: string): boolean {
  const day = text.replaceAll('-', '');
  return (/^(?:19|20)/.test(day) && parseDate(day) !== undefined) || parseTime(text) !== undefined;
}
