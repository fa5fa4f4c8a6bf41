/** Reads children, attributes and text of XML elements strictly: what is doubtful is refused, never guessed. */
import type { XmlElement } from 'libxml2-wasm';
import { Fault } from '../../profiles/fault.ts';
import { childElements } from '../xml/select.ts';

/** Makes the refusal of an assertion. The message is for the peer and holds no value of the assertion. */
export function refusal(message: string, cause?: unknown): Fault {
  return new Fault('login', message, { protocolCode: 'wsse:FailedAuthentication', cause });
}

/** The child elements of that expanded name, in document order. */
export function childrenOf(parent: XmlElement, namespace: string, name: string): XmlElement[] {
  return childElements(parent).filter((child) => child.name === name && child.namespaceUri === namespace);
}

/** The one child of that name. @throws {Fault} login - there is none, or more than one */
export function onlyChild(parent: XmlElement, namespace: string, name: string): XmlElement {
  const [child, ...others] = childrenOf(parent, namespace, name);
  if (child === undefined || others.length > 0) throw refusal(`SAML assertion needs exactly one ${name}`);
  return child;
}

/** The value of an attribute that has no namespace. @throws {Fault} login - absent or empty */
export function requiredAttribute(element: XmlElement, name: string): string {
  const value = optionalAttribute(element, name);
  if (value === undefined || value === '') throw refusal(`SAML assertion has no ${element.name}/@${name}`);
  return value;
}

/** The value of an attribute that has no namespace, or undefined. */
export function optionalAttribute(element: XmlElement, name: string): string | undefined {
  return element.attrs.find((attribute) => attribute.name === name && attribute.namespaceUri === '')?.value;
}

/** The trimmed text of an element without child elements. @throws {Fault} login - empty, or it has children */
export function textOf(element: XmlElement): string {
  const text = element.content.trim();
  if (text === '' || childElements(element).length > 0)
    throw refusal(`SAML assertion has no plain text in ${element.name}`);
  return text;
}
