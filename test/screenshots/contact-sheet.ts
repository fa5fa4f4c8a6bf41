/** Contact sheets: the pictures of one state beside each other, and a page that holds them all. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

/** One picture of a state. `column` and `row` say how it was taken. */
export type Shot = { readonly column: string; readonly row: string; readonly png: Buffer };

const GAP = 16;
/** How wide the widest picture is shown; the others keep their proportion to it. */
const MOST_WIDTH = 900;

/** Writes the sheet of a state: a row for each scheme and language, a column for each width; gives its file name. */
export async function writeSheet(folder: string, name: string, shots: readonly Shot[]): Promise<string> {
  const sizes = await Promise.all(shots.map(async ({ png }) => await sharp(png).metadata()));
  const scale = MOST_WIDTH / Math.max(...sizes.map(({ width }) => width));
  const scaled = await Promise.all(
    shots.map(async (shot, at) => {
      const width = Math.round((sizes[at]?.width ?? 1) * scale);
      const { data, info } = await sharp(shot.png).resize({ width }).png().toBuffer({ resolveWithObject: true });
      return { ...shot, data, info };
    }),
  );
  const rows = [...Map.groupBy(scaled, ({ row }) => row).values()];
  const placed: { input: Buffer; left: number; top: number }[] = [];
  let [top, widest] = [GAP, 0];
  for (const row of rows) {
    let left = GAP;
    for (const { data, info } of row) {
      placed.push({ input: data, left, top });
      left += info.width + GAP;
    }
    widest = Math.max(widest, left);
    top += Math.max(...row.map(({ info }) => info.height)) + GAP;
  }
  const background = { r: 120, g: 120, b: 120 };
  const file = `${name}.png`;
  await sharp({ create: { width: widest, height: top, channels: 3, background } })
    .composite(placed)
    .png()
    .toFile(join(folder, file));
  return file;
}

/** Writes the page of all sheets; gives its path. */
export async function writeIndex(folder: string, sheets: readonly string[]): Promise<string> {
  const path = join(folder, 'index.html');
  const figures = sheets.map((file) => `<h2>${file.replace('.png', '')}</h2><img src="${file}" alt="">`);
  await writeFile(path, `<!doctype html><meta charset="utf-8"><title>Screenshots</title>\n${figures.join('\n')}\n`);
  return path;
}
