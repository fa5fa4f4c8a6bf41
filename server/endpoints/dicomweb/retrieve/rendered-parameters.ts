/** The query parameters of rendered resources. @see DICOM PS3.18 section 8.3.5 */
import type { Context } from 'koa';
import { Fault } from '../../../../profiles/fault.ts';
import type { PictureOptions } from '../../../flows/retrieve/retrieve-rendered.ts';

/** Largest width and height of a picture. */
export const MAX_VIEWPORT = 8_192;
const THUMBNAIL = { width: 128, height: 128 } as const;
const FUNCTIONS = { linear: 'LINEAR', 'linear-exact': 'LINEAR_EXACT', sigmoid: 'SIGMOID' } as const;
/** What may be asked for in the standard, and is not done here. */
const REFUSED = ['annotation', 'iccprofile'];

type Asked = Pick<PictureOptions, 'viewport' | 'window' | 'quality'>;

/**
 * Reads the parameters of a rendered resource.
 * @throws {Fault} invalid - a parameter is malformed, or stands twice
 * @throws {Fault} not-supported - annotations or a colour profile are asked for
 */
export function renderedParameters(ctx: Context): Asked {
  const parameters = new URLSearchParams(ctx.querystring);
  for (const name of REFUSED)
    if (parameters.has(name)) throw new Fault('not-supported', `${name} is not supported`, { expression: name });
  return {
    ...present('viewport', parameters, viewportOf),
    ...present('window', parameters, windowOf),
    ...present('quality', parameters, qualityOf),
  };
}

/** The parameters of a thumbnail: its size alone. */
export function thumbnailParameters(ctx: Context): Asked {
  const { viewport = THUMBNAIL, window, quality, ...others } = renderedParameters(ctx);
  if (window !== undefined || quality !== undefined)
    throw new Fault('invalid', 'A thumbnail has a viewport alone', { expression: 'viewport' });
  return { viewport, ...others };
}

function present<K extends keyof Asked>(
  name: K,
  parameters: URLSearchParams,
  parse: (text: string) => NonNullable<Asked[K]>,
): Asked {
  const values = parameters.getAll(name);
  if (values.length > 1) throw new Fault('invalid', `${name} stands more than once`, { expression: name });
  const [text] = values;
  return text === undefined ? {} : { [name]: parse(text) };
}

/** `vw,vh` or `vw,vh,sx,sy,sw,sh` */
function viewportOf(text: string): NonNullable<Asked['viewport']> {
  const [width = Number.NaN, height = Number.NaN, ...part] = numbersOf(text);
  const isSize = [width, height].every((size) => Number.isInteger(size) && size > 0 && size <= MAX_VIEWPORT);
  if (!isSize || (part.length !== 0 && part.length !== 4) || part.some((place) => !Number.isInteger(place)))
    throw malformed('viewport', `vw,vh[,sx,sy,sw,sh] in whole pixels, at most ${MAX_VIEWPORT} wide and high`);
  const [x = 0, y = 0, w = 0, h = 0] = part;
  if (part.length === 0) return { width, height };
  if (x < 0 || y < 0 || w === 0 || h === 0) throw malformed('viewport', 'a part that lies in the frame');
  return { width, height, source: { unit: 'pixel', x, y, width: w, height: h } };
}

/** `center,width,function` */
function windowOf(text: string): NonNullable<Asked['window']> {
  const [center, width, shape = ''] = text.split(',').map((part) => part.trim());
  const window = { center: numberIn(center), width: numberIn(width) };
  const named = Object.entries(FUNCTIONS).find(([name]) => name === shape.toLowerCase())?.[1];
  const isWidth = named === 'LINEAR' ? window.width >= 1 : window.width > 0;
  if (text.split(',').length !== 3 || named === undefined || Number.isNaN(window.center) || !isWidth)
    throw malformed('window', `center,width,function, where function is ${Object.keys(FUNCTIONS).join(', ')}`);
  return { ...window, function: named };
}

function qualityOf(text: string): number {
  const quality = numberIn(text);
  if (Number.isInteger(quality) && quality >= 1 && quality <= 100) return quality;
  throw malformed('quality', 'a whole number from 1 to 100');
}

function numbersOf(text: string): readonly number[] {
  return text.split(',').map(numberIn);
}

/** Reads a decimal number; NaN when it is none. */
export function numberIn(text = ''): number {
  return /^[+-]?\d{1,12}(\.\d{1,12})?(e[+-]?\d{1,2})?$/i.test(text.trim()) ? Number(text) : Number.NaN;
}

function malformed(expression: string, expected: string): Fault {
  return new Fault('invalid', `${expression} is ${expected}`, { expression });
}
