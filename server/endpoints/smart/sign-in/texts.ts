/** The texts of sign-in and consent. In French alone, as the words of types are (`profiles/types`). */
import { frenchTexts } from '../../pages/french.ts';

/** The language of these pages. */
export const SIGN_IN_LANGUAGE = 'fr';

/** The texts by name. */
export const SIGN_IN_TEXTS = frenchTexts({
  chooseTitle: 'Se connecter',
  chooseLead: 'Avec quel moyen voulez-vous confirmer qui vous êtes ?',
  whoYouAre: 'Vous êtes',
  actingFor: 'en tant que représentant légal de',
  application: 'L’application',
  publishedBy: 'publiée par',
  asksFor: 'vous demande la permission de :',
  askFewer: 'L’application n’aura jamais plus de droits que vous. Chaque accès est inscrit dans l’historique.',
  mayRefuse: 'Vous pouvez refuser : rien ne lui sera communiqué.',
  allow: 'Autoriser',
  deny: 'Refuser',
  backTo: 'Dans les deux cas, vous retournerez sur',
  read: 'consulter',
  add: 'ajouter',
  change: 'modifier',
  remove: 'supprimer',
  and: 'et',
  wholeOwn: 'tout votre dossier d’imagerie',
  wholeRepresented: 'tout le dossier d’imagerie de cette personne qui vous est ouvert',
  wholeOthers: 'tous les dossiers d’imagerie auxquels vous avez accès',
  ofOwn: 'dans votre dossier :',
  ofRepresented: 'dans le dossier de cette personne :',
  ofOthers: 'dans les dossiers auxquels vous avez accès :',
  identity: 'Savoir qui vous êtes',
  identityNote: 'votre compte ici, jamais votre mot de passe',
  offline: 'Garder cet accès quand vous n’êtes pas là',
  offlineNote: 'pendant 90 jours au plus',
  detail: 'Détail technique, à donner à l’assistance :',
  askedWrongTitle: 'Connexion impossible',
  askedWrong:
    'L’application a fait une demande que ce serveur ne comprend pas. Vous n’y êtes pour rien : prévenez l’éditeur ' +
    'de l’application.',
  unknownTitle: 'Nous ne vous connaissons pas encore',
  unknown:
    'Votre identité est bien confirmée, mais aucun compte ne lui correspond ici. Adressez-vous à l’établissement qui ' +
    'vous suit ou qui vous emploie : il pourra vous ajouter.',
  weakTitle: 'Un moyen de connexion plus sûr est nécessaire',
  weak:
    'Pour protéger des données de santé, il faut un moyen de connexion plus sûr, comme une carte ou une application ' +
    'mobile. Revenez à l’application et recommencez avec lui.',
  foreignFormTitle: 'Votre choix n’a pas été pris en compte',
  foreignForm:
    'Le formulaire ne venait pas de cette connexion. Rien n’a été transmis. Revenez à l’application et recommencez.',
  expiredTitle: 'Cette connexion a expiré',
  expired:
    'Trop de temps a passé, ou la page a été ouverte dans un autre navigateur. Rien n’a été transmis. Revenez à ' +
    'l’application et recommencez.',
  otherWindowTitle: 'Une autre connexion est en cours',
  otherWindow:
    'Cette page appartient à une autre fenêtre de ce navigateur. Terminez là-bas, ou revenez à l’application et ' +
    'recommencez.',
  awayTitle: 'Le service de connexion ne répond pas',
  away: 'Réessayez dans quelques minutes.',
  failedTitle: 'La connexion n’a pas abouti',
  failed: 'Un problème est survenu chez nous, et il est consigné. Réessayez ; si cela continue, prévenez l’assistance.',
  longTitle: 'Formulaire trop long',
  long: 'Le formulaire envoyé dépasse la limite. Prévenez l’éditeur de l’application.',
  absentTitle: 'Cette page n’existe pas',
  absent: 'L’adresse est peut-être incomplète. Revenez à l’application et recommencez.',
  brokenTitle: 'La connexion s’est interrompue',
  broken: 'Rien n’a été transmis. Revenez à l’application et recommencez.',
});
