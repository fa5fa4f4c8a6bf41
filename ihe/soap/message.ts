/**
 * A SOAP request as HTTP carries it: plain SOAP, or MTOM (multipart/related with XOP). Both end in the same
 * message: the bytes of the envelope, the parts beside it, and the action that the HTTP header named.
 */
import { Fault } from '../../profiles/fault.ts';
import { MEDIA_TYPE } from '../../profiles/codes.ts';
import { withXml } from '../xml/parse.ts';
import { boundaryOf, parseContentType } from '../mime/content-type.ts';
import type { ContentType } from '../mime/content-type.ts';
import { readEnvelope } from './envelope.ts';
import type { SoapEnvelope } from './envelope.ts';
import { splitMultipart } from './multipart.ts';
import type { BodyPart } from './multipart.ts';
import { resolveIncludes } from './xop.ts';

/** A request before its XML is read. */
export type SoapMessage = {
  readonly envelope: Buffer;
  /** Parts other than the envelope, by Content-ID without angle brackets; empty for plain SOAP. */
  readonly parts: ReadonlyMap<string, Buffer>;
  /** The `action` parameter of the HTTP Content-Type. */
  readonly action?: string;
  /** Whether the request came as MTOM: its answer goes back the same way where the transaction asks so. */
  readonly isMtom: boolean;
};

/**
 * Reads a request and gives its envelope to `read`, which must be synchronous and return plain data: the
 * elements of the envelope live only during the call. Includes in the SOAP header are resolved before. What is
 * refused before `read` is a matter of SOAP (`concernsSoap` in fault.ts).
 * @throws {Fault} invalid - not well formed, no SOAP envelope, or the HTTP action contradicts wsa:Action
 * @throws {Fault} not-supported - another media type, encoding or SOAP version, or a document type declaration
 */
export function withSoapRequest<T>(
  contentType: string,
  body: Buffer,
  read: (envelope: SoapEnvelope, message: SoapMessage) => T,
): T {
  let isOpen = false;
  try {
    const message = openSoapMessage(contentType, body);
    return withXml(message.envelope, document => {
      const envelope = readEnvelope(document, header => resolveIncludes(header, message.parts));
      checkAction(envelope.action, message.action);
      isOpen = true;
      return read(envelope, message);
    });
  } catch (error) {
    throw isOpen ? error : asSoapFault(error);
  }
}

function checkAction(addressed: string, announced = addressed): void {
  if (addressed === announced) return;
  throw new Fault('invalid', 'The action of the Content-Type differs from wsa:Action', {
    protocolCode: 'wsa:InvalidAddressingHeader',
  });
}

function asSoapFault(error: unknown): unknown {
  if (!(error instanceof Fault) || error.protocolCode !== undefined) return error;
  return new Fault(error.kind, error.message, { protocolCode: 'env:Sender', cause: error });
}

/**
 * Separates the envelope of a request from its parts.
 * @throws {Fault} invalid - a broken multipart body, or its root part is missing
 * @throws {Fault} not-supported - another media type, character set or transfer encoding
 */
export function openSoapMessage(contentType: string, body: Buffer): SoapMessage {
  const type = parseContentType(contentType);
  const action = type.parameters.get('action');
  const rest = action === undefined || action === '' ? {} : { action };
  if (type.mediaType === MEDIA_TYPE.multipartRelated) return { ...openMultipart(type, body), ...rest, isMtom: true };
  if (type.mediaType !== MEDIA_TYPE.soap) {
    throw new Fault('not-supported', `The Content-Type must be ${MEDIA_TYPE.soap} or ${MEDIA_TYPE.multipartRelated}`);
  }
  checkCharset(type);
  return { envelope: body, parts: new Map(), ...rest, isMtom: false };
}

function openMultipart(type: ContentType, body: Buffer): Pick<SoapMessage, 'envelope' | 'parts'> {
  const parts = splitMultipart(body, boundaryOf(type));
  const root = rootOf(parts, type.parameters.get('start'));
  checkRoot(root);
  const others = parts.filter(part => part !== root && part.headers.has('content-id'));
  return {
    envelope: contentOf(root),
    parts: new Map(others.map(part => [contentId(part.headers.get('content-id') ?? ''), contentOf(part)])),
  };
}

/** The part that `start` names; the first one when the header has no `start` (RFC 2387 section 3.2). */
function rootOf(parts: readonly BodyPart[], start: string | undefined): BodyPart {
  const wanted = start === undefined ? '' : contentId(start);
  const root =
    wanted === '' ? parts[0] : parts.find(part => contentId(part.headers.get('content-id') ?? '') === wanted);
  if (root === undefined) throw new Fault('invalid', 'No part has the Content-ID that the start parameter names');
  return root;
}

function checkRoot(root: BodyPart): void {
  const type = parseContentType(root.headers.get('content-type') ?? MEDIA_TYPE.xop);
  if (type.mediaType !== MEDIA_TYPE.xop && type.mediaType !== MEDIA_TYPE.soap) {
    throw new Fault('not-supported', `The root part must be ${MEDIA_TYPE.xop}`);
  }
  checkCharset(type);
}

function checkCharset(type: ContentType): void {
  const charset = type.parameters.get('charset')?.toLowerCase() ?? 'utf-8';
  if (!['utf-8', 'utf8', 'us-ascii'].includes(charset)) {
    throw new Fault('not-supported', 'The character set of the envelope must be UTF-8');
  }
}

function contentId(header: string): string {
  return header.trim().replace(/^<(.*)>$/, '$1');
}

function contentOf(part: BodyPart): Buffer {
  const encoding = part.headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary';
  if (encoding === 'base64') return Buffer.from(part.content.toString('latin1'), 'base64');
  if (['binary', '8bit', '7bit'].includes(encoding)) return part.content;
  throw new Fault('not-supported', 'The Content-Transfer-Encoding of a part must be binary');
}
