/** What tests of XDS need: requests as a consumer writes them, the published samples, and the XML Schemas. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DocumentReference, Patient } from '@medplum/fhirtypes';
import { XmlDocument, XsdValidator } from 'libxml2-wasm';
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs';
import { ACTION, NAMESPACE, STORED_QUERY } from '../../../ihe/codes.ts';
import { escapeAttribute, escapeText } from '../../../ihe/xml/escape.ts';
import { withSoapRequest } from '../../../ihe/soap/message.ts';
import type { SoapEnvelope } from '../../../ihe/soap/envelope.ts';
import { TESTDATA } from '../testdata.ts';

const SCHEMA = join(TESTDATA, 'xsd', 'all.xsd');

/** Content-Type of a plain SOAP request. */
export const SOAP_TYPE = 'application/soap+xml; charset=UTF-8';

/** The bytes of a published sample; undefined where the samples are not installed. */
export function readSample(path: string): Buffer | undefined {
  const url = join(TESTDATA, path);
  return existsSync(url) ? readFileSync(url) : undefined;
}

let validator: XsdValidator | undefined;

/** Whether the XML Schemas of IHE and OASIS are installed. */
export function hasSchemas(): boolean {
  return existsSync(SCHEMA);
}

/** Returns what the schemas find wrong with a SOAP envelope; the empty string for a valid one. */
export function schemaErrors(envelope: string): string {
  validator ??= loadSchemas();
  const document = XmlDocument.fromString(envelope.replaceAll(/<xop:Include [^>]*\/>/g, ''));
  try {
    validator.validate(document);
    return '';
  } catch (error) {
    return String(error);
  } finally {
    document.dispose();
  }
}

function loadSchemas(): XsdValidator {
  xmlRegisterFsInputProviders();
  const schema = XmlDocument.fromBuffer(readFileSync(SCHEMA), { url: SCHEMA });
  try {
    return XsdValidator.fromDoc(schema);
  } finally {
    schema.dispose();
  }
}

/** Formats a request envelope; `header` is XML beside the addressing headers. */
export function soapRequest(action: string, body: string, header = ''): Buffer {
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="${NAMESPACE.env}" ` +
      `xmlns:a="${NAMESPACE.wsa}"><s:Header>` +
      `<a:Action s:mustUnderstand="true">${escapeText(action)}</a:Action>` +
      `<a:MessageID>urn:uuid:6d0a4d5e-3a5c-4f0e-9c64-0d8f8a6a7a01</a:MessageID>${header}` +
      `</s:Header><s:Body>${body}</s:Body></s:Envelope>`,
  );
}

/** Slots of a stored query: name and the rim:Values of one Slot. A name may come twice. */
export type QuerySlots = readonly (readonly [name: string, ...values: string[]])[];

/** The slots of FindDocuments that must be there. */
export const PATIENT_SLOT = ['$XDSDocumentEntryPatientId', "'pat-1^^^&1.2.3.4&ISO'"] as const;
/** See {@link PATIENT_SLOT}. */
export const STATUS_SLOT = [
  '$XDSDocumentEntryStatus',
  "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",
] as const;

/** Formats the body of an ITI-18 request. */
export function adhocQuery(
  slots: QuerySlots,
  id: string = STORED_QUERY.findDocuments,
  returnType = 'LeafClass',
): string {
  const written = slots.map(([name, ...values]) => {
    const list = values.map((value) => `<r:Value>${escapeText(value)}</r:Value>`).join('');
    return `<r:Slot name="${escapeAttribute(name)}"><r:ValueList>${list}</r:ValueList></r:Slot>`;
  });
  return (
    `<q:AdhocQueryRequest xmlns:q="${NAMESPACE.query}" xmlns:r="${NAMESPACE.rim}">` +
    `<q:ResponseOption returnType="${returnType}" returnComposedObjects="true"/>` +
    `<r:AdhocQuery id="${id}">${written.join('')}</r:AdhocQuery></q:AdhocQueryRequest>`
  );
}

/** Formats the body of an ITI-43 request. */
export function retrieveDocumentSet(documents: readonly (readonly [repository: string, document: string])[]): string {
  const requests = documents.map(
    ([repository, document]) =>
      `<DocumentRequest><RepositoryUniqueId>${repository}</RepositoryUniqueId>` +
      `<DocumentUniqueId>${document}</DocumentUniqueId></DocumentRequest>`,
  );
  return `<RetrieveDocumentSetRequest xmlns="${NAMESPACE.xdsb}">${requests.join('')}</RetrieveDocumentSetRequest>`;
}

/** Formats the body of a RAD-69 request for one instance. */
export function retrieveImagingDocumentSet(study: string, series: string, transferSyntax: string): string {
  return (
    `<i:RetrieveImagingDocumentSetRequest xmlns:i="${NAMESPACE.rad}" xmlns:x="${NAMESPACE.xdsb}">` +
    `<i:StudyRequest studyInstanceUID="${study}"><i:SeriesRequest seriesInstanceUID="${series}"><x:DocumentRequest>` +
    '<x:RepositoryUniqueId>2.25.2</x:RepositoryUniqueId><x:DocumentUniqueId>2.25.13</x:DocumentUniqueId>' +
    '</x:DocumentRequest></i:SeriesRequest></i:StudyRequest><i:TransferSyntaxUIDList>' +
    `<i:TransferSyntaxUID>${transferSyntax}</i:TransferSyntaxUID></i:TransferSyntaxUIDList>` +
    '</i:RetrieveImagingDocumentSetRequest>'
  );
}

/** Sends a body through the request codec of plain SOAP. */
export function readBody<T>(body: string, read: (body: SoapEnvelope['body']) => T): T {
  const request = soapRequest(ACTION.registryStoredQuery, body);
  return withSoapRequest(SOAP_TYPE, request, (envelope) => read(envelope.body));
}

/** A patient of the domain 1.2.3.4. */
export function aPatient(): Patient {
  return {
    resourceType: 'Patient',
    id: 'p1',
    identifier: [
      { system: 'urn:oid:9.9.9', value: 'other' },
      { system: 'urn:oid:1.2.3.4', value: 'pat-1' },
    ],
    name: [{ family: 'Essai', given: ['Anne', 'Marie'] }],
    birthDate: '1961-04-02',
    gender: 'female',
  };
}

/** A manifest with every attribute that XDS knows. */
export function aDocument(changes: Partial<DocumentReference> = {}): DocumentReference {
  return {
    resourceType: 'DocumentReference',
    id: 'd1',
    masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:2.25.500' },
    identifier: [{ system: 'urn:ietf:rfc:3986', value: 'urn:uuid:1415538d-41bc-41b2-9ae6-8b785f7f3aa6' }],
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '18748-4', display: 'Diagnostic imaging study' }] },
    category: [{ coding: [{ system: 'urn:oid:1.3.6.1.4.1.19376.1.2.6.1', code: 'IMAGES', display: 'Images' }] }],
    subject: { reference: 'Patient/p1' },
    author: [{ reference: '#role' }, { type: 'Organization', display: 'Clinique du Parc' }],
    contained: [
      {
        resourceType: 'PractitionerRole',
        id: 'role',
        practitioner: { reference: '#doctor' },
        organization: { display: 'CHU & Associés' },
        specialty: [{ coding: [{ system: 'urn:oid:1.2.250.1.71.4.2.5', code: 'SM44' }] }],
      },
      {
        resourceType: 'Practitioner',
        id: 'doctor',
        identifier: [{ system: 'urn:oid:1.2.250.1.71.4.2.1', value: '899700000001' }],
        name: [{ family: 'Image', given: ['Paul'], prefix: ['Dr'] }],
      },
    ],
    description: 'CT <thorax> & abdomen',
    securityLabel: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }] }],
    content: [
      {
        attachment: {
          contentType: 'application/dicom',
          language: 'fr-FR',
          size: 1536,
          hash: '2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
          creation: '2024-03-05T10:15:00+01:00',
          title: 'Manifeste "CT"',
          url: 'Binary/b1',
        },
        format: { system: 'urn:oid:1.2.840.10008.2.6.1', code: '1.2.840.10008.5.1.4.1.1.88.59' },
      },
    ],
    context: {
      event: [{ coding: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CT' }] }],
      period: { start: '2024-03-05T09:00:00Z', end: '2024-03-05T09:30:00Z' },
      facilityType: { coding: [{ system: 'http://snomed.info/sct', code: '22232009', display: 'Hospital' }] },
      practiceSetting: { coding: [{ system: 'http://snomed.info/sct', code: '394914008', display: 'Radiology' }] },
      related: [
        { identifier: { system: 'urn:dicom:uid', value: 'urn:oid:2.25.77' } },
        {
          identifier: {
            type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'ACSN' }] },
            system: 'urn:oid:1.2.7',
            value: 'ACC-9',
          },
        },
      ],
    },
    ...changes,
  };
}
