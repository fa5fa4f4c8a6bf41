/** The texts of the sign-in page of the demonstration, in each language. */
import { frenchTexts } from '../pages/french.ts';
import type { ByLanguage } from '../pages/language.ts';

const FRENCH = frenchTexts({
  title: 'Connexion de démonstration',
  lead: 'Ici, on choisit qui l’on est : aucune de ces personnes n’existe, et aucun mot de passe n’est demandé.',
  who: 'Qui se connecte ?',
  patient: 'patient',
  professional: 'professionnel de santé',
  further: 'Pour les essais techniques',
  authTime: 'Heure de connexion à déclarer, en secondes depuis 1970 (facultatif)',
  signIn: 'Se connecter',
  wrongTitle: 'Choix inconnu',
  wrong: 'Revenez en arrière, puis choisissez une personne de la liste et une heure valable.',
});

/** The names of the texts. */
export type ChooserTexts = Readonly<Record<keyof typeof FRENCH, string>>;

const GERMAN: ChooserTexts = {
  title: 'Anmeldung zur Vorführung',
  lead: 'Hier sucht man sich aus, wer man ist: keine dieser Personen gibt es, und es wird kein Passwort verlangt.',
  who: 'Wer meldet sich an?',
  patient: 'Patientin oder Patient',
  professional: 'Gesundheitsfachperson',
  further: 'Für technische Versuche',
  authTime: 'Anzugebende Zeit der Anmeldung, in Sekunden seit 1970 (freiwillig)',
  signIn: 'Anmelden',
  wrongTitle: 'Unbekannte Wahl',
  wrong: 'Gehen Sie zurück, und wählen Sie eine Person der Liste und eine gültige Zeit.',
};

const ENGLISH: ChooserTexts = {
  title: 'Sign-in of the demonstration',
  lead: 'Here you choose who you are: none of these people exists, and no password is asked for.',
  who: 'Who signs in?',
  patient: 'patient',
  professional: 'health professional',
  further: 'For technical tests',
  authTime: 'Time of sign-in to state, in seconds since 1970 (optional)',
  signIn: 'Sign in',
  wrongTitle: 'Unknown choice',
  wrong: 'Go back, then choose a person from the list and a valid time.',
};

/** The texts by language. */
export const CHOOSER_TEXTS: ByLanguage<ChooserTexts> = { fr: FRENCH, de: GERMAN, en: ENGLISH };
