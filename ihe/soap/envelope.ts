/** The SOAP 1.2 envelope with WS-Addressing 1.0: requests are read, answers are written as strings. */
import type { XmlDocument, XmlElement } from 'libxml2-wasm';
import { Fault } from '../../profiles/fault.ts';
import { NAMESPACE } from '../codes.ts';
import { escapeText } from '../xml/escape.ts';
import { childElements, childrenNamed, isElement, textOf } from '../xml/select.ts';
import type { NamespacePrefix } from '../xml/select.ts';

/**
 * A request envelope. `assertion` and `body` are handles into the parsed document and die with it; ReplyTo is
 * not read, because an answer only ever goes back on its own connection.
 */
export type SoapEnvelope = {
  /** wsa:Action. */
  readonly action: string;
  /** wsa:MessageID, to be repeated in RelatesTo. */
  readonly messageID?: string;
  /** saml:Assertion of wsse:Security, not verified. */
  readonly assertion?: XmlElement;
  /** The one child of env:Body. */
  readonly body: XmlElement;
};

/**
 * Reads the envelope of a request.
 * @param prepareHeader - called with env:Header before it is read, to resolve what it refers to
 * @throws {Fault} invalid - no envelope, several headers of one kind, several assertions, a body without its one child
 * @throws {Fault} not-supported - SOAP 1.1, or a header that must be understood and is not
 * @throws {Fault} required - no wsa:Action
 */
export function readEnvelope(
  document: XmlDocument,
  prepareHeader: (header: XmlElement) => void = () => {},
): SoapEnvelope {
  const { root } = document;
  if (root.name === 'Envelope' && root.namespaceUri === NAMESPACE.soap11) {
    throw new Fault('not-supported', 'The envelope must be SOAP 1.2', { protocolCode: 'env:VersionMismatch' });
  }
  if (!isElement(root, 'env', 'Envelope')) throw new Fault('invalid', 'The root element must be a SOAP 1.2 Envelope');
  const header = oneOrNone(childrenNamed(root, 'env', 'Header'), 'env:Header');
  if (header !== undefined) {
    prepareHeader(header);
    checkUnderstood(header);
  }
  return { ...readHeader(header), body: readBody(root) };
}

function readHeader(header: XmlElement | undefined): Omit<SoapEnvelope, 'body'> {
  const action = addressingText(header, 'Action');
  if (action === undefined) {
    throw new Fault('required', 'The SOAP header holds no wsa:Action', {
      expression: 'wsa:Action',
      protocolCode: 'wsa:MessageAddressingHeaderRequired',
    });
  }
  const messageID = addressingText(header, 'MessageID');
  const assertion = readAssertion(header);
  return {
    action,
    ...(messageID === undefined ? {} : { messageID }),
    ...(assertion === undefined ? {} : { assertion }),
  };
}

function addressingText(header: XmlElement | undefined, name: string): string | undefined {
  const element = header && oneOrNone(childrenNamed(header, 'wsa', name), `wsa:${name}`, 'wsa:InvalidAddressingHeader');
  return element === undefined ? undefined : textOf(element);
}

/** The one assertion. Two would let the one that is verified differ from the one that is believed. */
function readAssertion(header: XmlElement | undefined): XmlElement | undefined {
  const security = header === undefined ? [] : childrenNamed(header, 'wsse', 'Security');
  const assertions = security.flatMap((element) => childrenNamed(element, 'saml', 'Assertion'));
  return oneOrNone(assertions, 'saml:Assertion', 'wsse:InvalidSecurity');
}

function readBody(envelope: XmlElement): XmlElement {
  const body = oneOrNone(childrenNamed(envelope, 'env', 'Body'), 'env:Body');
  const [child, ...others] = body === undefined ? [] : childElements(body);
  if (child === undefined || others.length > 0) throw new Fault('invalid', 'env:Body must hold exactly one element');
  return child;
}

/** Headers of WS-Addressing and wsse:Security are understood; any other one must not insist. */
function checkUnderstood(header: XmlElement): void {
  for (const entry of childElements(header)) {
    if (entry.namespaceUri === NAMESPACE.wsa || isElement(entry, 'wsse', 'Security')) continue;
    const insists = entry.attrs.some(
      ({ name, namespaceUri, value }) =>
        name === 'mustUnderstand' && namespaceUri === NAMESPACE.env && ['1', 'true'].includes(value.trim()),
    );
    if (insists) {
      throw new Fault('not-supported', 'A SOAP header that must be understood is not known', {
        protocolCode: 'env:MustUnderstand',
      });
    }
  }
}

function oneOrNone(elements: readonly XmlElement[], name: string, protocolCode?: string): XmlElement | undefined {
  if (elements.length > 1) {
    throw new Fault('invalid', `The envelope holds more than one ${name}`, {
      expression: name,
      ...(protocolCode === undefined ? {} : { protocolCode }),
    });
  }
  return elements[0];
}

/**
 * Checks that the body is the element that the action announces: a transaction is chosen by its action alone.
 * @throws {Fault} invalid (wsa:InvalidAddressingHeader) - it is another element
 */
export function checkBody(body: XmlElement, prefix: NamespacePrefix, name: string): void {
  if (isElement(body, prefix, name)) return;
  throw new Fault('invalid', `The body must be a ${name}, as wsa:Action says`, {
    expression: name,
    protocolCode: 'wsa:InvalidAddressingHeader',
  });
}

/** What an answer envelope says; `body` is XML that declares its own namespaces. */
export type AnswerEnvelope = {
  readonly action: string;
  /** MessageID of the request. */
  readonly relatesTo?: string | undefined;
  readonly body: string;
};

/** Formats an answer envelope as XML without a declaration (UTF-8). */
export function formatEnvelope({ action, relatesTo, body }: AnswerEnvelope): string {
  const relation = relatesTo === undefined ? '' : `<wsa:RelatesTo>${escapeText(relatesTo)}</wsa:RelatesTo>`;
  return (
    `<env:Envelope xmlns:env="${NAMESPACE.env}" xmlns:wsa="${NAMESPACE.wsa}"><env:Header>` +
    `<wsa:Action env:mustUnderstand="1">${escapeText(action)}</wsa:Action>${relation}` +
    `</env:Header><env:Body>${body}</env:Body></env:Envelope>`
  );
}
