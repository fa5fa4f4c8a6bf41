/**
 * The lasting link to the pictures of a study, as an Endpoint that is contained in what names it: whoever may not see
 * the study sees no link to it, and none has a row of its own.
 * @see IHE RAD MADO WebViewerEndpoint
 */
import type { DocumentReference, Endpoint, ImagingStudy, Reference } from '@medplum/fhirtypes';
import { CODE_SYSTEM, MEDIA_TYPE } from '../codes.ts';

/** Contained Endpoints, and the references that lead to them. */
export type ViewerLinks = {
  readonly contained: readonly Endpoint[];
  readonly references: readonly Reference<Endpoint>[];
};

/** Links to viewers, by their addresses. They hold no secret: who opens one signs in. */
export function viewerLinks(addresses: readonly string[]): ViewerLinks {
  const contained = addresses.map((address, at) => viewerEndpoint(at === 0 ? VIEWER : `${VIEWER}-${at + 1}`, address));
  return {
    contained,
    references: contained.map(({ id }) => ({ reference: `#${id}`, type: 'Endpoint', display: 'Voir l’examen' })),
  };
}

/** The addresses of the viewers of studies, without repetition. */
export function viewersOf(studies: readonly ImagingStudy[]): readonly string[] {
  const endpoints = studies.flatMap(({ contained = [] }) => contained).filter((one) => one.resourceType === 'Endpoint');
  return [...new Set(endpoints.filter(isViewer).map(({ address }) => address))];
}

/** A document with links to viewers in place of those that it has. */
export function withViewers(document: DocumentReference, addresses: readonly string[]): DocumentReference {
  const links = viewerLinks(addresses);
  const { contained = [], context = {} } = document;
  const former = new Set(
    contained.filter((one) => one.resourceType === 'Endpoint' && isViewer(one)).map(({ id }) => `#${id}`),
  );
  const kept = contained.filter(({ id }) => !former.has(`#${id}`));
  const related = (context.related ?? []).filter(({ reference }) => !former.has(reference ?? ''));
  return {
    ...document,
    contained: [...kept, ...links.contained],
    context: { ...context, related: [...related, ...links.references] },
  };
}

const VIEWER = 'viewer';

/** Without a name: names of what is contained are searched. */
function viewerEndpoint(id: string, address: string): Endpoint {
  return {
    resourceType: 'Endpoint',
    id,
    status: 'active',
    connectionType: {
      system: CODE_SYSTEM.madoEndpointConnection,
      code: 'web-viewer',
      display: 'DICOM web viewer for the study',
    },
    payloadType: [{ coding: [{ system: CODE_SYSTEM.endpointPayload, code: 'none' }] }],
    payloadMimeType: [MEDIA_TYPE.html],
    address,
  };
}

function isViewer({ connectionType }: Endpoint): boolean {
  return connectionType.system === CODE_SYSTEM.madoEndpointConnection;
}
