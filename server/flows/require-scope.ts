/** The ceiling of scopes, under the name that flows know it by. */
export { requireScope } from '../access/scope.ts';
