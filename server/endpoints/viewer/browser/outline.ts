/** What the page is given about a study: what can be shown, in the order in which it is shown. */

import type { InstanceOutline, SeriesOutline } from '../../../../profiles/imaging/study-outline.ts';

export type { InstanceOutline, SeriesOutline };

/** A study. Addresses are relative to the page. */
export type Outline = {
  readonly series: readonly SeriesOutline[];
  /** Where its pictures are asked for, without a final slash. */
  readonly root: string;
  /** Where a person signs in again; the address to come back to is added, encoded. */
  readonly signIn: string;
};

/** The texts of the page in the language of its reader. `{…}` are filled in. */
export type Texts = {
  readonly position: string;
  readonly loading: string;
  readonly absent: string;
  readonly busy: string;
  readonly expired: string;
  readonly offline: string;
  readonly unreadable: string;
  readonly retry: string;
  readonly signIn: string;
  readonly windowing: string;
  readonly millimetres: string;
  readonly atDetector: string;
  readonly pixels: string;
};

/** One picture of a series: an instance and a frame of it, from 1. */
export type Slice = { readonly instance: InstanceOutline; readonly frame: number };

/** The pictures of a series, one after the other. */
export function slicesOf({ instances }: SeriesOutline): readonly Slice[] {
  return instances.flatMap((instance) =>
    Array.from({ length: instance.frames }, (_, at) => ({ instance, frame: at + 1 })),
  );
}

/** Reads a data block of the page. */
export function dataOf<T>(id: string): T {
  return JSON.parse(document.getElementById(id)?.dataset['json'] ?? 'null') as T;
}

/** Fills in a text; numbers as the reader's language writes them, with so many decimals at least and two at most. */
export function filled(text: string, values: Readonly<Record<string, number>>, decimals = 0): string {
  const { format } = new Intl.NumberFormat(document.documentElement.lang, {
    useGrouping: false,
    minimumFractionDigits: decimals,
    maximumFractionDigits: Math.max(decimals, 2),
  });
  return text.replace(/\{(\w+)\}/g, (_, name: string) => format(values[name] ?? 0));
}
