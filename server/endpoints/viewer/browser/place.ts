/**
 * What is looked at, as the end of the address: `#2.14` is the second series and its fourteenth picture, and behind `~`
 * stands the same of the other pane. So a page can be reloaded, bookmarked and come back to; the address holds numbers
 * and no more.
 */

/** A series and a picture of it, both from 0; the picture is undefined where none is named. */
export type Place = { readonly series: number; readonly at: number | undefined };

/** Reads the end of an address. */
export function placesOf(hash: string): readonly Place[] {
  if (!/^#\d{1,6}(\.\d{1,6})?(~\d{1,6}(\.\d{1,6})?)?$/.test(hash)) return [];
  return hash
    .slice(1)
    .split('~')
    .map((text) => {
      const [series = 1, at] = text.split('.').map(Number);
      return { series: Math.max(series - 1, 0), at: at === undefined ? undefined : Math.max(at - 1, 0) };
    });
}

/** Writes it. */
export function formatPlaces(places: readonly Place[]): string {
  return `#${places.map(({ series, at = 0 }) => `${series + 1}.${at + 1}`).join('~')}`;
}
