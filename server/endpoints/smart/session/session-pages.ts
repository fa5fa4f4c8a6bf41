/** The pages of signing in to our own pages: the choice of a provider, and why it stops. */
import { html } from 'htm/preact';
import type { Fault } from '../../../../profiles/fault.ts';
import type { Language } from '../../pages/language.ts';
import type { Page } from '../../pages/send-page.ts';
import { REFUSAL } from '../refusals.ts';
import { SESSION_TEXTS, type SessionTexts } from './session-texts.ts';

/** What is asked of a sign-in: where the person wants to go, and what the provider is told of it. */
export type AskedSignIn = { readonly to: string; readonly prompt?: 'login'; readonly login_hint?: string };

/** The choice between providers, of whom the person comes back to an address of ours. */
export function providersPage(names: readonly string[], asked: AskedSignIn, language: Language): Page {
  const texts = SESSION_TEXTS[language];
  const query = new URLSearchParams(asked).toString();
  return {
    status: 200,
    language,
    title: texts.chooseTitle,
    languages: (other) => `/auth/session?${query}&lang=${other}`,
    body: html`<p class="lead">${texts.chooseLead}</p>
      <div class="actions">
        ${names.map(
          (name, index) =>
            html`<a class="button" href=${`/auth/session/provider/${String(index)}?${query}`}>${name}</a>`,
        )}
      </div>`,
  };
}

/** Says why a sign-in to our pages stops, and leads to another try where that helps. */
export function sessionRefusal(fault: Fault, language: Language): Page {
  const texts = SESSION_TEXTS[language];
  const [status, words, isWorthAnother] = refusalOf(fault);
  return {
    status,
    language,
    title: texts[`${words}Title`],
    body: html`<p class="lead">${texts[words]}</p>
      ${isWorthAnother ? html`<p><a class="button" href="/auth/session">${texts.again}</a></p>` : undefined}`,
  };
}

type Words = { [Name in keyof SessionTexts]: Name extends `${infer Words}Title` ? Words : never }[keyof SessionTexts];

function refusalOf({ protocolCode, kind }: Fault): readonly [number, Exclude<Words, 'choose'>, boolean] {
  switch (protocolCode) {
    case REFUSAL.unknownPerson:
      return [403, 'unknown', false];
    case REFUSAL.assurance:
      return [403, 'weak', true];
    case REFUSAL.foreignForm:
      return [403, 'foreignForm', false];
    case REFUSAL.expired:
      return [400, 'expired', true];
  }
  if (kind === 'transient') return [503, 'away', true];
  return kind === 'exception' ? [500, 'failed', true] : [400, 'broken', true];
}
