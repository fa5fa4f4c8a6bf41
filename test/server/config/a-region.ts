/** Region files of tests, as JSON. */
import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { Fault } from '../../../profiles/fault.ts';
import { parseRegion } from '../../../server/config/region.ts';

/** The INS of people who have one. */
export const INS = 'urn:oid:1.2.250.1.213.1.4.8';
/** Keys of ES384. */
export const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
/** One of them, as a client registers it. */
export const key = { ...publicKey.export({ format: 'jwk' }), kid: 'one' };

/** An identifier domain of Organization/a. */
export function aDomain(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    organization: 'Organization/a',
    patientIdSystem: 'urn:oid:1.2.3',
    accessionSystem: 'urn:oid:1.2.4',
    qualifies: [INS],
    informsPatients: '2026-01-31',
    ...overrides,
  };
}

/** A region file of one establishment, as JSON. */
export function aRegion(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    serial: 1,
    identifierDomains: [aDomain()],
    qualifiedIdentifiers: [INS],
    affinityDomain: { patientIdSystems: [INS], ownSystem: 'urn:oid:2.25.7' },
    bundle: {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          resource: { resourceType: 'Organization', id: 'a', name: 'A' },
          request: { method: 'PUT', url: 'Organization/a' },
        },
        {
          resource: {
            resourceType: 'Organization',
            id: 'a-imaging',
            name: 'A, images',
            partOf: { reference: 'Organization/a' },
          },
          request: { method: 'PUT', url: 'Organization/a-imaging' },
        },
      ],
    },
    ...overrides,
  };
}

/** A client of its own. */
export function aClient(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    client_id: 'pacs',
    name: 'PACS',
    organization: 'Organization/a',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [key] },
    scope: 'system/*.rs',
    grant_types: ['client_credentials'],
    ...overrides,
  };
}

/** Why a region file is refused. */
export function refusalOf(json: unknown): string {
  try {
    parseRegion(json);
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
    expect((error as Fault).kind).to.equal('invalid');
    return (error as Fault).message;
  }
  throw new Error('The region was accepted');
}
