/** The part of an access list that is asked for: by words of a name, by a number, and by its place. Pure. */
import type { Identifier } from '@medplum/fhirtypes';
import { formsOfNumber } from '../../../../profiles/professional-numbers.ts';
import type { Access } from './access.ts';

/** What is asked; empty texts ask for everybody. */
export type AccessesAsked = {
  /** Words, each of which begins a word of the name, whatever its case and accents. */
  readonly name: string;
  /** A number in any of its forms, as `system|value` or without its system. */
  readonly identifier: string;
  readonly count: number;
  readonly offset: number;
};

/** How many match, and those of the part. */
export function accessesAsked(
  all: readonly Access[],
  { name, identifier, count, offset }: AccessesAsked,
): { readonly total: number; readonly page: readonly Access[] } {
  const matching = all.filter((access) => isNamed(access, wordsOf(name)) && isNumbered(access, identifier));
  return { total: matching.length, page: matching.slice(offset, offset + count) };
}

function isNamed({ display }: Access, asked: readonly string[]): boolean {
  const names = wordsOf(display);
  return asked.every((word) => names.some((one) => one.startsWith(word)));
}

function wordsOf(text: string): readonly string[] {
  const plain = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
}

function isNumbered({ who }: Access, asked: string): boolean {
  if (asked === '') return true;
  const [system, value] = asked.includes('|') ? asked.split('|') : [undefined, asked];
  const identifiers: readonly Identifier[] = who.identifier ?? [];
  const numbers = identifiers.flatMap((one) => formsOfNumber({ system: one.system ?? '', value: one.value ?? '' }));
  return numbers.some((one) => one.value === value && (system === undefined || one.system === system));
}
