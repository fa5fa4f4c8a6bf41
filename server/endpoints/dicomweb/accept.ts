/**
 * Negotiation of media types as DICOMweb clients write them: quoted or unquoted `type`, a transfer syntax beside it,
 * in the header or in the query.
 * @see DICOM PS3.18 sections 8.3.3.1 and 8.7
 */
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault, type FaultKind } from '../../../profiles/fault.ts';
import { HTTP_CODE } from '../http/outcome.ts';

/** One acceptable media type. */
export type MediaRange = {
  /** Lower case, as `multipart/related`. */
  readonly mediaType: string;
  /** Names in lower case, values without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
};

/** How instances are sent: each as a part or one alone, in any stored transfer syntax or in this one. */
export type InstanceFormat = { readonly form: 'multipart' | 'single'; readonly transferSyntaxUID: string | undefined };

const MAX_ACCEPT_LENGTH = 4096;
/** One media range: what is not a comma, commas inside quotes excepted. */
const RANGE = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g;
const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g;

/**
 * Reads what a client accepts, the most wanted first; everything when it does not say.
 * @throws {Fault} too-long - more than 4,096 characters
 */
export function acceptedBy(ctx: Context): readonly MediaRange[] {
  const { accept } = ctx.query;
  const asked = accept === undefined ? ctx.get('Accept') : [accept].flat().join(',');
  return parseAccept(asked.trim() === '' ? '*/*' : asked);
}

/** Reads the value of an Accept header; ranges with quality 0 are left out. */
export function parseAccept(text: string): readonly MediaRange[] {
  if (text.length > MAX_ACCEPT_LENGTH) throw new Fault('too-long', `Accept exceeds ${MAX_ACCEPT_LENGTH} characters`);
  const ranges = (text.match(RANGE) ?? []).map(parseRange);
  return ranges.filter(({ quality }) => quality > 0).toSorted((a, b) => b.quality - a.quality);
}

function parseRange(text: string): MediaRange {
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, plain = ''] of text.matchAll(PARAMETER)) {
    parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain);
  }
  const quality = Number(parameters.get('q') ?? '1');
  const mediaType = (text.split(';')[0] ?? '').trim().toLowerCase();
  return { mediaType, parameters, quality: Number.isFinite(quality) ? quality : 0 };
}

/**
 * Lists the formats in which instances may be sent, the most wanted first. A single part is for one instance only.
 * @throws {Fault} not-supported (not-acceptable) - there is none
 */
export function instanceFormats(ranges: readonly MediaRange[], isOneInstance: boolean): readonly InstanceFormat[] {
  const formats = ranges.flatMap((range) => {
    const form = formOf(range);
    if (form === undefined || (form === 'single' && !isOneInstance)) return [];
    return [{ form, transferSyntaxUID: transferSyntaxOf(range) }];
  });
  if (formats.length > 0) return formats;
  const single = isOneInstance ? ` or ${MEDIA_TYPE.dicom}` : '';
  throw notAcceptable(`Instances are sent as ${MEDIA_TYPE.multipartRelated}; type="${MEDIA_TYPE.dicom}"${single}`);
}

function formOf({ mediaType, parameters }: MediaRange): InstanceFormat['form'] | undefined {
  switch (mediaType) {
    case MEDIA_TYPE.dicom:
    case 'application/*':
      return 'single';
    case MEDIA_TYPE.multipartRelated:
    case 'multipart/*':
    case '*/*':
      return isDicom(parameters.get('type')) ? 'multipart' : undefined;
    default:
      return undefined;
  }
}

function isDicom(type: string = MEDIA_TYPE.dicom): boolean {
  return [MEDIA_TYPE.dicom, 'application/*', '*/*'].includes(type.toLowerCase());
}

function transferSyntaxOf({ parameters }: MediaRange): string | undefined {
  const uid = parameters.get('transfer-syntax')?.trim();
  return uid === '*' || uid === '' ? undefined : uid;
}

/** @throws {Fault} not-supported (not-acceptable) - DICOM JSON is not among what the client accepts */
export function requireDicomJson(ranges: readonly MediaRange[]): void {
  const served: readonly string[] = [MEDIA_TYPE.dicomJson, MEDIA_TYPE.json, 'application/*', '*/*'];
  if (ranges.some(({ mediaType }) => served.includes(mediaType))) return;
  throw notAcceptable(`The answer is ${MEDIA_TYPE.dicomJson}`);
}

/** Builds the refusal of a format that cannot be sent. */
export function notAcceptable(message: string): Fault {
  return new Fault('not-supported', message, { expression: 'Accept', protocolCode: HTTP_CODE.notAcceptable });
}

const OF_CONTENT: ReadonlySet<FaultKind> = new Set(['not-supported', 'invalid', 'too-costly']);

/**
 * Throws what keeps stored content from being sent as it is asked for as a refusal of the format: what nothing can be
 * made of has no representation that could be accepted.
 */
export function asNotAcceptable(error: unknown): never {
  const isOfContent = error instanceof Fault && OF_CONTENT.has(error.kind) && error.expression !== 'viewport';
  throw isOfContent ? notAcceptable(error.message) : error;
}
