/** The page of a study: its pictures, series by series, its report beside them, and what else the reader may open. */
import type { DocumentReference, HumanName, ImagingStudy } from '@medplum/fhirtypes';
import { html } from 'htm/preact';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import type { SeriesOutline } from '../../../profiles/imaging/study-outline.ts';
import type { OpenedStudy } from '../../flows/view/open-study.ts';
import type { Language } from '../pages/language.ts';
import type { Markup } from '../pages/markup.d.ts';
import type { Page } from '../pages/send-page.ts';
import { VIEWER_TEXTS, type ViewerTexts } from './texts.ts';

/** Where the parts of a page are asked for. */
export type ViewerPlaces = {
  /** `/viewer/{studyInstanceUID}` */
  readonly root: string;
  readonly script: string;
  /** Proves that a posted form comes from this page. */
  readonly proof: string;
  /** Where OHIF shows the study; undefined when it is not installed. */
  readonly ohif?: string;
};

/** Windows that readers of CT expect, by the name of their text: centre and width in Hounsfield units. */
const CT_PRESETS = {
  mediastinum: [40, 400],
  lung: [-600, 1500],
  bone: [400, 1800],
  brain: [40, 80],
  abdomen: [60, 400],
} as const satisfies Partial<Record<keyof ViewerTexts, readonly [number, number]>>;

/** Builds the page. */
export function viewerPage(opened: OpenedStudy, language: Language, places: ViewerPlaces): Page {
  const texts = VIEWER_TEXTS[language];
  const series = opened.series.filter(({ instances }) => instances.length > 0);
  const title = opened.study.description ?? texts.images;
  return {
    status: 200,
    language,
    title,
    isWorkplace: true,
    scripts: series.length > 0 ? [places.script] : [],
    body: html`<div class="viewer">
      <a class="skip" href="#images">${texts.skip}</a>
      <header>
        ${head(opened, title, language, texts, places)}
        <p class="banner">${texts.notForDiagnosis}</p>
      </header>
      ${series.length > 0 ? toolbar(series, texts) : undefined}
      <div class=${series.length > 0 ? 'workbench' : 'workbench without-pictures'}>
        ${series.length > 0 ? strip(series, texts, places) : undefined}
        <main id="images" class="panes" tabindex="-1" aria-label=${texts.images}>
          ${series.length > 0 ? [pane(0, texts), pane(1, texts)] : withoutPictures(opened, texts, places)}
          ${withoutScript(series, texts, places)}
        </main>
        ${beside(opened, language, texts, places)}
      </div>
      <p class="unseen" role="status" data-announced></p>
      ${dataBlocks(series, texts, places)}
    </div>`,
  };
}

function head(
  { study, patient }: OpenedStudy,
  title: string,
  language: Language,
  texts: ViewerTexts,
  { proof, ohif }: ViewerPlaces,
): Markup {
  const born = patient?.birthDate;
  return html`<div class="bar">
      <h1>${title}</h1>
      <p class="note">
        ${[nameOf(patient?.name), born === undefined ? '' : texts.bornOn.replace('{date}', dateIn(born, language))]
          .filter((text) => text !== '')
          .join(', ')}
        ${study.started === undefined ? '' : ` · ${dateIn(study.started, language)}`}
      </p>
    <div class="end">
      ${ohif === undefined ? undefined : html`<a class="button second" href=${ohif}>${texts.openInOhif}</a>`}
      <form method="post" action="/auth/session/end">
        <input type="hidden" name="proof" value=${proof} />
        <button type="submit" class="second">${texts.signOut}</button>
      </form>
    </div>
  </div>`;
}

function toolbar(series: readonly SeriesOutline[], texts: ViewerTexts): Markup {
  const tools = ['scroll', 'window', 'zoom', 'pan', 'measure'] as const;
  const actions = [
    ['invert', texts.invert],
    ['cine', texts.cine],
    ['compare', texts.compare],
  ] as const;
  const buttons = [
    ['reset', texts.reset],
    ['full-screen', texts.fullScreen],
  ] as const;
  return html`<section class="toolbar" aria-label=${texts.tools}>
    ${tools.map((tool) => html`<button type="button" data-tool=${tool} aria-pressed="false">${texts[tool]}</button>`)}
    ${actions.map(
      ([action, text]) => html`<button type="button" data-action=${action} aria-pressed="false">${text}</button>`,
    )}
    ${buttons.map(([action, text]) => html`<button type="button" data-action=${action}>${text}</button>`)}
    ${series.some(({ modality }) => modality === 'CT') ? presets(texts) : undefined}
    <label data-cine>${texts.speed} <input type="number" data-speed min="1" max="60" value="15" /></label>
  </section>`;
}

function presets(texts: ViewerTexts): Markup {
  return html`<select data-presets data-for="CT" aria-label=${texts.presets}>
    <option value="">${texts.ofImage}</option>
    ${Object.entries(CT_PRESETS).map(
      ([name, window]) => html`<option value=${window.join(',')}>${texts[name as keyof typeof CT_PRESETS]}</option>`,
    )}
  </select>`;
}

function strip(series: readonly SeriesOutline[], texts: ViewerTexts, { root }: ViewerPlaces): Markup {
  return html`<nav class="strip" aria-label=${texts.series}>
    ${series.map(
      (one) =>
        html`<button type="button" data-series=${one.uid} aria-pressed="false">
          <img src=${`${root}/series/${one.uid}/thumbnail`} alt="" width="96" height="96" loading="lazy" />
          <span>${titleOf(one)}</span>
          <span class="note">${String(countOf(one))}</span>
        </button>`,
    )}
  </nav>`;
}

function pane(at: number, texts: ViewerTexts): Markup {
  return html`<figure data-pane=${String(at)}>
    <canvas data-part="canvas" tabindex="0" role="img" aria-label=${texts.loading}></canvas>
    <p class="notice" data-part="notice">${texts.loading}</p>
    <input type="range" data-part="slider" min="0" max="0" value="0" aria-label=${texts.scroll} />
    <figcaption data-part="caption"></figcaption>
  </figure>`;
}

/** In place of pictures: the first document, if there is one. */
function withoutPictures({ series }: OpenedStudy, texts: ViewerTexts, { root }: ViewerPlaces): Markup {
  const [first] = series.flatMap(({ uid, documents }) => documents.map((one) => ({ ...one, series: uid })));
  return html`<div class="sheet">
    <p>${texts.noPictures}</p>
    ${
      first === undefined
        ? undefined
        : html`<iframe
          class="report"
          src=${`${root}/series/${first.series}/instances/${first.uid}/rendered`}
          title=${first.title || texts.documents}
        ></iframe>`
    }
  </div>`;
}

function withoutScript(series: readonly SeriesOutline[], texts: ViewerTexts, { root }: ViewerPlaces): Markup {
  return html`<noscript>
    <p>${texts.withoutScript}</p>
    ${series.map(
      (one) =>
        html`<figure>
          <img src=${`${root}/series/${one.uid}/thumbnail?viewport=512,512`} alt=${titleOf(one)} />
          <figcaption>${titleOf(one)}</figcaption>
        </figure>`,
    )}
  </noscript>`;
}

function beside(opened: OpenedStudy, language: Language, texts: ViewerTexts, { root }: ViewerPlaces): Markup {
  const reports = opened.reports.flatMap((report) => binaryOf(report) ?? []);
  const documents = opened.series.flatMap(({ uid, documents }) => documents.map((one) => ({ ...one, series: uid })));
  return html`<aside class="beside">
    <section>
      <h2>${texts.report}</h2>
      ${reports.length === 0 ? html`<p>${texts.noReport}</p>` : undefined}
      ${reports.map(
        (id) =>
          html`<p><a class="button second" href=${`${root}/reports/${id}`}>${texts.openReport}</a></p>
            <iframe class="report" loading="lazy" src=${`${root}/reports/${id}`} title=${texts.report}></iframe>`,
      )}
    </section>
    ${
      documents.length === 0
        ? undefined
        : html`<section>
          <h2>${texts.documents}</h2>
          <ul>
            ${documents.map(
              ({ uid, series, title }) =>
                html`<li>
                  <a href=${`${root}/series/${series}/instances/${uid}/rendered`}>${title || texts.documents}</a>
                </li>`,
            )}
          </ul>
        </section>`
    }
    ${opened.others.length === 0 ? undefined : others(opened.others, language, texts)}
    ${opened.series.every(({ instances }) => instances.length === 0) ? undefined : keys(texts)}
  </aside>`;
}

function keys(texts: ViewerTexts): Markup {
  const lines = [
    texts.keysPictures,
    texts.keysEnds,
    texts.keysTool,
    texts.keysLook,
    texts.keysSeries,
    texts.keysPanes,
  ] as const;
  return html`<details>
    <summary>${texts.keysTitle}</summary>
    <ul>
      ${lines.map((line) => html`<li>${line}</li>`)}
    </ul>
  </details>`;
}

function others(studies: readonly ImagingStudy[], language: Language, texts: ViewerTexts): Markup {
  return html`<section>
    <h2>${texts.others}</h2>
    <ul>
      ${studies.map((study) => {
        const date = study.started === undefined ? '' : dateIn(study.started, language);
        const address = `/viewer/${studyInstanceUIDIn(study)}`;
        return html`<li>
          <a href=${address}>${study.description ?? texts.images}</a> <span class="note">${date}</span>
        </li>`;
      })}
    </ul>
  </section>`;
}

/** Read by the script of the page; text of an attribute is never run. */
function dataBlocks(series: readonly SeriesOutline[], texts: ViewerTexts, { root }: ViewerPlaces): Markup {
  const shown = series.map((one) => ({ ...one, title: titleOf(one), documents: [] }));
  const outline = { series: shown, root, signIn: '/auth/session?to=' };
  return html`<div hidden>
    <div id="outline" data-json=${JSON.stringify(outline)}></div>
    <div id="texts" data-json=${JSON.stringify(texts)}></div>
  </div>`;
}

function titleOf({ title, modality, number }: SeriesOutline): string {
  return title || [modality, number === undefined ? '' : String(number)].filter((part) => part !== '').join(' ');
}

function countOf({ instances }: SeriesOutline): number {
  return instances.reduce((sum, { frames }) => sum + frames, 0);
}

/** The name of a person, given names first; nothing when there is none. */
export function nameOf(names: readonly HumanName[] | undefined): string {
  const name = names?.find(({ use }) => use === 'official' || use === 'usual') ?? names?.[0];
  return name === undefined ? '' : [...(name.given ?? []), name.family ?? ''].join(' ').trim();
}

/** The day of a date or dateTime in words; nothing when it is none. */
export function dateIn(date: string, language: Language): string {
  const parsed = new Date(date);
  if (Number.isNaN(parsed.getTime())) return '';
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(date.slice(0, 10)));
}

/** The id of the Binary that holds a PDF of a report; a manifest is none. */
function binaryOf({ content }: DocumentReference): string | undefined {
  const url = content.find(({ attachment }) => attachment.contentType === 'application/pdf')?.attachment.url ?? '';
  return /Binary\/([A-Za-z0-9.-]{1,64})$/.exec(url)?.[1];
}
