/** The JSON Schema of the region file: shape only; what names what is checked in region.ts. */
import { BREAK_GLASS_SETTINGS } from '../../profiles/consent/emergency.ts';
import { MOST_PRIVATE_AGE } from '../../profiles/consent/representation.ts';
import { LANGUAGES } from '../../profiles/language.ts';
import { REGION_ROLES } from '../../profiles/region-role.ts';
import { MEMBERS } from './region-messages.ts';

const text = { type: 'string', minLength: 1, maxLength: 200 } as const;
const uri = { type: 'string', minLength: 1, maxLength: 500, pattern: '^[a-z][a-z0-9+.-]*:\\S+$' } as const;
const oid = { type: 'string', pattern: '^urn:oid:[0-2](\\.(0|[1-9][0-9]*))+$', maxLength: 72 } as const;
const organization = { type: 'string', pattern: '^Organization/[A-Za-z0-9.-]{1,64}$' } as const;

function list(items: object, maxItems = 1000): object {
  return { type: 'array', maxItems, items };
}

const systems = { ...list(uri, 50), uniqueItems: true };

function record(required: readonly string[], properties: Readonly<Record<string, object>>): object {
  const described = Object.entries(properties).map(([name, schema]) => {
    const description = Object.hasOwn(MEMBERS, name) ? { description: MEMBERS[name] } : {};
    return [name, { ...description, ...schema }];
  });
  return {
    type: 'object',
    required: [...required],
    additionalProperties: false,
    properties: Object.fromEntries(described) as object,
  };
}

const entry = record(['resource', 'request'], {
  fullUrl: uri,
  resource: {
    type: 'object',
    required: ['resourceType', 'id'],
    properties: { resourceType: text, id: { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' } },
  },
  request: record(['method', 'url'], { method: { const: 'PUT' }, url: text }),
});

const bundle = {
  type: 'object',
  required: ['resourceType', 'type', 'entry'],
  properties: {
    resourceType: { const: 'Bundle' },
    type: { const: 'transaction' },
    entry: list(entry, 2000),
  },
};

const jwks = record(['keys'], {
  keys: { type: 'array', minItems: 1, maxItems: 20, items: { type: 'object', required: ['kty', 'kid'] } },
});

const client = record(['client_id', 'name', 'token_endpoint_auth_method', 'scope', 'grant_types'], {
  client_id: { type: 'string', pattern: '^[A-Za-z0-9._~:/-]{1,200}$' },
  name: text,
  publisher: text,
  // A person follows it: nothing but a page.
  client_uri: { type: 'string', maxLength: 500, pattern: '^https://[^\\s"\'<>\\\\]+$' },
  organization,
  token_endpoint_auth_method: { enum: ['private_key_jwt', 'none'] },
  jwks,
  redirect_uris: list(uri, 50),
  scope: { type: 'string', minLength: 1, maxLength: 2000 },
  grant_types: {
    type: 'array',
    minItems: 1,
    uniqueItems: true,
    items: { enum: ['client_credentials', 'authorization_code', 'refresh_token'] },
  },
});

const aeTitle = record(['aeTitle', 'organization', 'addresses'], {
  // PS3.5 section 6.2: at most 16 characters of the default repertoire, without backslash and control characters.
  aeTitle: { type: 'string', pattern: '^(?! )[ -\\[\\]-~]{1,16}(?<! )$' },
  organization,
  addresses: { ...list(text, 100), minItems: 1 },
  // As `openssl x509 -fingerprint -sha256` writes it, or without colons.
  certificates: { ...list({ type: 'string', pattern: '^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$' }, 20), minItems: 1 },
});

const domainMembers = ['organization', 'patientIdSystem', 'accessionSystem', 'qualifies', 'informsPatients'];

/** Since when an establishment does something, or that it does not. */
const day = { oneOf: [{ type: 'string', format: 'date' }, { const: false }] };

const identifierDomain = record(domainMembers, {
  organization,
  patientIdSystem: uri,
  accessionSystem: uri,
  qualifies: systems,
  imagesQualified: { type: 'boolean' },
  readsFor: { ...list(organization), uniqueItems: true },
  informsPatients: day,
  recordsPatientsWord: day,
});

const affinityDomain = record(['patientIdSystems', 'ownSystem'], {
  patientIdSystems: { ...list(oid, 50), uniqueItems: true },
  ownSystem: oid,
});

const person = record(['login', 'name', 'kind', 'identifier'], {
  login: { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' },
  name: text,
  kind: { enum: ['patient', 'practitioner'] },
  identifier: record(['system', 'value'], { system: uri, value: text }),
  claims: record(['family_name', 'given_name', 'birthdate'], {
    family_name: text,
    given_name: text,
    birthdate: { type: 'string', format: 'date' },
    gender: { enum: ['female', 'male'] },
  }),
});

const contact = record(['office', 'email'], {
  office: { enum: [...REGION_ROLES] },
  organization,
  email: { type: 'string', minLength: 3, maxLength: 254 },
});

/** JSON Schema (draft-07) of the region file. */
export const REGION_SCHEMA = record(
  ['serial', 'bundle', 'identifierDomains', 'qualifiedIdentifiers', 'affinityDomain'],
  {
    demonstration: { type: 'boolean' },
    serial: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    language: { enum: [...LANGUAGES] },
    bundle,
    clients: list(client),
    aeTitles: list(aeTitle),
    identifierDomains: { ...list(identifierDomain), minItems: 1 },
    qualifiedIdentifiers: systems,
    affinityDomain,
    opposedInstances: { enum: ['refuse', 'drop'] },
    rolesOutsideCare: list(text, 100),
    breakGlass: record([], Object.fromEntries(BREAK_GLASS_SETTINGS.map((name) => [name, { type: 'boolean' }]))),
    representatives: record([], {
      reachPrivateBelowAge: { type: 'integer', minimum: 1, maximum: MOST_PRIVATE_AGE },
    }),
    imagingServices: list(record(['organization', 'establishment'], { organization, establishment: organization })),
    contacts: list(contact),
    persons: list(person),
    identityProviders: list({ type: 'object', required: ['issuer'], properties: { issuer: text } }, 50),
    assertionIssuers: list({ type: 'object', required: ['issuer'], properties: { issuer: text } }, 50),
  },
);

/** The schema as it is published (`npm run -s region -- schema`), in `profiles/definitions/region.schema.json`. */
export const PUBLISHED_REGION_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'urn:passerelle:region',
  title: 'The region file of Passerelle',
  ...REGION_SCHEMA,
};
