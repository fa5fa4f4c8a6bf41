/**
 * Earlier servers kept tries for a number under a plain digest, which whoever holds the file compares with numbers, and
 * forgot none. Those of now look the same: all go, and what counts of the last quarter of an hour is counted anew.
 */
export const presenceTries = `
DELETE FROM claim WHERE key >= 'presence-tries|' AND key < 'presence-tries}';
`;
