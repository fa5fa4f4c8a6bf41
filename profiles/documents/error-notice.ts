/** What a patient is told of a report that was an error. */
import type { Communication } from '@medplum/fhirtypes';

/** The notice. `patient` is a reference; `now` is in epoch milliseconds. */
export type ErrorNoticeFacts = { readonly id: string; readonly patient: string; readonly now: number };

/** Builds the Communication: neutral, it says neither which report nor what it said. */
export function buildErrorNotice({ id, patient, now }: ErrorNoticeFacts): Communication {
  return {
    resourceType: 'Communication',
    id,
    status: 'in-progress',
    subject: { reference: patient },
    sent: new Date(now).toISOString(),
    recipient: [{ reference: patient }],
    payload: [
      {
        contentString:
          'Un compte rendu que vous pouviez lire a été retiré par l’établissement qui l’avait envoyé : il contenait ' +
          'une erreur. Cet établissement répond à vos questions.',
      },
    ],
  };
}
