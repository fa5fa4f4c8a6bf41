/**
 * DocumentReference.relatesTo as Associations between DocumentEntries (ebRIM 3.0 Association), after MHD: the document
 * that says it is the source.
 *
 * relatesTo.code | associationType
 * replaces       | RPLC
 * appends        | APND
 * transforms     | XFRM
 * signs          | signs
 * @see ITI TF-3 4.2.2; MHD "Mapping of DocumentEntry to DocumentReference"
 */
import type { DocumentReference, DocumentReferenceRelatesTo } from '@medplum/fhirtypes';
import { targetOf } from '../../profiles/search/values.ts';
import { ASSOCIATION_TYPE, AVAILABILITY_STATUS, REGISTRY_OBJECT_TYPE } from '../codes.ts';
import { escapeAttribute } from '../xml/escape.ts';
import { entryUUIDOf, homeAttribute } from './document-entry.ts';
import { derivedId } from './registry-object.ts';

/** An association; `source` and `target` are entryUUIDs. */
export type Association = {
  /** One of {@link ASSOCIATION_TYPE}. */
  readonly type: string;
  readonly source: string;
  readonly target: string;
  /** `urn:oid:…`. */
  readonly homeCommunityId?: string;
};

const TYPE_OF_CODE = {
  replaces: ASSOCIATION_TYPE.replace,
  appends: ASSOCIATION_TYPE.append,
  transforms: ASSOCIATION_TYPE.transform,
  signs: ASSOCIATION_TYPE.signs,
} as const satisfies Record<NonNullable<DocumentReferenceRelatesTo['code']>, string>;

/** A document with an id, and the community of its registry. */
export type AssociatedDocument = { readonly document: DocumentReference; readonly homeCommunityId?: string };

/**
 * Returns the associations that documents have among each other, each once, in their order. What leads to a document
 * that is not among them is not told.
 * @throws {Fault} exception - a document has no entryUUID
 */
export function associationsAmong(documents: readonly AssociatedDocument[]): readonly Association[] {
  const entryUUIDs = new Map(documents.map(({ document }) => [referenceTo(document), entryUUIDOf(document)]));
  const found = documents.flatMap(({ document, homeCommunityId }) =>
    (document.relatesTo ?? []).flatMap(({ code, target: { reference = '' } }): readonly Association[] => {
      const target = entryUUIDs.get(targetOf(reference) ?? '');
      if (code === undefined || target === undefined) return [];
      const home = homeCommunityId === undefined ? {} : { homeCommunityId };
      return [{ type: TYPE_OF_CODE[code], source: entryUUIDOf(document), target, ...home }];
    }),
  );
  return [...new Map(found.map((association) => [associationIdOf(association), association])).values()];
}

function referenceTo({ id = '' }: DocumentReference): string {
  return `DocumentReference/${id}`;
}

/** Returns the entryUUID of an association, which follows from its type and its two ends. */
export function associationIdOf({ type, source, target }: Association): string {
  return derivedId(source, `${type}/${target}`);
}

/** Formats an association as rim:Association. */
export function formatAssociation(association: Association): string {
  const id = associationIdOf(association);
  const { type, source, target, homeCommunityId } = association;
  return (
    `<rim:Association id="${id}" lid="${id}" objectType="${REGISTRY_OBJECT_TYPE.association}" ` +
    `status="${AVAILABILITY_STATUS.approved}" associationType="${escapeAttribute(type)}" ` +
    `sourceObject="${escapeAttribute(source)}" targetObject="${escapeAttribute(target)}"` +
    `${homeAttribute(homeCommunityId)}><rim:VersionInfo versionName="1"/></rim:Association>`
  );
}

/** Formats an association as rim:ObjectRef. */
export function formatAssociationRef(association: Association): string {
  return `<rim:ObjectRef id="${associationIdOf(association)}"${homeAttribute(association.homeCommunityId)}/>`;
}
