/**
 * FHIR authors and authenticators as XDS author classification and XCN.
 *
 * FHIR                               | XDS
 * Practitioner, Patient, RelatedPerson, Device | authorPerson (XCN)
 * Organization, PractitionerRole.organization  | authorInstitution (XON)
 * PractitionerRole.code, .specialty  | authorRole, authorSpecialty
 * @see ITI TF-3 4.2.3.1.4, 4.2.3.2.1
 */
import type { CodeableConcept, HumanName, Identifier, Organization, Reference, Resource } from '@medplum/fhirtypes';
import { oidOf } from '../../profiles/codes.ts';
import { DOCUMENT_ENTRY_CLASSIFICATION } from '../codes.ts';
import { toCodingScheme } from './coded-value.ts';
import { escapeHl7, formatXcn, formatXon } from './hl7-types.ts';
import { formatClassification, formatSlot } from './registry-object.ts';

/** Finds the resource that a reference names; undefined when it is not at hand. */
export type Resolve = (reference: Reference) => Resource | undefined;

type AuthorSlots = {
  readonly person?: string | undefined;
  readonly institution?: string | undefined;
  readonly roles?: readonly string[];
  readonly specialties?: readonly string[];
};

/** Formats one author classification for each author; a reference that is not at hand gives its display. */
export function formatAuthors(objectId: string, authors: readonly Reference[], resolve: Resolve): string {
  return authors.map((author, index) => formatAuthor(objectId, index, authorSlots(author, resolve))).join('');
}

/** Formats a person (legalAuthenticator) as XCN; undefined when nothing is known of them. */
export function formatPerson(reference: Reference | undefined, resolve: Resolve): string | undefined {
  return reference === undefined ? undefined : authorSlots(reference, resolve).person;
}

function formatAuthor(objectId: string, index: number, author: AuthorSlots): string {
  const content =
    formatSlot('authorPerson', [author.person]) +
    formatSlot('authorInstitution', [author.institution]) +
    formatSlot('authorRole', author.roles ?? []) +
    formatSlot('authorSpecialty', author.specialties ?? []);
  if (content === '') return '';
  const scheme = DOCUMENT_ENTRY_CLASSIFICATION.author;
  return formatClassification({ objectId, scheme, key: `${scheme}/${index}`, nodeRepresentation: '', content });
}

function authorSlots(reference: Reference, resolve: Resolve): AuthorSlots {
  const resource = resolve(reference);
  switch (resource?.resourceType) {
    case 'Practitioner':
    case 'Patient':
    case 'RelatedPerson':
      return { person: xcnOf(resource.name?.[0], resource.identifier) };
    case 'PractitionerRole':
      return {
        person: practitionerOf(resource.practitioner, resolve),
        institution: institutionOf(resource.organization, resolve),
        roles: (resource.code ?? []).map(codeText),
        specialties: (resource.specialty ?? []).map(codeText),
      };
    case 'Organization':
      return { institution: xonOf(resource) };
    case 'Device':
      return { person: xcnOf({ family: resource.deviceName?.[0]?.name ?? '' }, resource.identifier) };
    default:
      return unresolved(reference);
  }
}

function unresolved({ type, reference, display }: Reference): AuthorSlots {
  if (display === undefined) return {};
  const isOrganization = type === 'Organization' || reference?.includes('Organization/') === true;
  return isOrganization ? { institution: formatXon(display) } : { person: formatXcn({ family: display }) };
}

/** A role's practitioner; a role that names a role again is not followed. */
function practitionerOf(reference: Reference | undefined, resolve: Resolve): string | undefined {
  const resource = reference === undefined ? undefined : resolve(reference);
  if (resource?.resourceType === 'Practitioner') return xcnOf(resource.name?.[0], resource.identifier);
  return reference === undefined ? undefined : unresolved(reference).person;
}

function institutionOf(reference: Reference | undefined, resolve: Resolve): string | undefined {
  const resource = reference === undefined ? undefined : resolve(reference);
  if (resource?.resourceType === 'Organization') return xonOf(resource);
  return reference?.display === undefined ? undefined : formatXon(reference.display);
}

function xcnOf(name: HumanName | undefined, identifiers: readonly Identifier[] = []): string {
  const identifier = identifiers.find(({ system, value }) => value !== undefined && oidOf(system) !== undefined);
  return formatXcn({
    identifier: identifier?.value,
    assigningAuthority: oidOf(identifier?.system),
    family: name?.family ?? name?.text,
    given: name?.given?.join(' '),
    prefix: name?.prefix?.join(' '),
  });
}

function xonOf({ name = '', identifier = [] }: Organization): string {
  const known = identifier.find(({ system, value }) => value !== undefined && oidOf(system) !== undefined);
  return formatXon(name, known?.value, oidOf(known?.system));
}

/** A role or specialty: `code^^^&OID&ISO` where it is coded, else its text. */
function codeText({ coding = [], text = '' }: CodeableConcept): string {
  const [{ code, system, display } = {}] = coding;
  if (code === undefined || system === undefined) return escapeHl7(display ?? code ?? text);
  return `${escapeHl7(code)}^^^&${toCodingScheme(system)}&ISO`;
}
