/** The consent page: who asks, what for, and the person's answer. */
import { html } from 'htm/preact';
import { french } from '../../pages/french.ts';
import type { Markup } from '../../pages/markup.d.ts';
import type { Page } from '../../pages/send-page.ts';
import { demandsOf } from './demands.ts';
import type { Demand, RecordReach } from './demands.ts';
import { SIGN_IN_LANGUAGE, SIGN_IN_TEXTS } from './texts.ts';

const texts = SIGN_IN_TEXTS;

/** What the page asks. `redirectUri` is where the answer goes. */
export type ConsentQuestion = {
  readonly applicationName: string;
  /** Who publishes the application; undefined when the region file does not say. */
  readonly publisher: string | undefined;
  readonly display: string;
  readonly account: string;
  /** The name of the patient for whom the person acts. */
  readonly represented: string | undefined;
  readonly scopes: readonly string[];
  readonly action: string;
  readonly csrf: string;
  readonly redirectUri: string;
};

/** Builds the page. */
export function consentPage(question: ConsentQuestion): Page {
  const demands = demandsOf(question.scopes, reachOf(question));
  return {
    status: 200,
    language: SIGN_IN_LANGUAGE,
    title: french(`Autoriser « ${question.applicationName} » ?`),
    formTargets: [formTargetOf(question.redirectUri)],
    body: html`<p>${texts.whoYouAre} <strong>${question.display}</strong>${representedBy(question)}.</p>
      <p>${texts.application} <strong>${question.applicationName}</strong>${publisherOf(question)} ${texts.asksFor}</p>
      <ul class="cards">
        ${demands.map(demandCard)}
      </ul>
      <p>${texts.askFewer}</p>
      <p>${texts.mayRefuse} ${wayBack(question.redirectUri)}</p>
      <form method="post" action=${question.action}>
        <input type="hidden" name="csrf" value=${question.csrf} />
        <div class="actions">
          <button type="submit" name="decision" value="allow">${texts.allow}</button>
          <button type="submit" name="decision" value="deny" class="second">${texts.deny}</button>
        </div>
      </form>`,
  };
}

function reachOf({ account, represented }: ConsentQuestion): RecordReach {
  if (represented !== undefined) return 'represented';
  return account.startsWith('Patient/') ? 'own' : 'others';
}

function representedBy({ represented }: ConsentQuestion): Markup | undefined {
  return represented === undefined
    ? undefined
    : html`<span>, ${texts.actingFor} <strong>${represented}</strong></span>`;
}

function publisherOf({ publisher }: ConsentQuestion): Markup | undefined {
  return publisher === undefined ? undefined : html`<span>, ${texts.publishedBy} <strong>${publisher}</strong>,</span>`;
}

function demandCard({ title, note, items }: Demand): Markup {
  const [only] = items;
  const list =
    items.length === 1 && note === undefined
      ? html`<span class="note">${only}</span>`
      : html`<ul>
          ${items.map((item) => html`<li>${item}</li>`)}
        </ul>`;
  return html`<li>
    <h2>${title}</h2>
    ${note === undefined ? undefined : html`<span class="note">${note}</span>`} ${list}
  </li>`;
}

/** Where the browser goes next; an application on this very device has no name to tell. */
function wayBack(redirectUri: string): string | undefined {
  const { protocol, host } = new URL(redirectUri);
  return protocol === 'https:' ? `${texts.backTo} ${host}.` : undefined;
}

/** The source expression of a redirect URI, so that the browser lets the form's redirection through. */
function formTargetOf(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri);
  return protocol === 'https:' || protocol === 'http:' ? origin : protocol;
}
