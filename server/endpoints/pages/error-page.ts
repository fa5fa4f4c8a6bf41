/** The page for somebody whose browser asked what is not there, or what failed. */
import { html } from 'htm/preact';
import type { Language } from './language.ts';
import type { Page } from './send-page.ts';
import { TEXTS } from './texts.ts';
import type { PageTexts } from './texts.ts';

/** Builds the page for a status of HTTP. */
export function errorPage(status: number, language: Language): Page {
  const texts = TEXTS[language];
  const { title, lead } = wordsOf(status, texts);
  return {
    status,
    language,
    title,
    body: html`<p class="lead">${lead}</p>
      <p><a class="button" href="/">${texts.backHome}</a></p>`,
  };
}

function wordsOf(status: number, texts: PageTexts): { readonly title: string; readonly lead: string } {
  if (status === 404) return { title: texts.absentTitle, lead: texts.absentLead };
  if (status >= 500) return { title: texts.failedTitle, lead: texts.failedLead };
  return { title: texts.refusedTitle, lead: texts.refusedLead };
}
