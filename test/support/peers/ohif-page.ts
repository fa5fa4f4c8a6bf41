/** OHIF in a browser: its page, and the picture that it drew. */
import type { APIRequestContext, Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';

/** A page of OHIF, and what went wrong on it. */
export type OhifPage = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Of the console, and what the page threw. */
  readonly errors: readonly string[];
  /** The addresses of all requests. */
  readonly requests: readonly string[];
};

/** What it drew: the bytes of red, green and blue of the image without its margin, and which image it is. */
export type DrawnImage = {
  readonly rgb: Uint8Array;
  /** `/series/{series}/instances/{instance}/frames/{number}` */
  readonly place: string;
};

/** The width and height that pictures are compared in. */
const COMPARED = 96;
/** The part of an image at each of its edges that is not compared: some of it lies beside the canvas. */
const MARGIN = 0.05;
const DRAWN_WITHIN_MS = 60_000;

/** A browser of its own for a person, who signs in with the first page that is opened. */
export async function openFor(browser: Browser, person: string, url: string): Promise<OhifPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR' });
  const opened = await openPage(context, url);
  await opened.page.check(`input[value="${person}"]`);
  await opened.page.click('button[type="submit"]');
  await opened.page.waitForLoadState();
  return opened;
}

/** Opens an address in a browser. */
export async function openPage(context: BrowserContext, url: string): Promise<OhifPage> {
  const page = await context.newPage();
  const [errors, requests]: [string[], string[]] = [[], []];
  page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  page.on('worker', (worker) => requests.push(worker.url()));
  await page.goto(url);
  return { page, context, errors, requests };
}

/** Where the picture lies on the canvas of the first viewport; undefined until it is drawn. */
const DRAWN = `(() => {
  const viewport = window.cornerstone?.getEnabledElements()[0]?.viewport;
  const data = viewport?.getImageData?.();
  const image = viewport?.getCurrentImageId?.();
  if (!data?.imageData || !image || !viewport.csImage?.getPixelData) return undefined;
  if (viewport.csImage.imageId !== image) return undefined;
  const [columns, rows] = data.dimensions;
  const at = (column, row) => viewport.worldToCanvas(data.imageData.indexToWorld([column, row, 0]));
  const [x, y] = [Math.ceil(columns * ${MARGIN}), Math.ceil(rows * ${MARGIN})];
  const [left, top] = at(x - 0.5, y - 0.5);
  const [right, bottom] = at(columns - x - 0.5, rows - y - 0.5);
  return { image, left, top, right, bottom, ratio: devicePixelRatio, png: viewport.canvas.toDataURL('image/png') };
})()`;

type Drawn = {
  readonly image: string;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly ratio: number;
  readonly png: string;
};

/**
 * Waits until the first viewport shows its image, and reads it off the canvas: twice the same, for what WebGL drew is
 * on the canvas with a later frame.
 */
export async function drawnImage(page: Page): Promise<DrawnImage> {
  let before: string | undefined;
  for (const late = Date.now() + DRAWN_WITHIN_MS; Date.now() < late; await page.waitForTimeout(500)) {
    const drawn = (await page.evaluate(DRAWN)) as Drawn | undefined;
    if (drawn !== undefined && drawn.png === before) return await cut(drawn);
    before = drawn?.png;
  }
  throw new Error('OHIF draws no image');
}

async function cut({ image, left, top, right, bottom, ratio, png }: Drawn): Promise<DrawnImage> {
  const whole = sharp(Buffer.from(png.split(',')[1] ?? '', 'base64')).removeAlpha();
  const [x, y] = [Math.round(left * ratio), Math.round(top * ratio)];
  const [width, height] = [Math.round((right - left) * ratio), Math.round((bottom - top) * ratio)];
  const part = await whole.extract({ left: x, top: y, width, height }).png().toBuffer();
  const place = /\/series\/.+\/frames\/\d+/.exec(image)?.[0] ?? '';
  return { rgb: await compared(part), place };
}

/** The same image as the server renders it, by the session of the browser. */
export async function renderedImage(request: APIRequestContext, exam: string, place: string): Promise<Uint8Array> {
  const answer = await request.get(`${exam}${place}/rendered`, { headers: { Accept: 'image/png' } });
  if (answer.status() !== 200) throw new Error(`${place} is not rendered: ${answer.status()}`);
  const picture = await answer.body();
  const { width, height } = await sharp(picture).metadata();
  const [left, top] = [Math.ceil(width * MARGIN), Math.ceil(height * MARGIN)];
  const inner = sharp(picture).extract({ left, top, width: width - 2 * left, height: height - 2 * top });
  return await compared(await inner.png().toBuffer());
}

async function compared(picture: Uint8Array): Promise<Uint8Array> {
  const scaled = sharp(picture).removeAlpha().resize(COMPARED, COMPARED, { fit: 'fill' });
  return await scaled.toColourspace('srgb').raw().toBuffer();
}

/** The mean of the differences of two pictures, of 255. */
export function differenceOf(left: Uint8Array, right: Uint8Array): number {
  if (left.length !== right.length) throw new Error('The pictures are of different sizes');
  return left.reduce((sum, value, at) => sum + Math.abs(value - (right[at] ?? 0)), 0) / left.length;
}

/** The standard deviation of a picture: 0 when it is blank. */
export function contrastOf(picture: Uint8Array): number {
  const mean = picture.reduce((sum, value) => sum + value, 0) / picture.length;
  return Math.sqrt(picture.reduce((sum, value) => sum + (value - mean) ** 2, 0) / picture.length);
}
