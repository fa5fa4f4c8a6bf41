/** The choice of somebody who may open several records: her own, and those of whom she represents before the law. */
import { html } from 'htm/preact';
import type { Account } from '../../../ports/account-directory.ts';
import type { Language } from '../../pages/language.ts';
import type { Markup } from '../../pages/markup.d.ts';
import type { Page } from '../../pages/send-page.ts';
import { CHOICE_TEXTS, type ChoiceTexts } from './choice-texts.ts';

/** Why the choice is asked again: nothing was chosen, or she represents the person no more. */
export type ChoiceProblem = 'none' | 'gone';

/** What the page asks; `action` is its own address, `csrf` proves that the form is of this sign-in. */
export type RecordChoice = {
  readonly accounts: readonly Account[];
  readonly language: Language;
  readonly action: string;
  readonly csrf: string;
  readonly problem?: ChoiceProblem;
};

/** Builds the page. */
export function choicePage({ accounts, language, action, csrf, problem }: RecordChoice): Page {
  const texts = CHOICE_TEXTS[language];
  return {
    status: problem === undefined ? 200 : 400,
    language,
    title: texts.title,
    languages: (other) => `${action}?lang=${other}`,
    body: html`<p class="lead">${texts.lead}</p>
      ${problem === undefined ? undefined : html`<p role="alert"><strong>${texts[problem]}</strong></p>`}
      <form method="post" action=${`${action}?lang=${language}`}>
        <input type="hidden" name="csrf" value=${csrf} />
        <fieldset>
          <legend>${texts.legend}</legend>
          ${accounts.map((account) => recordLine(account, texts, language))}
        </fieldset>
        <div class="actions"><button type="submit">${texts.open}</button></div>
      </form>`,
  };
}

function recordLine({ reference, display, represents }: Account, texts: ChoiceTexts, language: Language): Markup {
  const note = represents === undefined ? texts.own : noteOf(represents, texts, language);
  return html`<label class="choice">
    <input type="radio" name="account" value=${reference} required />
    <span class="stack"><strong>${represents?.name ?? display}</strong><span class="note">${note}</span></span>
  </label>`;
}

function noteOf({ birthDate }: NonNullable<Account['represents']>, texts: ChoiceTexts, language: Language): string {
  if (birthDate === undefined) return texts.represented;
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(birthDate));
  return `${texts.represented}, ${texts.bornOn} ${day}`;
}
