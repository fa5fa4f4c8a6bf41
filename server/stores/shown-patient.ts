/**
 * Rows refer to the Patient of the identity that they are filed under. Where that identity is another person's at
 * present, doors are shown her Patient instead; the server itself reads rows as they were filed.
 */
import type { AnyGrant } from '../access/grant.ts';
import type { VisibleRow } from '../ports/record-store.ts';

/** The identity that a row is filed under, and the Patient that is shown instead; null where there is none. */
export type FiledUnder = { readonly subject?: string | null | undefined; readonly patient?: string | null | undefined };

/** Before a reference by which a Task names an identity: that is the Patient that the identity is by itself. */
const NAMES_IDENTITY = '"code":"identity"}]},"valueReference":{';

/** What a row says of its Patient under a grant. */
export function shownSubject(
  grant: AnyGrant,
  { subject, patient }: FiledUnder,
): Pick<VisibleRow, 'subject' | 'patient' | 'identity'> {
  const filed = subject ?? undefined;
  if (patient === null || patient === undefined) return { subject: filed };
  if (grant.system) return { subject: filed, patient };
  return filed === undefined ? { subject: patient } : { subject: patient, identity: filed };
}

/** Whose a row is: what its former versions repeat of it. */
export function whoseOf({
  person,
  subject,
  patient,
  identity,
}: Pick<VisibleRow, 'person' | 'subject' | 'patient' | 'identity'>) {
  const shown = { ...(patient === undefined ? {} : { patient }), ...(identity === undefined ? {} : { identity }) };
  return { person, subject, ...shown };
}

/** The text of a row under a grant. Stores write JSON without spaces between its parts. */
export function shownText(grant: AnyGrant, json: string, { subject, patient }: FiledUnder): string {
  if (grant.system || typeof subject !== 'string' || typeof patient !== 'string') return json;
  const namesIdentity = (at: number): boolean => json.startsWith(NAMES_IDENTITY, at - NAMES_IDENTITY.length);
  return json.replaceAll(`"reference":${JSON.stringify(subject)}`, (said, at: number) =>
    namesIdentity(at) ? said : `"reference":${JSON.stringify(patient)}`,
  );
}
