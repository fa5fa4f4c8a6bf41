/** Scopes as what a person is asked: groups of things that may be done, in plain French. */
import { fhirType, isStoredType } from '../../../../profiles/types/visibility.ts';
import { parseScope } from '../../../access/scope.ts';
import type { ScopeAction } from '../../../access/scope.ts';
import { SIGN_IN_TEXTS } from './texts.ts';

const texts = SIGN_IN_TEXTS;
const WHOLE = '*';

/** The verbs in the order of the page. Reading and searching are one to a person. */
const VERBS: readonly (readonly [readonly ScopeAction[], string])[] = [
  [['r', 's'], texts.read],
  [['c'], texts.add],
  [['u'], texts.change],
  [['d'], texts.remove],
];

/** One group: what may be done, and with what; `note` says how far it goes. */
export type Demand = { readonly title: string; readonly note?: string; readonly items: readonly string[] };

/** Whose records an application comes to: the person's own, that of whom she represents, those open to her. */
export type RecordReach = 'own' | 'represented' | 'others';

/** What the whole of it is called, and what stands before its parts. */
const WORDS: Readonly<Record<RecordReach, readonly [whole: string, of: string]>> = {
  own: [texts.wholeOwn, texts.ofOwn],
  represented: [texts.wholeRepresented, texts.ofRepresented],
  others: [texts.wholeOthers, texts.ofOthers],
};

/** The scopes as groups. Each thing stands once, and not where the whole record with the same verbs covers it. */
export function demandsOf(scopes: readonly string[], reach: RecordReach): readonly Demand[] {
  return [...recordDemands(scopes, reach), ...otherDemands(scopes)];
}

function recordDemands(scopes: readonly string[], reach: RecordReach): readonly Demand[] {
  const [wholeOf, partsOf] = WORDS[reach];
  const verbs = verbsByType(scopes);
  const whole = verbs.get(WHOLE) ?? [];
  const beyond = [...verbs].filter(([type, asked]) => type === WHOLE || asked.some((verb) => !whole.includes(verb)));
  const groups = Map.groupBy(beyond, ([, asked]) => sentenceOf(asked));
  return [...groups].flatMap(([title, members]) => {
    const types = members.map(([type]) => type);
    const items = types.filter((type) => type !== WHOLE).map(wordsOf);
    return [
      ...(types.includes(WHOLE) ? [{ title, items: [wholeOf] }] : []),
      ...(items.length === 0 ? [] : [{ title, note: partsOf, items }]),
    ];
  });
}

function verbsByType(scopes: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const asked = Map.groupBy(
    scopes.map(parseScope).filter((scope) => scope !== undefined),
    ({ type }) => type,
  );
  const verbsOf = (actions: readonly ScopeAction[]): readonly string[] =>
    VERBS.filter(([letters]) => letters.some((letter) => actions.includes(letter))).map(([, verb]) => verb);
  return new Map([...asked].map(([type, all]) => [type, verbsOf(all.flatMap(({ actions }) => actions))] as const));
}

function otherDemands(scopes: readonly string[]): readonly Demand[] {
  const isNamed = scopes.includes('openid') || scopes.includes('fhirUser');
  return [
    ...(isNamed ? [{ title: texts.identity, items: [texts.identityNote] }] : []),
    ...(scopes.includes('offline_access') ? [{ title: texts.offline, items: [texts.offlineNote] }] : []),
  ];
}

/** « Consulter, ajouter et modifier ». */
function sentenceOf(verbs: readonly string[]): string {
  const last = verbs.at(-1) ?? '';
  const list = verbs.length < 2 ? last : `${verbs.slice(0, -1).join(', ')} ${texts.and} ${last}`;
  return list.charAt(0).toUpperCase() + list.slice(1);
}

function wordsOf(type: string): string {
  return isStoredType(type) ? fhirType(type).words : type;
}
