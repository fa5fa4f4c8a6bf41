/** Reading access to parsed XML: children by expanded name, and XPath under one fixed prefix map. */
import { XmlElement } from 'libxml2-wasm';
import type { XmlDocument, XmlNode } from 'libxml2-wasm';
import { NAMESPACE } from '../codes.ts';

/** A prefix of {@link NAMESPACE}. */
export type NamespacePrefix = keyof typeof NAMESPACE;

/** Returns the elements that an XPath selects, in document order. Its prefixes are the keys of NAMESPACE. */
export function selectElements(node: XmlNode | XmlDocument, xpath: string): XmlElement[] {
  return node.find(xpath, NAMESPACE).filter(found => found instanceof XmlElement);
}

/** Returns the child elements, in document order. */
export function childElements(parent: XmlElement): XmlElement[] {
  const children: XmlElement[] = [];
  for (let child = parent.firstChild; child !== null; child = child.next) {
    if (child instanceof XmlElement) children.push(child);
  }
  return children;
}

/** Whether the element has this expanded name. */
export function isElement(element: XmlElement, prefix: NamespacePrefix, name: string): boolean {
  return element.name === name && element.namespaceUri === NAMESPACE[prefix];
}

/** Returns the child elements of one expanded name, in document order. */
export function childrenNamed(parent: XmlElement, prefix: NamespacePrefix, name: string): XmlElement[] {
  return childElements(parent).filter(child => isElement(child, prefix, name));
}

/** Returns the trimmed text of the first child of that name; undefined when there is none or it is empty. */
export function childText(parent: XmlElement, prefix: NamespacePrefix, name: string): string | undefined {
  const child = childrenNamed(parent, prefix, name)[0];
  return child === undefined ? undefined : textOf(child);
}

/** Returns the trimmed text of an element; undefined when it is empty. */
export function textOf(element: XmlElement): string | undefined {
  return element.content.trim() || undefined;
}

/** Returns the trimmed value of an attribute without prefix; undefined when absent or empty. */
export function attributeOf(element: XmlElement, name: string): string | undefined {
  return element.attr(name)?.value.trim() || undefined;
}
