/** A request cut behind its SOAP header: who sends is known before the body is read. */
import { parseContentType } from '../mime/content-type.ts';

/** The start tag of the envelope, its prefix in front; the last character tells it from a longer name. */
const ENVELOPE = /<((?:[A-Za-z_][\w.-]*:)?)Envelope[\s>]/;

/**
 * Makes a whole request of the beginning of one: what comes behind the SOAP header is replaced by a body that says
 * nothing. In a package the envelope is expected to be the first part. Undefined when the header does not end within
 * the beginning. The cut is found in the text, so the result is read as warily as any other request.
 */
export function requestOfHeader(contentType: string, beginning: Buffer): Buffer | undefined {
  const text = beginning.toString('latin1');
  const [, prefix] = ENVELOPE.exec(text) ?? [];
  if (prefix === undefined) return undefined;
  const endTag = new RegExp(`</${prefix.replaceAll('.', '\\.')}Header\\s*>`).exec(text);
  if (endTag === null) return undefined;
  const boundary = parseContentType(contentType).parameters.get('boundary');
  const ending = `<${prefix}Body><nothing xmlns=""/></${prefix}Body></${prefix}Envelope>`;
  const closing = boundary === undefined ? '' : `\r\n--${boundary}--\r\n`;
  const header = beginning.subarray(0, endTag.index + endTag[0].length);
  return Buffer.concat([header, Buffer.from(ending + closing, 'latin1')]);
}
