/** The consent page: what an application will read or change, in plain French. */
import { fhirType, isStoredType } from '../../../../profiles/types/visibility.ts';
import { parseScope } from '../../../access/scope.ts';
import type { ScopeAction, SmartScope } from '../../../access/scope.ts';
import { html } from './html.ts';
import type { Page } from './pages.ts';

const WHOLE_RECORD = 'tout le dossier d’imagerie';

const ACTION_NAMES: readonly (readonly [readonly ScopeAction[], string])[] = [
  [['r', 's'], 'lire'],
  [['c'], 'ajouter'],
  [['u'], 'modifier'],
  [['d'], 'supprimer'],
];

/** What the page asks. `redirectUri` is where the answer goes. */
export type ConsentQuestion = {
  readonly applicationName: string;
  readonly display: string;
  readonly account: string;
  readonly scopes: readonly string[];
  readonly action: string;
  readonly csrf: string;
  readonly redirectUri: string;
};

/** Builds the page. */
export function consentPage(question: ConsentQuestion): Page {
  const lines = linesOf(question.scopes, question.account.startsWith('Patient/'));
  return {
    status: 200,
    title: `Autoriser « ${question.applicationName} » ?`,
    formTargets: [formTargetOf(question.redirectUri)],
    body: html`<p>Vous êtes connecté : <strong>${question.display}</strong>.</p>
      <p>L’application <strong>${question.applicationName}</strong> demande à pouvoir :</p>
      <ul>
        ${lines.map((line) => html`<li>${line}</li>`)}
      </ul>
      <p>Elle n’aura jamais plus de droits que vous, et chaque accès est inscrit dans l’historique.</p>
      <form method="post" action="${question.action}">
        <input type="hidden" name="csrf" value="${question.csrf}" />
        <button type="submit" name="decision" value="allow">Autoriser</button>
        <button type="submit" name="decision" value="deny" class="second">Refuser</button>
      </form>`,
  };
}

/** The scopes as sentences, each once. */
export function linesOf(scopes: readonly string[], isPatient: boolean): readonly string[] {
  const lines = scopes.flatMap((text) => {
    const scope = parseScope(text);
    if (scope !== undefined) return [lineOf(scope, isPatient)];
    if (text === 'openid' || text === 'fhirUser') return ['savoir qui vous êtes'];
    if (text === 'offline_access') return ['garder cet accès en votre absence, 90 jours au plus'];
    return [];
  });
  return [...new Set(lines)];
}

function lineOf(scope: SmartScope, isPatient: boolean): string {
  const verbs = ACTION_NAMES.filter(([actions]) => actions.some((action) => scope.actions.includes(action)));
  const whose = isPatient ? 'vous concernant' : 'dans la limite de vos droits';
  return `${verbs.map(([, name]) => name).join(', ')} ${wordsOf(scope.type)}, ${whose}`;
}

function wordsOf(type: string): string {
  return isStoredType(type) ? fhirType(type).words : WHOLE_RECORD;
}

/** The source expression of a redirect URI, so that the browser lets the form's redirection through. */
function formTargetOf(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri);
  return protocol === 'https:' || protocol === 'http:' ? origin : protocol;
}
