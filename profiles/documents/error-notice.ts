/** What a patient is told of a report that was an error. */
import type { Communication } from '@medplum/fhirtypes';
import type { ByLanguage } from '../language.ts';
import { buildNotice, type NoticeFacts } from '../notices/notice.ts';

const TAKEN_BACK: ByLanguage<string> = {
  fr:
    'Un compte rendu que vous pouviez lire a été retiré par l’établissement qui l’avait envoyé : il contenait ' +
    'une erreur. Cet établissement répond à vos questions.',
  de:
    'Ein Befund, den Sie lesen konnten, wurde von der Einrichtung zurückgezogen, die ihn gesendet hatte: Er enthielt ' +
    'einen Fehler. Diese Einrichtung beantwortet Ihre Fragen.',
  en:
    'A report that you could read was withdrawn by the establishment that had sent it: it held an error. That ' +
    'establishment answers your questions.',
};

/** Builds the notice: neutral, it says neither which report nor what it said. */
export function buildErrorNotice(facts: NoticeFacts): Communication {
  return buildNotice({ ...facts, kind: 'report-error', text: TAKEN_BACK });
}
