/** What is wrong with the shape of a region file, in words that say what to write instead. */
import type { ErrorObject } from 'ajv';

/** What members of the file are, in the words of its JSON Schema and of refusals. */
export const MEMBERS: Readonly<Record<string, string>> = {
  demonstration: 'true when the keys and persons are for demonstration: such a region runs in development only',
  serial: 'a whole number that grows with each change of the file, 1 at first',
  language: 'the language (fr, de, en) in which patients are written to whose source names no other; fr when left out',
  bundle: 'a transaction Bundle of PUTs: the directory, in resources of FHIR R4',
  clients: 'SMART clients, in the member names of RFC 7591',
  aeTitles: 'DICOM peers that may call',
  addresses: 'addresses, or ranges in the form of CIDR, from which the peer calls',
  certificates: 'SHA-256 fingerprints of the certificates that the peer shows: then it may call over TLS alone',
  identifierDomains: 'a list with an entry for each establishment that sends exams or patients',
  qualifiedIdentifiers:
    'the systems of national identifiers that may join the patients of different establishments, or []',
  affinityDomain: 'the systems that name a patient in XDS: {"patientIdSystems": […], "ownSystem": "urn:oid:…"}',
  patientIdSystems: 'the systems of qualifiedIdentifiers that name a patient in XDS, the first choice first, or []',
  ownSystem: 'an OID of the region (urn:oid:…), under which it names whoever has no other identifier',
  patientIdSystem: 'the system (URI) under which the establishment numbers its patients; several may share one',
  accessionSystem: 'the system (URI) under which the establishment numbers its orders',
  qualifies: 'the systems of qualifiedIdentifiers whose numbers the establishment qualifies, or []',
  imagesQualified: 'true when national numbers in the images of its modalities are qualified',
  readsFor: 'establishments whose exams it reads, too, as second reader',
  informsPatients: 'the day since which the establishment informs its patients ("2026-01-31"), or false',
  recordsPatientsWord:
    'the day since which the correspondents whom its images name are those whom the patient declared there, or false',
  opposedInstances:
    'what becomes of instances of patients who are opposed: "refuse" (0124H, also when left out), or "drop" (0000H)',
  rolesOutsideCare:
    'codes of roles (PractitionerRole.code, .specialty) of insurance or employment, which see no record: ["…"]',
  breakGlass:
    'what emergencies do beyond the normal items of records that patients did not close to who declares them; ' +
    'private or masked items, and records that are not shared, they never open',
  reachesConfidential: 'true when an emergency reaches confidential items, too; false when left out',
  passesBlocks:
    'true when an emergency reaches the normal items of a record whose patient blocks who declares it; ' +
    'false when left out',
  representatives: 'what legal representatives do beyond reading normal and confidential items',
  reachPrivateBelowAge:
    'the age in years (1 to 17) below which a child’s representative reaches its private items, too; ' +
    'none does when left out',
  imagingServices: 'imaging services and the establishments that they are part of',
  contacts:
    'addresses at which offices are mailed of what waits for them: {"office", "email"}, of one with "organization"',
  persons: 'people who sign in at the provider of the demonstration',
  identityProviders: 'where persons sign in (README.md)',
  assertionIssuers: 'issuers of SAML assertions, each with its certificate or public key (PEM)',
};

/** An error as `place reason`, without the value. */
export function messageOf(error: ErrorObject): string {
  const { keyword, instancePath, params } = error;
  const place = instancePath || '/';
  if (keyword === 'required') return `${place} ${missing(String(params['missingProperty']))}`;
  if (keyword === 'additionalProperties')
    return `${place} has an unknown member: ${String(params['additionalProperty'])}`;
  if (keyword === 'enum') return `${place} must be one of ${(params['allowedValues'] as string[]).join(', ')}`;
  if (keyword === 'const') return `${place} must be ${JSON.stringify(params['allowedValue'])}`;
  return `${place} ${error.message ?? keyword}`;
}

function missing(member: string): string {
  const what = MEMBERS[member];
  return what === undefined ? `needs ${member}` : `needs ${member}: ${what}`;
}
