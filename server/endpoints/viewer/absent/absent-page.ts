/**
 * The page at the address of an exam that is not there, or that its visitor may not see: the same in both cases. A
 * professional is offered emergency access.
 */
import { html } from 'htm/preact';
import type { BreakGlassSettings } from '../../../../profiles/consent/emergency.ts';
import { FRESH_SECONDS } from '../../../flows/consent/break-glass.ts';
import type { Language } from '../../pages/language.ts';
import type { Markup } from '../../pages/markup.d.ts';
import type { Page } from '../../pages/send-page.ts';
import { TEXTS } from '../../pages/texts.ts';
import type { PatientIdentifier } from './patient-identifiers.ts';
import { emergencyForm, refusals, type ShownForm } from './emergency-markup.ts';
import { ABSENT_TEXTS, filled, type AbsentTexts } from './texts.ts';

/** What a region lets professionals declare: for how long, what that opens, and how patients are named. */
export type EmergencyTerms = {
  readonly hours: number;
  readonly identifiers: readonly PatientIdentifier[];
  readonly breakGlass: BreakGlassSettings;
};

/** What the page offers: nothing, a fresh sign-in at an address, or the form. */
export type EmergencyOffer =
  | { readonly kind: 'none' }
  | { readonly kind: 'sign-in'; readonly address: string }
  | { readonly kind: 'form'; readonly form: ShownForm };

/** The address of the link that was opened, with further parameters. */
export type LinkAddress = (further: Readonly<Record<string, string>>) => string;

/** The page: where it stands (`at`), for whom, and whether an emergency was just declared there. */
export type AbsentPage = {
  readonly status: number;
  readonly language: Language;
  readonly at: LinkAddress;
  readonly isPatient: boolean;
  readonly wasDeclared: boolean;
  readonly offer: EmergencyOffer;
  readonly terms: EmergencyTerms;
};

/** Builds the page. */
export function absentPage(about: AbsentPage): Page {
  const { status, language, at, isPatient, wasDeclared, offer } = about;
  const texts = ABSENT_TEXTS[language];
  const refused = offer.kind === 'form' ? refusals(offer.form, language) : undefined;
  return {
    status,
    language,
    title: titleOf(texts, refused !== undefined, wasDeclared),
    languages: (other) => at({ lang: other }),
    body: html`${refused} ${wasDeclared ? declaration(texts) : undefined}
      <p class="lead">${texts.lead}</p>
      ${isPatient ? html`<p>${texts.own}</p>` : undefined}
      <p><a class="button second" href="/">${TEXTS[language].backHome}</a></p>
      ${offer.kind === 'none' ? undefined : emergency(about, texts)}`,
  };
}

function declaration(texts: AbsentTexts): Markup {
  return html`<p class="banner" role="status" tabindex="-1" autofocus>${texts.declaredLead}</p>`;
}

function titleOf(texts: AbsentTexts, isRefused: boolean, wasDeclared: boolean): string {
  if (isRefused) return texts.notDeclared;
  return wasDeclared ? texts.declared : texts.title;
}

function emergency({ offer, language, at, terms }: AbsentPage, texts: AbsentTexts): Markup {
  const duration = spanOf(terms.hours, 'hour', language);
  const place = { action: at({ lang: language }), language, identifiers: terms.identifiers };
  const rules = [
    texts.onlyEmergency,
    filled(texts.lasts, { duration }, language),
    terms.breakGlass.reachesConfidential === true ? texts.confidentialToo : texts.normalOnly,
    ...(terms.breakGlass.passesBlocks === true ? [texts.pastBlock] : []),
    texts.patientTold,
    texts.reviewed,
  ];
  return html`<section>
    <h2>${texts.emergency}</h2>
    <p>${texts.emergencyLead}</p>
    <ul>
      ${rules.map((rule) => html`<li>${rule}</li>`)}
    </ul>
    ${offer.kind === 'sign-in' ? signInFirst(offer.address, language, texts) : undefined}
    ${offer.kind === 'form' ? emergencyForm(offer.form, place) : undefined}
  </section>`;
}

function signInFirst(address: string, language: Language, texts: AbsentTexts): Markup {
  const minutes = spanOf(FRESH_SECONDS / 60, 'minute', language);
  return html`<p>${filled(texts.signInFirst, { minutes }, language)}</p>
    <p><a class="button" href=${address}>${texts.signIn}</a></p>`;
}

function spanOf(value: number, unit: 'hour' | 'minute', language: Language): string {
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}
