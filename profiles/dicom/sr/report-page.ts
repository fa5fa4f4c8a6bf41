/**
 * A structured report as a page.
 *
 * Report                                      | Page
 * ConceptNameCodeSequence                     | title, h1
 * PatientName, PatientBirthDate, PatientID …  | facts
 * CompletionFlag, VerificationFlag, observers | facts
 * CONTAINER                                   | section with a heading of its level
 * other items                                 | list entries, what belongs to them as lists within
 * @see DICOM PS3.3 C.17
 */
import { formatDocumentPage, formatHeading, type Fact } from '../../document-page.ts';
import { html, htmlLines, NO_HTML, type Html } from '../../html.ts';
import { itemsOf, TAG, textOf } from '../attributes.ts';
import type { DicomDataSet } from '../data-element.ts';
import { contentTreeOf, eachItem, type ContentItem, type TreeLimits } from './content-tree.ts';
import { codeValueOf, dateTimeTextOf, personNameOf } from './content-value.ts';

/** (121049, DCM): the language of an item and of what is below it (PS3.16 TID 1204). */
const LANGUAGE_CODE = '121049';
const UNTITLED = 'Document structuré';

const RELATIONSHIP: Readonly<Record<string, string>> = {
  'HAS OBS CONTEXT': 'Contexte d’observation',
  'HAS ACQ CONTEXT': 'Contexte d’acquisition',
  'HAS CONCEPT MOD': 'Précision',
  'INFERRED FROM': 'Déduit de',
  'SELECTED FROM': 'Choisi dans',
};

/** Defined terms of the flags, with what they are called. */
const FLAG: Readonly<Record<string, string>> = {
  COMPLETE: 'complet (COMPLETE)',
  PARTIAL: 'incomplet (PARTIAL)',
  VERIFIED: 'validé (VERIFIED)',
  UNVERIFIED: 'non validé (UNVERIFIED)',
  PRELIMINARY: 'préliminaire (PRELIMINARY)',
  FINAL: 'définitif (FINAL)',
};

/** Writes the page of a report. What is beyond the limits is left out, which the page says first. */
export function formatReportPage(report: DicomDataSet, limits?: TreeLimits): string {
  const tree = contentTreeOf(report, limits);
  const targets = new Map<string, string>();
  for (const { target } of eachItem(tree)) if (target !== undefined) targets.set(target, '');
  let isCut = false;
  for (const item of eachItem(tree)) {
    isCut ||= item.isCut;
    if (targets.has(item.place)) targets.set(item.place, item.name ?? item.value ?? item.place);
  }
  return formatDocumentPage({
    title: tree.name ?? UNTITLED,
    language: languageOf(report),
    warnings: isCut ? ['Affichage incomplet : ce document est trop grand pour être affiché en entier.'] : [],
    facts: [...patientFacts(report), ...documentFacts(report)],
    content: formatItems(tree, 1, targets),
  });
}

function patientFacts(header: DicomDataSet): readonly Fact[] {
  const [id, issuer] = [textOf(header, TAG.PatientID), textOf(header, TAG.IssuerOfPatientID)];
  return [
    ['Patient', personNameOf(header, TAG.PatientName)],
    ['Date de naissance', dateTimeTextOf(header, TAG.PatientBirthDate)],
    ['Sexe', textOf(header, TAG.PatientSex)],
    ['Identifiant du patient', id !== undefined && issuer !== undefined ? `${id} (${issuer})` : id],
  ];
}

function documentFacts(report: DicomDataSet): readonly Fact[] {
  return [
    ['Examen', textOf(report, TAG.StudyDescription)],
    ['Numéro de demande', textOf(report, TAG.AccessionNumber)],
    ['Date du document', contentDateTime(report)],
    ['Établissement', textOf(report, TAG.InstitutionName)],
    ['Auteur', ...itemsOf(report, TAG.AuthorObserverSequence).map((author) => personNameOf(author, TAG.PersonName))],
    ['État', flagOf(report, TAG.PreliminaryFlag)],
    ['Achèvement', flagOf(report, TAG.CompletionFlag), textOf(report, TAG.CompletionFlagDescription)],
    ['Validation', flagOf(report, TAG.VerificationFlag)],
    ['Validé par', ...itemsOf(report, TAG.VerifyingObserverSequence).map(observerOf)],
  ];
}

function contentDateTime(report: DicomDataSet): string | undefined {
  const day = dateTimeTextOf(report, TAG.ContentDate);
  const time = /^(\d\d):?(\d\d)/.exec(textOf(report, TAG.ContentTime) ?? '');
  return day === undefined || time === null ? day : `${day} ${time[1]}:${time[2]}`;
}

function flagOf(report: DicomDataSet, tag: number): string | undefined {
  const flag = textOf(report, tag);
  return flag === undefined ? undefined : (FLAG[flag] ?? flag);
}

function observerOf(observer: DicomDataSet): string {
  const parts = [
    personNameOf(observer, TAG.VerifyingObserverName),
    textOf(observer, TAG.VerifyingOrganization),
    dateTimeTextOf(observer, TAG.VerificationDateTime),
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

function languageOf(report: DicomDataSet): string | undefined {
  const named = itemsOf(report, TAG.ContentSequence).find((item) => {
    const name = itemsOf(item, TAG.ConceptNameCodeSequence)[0];
    return name !== undefined && codeValueOf(name) === LANGUAGE_CODE;
  });
  const language = named === undefined ? undefined : itemsOf(named, TAG.ConceptCodeSequence)[0];
  return language === undefined ? undefined : codeValueOf(language);
}

type Targets = ReadonlyMap<string, string>;

/** The items of a container: its sections, and lists of what is between them. */
function formatItems({ items, isCut }: ContentItem, level: number, targets: Targets): Html {
  const parts: Html[] = [];
  let entries: Html[] = [];
  const endList = (): void => {
    if (entries.length > 0) parts.push(html`<ul>${entries}</ul>`);
    entries = [];
  };
  for (const item of items) {
    if (item.valueType !== 'CONTAINER') entries.push(formatEntry(item, level, targets));
    else {
      endList();
      parts.push(formatSection(item, level, targets));
    }
  }
  endList();
  return html`${parts}${isCut ? CUT : NO_HTML}`;
}

const CUT: Html = html`<p role="note"><strong>[Suite non affichée]</strong></p>`;

function formatSection(item: ContentItem, level: number, targets: Targets): Html {
  const title = item.name === undefined ? NO_HTML : formatHeading(level, html`${prefixOf(item)}${item.name}`);
  const items = formatItems(item, level + 1, targets);
  return html`<section${idOf(item, targets)}>${title}${observedText(item)}${items}</section>`;
}

function formatEntry(item: ContentItem, level: number, targets: Targets): Html {
  const within = formatItems(item, level + 1, targets);
  return html`<li${idOf(item, targets)}>${prefixOf(item)}${labelOf(item, targets)}${observedText(item)}${within}</li>`;
}

function labelOf({ name, value, target }: ContentItem, targets: Targets): Html {
  if (target !== undefined) {
    const label = targets.get(target);
    return label ? html`<a href="#c${target}">voir : ${label}</a>` : html`voir l’élément ${target}`;
  }
  if (name === undefined) return htmlLines(value ?? '');
  return value === undefined ? html`<strong>${name}</strong>` : html`<strong>${name}</strong> : ${htmlLines(value)}`;
}

function prefixOf({ relationship = '' }: ContentItem): Html {
  const said = RELATIONSHIP[relationship];
  return said === undefined ? NO_HTML : html`<em>${said}</em> – `;
}

function observedText({ observed }: ContentItem): Html {
  return observed === undefined ? NO_HTML : html` <small>(observé le ${observed})</small>`;
}

/** Only what others stand for is named. */
function idOf({ place }: ContentItem, targets: Targets): Html {
  return targets.has(place) ? html` id="c${place}"` : NO_HTML;
}
