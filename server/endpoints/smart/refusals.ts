/** Why a sign-in stops, for the person in front of it. */
import type { Fault } from '../../../profiles/fault.ts';
import { refusalPage } from './sign-in/pages.ts';
import type { Page } from './sign-in/pages.ts';

/** The page for a Fault of the sign-in. */
export function refusalOf(fault: Fault): Page {
  switch (fault.protocolCode) {
    case 'unknown-person':
      return refusalPage(
        403,
        'Compte inconnu',
        'Votre identité est vérifiée, mais aucun compte ne lui correspond ici. Adressez-vous à l’établissement qui ' +
          'vous suit ou qui vous emploie.',
      );
    case 'acr':
      return refusalPage(
        403,
        'Connexion plus sûre demandée',
        'Votre moyen de connexion n’offre pas une garantie suffisante. Recommencez avec un moyen plus sûr (carte, ' +
          'application mobile).',
      );
    case 'csrf':
      return refusalPage(
        403,
        'Formulaire refusé',
        'Ce formulaire ne vient pas de votre connexion. Revenez à l’application et recommencez.',
      );
    default:
      return otherRefusal(fault);
  }
}

function otherRefusal(fault: Fault): Page {
  if (fault.kind === 'transient') {
    return refusalPage(
      503,
      'Service indisponible',
      'Le service de connexion ne répond pas. Réessayez dans quelques minutes.',
    );
  }
  if (fault.kind === 'exception') {
    return refusalPage(
      500,
      'Erreur',
      'La connexion n’a pas abouti. Réessayez ; si cela continue, prévenez l’assistance.',
    );
  }
  if (fault.kind === 'too-long') {
    const reason = 'Le formulaire envoyé dépasse la limite. Prévenez l’éditeur de l’application.';
    return refusalPage(413, 'Formulaire trop long', reason, fault.message);
  }
  if (fault.kind === 'not-found') return refusalPage(404, 'Page inconnue', 'Cette page n’existe pas.');
  return refusalPage(
    400,
    'Connexion interrompue',
    'Cette demande de connexion est fausse ou a expiré. Revenez à l’application et recommencez.',
  );
}
