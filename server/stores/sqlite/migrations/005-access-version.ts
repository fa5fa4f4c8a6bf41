/**
 * A number that moves with every commit that may change who a requester is, whatever writes it: an access token that is
 * changed or removed, a Patient, Practitioner or PractitionerRole, an account that is switched off or on. What is new
 * changes nobody who was known before, but for a role.
 */
const table = `
CREATE TABLE access_version (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL);
INSERT INTO access_version VALUES (1, 1);
`;

const moves = (name: string, event: string, condition: string): string => `
CREATE TRIGGER access_version_${name} AFTER ${event} WHEN ${condition}
BEGIN UPDATE access_version SET version = version + 1; END;`;

const ACCOUNTS = "('Patient', 'Practitioner', 'PractitionerRole')";

/** For the file of records. */
export const recordsAccessVersion = [
  table,
  moves('role', 'INSERT ON resource', "new.type = 'PractitionerRole'"),
  moves('changed', 'UPDATE ON resource', `old.type IN ${ACCOUNTS}`),
  moves('removed', 'DELETE ON resource', `old.type IN ${ACCOUNTS}`),
  moves('off', 'INSERT ON patient_state', 'new.account_off <> 0'),
  moves('switched', 'UPDATE ON patient_state', 'new.account_off <> old.account_off'),
  moves('forgotten', 'DELETE ON patient_state', 'old.account_off <> 0'),
].join('');

/** For the file of tokens. */
export const tokensAccessVersion = [
  table,
  moves('changed', 'UPDATE ON token', "old.model = 'AccessToken'"),
  moves('removed', 'DELETE ON token', "old.model = 'AccessToken'"),
].join('');
