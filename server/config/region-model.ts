/** What the region file says, as types. */
import type { Bundle } from '@medplum/fhirtypes';
import type { BreakGlassSettings } from '../../profiles/consent/emergency.ts';
import type { RepresentativeSettings } from '../../profiles/consent/representation.ts';
import type { RegionRole } from '../../profiles/region-role.ts';
import type { Language } from '../../profiles/language.ts';

/** A public key as a JSON Web Key; the file never holds a private one. @see RFC 7517 */
export type RegionKey = { readonly kty: string; readonly kid: string; readonly [member: string]: unknown };

/**
 * A SMART client, in the member names of RFC 7591; `organization` is the establishment on whose behalf it acts.
 * `publisher` is who answers for an application that persons use, and `client_uri` where they open it.
 */
export type RegionClient = {
  readonly client_id: string;
  readonly name: string;
  readonly publisher?: string;
  readonly client_uri?: string;
  readonly organization?: string;
  readonly token_endpoint_auth_method: 'private_key_jwt' | 'none';
  readonly jwks?: { readonly keys: readonly RegionKey[] };
  readonly redirect_uris?: readonly string[];
  readonly scope: string;
  readonly grant_types: readonly ('client_credentials' | 'authorization_code' | 'refresh_token')[];
};

/** A DICOM peer: its AE title, its establishment, the addresses it may call from, and the certificates it must show. */
export type RegionAeTitle = {
  readonly aeTitle: string;
  readonly organization: string;
  readonly addresses: readonly string[];
  /** SHA-256 fingerprints, hexadecimal. When there are any, the peer may call over TLS alone, and with one of them. */
  readonly certificates?: readonly string[];
};

/**
 * What an establishment may assert: the identifier systems (URIs) under which it numbers its patients (IPP) and its
 * orders, and the national ones that it is believed about.
 */
export type IdentifierDomain = {
  readonly organization: string;
  /** Several establishments may share one: then the same value is the same patient. */
  readonly patientIdSystem: string;
  readonly accessionSystem: string;
  /** Systems of `qualifiedIdentifiers` whose numbers it qualifies; of others it is not believed. */
  readonly qualifies: readonly string[];
  /** True: national numbers in the images of its modalities are qualified. Left out: they wait for its feed. */
  readonly imagesQualified?: boolean;
  /** Establishments (`Organization/id`) whose exams it reads, too, as second reader. */
  readonly readsFor?: readonly string[];
  /** The day (YYYY-MM-DD) since which it informs its patients of the sharing; false: it does not. */
  readonly informsPatients: string | false;
  /**
   * The day (YYYY-MM-DD) since which whom its images name as correspondents is whom its patients declared there; false,
   * or left out: names give nothing.
   */
  readonly recordsPatientsWord?: string | false;
};

/** Which identifiers a person bears in XDS. */
export type AffinityDomain = {
  /** Qualified systems: the first of which a person has a number is that of her XDS patient id. */
  readonly patientIdSystems: readonly string[];
  /** The region's own system, for whoever has none of these. */
  readonly ownSystem: string;
};

/** An imaging service and the establishment it is part of. */
export type ImagingService = { readonly organization: string; readonly establishment: string };

/**
 * A person who can sign in; the server finds the Patient or Practitioner by the identifier. `claims` is what the
 * provider of the demonstration vouches for beside it.
 */
export type RegionPerson = {
  readonly login: string;
  readonly name: string;
  readonly kind: 'patient' | 'practitioner';
  readonly identifier: { readonly system: string; readonly value: string };
  readonly claims?: PersonClaims;
};

/** Traits as claims. @see OpenID Connect Core 1.0 section 5.1 */
export type PersonClaims = {
  readonly family_name: string;
  readonly given_name: string;
  readonly birthdate: string;
  readonly gender?: string;
};

/** An issuer of identities or of assertions; its further members belong to the code that speaks to it. */
export type RegionIssuer = { readonly issuer: string; readonly [member: string]: unknown };

/** Where an office is written to: of an establishment with its `Organization/id`. */
export type OfficeContact = { readonly office: RegionRole; readonly organization?: string; readonly email: string };

/** The region, deeply frozen. References are relative: `Organization/id`. */
export type Region = {
  /** True when the keys and persons are for demonstration: such a region runs in development only. */
  readonly demonstration: boolean;
  /** Grows with each change of the file: a store takes no older one than it holds. */
  readonly serial: number;
  /** In which people are written to who name no other. */
  readonly language: Language;
  readonly bundle: Readonly<Bundle>;
  readonly clients: readonly RegionClient[];
  readonly aeTitles: readonly RegionAeTitle[];
  readonly identifierDomains: readonly IdentifierDomain[];
  /** Identifier systems whose equal values join the patients of different sources into one person. */
  readonly qualifiedIdentifiers: readonly string[];
  readonly affinityDomain: AffinityDomain;
  /** Instances of patients who are opposed are refused (0124H) if left out, or dropped with success (0000H). */
  readonly opposedInstances?: 'refuse' | 'drop';
  /** Codes of roles of insurance and employment, beside those of occupational medicine: who holds one sees own work. */
  readonly rolesOutsideCare?: readonly string[];
  /** What emergencies open beyond normal items of records that are not closed to who declares them. */
  readonly breakGlass?: BreakGlassSettings;
  /** What legal representatives reach beyond normal and confidential items. */
  readonly representatives?: RepresentativeSettings;
  readonly imagingServices: readonly ImagingService[];
  /** Who is mailed at once of what waits for an office. */
  readonly contacts: readonly OfficeContact[];
  readonly persons: readonly RegionPerson[];
  readonly identityProviders: readonly RegionIssuer[];
  readonly assertionIssuers: readonly RegionIssuer[];
};
