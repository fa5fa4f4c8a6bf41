/**
 * A Consent of a ticket of support gives less than a declaration, for which earlier servers take it: they refuse the
 * file. Nothing that they wrote changes.
 */
export const tickets = '';
