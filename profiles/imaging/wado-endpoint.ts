/** The WADO-RS endpoint of an establishment's images. @see IHE RAD MADO WadoEndpoint; SMART Imaging Access */
import type { WithId } from '@medplum/core';
import type { Endpoint } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION, MEDIA_TYPE } from '../codes.ts';

/** What an endpoint is built from. */
export type WadoEndpointInput = {
  readonly id: string;
  /** `Organization/id` that it belongs to. */
  readonly organization: string;
  /** Base URL of DICOMweb. */
  readonly address: string;
  /** UID of the repository, which manifests and RAD-69 repeat; MADO asks for it. */
  readonly retrieveLocationUID?: string;
};

/** Builds the endpoint. It is reached with the access token of the FHIR server. */
export function buildWadoEndpoint({
  id,
  organization,
  address,
  retrieveLocationUID,
}: WadoEndpointInput): WithId<Endpoint> {
  const location =
    retrieveLocationUID === undefined ? [] : [{ url: EXTENSION.retrieveLocationUID, valueString: retrieveLocationUID }];
  return {
    resourceType: 'Endpoint',
    id,
    extension: [{ url: EXTENSION.requiresAccessToken, valueBoolean: true }, ...location],
    status: 'active',
    connectionType: { system: CODE_SYSTEM.endpointConnection, code: 'dicom-wado-rs', display: 'DICOM WADO-RS' },
    name: 'DICOMweb',
    managingOrganization: { reference: organization },
    payloadType: [{ coding: [{ system: CODE_SYSTEM.endpointPayload, code: 'none' }], text: 'DICOM WADO-RS' }],
    payloadMimeType: [MEDIA_TYPE.dicom, MEDIA_TYPE.dicomJson, MEDIA_TYPE.octets],
    address,
  };
}
