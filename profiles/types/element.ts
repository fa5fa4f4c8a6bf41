/** Elements of a resource by their path, as the files of the types name them. */

/** The values of the element at a path without the type (`participant.actor`), in order; none when it is absent. */
export function elementsAt(resource: object, path: string): readonly unknown[] {
  let found: readonly unknown[] = [resource];
  for (const name of path.split('.')) {
    found = found.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : []));
  }
  return found;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
