/** The pages behind a link of another system: a choice of exams, and why a link cannot be opened. */
import { html } from 'htm/preact';
import { LINK_REFUSALS } from '../../../ihe/rad-106/request.ts';
import type { Fault } from '../../../profiles/fault.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import type { FoundExam, FoundExams } from '../../flows/view/find-exams.ts';
import type { Language } from '../pages/language.ts';
import type { Markup } from '../pages/markup.d.ts';
import type { Page } from '../pages/send-page.ts';
import { LINK_TEXTS, type LinkTexts } from './link-texts.ts';
import { dateIn, nameOf } from './viewer-page.ts';

/** Builds the choice behind a link, the latest exam first. */
export function examsPage(found: FoundExams, language: Language): Page {
  const texts = LINK_TEXTS[language];
  return {
    status: 200,
    language,
    title: texts.examsTitle,
    body: html`<p class="lead">${texts.examsLead}</p>
      ${examList(found, language, texts)}`,
  };
}

/** Builds the page of the latest exams that a reader may open; `proof` is that of its form. */
export function latestExamsPage(found: FoundExams, language: Language, proof: string): Page {
  const texts = LINK_TEXTS[language];
  return {
    status: 200,
    language,
    title: texts.latestTitle,
    languages: (other) => `/voir?lang=${other}`,
    body: html`${
      found.exams.length === 0
        ? html`<p class="lead">${texts.latestNone}</p>`
        : html`<p class="lead">${texts.latestLead}</p>
              ${examList(found, language, texts)}`
    }
      <form method="post" action="/auth/session/end">
        <input type="hidden" name="proof" value=${proof} />
        <button type="submit" class="second">${texts.signOut}</button>
      </form>`,
  };
}

/**
 * Builds the page for a link that `parseDisplayRequest` refused: 400, and 406 where it asks for a display that this is
 * not.
 */
export function refusedLinkPage({ kind, expression = '', protocolCode }: Fault, language: Language): Page {
  const texts = LINK_TEXTS[language];
  const why = LINK_REFUSALS.find((reason) => reason === protocolCode) ?? 'malformed';
  return {
    status: kind === 'not-supported' ? 406 : 400,
    language,
    title: texts.refusedTitle,
    body: html`<p class="lead">${texts[why].replace('{name}', () => expression)}</p>
      <p>${texts.refusedAdvice}</p>`,
  };
}

function examList({ exams, isCut }: FoundExams, language: Language, texts: LinkTexts): Markup {
  return html`<ul class="cards">
      ${exams.map((exam) => html`<li>${examLine(exam, language, texts)}</li>`)}
    </ul>
    ${isCut ? html`<p class="note">${texts.cut.replace('{count}', String(exams.length))}</p>` : undefined}`;
}

function examLine({ study, patient }: FoundExam, language: Language, texts: LinkTexts): Markup {
  const modalities = (study.modality ?? []).map(({ code }) => code).join(', ');
  const date = study.started === undefined ? texts.undated : dateIn(study.started, language);
  return html`<span class="stack">
    <a href=${`/viewer/${studyInstanceUIDIn(study)}`}>${study.description ?? texts.exam}</a>
    <span class="note">${[nameOf(patient?.name), date, modalities].filter((text) => text !== '').join(' · ')}</span>
  </span>`;
}
