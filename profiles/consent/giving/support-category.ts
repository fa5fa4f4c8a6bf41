/** What a Consent bears that answers a ticket of support. */

/** Its category: a code of `CodeSystem-temporary-access.json`. */
export const SUPPORT = 'support';
