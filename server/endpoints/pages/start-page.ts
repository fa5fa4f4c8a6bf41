/** The page at `/`: what this is, who may see what, and where one goes from here. */
import { html } from 'htm/preact';
import type { Markup } from './markup.d.ts';
import type { Language } from './language.ts';
import type { Page } from './send-page.ts';
import type { Application, DemonstrationPerson, Site } from './site.ts';
import { TEXTS } from './texts.ts';
import type { PageTexts } from './texts.ts';

/** Builds the page in a language. */
export function startPage(language: Language, site: Site): Page {
  const texts = TEXTS[language];
  return {
    status: 200,
    language,
    title: texts.startTitle,
    languages: (other) => `/?lang=${other}`,
    body: html`<p class="lead">${texts.startLead}</p>
      <p><a class="button" href="/voir">${texts.openExams}</a></p>
      ${site.isDemonstration ? newcomer(texts, site.persons) : undefined} ${whoSees(texts)}
      ${signIn(texts, site.applications)}
      ${builders(texts)} ${site.support === undefined ? undefined : support(texts, site.support)}`,
  };
}

function whoSees(texts: PageTexts): Markup {
  const lines = [texts.whoSender, texts.whoPatient, texts.whoDeclared, texts.whoEmergency];
  return html`<section>
    <h2>${texts.whoTitle}</h2>
    <ul>
      ${lines.map((line) => html`<li>${line}</li>`)}
    </ul>
    <p>${texts.whoHistory}</p>
  </section>`;
}

function signIn(texts: PageTexts, applications: readonly Application[]): Markup {
  const choice =
    applications.length === 0
      ? html`<p>${texts.signInNone}</p>`
      : html`<ul class="cards">
          ${applications.map((application) => html`<li>${applicationLine(texts, application)}</li>`)}
        </ul>`;
  return html`<section id="sign-in">
    <h2>${texts.signInTitle}</h2>
    <p>${texts.signInLead}</p>
    ${choice}
  </section>`;
}

function applicationLine(texts: PageTexts, { name, publisher, home }: Application): Markup {
  const title = home === undefined ? html`<strong>${name}</strong>` : html`<a href=${home}>${name}</a>`;
  const from =
    publisher === undefined ? undefined : html`<span class="note">${`${texts.publishedBy} ${publisher}`}</span>`;
  return html`<span class="stack">${title}${from}</span>`;
}

/** Leads somebody who has just started the demonstration: each person sees something else. */
function newcomer(texts: PageTexts, persons: readonly DemonstrationPerson[]): Markup {
  return html`<section>
    <h2>${texts.newcomerTitle}</h2>
    <p>${texts.newcomerLead}</p>
    <ul class="cards">
      ${persons.map((person) => html`<li>${personLine(texts, person)}</li>`)}
    </ul>
    <p>${texts.newcomerStart} <code>npm run demo</code></p>
    <p>${texts.newcomerWarning}</p>
  </section>`;
}

function personLine(texts: PageTexts, { login, name, kind }: DemonstrationPerson): Markup {
  const query = new URLSearchParams({ to: '/voir', login_hint: login }).toString();
  const sees = kind === 'patient' ? texts.newcomerPatient : texts.newcomerProfessional;
  return html`<span class="stack">
    <a href=${`/auth/session?${query}`}>${name}</a>
    <span class="note">${sees}</span>
  </span>`;
}

function builders(texts: PageTexts): Markup {
  return html`<section>
    <h2>${texts.buildersTitle}</h2>
    <ul>
      <li><a href="/fhir/metadata">${texts.metadata}</a></li>
      <li><a href="/fhir/.well-known/smart-configuration">${texts.smart}</a></li>
    </ul>
  </section>`;
}

function support(texts: PageTexts, address: string): Markup {
  return html`<section>
    <h2>${texts.supportTitle}</h2>
    <p>${texts.supportLead} <a href=${address}>${shownAddress(address)}</a></p>
  </section>`;
}

function shownAddress(address: string): string {
  return address.replace(/^(mailto:|https:\/\/)/, '').replace(/\/$/, '');
}
