/** What surrounds every page: its head with the choice of language, its title, its foot with the way to help. */
import { html } from 'htm/preact';
import type { Markup } from './markup.d.ts';
import { LANGUAGES, NAME_OF_LANGUAGE } from './language.ts';
import type { Language } from './language.ts';
import { ICON } from './assets.ts';
import type { Site } from './site.ts';
import { TEXTS } from './texts.ts';

/** The part of a page that stands in the layout. */
export type Content = {
  readonly language: Language;
  readonly title: string;
  readonly body: Markup;
  readonly languages?: (language: Language) => string;
};

/** The body of a document. */
export function layout({ language, title, body, languages }: Content, site: Site): Markup {
  const texts = TEXTS[language];
  return html`<div class="page">
    <a class="skip" href="#content">${texts.skip}</a>
    <header>
      <a class="brand" href="/"><img src=${ICON.path} alt="" width="28" height="28" /><span>Passerelle</span></a>
      ${languages === undefined ? undefined : languageChoice(language, languages)}
      ${site.isDemonstration ? html`<p class="banner">${texts.demonstration}</p>` : undefined}
    </header>
    <main id="content">
      <h1>${title}</h1>
      ${body}
    </main>
    <footer>
      <a href="/">${texts.home}</a>
      ${site.support === undefined ? undefined : html`<a href=${site.support}>${texts.support}</a>`}
    </footer>
  </div>`;
}

function languageChoice(current: Language, address: (language: Language) => string): Markup {
  return html`<nav aria-label=${TEXTS[current].languages}>
    <ul class="languages">
      ${LANGUAGES.map(
        (language) =>
          html`<li>
            <a
              href=${address(language)}
              lang=${language}
              hreflang=${language}
              aria-current=${language === current ? 'true' : undefined}
              >${NAME_OF_LANGUAGE[language]}</a
            >
          </li>`,
      )}
    </ul>
  </nav>`;
}
