/**
 * A report that nobody has validated is for who wrote it, for the imaging service and for emergencies: earlier servers
 * showed it to declared correspondents, too.
 */
export const unreleasedReports = `
DELETE FROM acl WHERE relation = 'declared'
  AND rid IN (SELECT rid FROM resource WHERE type = 'DiagnosticReport' AND released = 0);
`;
