/** JSON Patch of a resource. @see RFC 6902, https://hl7.org/fhir/R4/http.html#patch */
import { applyPatch as applyOperations } from '@medplum/core';
import { Fault } from './fault.ts';

/** Most operations of one patch. */
export const MAX_OPERATIONS = 500;

/** Longest resource that operations may make on the way, in characters of JSON: copies can double it each time. */
const MAX_RESULT = 4 * 1024 * 1024;

/** One operation, of known form. */
export type PatchOperation = Parameters<typeof applyOperations>[1][number];

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'];
const WITH_VALUE = ['add', 'replace', 'test'];
const WITH_FROM = ['move', 'copy'];

/**
 * Reads a patch: a list of 1 to MAX_OPERATIONS operations.
 * @throws {Fault} invalid - it is none
 * @throws {Fault} too-costly - more operations
 */
export function readPatch(body: unknown): readonly PatchOperation[] {
  if (!Array.isArray(body) || body.length === 0) throw malformed('is a list of operations');
  if (body.length > MAX_OPERATIONS) throw new Fault('too-costly', `A patch has at most ${MAX_OPERATIONS} operations`);
  for (const operation of body as readonly unknown[]) checkOperation(operation);
  return body as PatchOperation[];
}

function checkOperation(operation: unknown): void {
  if (typeof operation !== 'object' || operation === null) throw malformed('is a list of operations');
  const { op, path, from } = operation as Readonly<Record<string, unknown>>;
  if (typeof op !== 'string' || !OPERATIONS.includes(op))
    throw malformed(`has the operations ${OPERATIONS.join(', ')}`);
  if (!isPointer(path)) throw malformed('names what it changes by a JSON Pointer: path');
  if (WITH_FROM.includes(op) && !isPointer(from)) throw malformed('names what it takes by a JSON Pointer: from');
  if (WITH_VALUE.includes(op) && !Object.hasOwn(operation, 'value')) throw malformed('has a value where it sets one');
}

/** The whole resource cannot be replaced: it would be another one. */
function isPointer(text: unknown): text is string {
  return typeof text === 'string' && /^(?:\/(?:[^~/]|~[01])*)+$/.test(text);
}

function malformed(what: string): Fault {
  return new Fault('invalid', `A patch ${what}`);
}

/**
 * Applies a patch to a copy of a resource. The result is not validated here.
 * @throws {Fault} conflict - a test of the patch fails
 * @throws {Fault} invalid - an operation names what is not there
 * @throws {Fault} too-costly - the resource grows too long
 */
export function patched(resource: object, operations: readonly PatchOperation[]): unknown {
  const copy: unknown = structuredClone(resource);
  for (const operation of operations) {
    requirePlace(copy, operation.path, operation.op === 'add');
    const error = applied(copy, operation);
    if (error?.name === 'TestError') throw new Fault('conflict', 'The resource does not pass a test of the patch');
    if (error !== null) throw absent();
    if (operation.op === 'copy' && JSON.stringify(copy).length > MAX_RESULT)
      throw new Fault('too-costly', 'The patch makes the resource too long');
  }
  return copy;
}

/** The library throws at members that no JSON has, and answers the other errors. */
function applied(copy: unknown, operation: PatchOperation): { readonly name: string } | null {
  try {
    return applyOperations(copy, [operation])[0] ?? null;
  } catch (error) {
    throw absent(error);
  }
}

/** RFC 6902 knows no element of a list but an index within it, and for an added one its end. */
function requirePlace(root: unknown, path: string, isAdded: boolean): void {
  const tokens = path.split('/').slice(1);
  let value = root;
  for (const [at, token] of tokens.entries()) {
    if (typeof value !== 'object' || value === null) throw absent();
    if (Array.isArray(value)) {
      const most = isAdded && at === tokens.length - 1 ? value.length : value.length - 1;
      const isIndex = /^(?:0|[1-9]\d{0,8})$/.test(token) && Number(token) <= most;
      if (!isIndex && !(token === '-' && most === value.length)) throw absent();
    }
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    value = Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  }
}

function absent(cause?: unknown): Fault {
  return new Fault('invalid', 'An operation of the patch names what is not there', { cause });
}
