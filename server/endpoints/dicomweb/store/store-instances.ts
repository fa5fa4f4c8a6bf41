/**
 * STOW-RS Store Instances (RAD-108): each part of the request goes the way of a C-STORE. @see DICOM PS3.18 section 10.5
 */
import type { RouterContext } from '@koa/router';
import { boundaryOf, parseContentType, type ContentType } from '../../../../ihe/mime/content-type.ts';
import { MEDIA_TYPE } from '../../../../profiles/codes.ts';
import { isStorageClass } from '../../../../profiles/dicom/storage-class.ts';
import { isReferencedPixelData } from '../../../../profiles/dicom/file/transfer-syntax.ts';
import { isUID } from '../../../../profiles/dicom/uid.ts';
import { Fault, toFault } from '../../../../profiles/fault.ts';
import type {
  SentInstance,
  SentOutcome,
  StowShipment,
  receiveStowRequest,
} from '../../../flows/intake/receive-stow-request.ts';
import { HTTP_CODE } from '../../http/outcome.ts';
import type { Identify } from '../../http/visit.ts';
import { acceptedBy, requireDicomJson } from '../accept.ts';
import { readParts, type IncomingPart } from './multipart-reader.ts';
import { readPart10 } from './part10-reader.ts';
import { formatStoreResponse, type StoredItem } from './store-response.ts';

/** What the endpoint needs. */
export type StoreInstancesDeps = {
  readonly identify: Identify;
  readonly receiveStowRequest: ReturnType<typeof receiveStowRequest>;
  readonly baseUrl: () => string;
};

/** Most instances of one request. */
export const MAX_STORED = 10_000;

/** Stores the instances of a request; those that are stored stay, whatever becomes of the others. */
export function answerStore(deps: StoreInstancesDeps) {
  return async (ctx: RouterContext): Promise<void> => {
    const baseUrl = deps.baseUrl();
    const visit = await deps.identify(ctx, baseUrl);
    requireDicomJson(acceptedBy(ctx));
    const studyInstanceUID = studyOf(ctx.params);
    const boundary = boundaryOf(contentTypeOf(ctx));
    const shipment = await deps.receiveStowRequest(visit);
    const items = await storeParts(ctx, shipment, boundary, studyInstanceUID).finally(
      async () => await shipment.ended(),
    );
    const { status, body } = formatStoreResponse(items, baseUrl);
    ctx.status = status;
    ctx.set('Content-Type', MEDIA_TYPE.dicomJson);
    ctx.body = JSON.stringify(body);
  };
}

async function storeParts(
  ctx: RouterContext,
  shipment: StowShipment,
  boundary: string,
  studyInstanceUID: string | undefined,
): Promise<readonly StoredItem[]> {
  const items: StoredItem[] = [];
  for await (const part of readParts(ctx.req, boundary, { maxParts: MAX_STORED })) {
    const item = await storePart(shipment, part, studyInstanceUID);
    if ('refused' in item && item.refused.kind === 'exception')
      ctx.app.emit('error', item.refused.cause ?? item.refused, ctx);
    items.push(item);
  }
  return items;
}

async function storePart(
  shipment: StowShipment,
  part: IncomingPart,
  studyInstanceUID: string | undefined,
): Promise<StoredItem> {
  let sent: Partial<SentInstance> = {};
  try {
    requireDicom(part);
    const { meta, dataSet } = await readPart10(part.content);
    sent = meta;
    const { transferSyntaxUID } = meta;
    const instance = {
      ...namedBy(meta),
      transferSyntaxUID,
      ...(studyInstanceUID === undefined ? {} : { studyInstanceUID }),
    };
    const outcome: SentOutcome = await shipment.store(instance, dataSet);
    return { sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID, ...outcome };
  } catch (error) {
    const refused = toFault(error);
    shipment.refused(refused);
    return { sopClassUID: sent.sopClassUID, sopInstanceUID: sent.sopInstanceUID, refused };
  }
}

function requireDicom({ headers }: IncomingPart): void {
  const { mediaType } = parseContentType(headers.get('content-type') ?? MEDIA_TYPE.dicom);
  if (mediaType === MEDIA_TYPE.dicom) return;
  throw new Fault('invalid', `A part is not ${MEDIA_TYPE.dicom}`, { expression: 'Content-Type' });
}

/** What a file must say of itself, and may: storage classes and private ones, with their pixels in them. */
function namedBy({ sopClassUID, sopInstanceUID, transferSyntaxUID }: Partial<SentInstance>): {
  sopClassUID: string;
  sopInstanceUID: string;
} {
  if (sopClassUID === undefined || sopInstanceUID === undefined)
    throw new Fault('required', 'The file meta information names no SOP class or instance');
  if (!isStorageClass(sopClassUID))
    throw new Fault('not-supported', 'The SOP class is not one of storage', { expression: 'SOPClassUID' });
  if (isReferencedPixelData(transferSyntaxUID ?? ''))
    throw new Fault('invalid', 'The pixels stay elsewhere in this transfer syntax', {
      expression: 'TransferSyntaxUID',
    });
  return { sopClassUID, sopInstanceUID };
}

function studyOf({ study }: Readonly<Record<string, string | undefined>>): string | undefined {
  if (study === undefined || isUID(study)) return study;
  throw new Fault('invalid', 'The path names no Study Instance UID', { expression: 'StudyInstanceUID' });
}

/** @throws {Fault} not-supported (unsupported-media-type) - the body is not what is taken here */
function contentTypeOf(ctx: RouterContext): ContentType {
  const encoding = ctx.get('Content-Encoding').trim().toLowerCase();
  const contentType = parseContentType(ctx.get('Content-Type'));
  // Some name the transfer syntax of the parts in it, too.
  const type = parseContentType(contentType.parameters.get('type') ?? MEDIA_TYPE.dicom);
  const isRelated = contentType.mediaType === MEDIA_TYPE.multipartRelated && type.mediaType === MEDIA_TYPE.dicom;
  if (isRelated && ['', 'identity'].includes(encoding)) return contentType;
  throw new Fault(
    'not-supported',
    `Instances are taken as ${MEDIA_TYPE.multipartRelated}; type="${MEDIA_TYPE.dicom}", not compressed`,
    {
      expression: 'Content-Type',
      protocolCode: HTTP_CODE.unsupportedMediaType,
    },
  );
}
