/**
 * Whom a manifest names: the patient as the source of the study's identity says her, whatever the images say.
 *
 * DICOM                  | identity
 * PatientName            | the name that she bears, in its alphabetic form
 * PatientID, its issuer  | the identifier that names the identity in its domain
 * PatientBirthDate       | birthDate, where it is a whole date
 * PatientSex             | gender
 * @see DICOM PS3.3 C.7.1.1
 */
import type { DocumentReference, Patient } from '@medplum/fhirtypes';
import { canonicalText } from '../../../profiles/canonical-text.ts';
import { oidOf } from '../../../profiles/codes.ts';
import { sourcePatientIn } from '../../../profiles/documents/document-reference.ts';
import { isUID } from '../../../profiles/dicom/uid.ts';
import { isReservedSystem } from '../../../profiles/reserved-systems.ts';
import type { ManifestPatient } from '../../../ihe/kos/manifest.ts';
import { toJsonPersonName } from '../../../ihe/rad-129/person-name.ts';
import type { KnownPatient } from '../identity/persons.ts';
import { cleanText } from './clean-text.ts';

type Named = Pick<KnownPatient, 'own' | 'resource'>;

const SEX: ReadonlyMap<string, string> = new Map([
  ['male', 'M'],
  ['female', 'F'],
  ['other', 'O'],
]);

/** Words of a patient for a manifest. Whoever was sent without a number has none there. */
export function manifestPatientOf({ own, resource: { name, birthDate, gender } }: Named): ManifestPatient {
  const id = isReservedSystem(own.system) ? undefined : cleanText(own.value, 64);
  const oid = id === undefined ? undefined : oidOf(own.system);
  const sex = SEX.get(gender ?? '');
  return {
    name: cleanText(toJsonPersonName(name)?.Alphabetic, 64) ?? '',
    id: id ?? '',
    ...(oid === undefined || !isUID(oid) ? {} : { issuer: { oid } }),
    ...(birthDate?.length === 10 ? { birthDate: birthDate.replaceAll('-', '') } : {}),
    ...(sex === undefined ? {} : { sex }),
  };
}

/** Whether a manifest names a patient as she is said now: its document tells how she was said when it was made. */
export function namesAsSaid(document: DocumentReference, { own, resource }: Named): boolean {
  const then: Patient | undefined = sourcePatientIn(document);
  if (then === undefined) return false;
  const [former, present] = [then, resource].map((said) => manifestPatientOf({ own, resource: said }));
  return canonicalText(former) === canonicalText(present);
}
