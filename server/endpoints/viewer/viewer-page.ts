/** The page of a study: its pictures, series by series, its report beside them, and what else the reader may open. */
import type { DocumentReference, HumanName, ImagingStudy } from '@medplum/fhirtypes';
import { html } from 'htm/preact';
import { IDENTIFIER_SYSTEM, oidOf } from '../../../profiles/codes.ts';
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
      ${head(opened, title, language, texts, places)}
      <p class="banner">${texts.notForDiagnosis}</p>
      ${series.length > 0 ? toolbar(series, texts) : undefined}
      <div class="workbench">
        ${strip(series, texts, places)}
        <main id="images" class="panes" aria-label=${texts.images}>
          ${series.length > 0 ? [pane(0, texts), pane(1, texts)] : html`<p class="lead">${texts.noPictures}</p>`}
          ${withoutScript(series, texts, places)}
        </main>
        ${beside(opened, language, texts, places)}
      </div>
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
  return html`<header class="bar">
    <div>
      <h1>${title}</h1>
      <p class="note">
        ${[nameOf(patient?.name), born === undefined ? '' : texts.bornOn.replace('{date}', dateIn(born, language))]
          .filter((text) => text !== '')
          .join(', ')}
        ${study.started === undefined ? '' : ` · ${dateIn(study.started, language)}`}
      </p>
    </div>
    ${ohif === undefined ? undefined : html`<a class="button second" href=${ohif}>${texts.openInOhif}</a>`}
    <form method="post" action="/auth/session/end">
      <input type="hidden" name="proof" value=${proof} />
      <button type="submit" class="second">${texts.signOut}</button>
    </form>
  </header>`;
}

function toolbar(series: readonly SeriesOutline[], texts: ViewerTexts): Markup {
  const tools = ['scroll', 'window', 'zoom', 'pan', 'measure'] as const;
  const actions = [
    ['invert', texts.invert],
    ['reset', texts.reset],
    ['cine', texts.cine],
    ['compare', texts.compare],
    ['full-screen', texts.fullScreen],
  ] as const;
  return html`<div class="toolbar" role="toolbar" aria-label=${texts.tools}>
    ${tools.map((tool) => html`<button type="button" data-tool=${tool} aria-pressed="false">${texts[tool]}</button>`)}
    ${actions.map(
      ([action, text]) => html`<button type="button" data-action=${action} aria-pressed="false">${text}</button>`,
    )}
    ${series.some(({ modality }) => modality === 'CT') ? presets(texts) : undefined}
    <label>${texts.speed} <input type="number" data-speed min="1" max="60" value="15" /></label>
    <details>
      <summary>${texts.keys}</summary>
      <p>${texts.keysHelp}</p>
    </details>
  </div>`;
}

function presets(texts: ViewerTexts): Markup {
  return html`<label
    >${texts.presets}
    <select data-presets>
      <option value="">${texts.ofImage}</option>
      ${Object.entries(CT_PRESETS).map(
        ([name, window]) => html`<option value=${window.join(',')}>${texts[name as keyof typeof CT_PRESETS]}</option>`,
      )}
    </select></label
  >`;
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
    <p class="notice" data-part="notice" role="status">${texts.loading}</p>
    <input type="range" data-part="slider" min="0" max="0" value="0" aria-label=${texts.scroll} />
    <figcaption data-part="caption"></figcaption>
  </figure>`;
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
          html`<p><a href=${`${root}/reports/${id}`}>${texts.openReport}</a></p>
            <iframe class="report" src=${`${root}/reports/${id}`} title=${texts.report}></iframe>`,
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
  </aside>`;
}

function others(studies: readonly ImagingStudy[], language: Language, texts: ViewerTexts): Markup {
  return html`<section>
    <h2>${texts.others}</h2>
    <ul>
      ${studies.flatMap((study) => {
        const uid = studyUIDOf(study);
        const date = study.started === undefined ? '' : dateIn(study.started, language);
        return uid === undefined
          ? []
          : html`<li><a href=${`/viewer/${uid}`}>${study.description ?? texts.images}</a> <span class="note">${date}</span></li>`;
      })}
    </ul>
  </section>`;
}

/** Read by the script of the page; text of an attribute is never run. */
function dataBlocks(series: readonly SeriesOutline[], texts: ViewerTexts, { root }: ViewerPlaces): Markup {
  const shown = series.map((one) => ({ ...one, title: titleOf(one), documents: [] }));
  const outline = { series: shown, root, signIn: `/auth/session?to=${encodeURIComponent(root)}` };
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

function nameOf(names: readonly HumanName[] | undefined): string {
  const name = names?.find(({ use }) => use === 'official' || use === 'usual') ?? names?.[0];
  return name === undefined ? '' : [...(name.given ?? []), name.family ?? ''].join(' ').trim();
}

function dateIn(date: string, language: Language): string {
  const parsed = new Date(date);
  if (Number.isNaN(parsed.getTime())) return '';
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(date.slice(0, 10)));
}

function studyUIDOf({ identifier = [] }: ImagingStudy): string | undefined {
  return oidOf(identifier.find(({ system }) => system === IDENTIFIER_SYSTEM.dicomUid)?.value);
}

/** The id of the Binary that holds a PDF of a report; a manifest is none. */
function binaryOf({ content }: DocumentReference): string | undefined {
  const url = content.find(({ attachment }) => attachment.contentType === 'application/pdf')?.attachment.url ?? '';
  return /Binary\/([A-Za-z0-9.-]{1,64})$/.exec(url)?.[1];
}
