/**
 * The narrative block of a CDA section as HTML. What is written are elements and attributes of two short tables; of
 * anything else its text alone, and nothing at all of what would run. @see CDA R2 4.3.5
 */
import { XmlElement, XmlText } from 'libxml2-wasm';
import { html, NO_HTML, type Html } from '../../profiles/html.ts';
import { attributeOf, childElements, isElement } from '../xml/select.ts';

/** Elements that HTML has, too. */
const SAME: Readonly<Record<string, string>> = {
  item: 'li',
  table: 'table',
  thead: 'thead',
  tbody: 'tbody',
  tfoot: 'tfoot',
  tr: 'tr',
  th: 'th',
  td: 'td',
  sub: 'sub',
  sup: 'sup',
};
/** What content looks like by its styleCode: a mark of emphasis has a meaning. */
const STYLE: readonly (readonly [code: string, tag: string])[] = [
  ['Bold', 'strong'],
  ['Italics', 'em'],
  ['Emphasis', 'em'],
  ['Underline', 'u'],
];
/** What was changed since the version before. */
const REVISED: Readonly<Record<string, string>> = { delete: 'del', insert: 'ins' };
const BLOCKS: ReadonlySet<string> = new Set(['paragraph', 'list', 'table', 'caption']);
/** No text, though it may hold some. */
const DROPPED: ReadonlySet<string> = new Set(['script', 'style', 'noscript', 'template', 'iframe', 'object', 'embed']);
const MOST_SPANNED = 100;
const SCOPES: ReadonlySet<string> = new Set(['row', 'col', 'rowgroup', 'colgroup']);

const MAPPED: Readonly<Record<string, (element: XmlElement) => Html>> = {
  paragraph: (element) => enclosed(hasBlocks(element) ? 'div' : 'p', element),
  list: (element) => {
    const isOrdered = attributeOf(element, 'listType')?.toLowerCase() === 'ordered';
    const captions = childElements(element).filter(isCaption).map(formatCaption);
    const items = childElements(element).filter((child) => !isCaption(child));
    return html`${captions}${inside(isOrdered ? 'ol' : 'ul', items.map(formatElement))}`;
  },
  item: (element) => {
    const captions = childElements(element).filter(isCaption).map(formatCaption);
    return inside('li', [...captions, formatNodes(element, isCaption)]);
  },
  caption: formatCaption,
  table: (element) => inside('table', childElements(element).map(formatTablePart)),
  content: formatContent,
  br: () => html`<br/>`,
  col: () => NO_HTML,
  colgroup: () => NO_HTML,
  footnote: (element) => html` <small>(${formatNodes(element)})</small>`,
  linkHtml: formatLink,
  renderMultiMedia: (element) => {
    const captions = childElements(element)
      .filter(isCaption)
      .map((caption) => formatNodes(caption));
    return html`<em>[Contenu multimédia non affiché${captions.length > 0 ? html` : ${captions}` : NO_HTML}]</em>`;
  },
};

/** Formats what is within a block, as text/paragraph and the like. */
export function formatNarrative(text: XmlElement): Html {
  return formatNodes(text);
}

function formatNodes(parent: XmlElement, isLeftOut: (element: XmlElement) => boolean = () => false): Html {
  const parts: Html[] = [];
  for (let node = parent.firstChild; node !== null; node = node.next) {
    if (node instanceof XmlText) parts.push(html`${node.content}`);
    else if (node instanceof XmlElement && !isLeftOut(node)) parts.push(formatElement(node));
  }
  return html`${parts}`;
}

function formatElement(element: XmlElement): Html {
  const { name } = element;
  if (DROPPED.has(name.toLowerCase())) return NO_HTML;
  if (!isElement(element, 'cda', name)) return formatNodes(element);
  const mapped = Object.hasOwn(MAPPED, name) ? MAPPED[name] : undefined;
  if (mapped !== undefined) return mapped(element);
  const same = Object.hasOwn(SAME, name) ? SAME[name] : undefined;
  return same === undefined ? formatNodes(element) : enclosed(same, element);
}

/** A table holds text in its cells alone; its caption is its own. */
function formatTablePart(part: XmlElement): Html {
  return isCaption(part) ? enclosed('caption', part) : formatElement(part);
}

function formatCaption(caption: XmlElement): Html {
  return html`<p><strong>${formatNodes(caption)}</strong></p>`;
}

function formatContent(element: XmlElement): Html {
  const styles = (attributeOf(element, 'styleCode') ?? '').split(/\s+/);
  const tags = STYLE.filter(([code]) => styles.includes(code)).map(([, tag]) => tag);
  const revised = attributeOf(element, 'revised') ?? '';
  const all = Object.hasOwn(REVISED, revised) ? [...tags, REVISED[revised] ?? 'ins'] : tags;
  return all.reduce((within, tag) => inside(tag, [within]), formatNodes(element));
}

/** Only an address of the web is followed, and it is not told where its reader comes from. */
function formatLink(element: XmlElement): Html {
  const address = attributeOf(element, 'href') ?? '';
  const text = element.content.trim() === '' ? html`${address}` : formatNodes(element);
  return isWebAddress(address) ? html`<a href="${address}" rel="noopener noreferrer">${text}</a>` : text;
}

function isWebAddress(address: string): boolean {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return false;
  return ['http:', 'https:'].includes(new URL(address).protocol);
}

function enclosed(tag: string, element: XmlElement): Html {
  return inside(tag, [formatNodes(element)], attributesOf(element));
}

function inside(tag: string, within: readonly Html[], attributes: Html = NO_HTML): Html {
  const name = { markup: tag };
  return html`<${name}${attributes}>${within}</${name}>`;
}

/** Of cells what their place is. */
function attributesOf(element: XmlElement): Html {
  if (element.name !== 'th' && element.name !== 'td') return NO_HTML;
  const spans = ['colspan', 'rowspan'].map((name) => {
    const span = Number(attributeOf(element, name));
    const isSpan = Number.isInteger(span) && span > 1 && span <= MOST_SPANNED;
    return isSpan ? { markup: ` ${name}="${span}"` } : NO_HTML;
  });
  const scope = attributeOf(element, 'scope') ?? '';
  return html`${spans}${SCOPES.has(scope) ? { markup: ` scope="${scope}"` } : NO_HTML}`;
}

function isCaption(element: XmlElement): boolean {
  return isElement(element, 'cda', 'caption');
}

function hasBlocks(element: XmlElement): boolean {
  return childElements(element).some(({ name }) => BLOCKS.has(name));
}
