/**
 * Where a notice goes, and in which language, as the identities of a person say it. The identity that the notice is
 * filed under speaks first: she may be joined with others by a mistake. After it the most reliable one does.
 */
import type { ContactPoint, Patient } from '@medplum/fhirtypes';
import { byReliability, type SourcePatient } from '../identity/composite.ts';
import { languageOfTag, type Language } from '../language.ts';

/** Who is told: one address alone, or none that is known. */
export type NoticeRecipient = { readonly address: string | undefined; readonly language: Language | undefined };

/** As HTML has an address, with the lengths of RFC 5321 section 4.5.3.1: no name, no comment, no line break. */
const LOCAL_PART = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const MOST_CHARACTERS = 254;

/** Whether a text is one e-mail address and nothing else. */
export function isMailAddress(text: string): boolean {
  const [local = '', domain = '', ...others] = text.split('@');
  const labels = domain.split('.');
  const isDomain = labels.length > 1 && labels.every((label) => LABEL.test(label));
  return text.length <= MOST_CHARACTERS && others.length === 0 && LOCAL_PART.test(local) && isDomain;
}

/**
 * Finds the recipient. `filedUnder` is the id of the identity that the notice is filed under, `now` the moment (epoch
 * milliseconds) at which an address must count. An address that any source calls an old one is nobody's; one of
 * `others` (in lower case) is theirs.
 */
export function recipientOf(
  members: readonly SourcePatient[],
  filedUnder: string,
  now: number,
  others: ReadonlySet<string> = new Set(),
): NoticeRecipient {
  const speaks = (one: SourcePatient): number => Number(one.id !== filedUnder);
  const ordered = [...members].sort((one, other) => speaks(one) - speaks(other) || byReliability(one, other));
  const said = ordered.flatMap(({ patient }) => mailsOf(patient));
  const disputed = new Set(said.filter((one) => !counts(one, now)).map(({ value }) => value.toLowerCase()));
  const isHers = ({ value }: MailAddress): boolean => ![disputed, others].some((all) => all.has(value.toLowerCase()));
  const address = said.find((one) => counts(one, now) && isHers(one))?.value;
  const language = ordered.flatMap(({ patient }) => languageOfPatient(patient) ?? [])[0];
  return { address, language };
}

/** The addresses (in lower case) of people of hers, as her sources name them, present or former. */
export function addressesOf(people: readonly Pick<Patient, 'telecom'>[]): ReadonlySet<string> {
  return new Set(people.flatMap(mailsOf).map(({ value }) => value.toLowerCase()));
}

type MailAddress = ContactPoint & { readonly value: string };

/** The addresses that a source says, that of the lowest rank first. */
function mailsOf({ telecom = [] }: Pick<Patient, 'telecom'>): readonly MailAddress[] {
  return telecom
    .flatMap(({ value = '', ...one }) => ({ ...one, value: value.trim() }))
    .filter(({ system, value }) => system === 'email' && isMailAddress(value))
    .toSorted((one, other) => (one.rank ?? Infinity) - (other.rank ?? Infinity) || 0);
}

function counts({ use, period }: MailAddress, now: number): boolean {
  if (use === 'old') return false;
  const { start, end } = period ?? {};
  return !(start !== undefined && Date.parse(start) > now) && !(end !== undefined && Date.parse(end) <= now);
}

/** The language that she prefers, else the first that she speaks of those in which we speak. */
function languageOfPatient({ communication = [] }: Patient): Language | undefined {
  const spoken = [...communication.filter(({ preferred }) => preferred === true), ...communication];
  const tags = spoken.flatMap(({ language }) => (language?.coding ?? []).map(({ code = '' }) => code));
  return tags.map(languageOfTag).find((language) => language !== undefined);
}
