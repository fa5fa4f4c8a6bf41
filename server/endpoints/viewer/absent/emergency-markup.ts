/** The form of an emergency on the page. Every field has a label, and what is wrong with it stands beside it. */
import { html } from 'htm/preact';
import { EMERGENCY_REASONS, JUSTIFICATION } from '../../../flows/consent/break-glass.ts';
import type { Language } from '../../pages/language.ts';
import type { Markup } from '../../pages/markup.d.ts';
import { MAX_IDENTIFIER, type EmergencyField, type TypedEmergency } from './emergency-form.ts';
import { nameOfIdentifier, type PatientIdentifier } from './patient-identifiers.ts';
import { ABSENT_TEXTS, filled } from './texts.ts';

/** The form as it is shown. `proof` is that of the session; the rest is empty at first. */
export type ShownForm = {
  readonly proof: string;
  readonly typed: TypedEmergency;
  readonly wrong: readonly EmergencyField[];
  /** Whether what was posted did not come from a page of this session. */
  readonly isForeign: boolean;
};

/** Where the form stands; it is posted to `action`. */
export type FormPlace = {
  readonly action: string;
  readonly language: Language;
  readonly identifiers: readonly PatientIdentifier[];
};

/** What is wrong, with a way to each field, which readers of the screen are led to; undefined when nothing is. */
export function refusals({ wrong, isForeign }: ShownForm, language: Language): Markup | undefined {
  if (wrong.length === 0 && !isForeign) return undefined;
  return html`<div class="banner refusals" role="alert" tabindex="-1" autofocus>
    ${isForeign ? html`<p>${ABSENT_TEXTS[language].foreignForm}</p>` : undefined}
    <ul>
      ${wrong.map((field) => html`<li><a href=${`#${field}`}>${refusalFor(field, language)}</a></li>`)}
    </ul>
  </div>`;
}

function refusalFor(field: EmergencyField, language: Language): string {
  const texts = ABSENT_TEXTS[language];
  switch (field) {
    case 'system':
      return texts.wrongSystem;
    case 'identifier':
      return filled(texts.wrongIdentifier, { most: MAX_IDENTIFIER }, language);
    case 'reason':
      return texts.wrongReason;
    case 'justification':
      return filled(texts.wrongJustification, JUSTIFICATION, language);
    case 'confirmed':
      return texts.wrongConfirmed;
  }
}

/** Builds the form. */
export function emergencyForm(shown: ShownForm, place: FormPlace): Markup {
  const { action, language } = place;
  const texts = ABSENT_TEXTS[language];
  return html`<form method="post" action=${action}>
    <input type="hidden" name="proof" value=${shown.proof} />
    <fieldset>
      <legend>${texts.patient}</legend>
      ${systemField(shown, place)} ${identifierField(shown, language)}
    </fieldset>
    ${reasonField(shown, language)} ${justificationField(shown, language)} ${confirmation(shown, language)}
    <div class="actions"><button type="submit">${texts.declare}</button></div>
  </form>`;
}

function systemField(shown: ShownForm, { language, identifiers }: FormPlace): Markup {
  const texts = ABSENT_TEXTS[language];
  return html`<div class="field">
    <label for="system">${texts.system}</label>
    ${beside(shown, 'system', language)}
    <select
      id="system"
      name="system"
      required
      aria-invalid=${marked(shown, 'system')}
      aria-describedby=${described(shown, 'system')}
    >
      <option value="">${texts.choose}</option>
      ${identifiers.map(
        (one) =>
          html`<option value=${one.system} selected=${one.system === shown.typed.system}>
            ${nameOfIdentifier(one, language)}
          </option>`,
      )}
    </select>
  </div>`;
}

function identifierField(shown: ShownForm, language: Language): Markup {
  const texts = ABSENT_TEXTS[language];
  return html`<div class="field">
    <label for="identifier">${texts.identifier}</label>
    <p class="note" id="identifier-hint">${texts.identifierHint}</p>
    ${beside(shown, 'identifier', language)}
    <input
      id="identifier"
      name="identifier"
      value=${shown.typed.identifier}
      maxlength=${String(MAX_IDENTIFIER)}
      autocomplete="off"
      autocapitalize="off"
      spellcheck="false"
      required
      aria-invalid=${marked(shown, 'identifier')}
      aria-describedby=${described(shown, 'identifier', 'identifier-hint')}
    />
  </div>`;
}

function reasonField(shown: ShownForm, language: Language): Markup {
  const texts = ABSENT_TEXTS[language];
  return html`<fieldset id="reason" tabindex="-1" aria-describedby=${described(shown, 'reason')}>
    <legend>${texts.reason}</legend>
    ${beside(shown, 'reason', language)}
    ${EMERGENCY_REASONS.map(
      (code) =>
        html`<label class="choice">
          <input type="radio" name="reason" value=${code} checked=${shown.typed.reason === code} required />
          <span>${texts[`reason${code}`]}</span>
        </label>`,
    )}
  </fieldset>`;
}

function justificationField(shown: ShownForm, language: Language): Markup {
  const texts = ABSENT_TEXTS[language];
  const { least, most } = JUSTIFICATION;
  return html`<div class="field">
    <label for="justification">${texts.justification}</label>
    <p class="note" id="justification-hint">${filled(texts.justificationHint, JUSTIFICATION, language)}</p>
    ${beside(shown, 'justification', language)}
    <textarea
      id="justification"
      name="justification"
      rows="4"
      minlength=${String(least)}
      maxlength=${String(most)}
      required
      aria-invalid=${marked(shown, 'justification')}
      aria-describedby=${described(shown, 'justification', 'justification-hint')}
    >
${shown.typed.justification}</textarea>
  </div>`;
}

function confirmation(shown: ShownForm, language: Language): Markup {
  return html`<div>
    ${beside(shown, 'confirmed', language)}
    <label class="choice">
      <input
        type="checkbox"
        id="confirmed"
        name="confirmed"
        value="yes"
        checked=${shown.typed.confirmed === 'yes'}
        required
        aria-invalid=${marked(shown, 'confirmed')}
        aria-describedby=${described(shown, 'confirmed')}
      />
      <span>${ABSENT_TEXTS[language].confirmed}</span>
    </label>
  </div>`;
}

/** What is wrong with a field, beside it. */
function beside({ wrong }: ShownForm, field: EmergencyField, language: Language): Markup | undefined {
  if (!wrong.includes(field)) return undefined;
  return html`<p class="wrong" id=${`${field}-wrong`}>${refusalFor(field, language)}</p>`;
}

function marked({ wrong }: ShownForm, field: EmergencyField): 'true' | undefined {
  return wrong.includes(field) ? 'true' : undefined;
}

/** The ids of what a field is described by. */
function described({ wrong }: ShownForm, field: EmergencyField, hint = ''): string | undefined {
  return `${hint} ${wrong.includes(field) ? `${field}-wrong` : ''}`.trim() || undefined;
}
