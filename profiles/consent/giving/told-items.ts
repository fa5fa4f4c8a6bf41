/**
 * The items of a record that Consents name, as they are told to who sees some of them alone: that there are others, not
 * which, so that she can end what is given to them, and hears nothing of what is hidden from her, or gone.
 */
import type { Consent } from '@medplum/fhirtypes';
import { MASKED } from '../../types/row-rules.ts';

/** The items (`Type/id`) that a Consent names. */
export function itemsNamed({ provision: { data = [] } = {} }: Consent): readonly string[] {
  return data.flatMap(({ reference: { reference } }) => reference ?? []);
}

/** The Consent without the references to items that are not among those seen. */
export function withItemsSeen<C extends Consent>(consent: C, seen: ReadonlySet<string>): C {
  const { provision } = consent;
  if (provision?.data === undefined || itemsNamed(consent).every((item) => seen.has(item))) return consent;
  const data = provision.data.map((one) =>
    one.reference.reference === undefined || seen.has(one.reference.reference) ? one : { ...one, reference: MASKED },
  );
  return { ...consent, provision: { ...provision, data } };
}
