/** What is wrong with the shape of a region file, in words that say what to write instead. */
import type { ErrorObject } from 'ajv';

/** What the members are that nobody can leave out. */
const MISSING: Readonly<Record<string, string>> = {
  serial: 'a whole number that grows with each change of the file, 1 at first',
  identifierDomains: 'a list with an entry for each establishment that sends exams or patients',
  qualifiedIdentifiers:
    'the systems of national identifiers that may join the patients of different establishments, or []',
  affinityDomain: 'the systems that name a patient in XDS: {"patientIdSystems": […], "ownSystem": "urn:oid:…"}',
  patientIdSystems: 'the systems of qualifiedIdentifiers that name a patient in XDS, the first choice first, or []',
  ownSystem: 'an OID of the region (urn:oid:…), under which it names whoever has no other identifier',
  patientIdSystem: 'the system (URI) under which the establishment numbers its patients',
  accessionSystem: 'the system (URI) under which the establishment numbers its orders',
  qualifies: 'the systems of qualifiedIdentifiers whose numbers the establishment qualifies, or []',
  informsPatients: 'the day since which the establishment informs its patients ("2026-01-31"), or false',
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
  const what = MISSING[member];
  return what === undefined ? `needs ${member}` : `needs ${member}: ${what}`;
}
