/** The lists of who opened a record and of who may open it. */
import { accessHistory } from './access-history.ts';
import { whoCanAccess, type WhoCanAccessDeps } from './who-can-access.ts';

/** Makes both. */
export function accessLists(deps: WhoCanAccessDeps) {
  return { accessHistory: accessHistory(deps), whoCanAccess: whoCanAccess(deps) };
}
