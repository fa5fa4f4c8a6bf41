/** The query parameters of WADO-URI. @see DICOM PS3.18 section 9.1.2, IHE RAD-55 */
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { isUID } from '../../../profiles/dicom/uid.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { PictureOptions } from '../../flows/retrieve/retrieve-rendered.ts';
import { MAX_VIEWPORT, numberIn } from '../dicomweb/retrieve/rendered-parameters.ts';

/** The object that is asked for. */
export type WadoObject = {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
};

/** What is asked for, read from the query. */
export type WadoRequest = {
  readonly object: WadoObject;
  /** Media types, the most wanted first; empty when the request leaves it to the server. */
  readonly contentTypes: readonly string[];
  readonly frame: number | undefined;
  readonly picture: Omit<PictureOptions, 'mediaType'>;
  readonly transferSyntaxUID: string | undefined;
};

const REQUEST_TYPE = 'WADO';
/** What the standard lets a server refuse. */
const REFUSED = ['anonymize', 'annotation', 'presentationUID', 'presentationSeriesUID'];

/**
 * Reads a query; names are told apart by their case, as the standard writes them.
 * @throws {Fault} invalid - a parameter is missing, malformed or stands twice
 * @throws {Fault} not-supported - it asks for what is not done here
 */
export function parseWadoQuery(query: string): WadoRequest {
  const given = new URLSearchParams(query);
  for (const name of given.keys())
    if (given.getAll(name).length > 1)
      throw new Fault('invalid', `${name} stands more than once`, { expression: name });
  if (given.get('requestType') !== REQUEST_TYPE)
    throw new Fault('invalid', `requestType is ${REQUEST_TYPE}`, { expression: 'requestType' });
  for (const name of REFUSED)
    if (given.has(name)) throw new Fault('not-supported', `${name} is not supported`, { expression: name });
  const frame = wholeNumber(given, 'frameNumber', 999_999_999);
  const quality = wholeNumber(given, 'imageQuality', 100);
  return {
    object: {
      studyInstanceUID: uidIn(given, 'studyUID'),
      seriesInstanceUID: uidIn(given, 'seriesUID'),
      sopInstanceUID: uidIn(given, 'objectUID'),
    },
    contentTypes: contentTypesIn(given.get('contentType') ?? ''),
    frame,
    picture: { ...viewportIn(given), ...windowIn(given), ...(quality === undefined ? {} : { quality }) },
    transferSyntaxUID: given.has('transferSyntax') ? uidIn(given, 'transferSyntax') : undefined,
  };
}

/** The names of media types in order, without their parameters. */
function contentTypesIn(text: string): readonly string[] {
  const types = text.split(',').map((type) => (type.split(';')[0] ?? '').trim().toLowerCase());
  return types.filter((type) => type !== '');
}

function uidIn(given: URLSearchParams, name: string): string {
  const uid = given.get(name)?.trim() ?? '';
  if (!isUID(uid)) throw new Fault('invalid', `${name} is a UID`, { expression: name });
  return uid;
}

/** `rows` and `columns`, of which one suffices, and `region`: a part as shares of the frame. */
function viewportIn(given: URLSearchParams): Pick<PictureOptions, 'viewport'> {
  const [rows, columns] = [wholeNumber(given, 'rows', MAX_VIEWPORT), wholeNumber(given, 'columns', MAX_VIEWPORT)];
  const region = given.get('region');
  if (rows === undefined && columns === undefined && region === null) return {};
  const size = {
    ...(columns === undefined ? {} : { width: columns }),
    ...(rows === undefined ? {} : { height: rows }),
  };
  if (region === null) return { viewport: size };
  const [left = Number.NaN, top = Number.NaN, right = Number.NaN, bottom = Number.NaN, ...others] = region
    .split(',')
    .map(numberIn);
  const isPart = left >= 0 && top >= 0 && right <= 1 && bottom <= 1 && left < right && top < bottom;
  if (!isPart || others.length > 0)
    throw new Fault('invalid', 'region is left,top,right,bottom, each from 0 to 1', { expression: 'region' });
  const source = { unit: 'share', x: left, y: top, width: right - left, height: bottom - top } as const;
  return { viewport: { ...size, source } };
}

function windowIn(given: URLSearchParams): Pick<PictureOptions, 'window'> {
  const [center, width] = [given.get('windowCenter'), given.get('windowWidth')];
  if (center === null && width === null) return {};
  const window = { center: numberIn(center ?? ''), width: numberIn(width ?? ''), function: 'LINEAR' as const };
  if (Number.isNaN(window.center) || !(window.width >= 1))
    throw new Fault('invalid', 'windowCenter and windowWidth are numbers, and come together', {
      expression: 'windowWidth',
    });
  return { window };
}

function wholeNumber(given: URLSearchParams, name: string, most: number): number | undefined {
  const text = given.get(name);
  if (text === null) return undefined;
  const number = numberIn(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new Fault('invalid', `${name} is a whole number from 1 to ${most}`, { expression: name });
}

/** The media types that an object may be sent as. */
export const WADO_TYPES = [MEDIA_TYPE.jpeg, MEDIA_TYPE.png, MEDIA_TYPE.dicom] as const;
