/** The confidentiality label of an item: how private it is, and from whom it is masked. */
import type { Coding, Meta } from '@medplum/fhirtypes';
import { CODE_SYSTEM, CONFIDENTIALITY_OID, oidUri } from './codes.ts';

/**
 * Levels of the product, in rising order: normal, restricted (confidential), very restricted (private). Labels
 * below N count as N.
 * @see https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html
 */
export const LEVELS = ['N', 'R', 'V'] as const;

/** One of {@link LEVELS}. */
export type Level = (typeof LEVELS)[number];

/**
 * From whom an item is masked by what people say of it, whatever its level: from professionals but its author, from the
 * patient until somebody has announced it to her, from her legal representatives.
 * @see ANS NOS TRE_A07-StatusVisibiliteDocument
 */
export const SAID_MASKS = ['professionals', 'patient', 'representatives'] as const;

/** One of {@link SAID_MASKS}. */
type SaidMask = (typeof SAID_MASKS)[number];

/**
 * States of an item that mask it, too, and that the server alone says: nobody has recorded that the patient was
 * informed; its processing is restricted (GDPR 18). Their codes are those of CodeSystem item-state.
 */
const STATE_MASKS = ['unshared', 'restricted'] as const;

/** One of {@link STATE_MASKS}. */
export type ItemState = (typeof STATE_MASKS)[number];

/** What masks an item. Stores keep their places in this list. */
export const MASKS = [...SAID_MASKS, ...STATE_MASKS] as const;

/** One of {@link MASKS}. */
export type Mask = (typeof MASKS)[number];

/** A label: a level, and masks, each once, in the order of {@link MASKS}. */
export type Label = { readonly level: Level; readonly masks: readonly Mask[] };

/** The label of what says none. */
export const NORMAL: Label = { level: 'N', masks: [] };

/** The French codes of each mask: the one of the list first, then those of messages and of earlier versions. */
const MASK_CODES = {
  professionals: ['MASQUE_PS'],
  patient: ['INVISIBLE_PATIENT'],
  representatives: ['INVISIBLE_REPRESENTANTS_LEGAUX', 'INVISIBLE_REP_LEGAUX', 'INVISIBLE_REPRENSANTS_LEGAUX'],
} as const satisfies Record<SaidMask, readonly string[]>;

/** The rank of a level, 0 to 2. */
export function rankOf(level: Level): number {
  return LEVELS.indexOf(level);
}

/** Levels that a label's number has room for. */
const RANKS = 4;

/** A label as stores keep it: the rank of its level, and a bit for each mask above it. */
export function encodeLabel({ level, masks }: Label): number {
  return masks.reduce((sum, mask) => sum + RANKS * 2 ** MASKS.indexOf(mask), rankOf(level));
}

/** The label of a number that a store kept; one out of range is masked from all and private. */
export function decodeLabel(kept: number): Label {
  const bits = Math.floor(kept / RANKS);
  const isKnown = Number.isInteger(kept) && kept >= 0 && bits < 2 ** MASKS.length;
  if (!isKnown) return { level: 'V', masks: MASKS };
  return { level: LEVELS[kept % RANKS] ?? 'V', masks: MASKS.filter((_, at) => Math.floor(bits / 2 ** at) % 2 === 1) };
}

/** The stricter of two labels in both respects. */
export function stricter(one: Label, other: Label): Label {
  const level = rankOf(one.level) >= rankOf(other.level) ? one.level : other.level;
  return { level, masks: MASKS.filter((mask) => one.masks.includes(mask) || other.masks.includes(mask)) };
}

/** A label without the states of the item: what people say of it. */
export function saidLabel({ level, masks }: Label): Label {
  return { level, masks: masks.filter((mask) => !isState(mask)) };
}

/** Whether whoever reads what bears `outer` reads what bears `inner`, too, by their labels. */
export function covers(outer: Label, inner: Label): boolean {
  return rankOf(inner.level) <= rankOf(outer.level) && inner.masks.every((mask) => outer.masks.includes(mask));
}

/** The label in `meta.security`; without one the item is normal, with several the strictest of each counts. */
export function labelOf(meta: Meta | undefined): Label {
  return (meta?.security ?? []).map(labelIn).reduce(stricter, NORMAL);
}

/**
 * What one coding says. A code of confidentiality that is not known is taken for the strictest level: the sender meant
 * something. A mask is known by its code, under whichever system it comes.
 */
function labelIn({ system, code = '' }: Coding): Label {
  if (system === CODE_SYSTEM.itemState) return { level: 'N', masks: STATE_MASKS.filter((state) => state === code) };
  const masks = masksNamed(code);
  if (masks.length > 0 || !CONFIDENTIALITY_SYSTEMS.includes(system ?? '')) return { level: 'N', masks };
  if (BELOW_NORMAL.includes(code)) return NORMAL;
  return { level: LEVELS.find((level) => level === code) ?? 'V', masks };
}

function masksNamed(code: string): readonly SaidMask[] {
  return SAID_MASKS.filter((mask) => MASK_CODES[mask].some((one) => one === code));
}

const CONFIDENTIALITY_SYSTEMS: readonly string[] = [CODE_SYSTEM.confidentiality, oidUri(CONFIDENTIALITY_OID)];

const BELOW_NORMAL: readonly string[] = ['U', 'L', 'M'];

/**
 * The codings of a label that somebody says, as they are kept: one level at most, and masks, each once; undefined when
 * a code is none of a label, or one is said twice.
 */
export function codingsIn(said: readonly Coding[]): readonly Coding[] | undefined {
  const levels = said.flatMap(({ system, code }) =>
    CONFIDENTIALITY_SYSTEMS.includes(system ?? '') ? LEVELS.filter((level) => level === code) : [],
  );
  const masks = said.flatMap(({ code = '' }) => masksNamed(code));
  const isTwice = levels.length > 1 || new Set(masks).size < masks.length;
  if (isTwice || levels.length + masks.length !== said.length) return undefined;
  return [
    ...levels.map((level) => ({ system: CODE_SYSTEM.confidentiality, code: level })),
    ...SAID_MASKS.filter((mask) => masks.includes(mask)).map(maskCoding),
  ];
}

/** The codings that say a label: its level, then its masks. */
export function codingsOf({ level, masks }: Label): readonly [Coding, ...Coding[]] {
  return [{ system: CODE_SYSTEM.confidentiality, code: level }, ...masks.map(maskCoding)];
}

/** The coding of a mask. */
export function maskCoding(mask: Mask): Coding {
  if (isState(mask)) return { system: CODE_SYSTEM.itemState, code: mask };
  return { system: CODE_SYSTEM.frDocumentVisibility, code: MASK_CODES[mask][0] };
}

function isState(mask: Mask): mask is ItemState {
  return STATE_MASKS.some((state) => state === mask);
}
