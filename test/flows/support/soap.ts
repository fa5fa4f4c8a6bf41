/** A consumer of XDS: requests with a MessageID of their own, and answers as plain data. */
import { expect } from 'chai';
import { XmlDocument } from 'libxml2-wasm';
import { NAMESPACE } from '../../../ihe/codes.ts';
import { attributeOf, selectElements } from '../../../ihe/xml/select.ts';
import { SOAP_TYPE } from '../../support/clients/xds.ts';
import { partsOf, readReply, type Call, type Reply } from './door.ts';

/** What a request says: where it goes, its action, the body, and XML of its own in the header. */
export type Message = {
  readonly path: string;
  readonly action: string;
  readonly body: string;
  readonly header?: string;
};

/** Sends a message, with a bearer token unless it is empty. */
export async function post(
  { url, token, requestId, pause }: Omit<Call, 'ids'>,
  { path, action, body, header = '' }: Message,
): Promise<Reply> {
  const envelope =
    `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="${NAMESPACE.env}" ` +
    `xmlns:a="${NAMESPACE.wsa}"><s:Header>` +
    `<a:Action s:mustUnderstand="true">${action}</a:Action><a:MessageID>${requestId}</a:MessageID>` +
    `<a:To>${url}${path}</a:To>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
  const authorization: Record<string, string> = token === '' ? {} : { Authorization: `Bearer ${token}` };
  return await readReply(
    await fetch(url + path, {
      method: 'POST',
      headers: { ...authorization, 'Content-Type': SOAP_TYPE },
      body: envelope,
    }),
    pause,
  );
}

/** The envelope of an answer: the body itself, or the root part of an MTOM package. Undefined when it is no SOAP. */
export function envelopeOf(reply: Reply): string | undefined {
  const type = reply.headers.get('Content-Type') ?? '';
  if (type.startsWith('application/soap+xml')) return reply.body.toString();
  if (!type.startsWith('multipart/related; type="application/xop+xml"')) return undefined;
  return partsOf(reply)[0]?.content.toString() ?? '';
}

/** Values of an attribute, or the texts, of what an XPath selects in an answer. */
export function select(reply: Reply, xpath: string, attribute?: string): string[] {
  using document = XmlDocument.fromString(envelopeOf(reply) ?? '');
  return selectElements(document, xpath).map((element) =>
    attribute === undefined ? element.content : (attributeOf(element, attribute) ?? ''),
  );
}

/** The last part of the status of a registry response, and its error codes, each with its location. */
export function responseOf(reply: Reply): {
  readonly http: number;
  readonly status: string | undefined;
  readonly errors: readonly string[];
} {
  const [status] = select(reply, '//query:AdhocQueryResponse | //rs:RegistryResponse', 'status');
  const codes = select(reply, '//rs:RegistryError', 'errorCode');
  const locations = select(reply, '//rs:RegistryError', 'location');
  return {
    http: reply.status,
    status: status?.split(':').at(-1),
    errors: codes.map((code, at) => `${code} ${locations[at] ?? ''}`),
  };
}

/**
 * The documents of an answer by their uniqueId, in its order; each xop:Include must name a part, and every part be
 * named.
 */
export function documentsOf(reply: Reply): Map<string, Buffer> {
  const [, ...parts] = partsOf(reply);
  const byCid = new Map(
    parts.map(({ headers, content }) => [`cid:${headers.get('Content-ID')?.slice(1, -1)}`, content]),
  );
  const includes = select(reply, '//xdsb:DocumentResponse/xdsb:Document/xop:Include', 'href').map(decodeURIComponent);
  expect(includes).to.have.members([...byCid.keys()]);
  const uniqueIds = select(reply, '//xdsb:DocumentResponse/xdsb:DocumentUniqueId');
  return new Map(uniqueIds.map((uniqueId, at) => [uniqueId, byCid.get(includes[at] ?? '') ?? Buffer.alloc(0)]));
}
