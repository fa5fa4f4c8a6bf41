/** The forms of a report as they come: each is what its sender says of it, to the byte. @see FHIR R4 Attachment */
import { createHash } from 'node:crypto';
import type { Attachment, DiagnosticReport } from '@medplum/fhirtypes';
import { MEDIA_TYPE } from '../codes.ts';
import { Fault } from '../fault.ts';

const PDF_SIGNATURE = Buffer.from('%PDF-');
const NOT_BASE64 = /[^A-Za-z0-9+/=]/;
/** That of JSON and XML: a no-break space is another character. */
const WHITE_SPACE = /[ \t\r\n]+/g;

/**
 * Returns the bytes of the one form that a report brings; undefined when it brings none.
 * @throws {Fault} not-supported - several forms come with bytes
 * @throws {Fault} invalid - it is no PDF
 * @throws {Fault} business-rule - the bytes are not those that `size` and `hash` tell of, or the base64 is broken
 */
export function formBytes({ presentedForm = [] }: DiagnosticReport): Buffer | undefined {
  const [at, ...others] = presentedForm.flatMap(({ data }, index) => (data === undefined ? [] : [index]));
  if (others.length > 0) throw notSupported('A version of a report brings one presentedForm with its data');
  const form = at === undefined ? undefined : presentedForm[at];
  if (form?.data === undefined) return undefined;
  const bytes = decoded(form.data, `presentedForm[${at}].data`);
  requireAsSaid(form, bytes, `presentedForm[${at}]`);
  const type = (form.contentType ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== MEDIA_TYPE.pdf || !bytes.subarray(0, PDF_SIGNATURE.length).equals(PDF_SIGNATURE))
    throw new Fault('invalid', 'The presentedForm is not a PDF', { expression: 'DiagnosticReport.presentedForm' });
  return bytes;
}

/** What is said when forms come otherwise than a report can keep them. */
export function notSupported(message: string): Fault {
  return new Fault('not-supported', message, { expression: 'DiagnosticReport.presentedForm' });
}

/**
 * `Buffer.from` passes over what is no base64, and would file a document that nobody sent. White space is allowed
 * between groups of four.
 */
function decoded(data: string, element: string): Buffer {
  const text = data.replaceAll(WHITE_SPACE, '');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const isWhole = text.length % 4 === 0 && text.indexOf('=') === (padding === 0 ? -1 : text.length - padding);
  if (!isWhole || NOT_BASE64.test(text)) throw broken('The data are not whole base64', element);
  return Buffer.from(text, 'base64');
}

function requireAsSaid({ size, hash }: Attachment, bytes: Buffer, element: string): void {
  if (size !== undefined && size !== bytes.length)
    throw broken('The data have another length than the size that is told', `${element}.size`);
  if (hash === undefined) return;
  if (createHash('sha1').update(bytes).digest('base64') !== hash)
    throw broken('The data have another SHA-1 than the hash that is told', `${element}.hash`);
}

function broken(message: string, element: string): Fault {
  return new Fault('business-rule', message, { expression: `DiagnosticReport.${element}` });
}
