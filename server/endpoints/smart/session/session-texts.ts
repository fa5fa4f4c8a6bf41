/** The texts of signing in to our own pages, in the language of the reader. */
import { frenchTexts } from '../../pages/french.ts';
import type { ByLanguage } from '../../pages/language.ts';

const FRENCH = frenchTexts({
  chooseTitle: 'Se connecter',
  chooseLead: 'Avec quel moyen voulez-vous confirmer qui vous êtes ?',
  again: 'Se reconnecter',
  unknownTitle: 'Nous ne vous connaissons pas encore',
  unknown:
    'Votre identité est bien confirmée, mais aucun compte ne lui correspond ici. Adressez-vous à l’établissement qui ' +
    'vous suit ou qui vous emploie : il pourra vous ajouter.',
  weakTitle: 'Un moyen de connexion plus sûr est nécessaire',
  weak:
    'Pour protéger des données de santé, il faut un moyen de connexion plus sûr, comme une carte ou une application ' +
    'mobile. Recommencez avec lui.',
  expiredTitle: 'Cette connexion a expiré',
  expired: 'Trop de temps a passé, ou la page a été ouverte dans un autre navigateur. Rien n’a été transmis.',
  foreignFormTitle: 'Vous n’avez pas été déconnecté',
  foreignForm: 'La demande ne venait pas de la page que vous aviez ouverte. Revenez en arrière et recommencez.',
  awayTitle: 'Le service de connexion ne répond pas',
  away: 'Réessayez dans quelques minutes.',
  failedTitle: 'La connexion n’a pas abouti',
  failed: 'Un problème est survenu chez nous, et il est consigné. Réessayez ; si cela continue, prévenez l’assistance.',
  brokenTitle: 'La connexion s’est interrompue',
  broken: 'Rien n’a été transmis.',
});

/** The names of the texts: German and English must have each of them. */
export type SessionTexts = Readonly<Record<keyof typeof FRENCH, string>>;

const GERMAN: SessionTexts = {
  chooseTitle: 'Anmelden',
  chooseLead: 'Womit möchten Sie bestätigen, wer Sie sind?',
  again: 'Neu anmelden',
  unknownTitle: 'Wir kennen Sie noch nicht',
  unknown:
    'Ihre Identität ist bestätigt, aber hier gehört kein Konto zu ihr. Wenden Sie sich an die Einrichtung, die Sie ' +
    'behandelt oder bei der Sie arbeiten: sie kann Sie hinzufügen.',
  weakTitle: 'Eine sicherere Anmeldung ist nötig',
  weak:
    'Zum Schutz von Gesundheitsdaten braucht es eine sicherere Anmeldung, etwa mit einer Karte oder einer App. ' +
    'Versuchen Sie es damit noch einmal.',
  expiredTitle: 'Diese Anmeldung ist abgelaufen',
  expired:
    'Es ist zu viel Zeit vergangen, oder die Seite wurde in einem anderen Browser geöffnet. Es wurde nichts ' +
    'übermittelt.',
  foreignFormTitle: 'Sie wurden nicht abgemeldet',
  foreignForm:
    'Die Anfrage kam nicht von der Seite, die Sie geöffnet hatten. Gehen Sie zurück und versuchen Sie es noch einmal.',
  awayTitle: 'Der Anmeldedienst antwortet nicht',
  away: 'Versuchen Sie es in einigen Minuten noch einmal.',
  failedTitle: 'Die Anmeldung ist fehlgeschlagen',
  failed:
    'Bei uns ist ein Fehler aufgetreten; er ist vermerkt. Versuchen Sie es noch einmal, und melden Sie sich bei der ' +
    'Ansprechstelle, wenn es so bleibt.',
  brokenTitle: 'Die Anmeldung wurde unterbrochen',
  broken: 'Es wurde nichts übermittelt.',
};

const ENGLISH: SessionTexts = {
  chooseTitle: 'Sign in',
  chooseLead: 'How do you want to confirm who you are?',
  again: 'Sign in again',
  unknownTitle: 'We do not know you yet',
  unknown:
    'Your identity is confirmed, but no account here belongs to it. Ask the hospital or practice that treats or ' +
    'employs you: it can add you.',
  weakTitle: 'A safer way to sign in is needed',
  weak:
    'To protect health data, a safer way to sign in is needed, such as a card or a mobile application. Try again ' +
    'with it.',
  expiredTitle: 'This sign-in has expired',
  expired: 'Too much time has passed, or the page was opened in another browser. Nothing was sent.',
  foreignFormTitle: 'You were not signed out',
  foreignForm: 'The request did not come from the page that you had opened. Go back and try again.',
  awayTitle: 'The sign-in service does not answer',
  away: 'Try again in a few minutes.',
  failedTitle: 'The sign-in failed',
  failed: 'Something went wrong on our side, and it is noted. Try again; tell the support desk if it goes on.',
  brokenTitle: 'The sign-in was interrupted',
  broken: 'Nothing was sent.',
};

/** The texts by language. */
export const SESSION_TEXTS: ByLanguage<SessionTexts> = { fr: FRENCH, de: GERMAN, en: ENGLISH };
