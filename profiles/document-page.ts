/**
 * The page of a clinical document, whatever it was made from: title, warnings, facts, content. It is plain markup that
 * reads well without style, and holds nothing that runs or that is fetched. What is ours on it is French, as all that
 * persons read here.
 */
import { html, NO_HTML, type Html } from './html.ts';

/** What the head of a document says: a name, and values, those that are not given left out. */
export type Fact = readonly [name: string, ...values: (string | undefined)[]];

/** A document to be read. */
export type DocumentPage = {
  readonly title: string;
  /** Of the content, as RFC 5646 writes it. */
  readonly language: string | undefined;
  /** What its reader must know before. */
  readonly warnings: readonly string[];
  readonly facts: readonly Fact[];
  readonly content: Html;
};

/** The policy of a page also where no header goes with it: in a part, or in a file that somebody keeps. */
const POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'";

/** Writes the page. @see HTML Living Standard; WCAG 2.2, 2.4.2 and 3.1.1 */
export function formatDocumentPage({ title, language, warnings, facts, content }: DocumentPage): string {
  const rows = facts.map(formatFact);
  const list = rows.some(({ markup }) => markup !== '') ? html`<dl>${rows}</dl>` : NO_HTML;
  const told = warnings.map((warning) => html`<p role="note"><strong>${warning}</strong></p>`);
  const ofContent = isLanguage(language) ? html` lang="${language}"` : NO_HTML;
  const page = html`<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="${POLICY}"/>
<meta name="referrer" content="no-referrer"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>${title}</title>
</head>
<body>
<header>
<h1>${title}</h1>
${told}${list}
</header>
<main${ofContent}>
${content}
</main>
</body>
</html>
`;
  return page.markup;
}

/** A heading below that of the page; `level` is 1 for the sections of the document itself. */
export function formatHeading(level: number, title: Html): Html {
  const tag = { markup: `h${Math.min(level + 1, 6)}` };
  return html`<${tag}>${title}</${tag}>`;
}

function formatFact([name, ...values]: Fact): Html {
  const given = values.filter((value) => value !== undefined && value !== '');
  return given.length === 0 ? NO_HTML : html`<dt>${name}</dt>${given.map((value) => html`<dd>${value ?? ''}</dd>`)}`;
}

function isLanguage(language: string | undefined): language is string {
  return language !== undefined && /^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$/i.test(language);
}
