/**
 * SMART scopes: which interactions a token opens on which types. Pure; what the scope opens is a ceiling, the decision
 * of access comes after it. @see SMART App Launch 2.2, Scopes and Launch Context
 */
import { Fault } from '../../profiles/fault.ts';
import { isStoredType, type StoredType } from '../../profiles/types/visibility.ts';
import type { Requester } from './requester.ts';

/** Create, read, update, delete, search: the letters of a scope, in the order in which they must stand. */
export type ScopeAction = 'c' | 'r' | 'u' | 'd' | 's';

/** Whose rights a scope speaks of. */
export type ScopeContext = 'patient' | 'user' | 'system';

/** One FHIR scope. `actions` holds at least one letter, in the order `cruds`. */
export type SmartScope = {
  readonly context: ScopeContext;
  readonly type: string;
  readonly actions: readonly ScopeAction[];
};

const ACTIONS: readonly ScopeAction[] = ['c', 'r', 'u', 'd', 's'];
const GRAMMAR = /^(patient|user|system)\/([A-Za-z]{1,64}|\*)\.(read|write|\*|c?r?u?d?s?)$/;
const VERSION_1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/**
 * Reads one FHIR scope of SMART v2, or of v1 (`.read` is `.rs`, `.write` is `.cud`, `.*` is `.cruds`).
 *
 * Undefined when the text is no such scope: letters out of order, a type this server does not store, or search
 * parameters behind a question mark, which are not supported.
 * @see SMART App Launch 2.2, Scopes for requesting FHIR Resources
 */
export function parseScope(text: string): SmartScope | undefined {
  const match = GRAMMAR.exec(text);
  const [, context, type, letters] = match ?? [];
  if (context === undefined || type === undefined || letters === undefined || letters === '') return undefined;
  if (type !== '*' && !isStoredType(type)) return undefined;
  const expanded = VERSION_1[letters] ?? letters;
  return { context: context as ScopeContext, type, actions: ACTIONS.filter((action) => expanded.includes(action)) };
}

/** Writes a scope in the form of SMART v2. */
export function formatScope(scope: SmartScope): string {
  return `${scope.context}/${scope.type}.${scope.actions.join('')}`;
}

/** Whether a text is meant as a FHIR scope, well formed or not; other scopes are those of OpenID Connect and launch. */
export function isResourceScope(text: string): boolean {
  return /^(patient|user|system)\//.test(text);
}

/** Whether one of the granted scopes opens an interaction on a type. */
export function allows(scopes: readonly string[], type: string, action: ScopeAction): boolean {
  return scopes.some((text) => {
    const scope = parseScope(text);
    return scope !== undefined && (scope.type === '*' || scope.type === type) && scope.actions.includes(action);
  });
}

/**
 * What a client may do at all, whatever the data: refuses an interaction that none of the granted scopes opens.
 * @throws {Fault} forbidden (insufficient_scope)
 */
export function requireScope(requester: Pick<Requester, 'scopes'>, type: StoredType, action: ScopeAction): void {
  if (allows(requester.scopes, type, action)) return;
  const detail = { protocolCode: 'insufficient_scope' };
  throw new Fault('forbidden', `The token's scopes do not allow this on ${type}`, detail);
}

/**
 * Cuts requested scopes down to what is registered. A request that is covered as a whole keeps its spelling; else the
 * common parts are named in the form of v2. Texts that are no FHIR scope are kept when they are registered.
 */
export function narrowScopes(requested: readonly string[], registered: readonly string[]): readonly string[] {
  const ceilings = registered.map(parseScope).filter((scope) => scope !== undefined);
  const kept = requested.flatMap((text) => {
    const wanted = parseScope(text);
    if (wanted === undefined) return registered.includes(text) ? [text] : [];
    return narrowScope(text, wanted, ceilings);
  });
  return [...new Set(kept)];
}

function narrowScope(text: string, wanted: SmartScope, ceilings: readonly SmartScope[]): readonly string[] {
  const common = ceilings.map((ceiling) => intersect(wanted, ceiling)).filter((scope) => scope !== undefined);
  const whole = formatScope(wanted);
  return common.some((scope) => formatScope(scope) === whole) ? [text] : common.map(formatScope);
}

function intersect(wanted: SmartScope, ceiling: SmartScope): SmartScope | undefined {
  if (wanted.context !== ceiling.context) return undefined;
  if (wanted.type !== '*' && ceiling.type !== '*' && wanted.type !== ceiling.type) return undefined;
  const actions = wanted.actions.filter((action) => ceiling.actions.includes(action));
  if (actions.length === 0) return undefined;
  return { context: wanted.context, type: wanted.type === '*' ? ceiling.type : wanted.type, actions };
}
