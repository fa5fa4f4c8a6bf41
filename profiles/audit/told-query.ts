/**
 * What the event of one person tells of a query: what was asked for in general, and of what names somebody only what is
 * hers. The rest is told by name alone. Queries are URLs (`Type?name=value`), pairs alone, or stored queries as JSON.
 */

/** Of whom an event tells: how her rows and identities are named, and whether a row of hers is one that was sought. */
export type Hers = { readonly names: ReadonlySet<string>; readonly isSought: boolean };

/** Parameters whose values name nobody, of FHIR, DICOMweb and stored queries. */
const GENERAL: ReadonlySet<string> = new Set(
  (
    '_count _sort _summary _elements _total _include _revinclude _format _pretty _lastUpdated _since date modality ' +
    'status type category class format setting facility event period started creation issued limit offset ' +
    'includefield fuzzymatching ModalitiesInStudy Modality StudyDate StudyTime requestType viewerType kind ' +
    'statuses objectType classCode typeCode practiceSettingCode healthcareFacilityTypeCode formatCode eventCodeList ' +
    'creationTime serviceStartTime serviceStopTime associationTypes'
  ).split(' '),
);

/**
 * Of several rows: where a page begins may be told by the row of another. How an item is labelled may be what its
 * patient is not to read yet.
 */
const NEVER: ReadonlySet<string> = new Set([
  '_cursor',
  '_filter',
  '_query',
  '_security',
  'security-label',
  'confidentialityCode',
]);

/** Modifiers by which a row has what the value says. */
const POSITIVE = /^(?:exact|contains|identifier|above|below|in|of-type|text|missing|[A-Z]\w+)$/;

/** Tells a query. */
export function toldQuery(text: string, hers: Hers): string {
  return text.startsWith('{') ? toldStored(text, hers) : toldUrl(text, hers);
}

function toldUrl(text: string, hers: Hers): string {
  const at = text.indexOf('?');
  const head = at === -1 ? '' : `${toldPath(text.slice(0, at), hers)}?`;
  const query = text.slice(at + 1);
  if (at === -1 && !query.includes('=')) return toldPath(query, hers);
  return (
    head +
    query
      .split('&')
      .map((pair) => toldPair(pair, hers))
      .join('&')
  );
}

/** UIDs and ids of a path name something; types, operations and folders do not. */
function toldPath(path: string, { isSought }: Hers): string {
  return isSought ? path : path.replaceAll(/[^/]*[0-9][^/]*/g, '…');
}

function toldPair(pair: string, hers: Hers): string {
  const at = pair.indexOf('=');
  if (at === -1) return pair;
  const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
  const told = alternativesTold(decoded(name), alternativesOf(decoded(value)), hers);
  if (told === 'all') return pair;
  return told.length === 0 ? name : `${name}=${told.map(encodeURIComponent).join(',')}`;
}

function toldStored(text: string, hers: Hers): string {
  const told = Object.entries(JSON.parse(text) as Record<string, unknown>).map(([name, value]) => {
    const alternatives = [value].flat(2).map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
    const some = alternativesTold(name, alternatives, hers);
    return [name, some === 'all' ? value : some] as const;
  });
  return JSON.stringify(Object.fromEntries(told));
}

/** Of the values of a parameter, one of which was to fit, those that may be told. */
function alternativesTold(name: string, values: readonly string[], hers: Hers): 'all' | readonly string[] {
  if (NEVER.has(lastOf(name))) return [];
  if (isGeneral(name)) return 'all';
  if (hers.isSought && values.length === 1 && saysOfRow(name)) return 'all';
  return values.filter((value) => hers.names.has(nameIn(value)));
}

/** Whether values of a parameter name nobody. */
function isGeneral(name: string): boolean {
  return GENERAL.has(lastOf(name));
}

/** The parameter that a value is of: the last one of a chain, without modifier. */
function lastOf(name: string): string {
  return (name.startsWith('_has:') ? name.split(':').at(-1) : name.split('.').at(-1)?.split(':')[0]) ?? name;
}

/** Whether a row that was found has the value, or the patient whose it is: no chain to somebody else, no negation. */
function saysOfRow(name: string): boolean {
  const [first = '', ...chain] = name.split('.');
  const [parameter = '', modifier = ''] = first.split(':');
  if (parameter === '_has' || (modifier !== '' && !POSITIVE.test(modifier))) return false;
  return chain.length === 0 || (chain.length === 1 && (parameter === 'patient' || parameter === 'subject'));
}

/** `Type/id` of a literal reference, however long. */
function nameIn(value: string): string {
  return /[A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(value)?.[0] ?? value;
}

/** FHIR parts alternatives by commas, DICOMweb lists of UIDs by commas or backslashes. */
function alternativesOf(value: string): readonly string[] {
  return value.split(/(?<!\\),|\\(?!,)/);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
