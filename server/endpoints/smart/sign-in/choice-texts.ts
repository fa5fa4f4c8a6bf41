/** The texts of the choice between records, in the language of the reader. */
import { frenchTexts } from '../../pages/french.ts';
import type { ByLanguage } from '../../pages/language.ts';

const FRENCH = frenchTexts({
  title: 'Quel dossier voulez-vous ouvrir ?',
  lead: 'Vous pouvez ouvrir plusieurs dossiers. Vous n’en ouvrez qu’un à la fois ; pour un autre, reconnectez-vous.',
  legend: 'Dossier',
  own: 'votre propre dossier',
  represented: 'en tant que représentant légal',
  bornOn: 'date de naissance :',
  open: 'Continuer',
  none: 'Choisissez un dossier pour continuer.',
  gone: 'Vous ne représentez plus cette personne : son dossier ne peut plus être ouvert ainsi. Choisissez-en un autre.',
});

/** The names of the texts: German and English must have each of them. */
export type ChoiceTexts = Readonly<Record<keyof typeof FRENCH, string>>;

const GERMAN: ChoiceTexts = {
  title: 'Welche Akte möchten Sie öffnen?',
  lead: 'Sie können mehrere Akten öffnen, jeweils nur eine. Für eine andere melden Sie sich neu an.',
  legend: 'Akte',
  own: 'Ihre eigene Akte',
  represented: 'als gesetzliche Vertretung',
  bornOn: 'Geburtsdatum:',
  open: 'Weiter',
  none: 'Wählen Sie eine Akte, um fortzufahren.',
  gone: 'Sie vertreten diese Person nicht mehr. Deren Akte kann so nicht mehr geöffnet werden; wählen Sie eine andere.',
};

const ENGLISH: ChoiceTexts = {
  title: 'Which record do you want to open?',
  lead: 'You may open several records, one at a time. To open another one, sign in again.',
  legend: 'Record',
  own: 'your own record',
  represented: 'as legal representative',
  bornOn: 'date of birth:',
  open: 'Continue',
  none: 'Choose a record to go on.',
  gone: 'You no longer represent this person: the record cannot be opened in this way any more. Choose another one.',
};

/** The texts by language. */
export const CHOICE_TEXTS: ByLanguage<ChoiceTexts> = { fr: FRENCH, de: GERMAN, en: ENGLISH };
