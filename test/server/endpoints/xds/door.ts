/** The XDS doors of a clinic, SAML assertions for them, and their answers as plain data. */
import { expect } from 'chai';
import { XmlDocument } from 'libxml2-wasm';
import { mintAssertion, type AssertionContent } from '../../../../fixtures/saml-issuer.ts';
import { ACTION, NAMESPACE } from '../../../../ihe/codes.ts';
import { parseContentType } from '../../../../ihe/mime/content-type.ts';
import { splitMultipart } from '../../../../ihe/soap/multipart.ts';
import { verifyAssertion } from '../../../../ihe/saml/assertion.ts';
import { attributeOf, selectElements } from '../../../../ihe/xml/select.ts';
import { queryRegistry } from '../../../../server/flows/read/query-registry.ts';
import { retrieveDocumentOfSet } from '../../../../server/flows/read/retrieve-document-set.ts';
import { retrieveInstances } from '../../../../server/flows/retrieve/retrieve-instances.ts';
import { searchResources } from '../../../../server/flows/read/search-resources.ts';
import { bodyLimits } from '../../../../server/endpoints/http/body-limits.ts';
import { recordFailure } from '../../../../server/endpoints/http/identify.ts';
import { xdsRouter } from '../../../../server/endpoints/xds/router.ts';
import { hasSchemas, schemaErrors, soapRequest, SOAP_TYPE } from '../../../support/clients/xds.ts';
import { AUDIENCE, CONTENT, ISSUER, issuerKey, issuerPem } from '../../../ihe/saml/support.ts';
import { NOW } from '../../../support/plans.ts';
import { NATIONAL_SYSTEM, type Clinic } from '../clinic.ts';
import { serve, type ServedRouter } from '../served-router.ts';

/** OID of the repository. */
export const REPOSITORY = '2.25.2';
/** The community. */
export const HOME = 'urn:oid:2.25.3';
/** How the clinic names patients in XDS: by their national number, else by the id of their Patient. */
export const AFFINITY_DOMAIN = { patientIdSystems: [NATIONAL_SYSTEM], ownSystem: 'urn:oid:2.25.10' };
/** MessageID that every request carries. */
export const MESSAGE_ID = 'urn:uuid:6d0a4d5e-3a5c-4f0e-9c64-0d8f8a6a7a01';

/** Serves the doors. The assertion of `practitioner-0042` is that of Dr Lambert. */
export async function serveXds(clinic: Clinic, maxBodyBytes = 100_000): Promise<ServedRouter> {
  return await serve(
    xdsRouter({
      identify: clinic.identify,
      identifyByAssertion: async ({ nameId }, _ctx, server) =>
        clinic.visitOf(nameId === CONTENT.nameId ? 'lambert' : 'nobody', server),
      verifyAssertion: (element) =>
        verifyAssertion({
          element,
          trusted: [{ issuer: ISSUER, certificate: issuerPem }],
          audience: AUDIENCE,
          now: new Date(NOW),
        }),
      recordFailure: async (ctx, fault) =>
        await recordFailure(clinic.guard, ctx, 'https://passerelle.example/xds', fault),
      once: async (name, expiresAt, now) => await clinic.stores.tokens.once(name, expiresAt, now),
      clock: clinic.guard.clock,
      bodyLimit: bodyLimits(maxBodyBytes),
      repositoryUniqueId: REPOSITORY,
      queryRegistry: queryRegistry({
        ...clinic.guard,
        searchResources: searchResources(clinic.guard),
        repositoryUniqueId: REPOSITORY,
        homeCommunityId: HOME,
        affinityDomain: AFFINITY_DOMAIN,
      }),
      retrieveInstances: retrieveInstances(clinic.guard),
      retrieveDocumentOfSet: retrieveDocumentOfSet({ ...clinic.guard, images: clinic.images }),
      images: clinic.images,
      baseUrl: () => 'https://passerelle.example/xds',
    }),
  );
}

/** A signed assertion in its security header, valid at {@link NOW}. */
export function securityHeader(
  changes: Partial<AssertionContent> = {},
  edit: (assertion: string) => string = (assertion) => assertion,
): string {
  const times = { notBefore: new Date(NOW - 60_000), notOnOrAfter: new Date(NOW + 3_600_000) };
  const assertion = edit(mintAssertion({ ...CONTENT, ...times, ...changes, privateKey: issuerKey }));
  return `<w:Security xmlns:w="${NAMESPACE.wsse}">${assertion}</w:Security>`;
}

/** An answer: HTTP, the envelope, and the parts beside it in order. */
export type XdsAnswer = { readonly response: Response; readonly envelope: string; readonly parts: readonly Buffer[] };

/** One of the doors: its path and the action of its transaction. */
export const DOOR = {
  registry: { path: '/xds/registry', action: ACTION.registryStoredQuery, answer: ACTION.registryStoredQueryResponse },
  repository: {
    path: '/xds/repository',
    action: ACTION.retrieveDocumentSet,
    answer: ACTION.retrieveDocumentSetResponse,
  },
  imagingSource: {
    path: '/xds/imaging-source',
    action: ACTION.retrieveImagingDocumentSet,
    answer: ACTION.retrieveDocumentSetResponse,
  },
} as const;

/** Sends a body to a door: as a token of the clinic, with XML in the SOAP header, or as other bytes altogether. */
export async function send(
  door: ServedRouter,
  to: keyof typeof DOOR,
  body: string,
  as: {
    readonly token?: string | undefined;
    readonly header?: string;
    readonly contentType?: string;
    readonly bytes?: Buffer;
    readonly action?: string;
  } = { token: 'lambert' },
): Promise<XdsAnswer> {
  const { path, action } = DOOR[to];
  const authorization: Record<string, string> = as.token === undefined ? {} : { Authorization: `Bearer ${as.token}` };
  const response = await fetch(door.origin + path, {
    method: 'POST',
    headers: { ...authorization, 'Content-Type': as.contentType ?? SOAP_TYPE },
    body: new Uint8Array(as.bytes ?? soapRequest(as.action ?? action, body, as.header)),
  });
  return await open(response);
}

async function open(response: Response): Promise<XdsAnswer> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const type = parseContentType(response.headers.get('Content-Type') ?? '');
  if (type.mediaType !== 'multipart/related') return { response, envelope: checked(bytes.toString()), parts: [] };
  const [root, ...parts] = splitMultipart(bytes, type.parameters.get('boundary') ?? '');
  expect(root?.headers.get('content-id')).to.equal(type.parameters.get('start'));
  const envelope = checked(root?.content.toString() ?? '');
  const byCid = new Map(parts.map((part) => [part.headers.get('content-id'), part.content]));
  const named = select(envelope, '//xop:Include', 'href').map((href) => byCid.get(`<${href.slice('cid:'.length)}>`));
  expect(named).to.have.length(parts.length);
  return { response, envelope, parts: named.filter((part) => part !== undefined) };
}

/** Every envelope that comes back is valid by the schemas where they are installed. */
function checked(envelope: string): string {
  if (hasSchemas()) expect(schemaErrors(envelope)).to.equal('');
  return envelope;
}

/** Values of an attribute, or the texts, of what an XPath selects. */
export function select(envelope: string, xpath: string, attribute?: string): string[] {
  using document = XmlDocument.fromString(envelope);
  return selectElements(document, xpath).map((element) =>
    attribute === undefined ? element.content : (attributeOf(element, attribute) ?? ''),
  );
}

/** The last part of the status of a registry response. */
export function statusOf({ envelope }: XdsAnswer): string | undefined {
  const [status] = select(envelope, '//query:AdhocQueryResponse | //rs:RegistryResponse', 'status');
  return status?.split(':').at(-1);
}

/** Error codes of a registry response, each with its location. */
export function errorsOf({ envelope }: XdsAnswer): [code: string, location: string][] {
  const codes = select(envelope, '//rs:RegistryError', 'errorCode');
  const locations = select(envelope, '//rs:RegistryError', 'location');
  return codes.map((code, at) => [code, locations[at] ?? '']);
}

/** The answer without what differs in every message, to compare two of them. */
export function comparable({ envelope, response }: XdsAnswer, uid: string): string {
  return `${response.status} ${envelope.replaceAll(uid, 'UID')}`;
}
