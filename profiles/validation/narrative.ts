/** The XHTML of `text.div`: what a portal or viewer may show without a further look. */

const ELEMENTS = new Set(
  (
    'a abbr acronym b big blockquote br caption center cite code col colgroup dd dfn div dl dt em font h1 h2 h3 h4 ' +
    'h5 h6 ' +
    'hr i img li ol p pre q s samp small span strike strong sub sup table tbody td tfoot th thead tr tt u ul var'
  ).split(' '),
);

const ATTRIBUTES = new Set(
  (
    'abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff ' +
    'charset cite ' +
    'class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel rev ' +
    'rowspan rules scope shape size span src start style summary tabindex title type valign value vspace width ' +
    'xml:lang ' +
    'xmlns'
  ).split(' '),
);

const TAG = /<(?:\/([a-z][a-z0-9]*)\s*|([a-z][a-z0-9]*)((?:\s+[a-z:]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*\/?)>/;
const ATTRIBUTE = /([a-z:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const SAFE_LINK = /^(?:#|https?:|mailto:|tel:|urn:(?:uuid|oid):|data:image\/(?:png|jpeg|gif);|[^:]*$)/i;

/**
 * Whether a narrative is a single `div` with the basic elements and attributes of XHTML only: no script, form, frame,
 * object, comment, event attribute or script link.
 * @see https://hl7.org/fhir/R4/narrative.html txt-1
 */
export function isSafeNarrative(div: string): boolean {
  const text = div.trim();
  if (!/^<div[\s>/]/.test(text) || !/(?:<\/div\s*>|\/>)$/.test(text)) return false;
  const tag = new RegExp(TAG, 'y');
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', tag.lastIndex)) {
    tag.lastIndex = at;
    const match = tag.exec(text);
    if (match === null) return false;
    const [, closed, opened, attributes] = match;
    if (!ELEMENTS.has(closed ?? opened ?? '') || !areSafe(attributes ?? '')) return false;
  }
  return true;
}

function areSafe(attributes: string): boolean {
  for (const [, name = '', double, single] of attributes.matchAll(ATTRIBUTE)) {
    if (!ATTRIBUTES.has(name)) return false;
    const isLink = name === 'href' || name === 'src';
    const value = double ?? single ?? '';
    // An entity could spell a scheme, or url() in a style, past these checks.
    if (isLink && (value.includes('&#') || !SAFE_LINK.test(value.trim()))) return false;
    if (name === 'style' && /url\s*\(|expression|@import|\\|&#/i.test(value)) return false;
  }
  return true;
}
