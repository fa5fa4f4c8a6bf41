/** The texts that we add to OHIF, which brings its own. */
import { frenchTexts } from '../pages/french.ts';
import type { ByLanguage } from '../pages/language.ts';

const FRENCH = frenchTexts({
  notForDiagnosis: 'Ne sert pas au diagnostic',
  back: 'Revenir à l’examen',
  withoutScript: 'Cette visionneuse a besoin de scripts. La page de l’examen s’en passe :',
});

/** The names of the texts. */
export type OhifTexts = Readonly<Record<keyof typeof FRENCH, string>>;

/** The texts by language. */
export const OHIF_TEXTS: ByLanguage<OhifTexts> = {
  fr: FRENCH,
  de: {
    notForDiagnosis: 'Nicht zur Befundung',
    back: 'Zurück zur Untersuchung',
    withoutScript: 'Dieser Betrachter braucht Skripte. Die Seite der Untersuchung kommt ohne aus:',
  },
  en: {
    notForDiagnosis: 'Not for diagnosis',
    back: 'Back to the exam',
    withoutScript: 'This viewer needs scripts. The page of the exam does without:',
  },
};
