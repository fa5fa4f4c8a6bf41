/** Found documents as DocumentEntries: their patients, and the resources that they refer to. */
import type { DocumentReference, Patient, Reference, Resource } from '@medplum/fhirtypes';
import type { Resolve } from '../ebxml/author.ts';
import { entryUUIDOf, uniqueIdOf, type DocumentEntrySource } from '../ebxml/document-entry.ts';
import { toPatientCx } from '../ebxml/patient-metadata.ts';

/** The repository that holds the documents, and the community that it belongs to (`urn:oid:…`). */
export type RepositoryNames = { readonly repositoryUniqueId: string; readonly homeCommunityId: string };

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

/** Makes the entries of a page. `patientIdDomain` is the domain that the query named. */
export function entriesOf(
  page: FoundDocuments,
  names: RepositoryNames,
  patientIdDomain: string | undefined,
): readonly RegistryEntry[] {
  const included = new Map(page.included.map((row) => [`${row.type}/${row.id}`, parse<Resource>(row)]));
  return page.rows.flatMap((row) => {
    const document = parse<DocumentReference>(row);
    const patient = patientOf(document, included);
    const entry: RegistryEntry = {
      ...names,
      document,
      patient,
      person: row.person,
      resolve: resolverOf(document, included),
      ...(patientIdDomain === undefined ? {} : { patientIdDomain }),
    };
    return isEntry(entry) ? [entry] : [];
  });
}

function parse<T>({ json }: FoundResource): T {
  return JSON.parse(json) as T;
}

function patientOf({ subject }: DocumentReference, included: ReadonlyMap<string, Resource>): Patient {
  const found = included.get(subject?.reference ?? '');
  return found?.resourceType === 'Patient' ? found : { resourceType: 'Patient' };
}

function resolverOf(document: DocumentReference, included: ReadonlyMap<string, Resource>): Resolve {
  const contained = new Map((document.contained ?? []).map((resource) => [`#${resource.id}`, resource]));
  return ({ reference = '' }: Reference) => contained.get(reference) ?? included.get(reference);
}

/**
 * A document that only FHIR knows lacks what XDS names entries by, and one that was an error is gone: they are no
 * entries of the registry.
 */
function isEntry({ document, patient }: RegistryEntry): boolean {
  if (document.status === 'entered-in-error') return false;
  const { masterIdentifier, subject } = document;
  const identifiers = [
    ...(subject?.identifier === undefined ? [] : [subject.identifier]),
    ...(patient.identifier ?? []),
  ];
  if (masterIdentifier?.value === undefined || toPatientCx(identifiers) === undefined) return false;
  try {
    return entryUUIDOf(document) !== '' && uniqueIdOf(document) !== '';
  } catch {
    return false;
  }
}
