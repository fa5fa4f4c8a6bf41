/** What the directory of a region file changes in that of a store. Pure. */
import type { Organization, Practitioner, Resource } from '@medplum/fhirtypes';
import { fhirType, storedType } from '../../../profiles/types/visibility.ts';
import type { Region } from '../../config/region-model.ts';
import { sameContent } from '../write/changed-put.ts';

/** One resource of the directory that becomes another. */
export type DirectoryChange = {
  /** `Type/id`. */
  readonly reference: string;
  /** What people call it, as far as it has a name. */
  readonly name: string | undefined;
  /** `ended`: it stands no more, as the file says or because the file does not hold it. */
  readonly kind: 'added' | 'changed' | 'ended';
  /** Whether the file does not hold it any more. */
  readonly isRemoved: boolean;
  /** As it is from now on. */
  readonly resource: Resource;
};

/**
 * Compares. What the file does not hold any more ends, and stays as a resource that says so: records refer to it, and
 * its name is read through them. Ids that `ours` names belong to the server.
 */
export function compareDirectory(
  standing: readonly Resource[],
  file: readonly Resource[],
  ours: readonly string[],
): readonly DirectoryChange[] {
  const before = new Map(standing.map((resource) => [referenceOf(resource), resource]));
  const wanted = new Set([...file.map(referenceOf), ...ours]);
  const removed = standing.filter((resource) => !wanted.has(referenceOf(resource)) && !isEnded(resource));
  return [
    ...file.flatMap((resource) => changeOf(before.get(referenceOf(resource)), resource)),
    ...removed.map((resource) => change('ended', { ...resource, ...endOf(resource) } as Resource, true)),
  ];
}

/** Whether a resource of the directory says that it stands no more. */
export function isEnded(resource: Resource): boolean {
  const ended = Object.entries(endOf(resource));
  return ended.length > 0 && ended.every(([member, value]) => resource[member as keyof Resource] === value);
}

/** The resources of the directory that a file holds. */
export function resourcesOf({ bundle }: Region): readonly Resource[] {
  return (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
}

/** `Type/id` of a resource. */
export function referenceOf({ resourceType, id = '' }: Resource): string {
  return `${resourceType}/${id}`;
}

/** What people call a resource of the directory; undefined when it has no name. */
export function displayNameOf(resource: object): string | undefined {
  const { name } = resource as Organization | Practitioner;
  if (typeof name === 'string') return name;
  const [{ text, prefix = [], given = [], family = '' } = {}] = name ?? [];
  return text ?? ([...prefix, ...given, family].join(' ').trim() || undefined);
}

function changeOf(before: Resource | undefined, resource: Resource): DirectoryChange[] {
  if (before === undefined) return [change('added', resource)];
  if (sameContent(before, resource)) return [];
  return [change(isEnded(resource) && !isEnded(before) ? 'ended' : 'changed', resource)];
}

function change(kind: DirectoryChange['kind'], resource: Resource, isRemoved = false): DirectoryChange {
  return { reference: referenceOf(resource), name: displayNameOf(resource), kind, isRemoved, resource };
}

function endOf({ resourceType }: Resource): Readonly<Record<string, unknown>> {
  return fhirType(storedType(resourceType)).ended ?? {};
}
