/**
 * Schema 12: a Consent of a ticket of support gives less than a declaration, for which earlier servers take it: they
 * refuse the database. Nothing that they wrote changes.
 */
export async function refuseBeforeTickets(): Promise<void> {}
