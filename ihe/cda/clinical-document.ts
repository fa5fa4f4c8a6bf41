/**
 * A CDA document as it is shown: its header and narrative as a page, or the PDF that it wraps. What is structured for
 * machines (entry) is not shown: the narrative is what its author signed. @see CDA R2 1.3.1, 4.2, 4.3
 */
import type { XmlElement } from 'libxml2-wasm';
import { MEDIA_TYPE } from '../../profiles/codes.ts';
import { readableDateTime } from '../../profiles/dicom/date-time.ts';
import { formatDocumentPage, formatHeading, type Fact } from '../../profiles/document-page.ts';
import { Fault } from '../../profiles/fault.ts';
import { html, htmlLines, NO_HTML, type Html } from '../../profiles/html.ts';
import { withXml, XML_LIMITS, type XmlLimits } from '../xml/parse.ts';
import { attributeOf, childrenNamed, childText, isElement, selectElements, textOf } from '../xml/select.ts';
import { formatNarrative } from './narrative.ts';

/** What a CDA document is shown as: a page, or the bytes of a PDF that nobody has looked at yet. */
export type ShownCda = { readonly page: string } | { readonly pdf: Uint8Array };

const UNTITLED = 'Document clinique';
/** A PDF within it is large; what is marked up is read by a person. */
const CDA_LIMITS: XmlLimits = { ...XML_LIMITS, maxMarkup: 200_000 };
/** Most authors and the like that are named. */
const MOST_NAMED = 20;

/**
 * Shows a CDA document.
 * @throws {Fault} invalid - no well-formed XML, or no ClinicalDocument
 * @throws {Fault} not-supported - a document type declaration
 * @throws {Fault} too-long, too-costly - more than the limits allow
 */
export function showCda(bytes: Uint8Array, limits: XmlLimits = CDA_LIMITS): ShownCda {
  return withXml(
    bytes,
    ({ root }) => {
      if (!isElement(root, 'cda', 'ClinicalDocument'))
        throw new Fault('invalid', 'The document is no CDA document', { expression: 'EncapsulatedDocument' });
      const unstructured = at(root, 'cda:component/cda:nonXMLBody/cda:text')[0];
      const wrapped = unstructured === undefined ? undefined : wrappedOf(unstructured);
      return wrapped?.mediaType === MEDIA_TYPE.pdf ? { pdf: wrapped.bytes } : { page: pageOf(root, wrapped) };
    },
    limits,
  );
}

/** What a nonXMLBody holds; no bytes when they lie elsewhere or are compressed. */
type Wrapped = { readonly mediaType: string; readonly bytes: Uint8Array };

function wrappedOf(text: XmlElement): Wrapped {
  const mediaType = (attributeOf(text, 'mediaType') ?? MEDIA_TYPE.plainText).toLowerCase();
  if (attributeOf(text, 'compression') !== undefined) return { mediaType: 'compressed', bytes: new Uint8Array() };
  const isBase64 = attributeOf(text, 'representation') === 'B64';
  return { mediaType, bytes: Buffer.from(text.content, isBase64 ? 'base64' : 'utf8') };
}

function pageOf(root: XmlElement, wrapped: Wrapped | undefined): string {
  const sections = at(root, 'cda:component/cda:structuredBody/cda:component/cda:section');
  return formatDocumentPage({
    title: childText(root, 'cda', 'title') ?? codeNameOf(root) ?? UNTITLED,
    language: codeOf(childrenNamed(root, 'cda', 'languageCode')[0]),
    warnings: [],
    facts: [...patientFacts(root), ...documentFacts(root)],
    content: wrapped === undefined ? html`${sections.map((one) => formatSection(one, 1))}` : formatWrapped(wrapped),
  });
}

function formatWrapped({ mediaType, bytes }: Wrapped): Html {
  if (mediaType === MEDIA_TYPE.plainText) return html`<p>${htmlLines(Buffer.from(bytes).toString('utf8'))}</p>`;
  return html`<p role="note"><strong>[Contenu de type ${mediaType}, non affiché]</strong></p>`;
}

function formatSection(section: XmlElement, level: number): Html {
  const title = childText(section, 'cda', 'title');
  const texts = childrenNamed(section, 'cda', 'text').map(formatNarrative);
  const within = at(section, 'cda:component/cda:section').map((inner) => formatSection(inner, level + 1));
  const heading = title === undefined ? NO_HTML : formatHeading(level, html`${title}`);
  return html`<section>${heading}${texts}${within}</section>`;
}

function patientFacts(root: XmlElement): readonly Fact[] {
  const role = at(root, 'cda:recordTarget/cda:patientRole');
  const patient = role.flatMap((one) => childrenNamed(one, 'cda', 'patient'));
  return [
    ['Patient', ...patient.map(nameOf)],
    ['Date de naissance', ...patient.map((one) => timeOf(one, 'birthTime'))],
    ['Sexe', ...patient.map((one) => codeOf(childrenNamed(one, 'cda', 'administrativeGenderCode')[0]))],
    ['Identifiant du patient', ...role.flatMap((one) => childrenNamed(one, 'cda', 'id')).map(identifierOf)],
  ];
}

function documentFacts(root: XmlElement): readonly Fact[] {
  const custodian = at(root, 'cda:custodian/cda:assignedCustodian/cda:representedCustodianOrganization');
  return [
    ['Type', codeNameOf(root)],
    ['Date du document', timeOf(root, 'effectiveTime')],
    ['Auteur', ...at(root, 'cda:author').slice(0, MOST_NAMED).map(participantOf)],
    ['Validé par', ...at(root, 'cda:legalAuthenticator').slice(0, MOST_NAMED).map(participantOf)],
    ['Conservé par', ...custodian.map((one) => childText(one, 'cda', 'name'))],
  ];
}

/** Whoever wrote or signed: a person, else a device, with the organisation and the time. */
function participantOf(participant: XmlElement): string {
  const person = at(participant, '*/cda:assignedPerson')[0];
  const device = at(participant, '*/cda:assignedAuthoringDevice/cda:softwareName')[0];
  const organization = at(participant, '*/cda:representedOrganization')[0];
  const parts = [
    person === undefined ? device && textOf(device) : nameOf(person),
    organization && childText(organization, 'cda', 'name'),
    timeOf(participant, 'time'),
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

/** A name by its parts, else as it is written. */
function nameOf(person: XmlElement): string | undefined {
  const name = childrenNamed(person, 'cda', 'name')[0];
  if (name === undefined) return undefined;
  const parts = ['prefix', 'given', 'family', 'suffix'].flatMap((part) => childrenNamed(name, 'cda', part).map(textOf));
  return parts.filter((part) => part !== undefined).join(' ') || textOf(name);
}

function identifierOf(id: XmlElement): string | undefined {
  const [extension, root] = [attributeOf(id, 'extension'), attributeOf(id, 'root')];
  return extension !== undefined && root !== undefined ? `${extension} (${root})` : (extension ?? root);
}

function timeOf(parent: XmlElement, name: string): string | undefined {
  const time = childrenNamed(parent, 'cda', name)[0];
  const value = time && attributeOf(time, 'value');
  return value === undefined ? undefined : readableDateTime(value);
}

function codeNameOf(parent: XmlElement): string | undefined {
  const code = childrenNamed(parent, 'cda', 'code')[0];
  return code && attributeOf(code, 'displayName');
}

function codeOf(code: XmlElement | undefined): string | undefined {
  return code && attributeOf(code, 'code');
}

function at(parent: XmlElement, xpath: string): readonly XmlElement[] {
  return selectElements(parent, xpath);
}
