/** Found documents as DocumentEntries: their patients, and the resources that they refer to. */
import type { DocumentReference, Patient, Reference, Resource } from '@medplum/fhirtypes';
import type { Resolve } from '../ebxml/author.ts';
import { entryUUIDOf, uniqueIdOf, type DocumentEntrySource } from '../ebxml/document-entry.ts';
import { toPatientCx } from '../ebxml/patient-metadata.ts';
import { affinityIdentifier, type AffinityDomain } from '../../profiles/affinity-domain.ts';

/** The repository that holds the documents, the community that it belongs to (`urn:oid:…`), how it names patients. */
export type RepositoryNames = {
  readonly repositoryUniqueId: string;
  readonly homeCommunityId: string;
  readonly affinityDomain: AffinityDomain;
};

/** An entry with everything that it resolves, contained resources too. */
export type RegistryEntry = DocumentEntrySource & {
  readonly resolve: Resolve;
  /** Key of the person whom the document is about. */
  readonly person: string | undefined;
};

/** A resource that was found, in its JSON. */
type FoundResource = {
  readonly type: string;
  readonly id: string;
  readonly json: string;
  readonly person: string | undefined;
};

/** DocumentReferences, and the resources that they refer to as far as they may be seen. */
export type FoundDocuments = { readonly rows: readonly FoundResource[]; readonly included: readonly FoundResource[] };

/** Makes the entries of a page. */
export function entriesOf(
  page: FoundDocuments,
  { repositoryUniqueId, homeCommunityId, affinityDomain }: RepositoryNames,
): readonly RegistryEntry[] {
  const included = new Map(page.included.map((row) => [`${row.type}/${row.id}`, parse<Resource>(row)]));
  return page.rows.flatMap((row) => {
    const document = parse<DocumentReference>(row);
    const patient = patientOf(document, included);
    const patientId = patientIdOf(document, patient, affinityDomain);
    if (patientId === undefined || !isEntry(document)) return [];
    const resolve = resolverOf(document, included);
    return [{ repositoryUniqueId, homeCommunityId, document, patient, patientId, person: row.person, resolve }];
  });
}

function parse<T>({ json }: FoundResource): T {
  return JSON.parse(json) as T;
}

function patientOf({ subject }: DocumentReference, included: ReadonlyMap<string, Resource>): Patient {
  const found = included.get(subject?.reference ?? '');
  return found?.resourceType === 'Patient' ? found : { resourceType: 'Patient' };
}

/** A Patient that the requester may not see is named by the reference that the document shows. */
function patientIdOf(
  { subject }: DocumentReference,
  { identifier = [] }: Patient,
  affinityDomain: AffinityDomain,
): string | undefined {
  const id = /^Patient\/([^/]+)$/.exec(subject?.reference ?? '')?.[1];
  const known = { identifier: [...(subject?.identifier === undefined ? [] : [subject.identifier]), ...identifier] };
  const found = affinityIdentifier(id === undefined ? known : { ...known, id }, affinityDomain);
  return found === undefined ? undefined : toPatientCx(found);
}

function resolverOf(document: DocumentReference, included: ReadonlyMap<string, Resource>): Resolve {
  const contained = new Map((document.contained ?? []).map((resource) => [`#${resource.id}`, resource]));
  return ({ reference = '' }: Reference) => contained.get(reference) ?? included.get(reference);
}

/**
 * A document that only FHIR knows lacks what XDS names entries by, and one that was an error is gone: they are no
 * entries of the registry.
 */
function isEntry(document: DocumentReference): boolean {
  if (document.status === 'entered-in-error' || document.masterIdentifier?.value === undefined) return false;
  try {
    return entryUUIDOf(document) !== '' && uniqueIdOf(document) !== '';
  } catch {
    return false;
  }
}
