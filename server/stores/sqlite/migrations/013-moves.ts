/**
 * Identities that join and leave persons. A row knows the Patient that doors show in place of the one that it is filed
 * under (`subject`), where it is another. Switches are kept as they were said of each identity (`said`), beside those
 * that count for the person. An instance knows the identity that it is filed under.
 */
export const recordsMoves = `
ALTER TABLE resource ADD COLUMN patient TEXT;
ALTER TABLE deleted ADD COLUMN patient TEXT;
ALTER TABLE instance ADD COLUMN subject TEXT NOT NULL DEFAULT '';
UPDATE instance SET subject = coalesce((SELECT value FROM claim WHERE key = 'study|' || study_instance_uid), '');
DELETE FROM claim WHERE key >= 'qualified|' AND key < 'qualified}';
ALTER TABLE patient_state ADD COLUMN said INTEGER NOT NULL DEFAULT 0;
UPDATE patient_state SET said = opposed + 2 * withdrawn + 4 * erasure_pending + 8 * account_off;
CREATE INDEX patient_state_merged ON patient_state (merged_into) WHERE merged_into IS NOT NULL;
CREATE TRIGGER access_version_moved AFTER UPDATE OF person ON resource WHEN old.type = 'Person'
BEGIN UPDATE access_version SET version = version + 1; END;
`;

/** Events are filed under the persons of their records, and found by whom those are at present. */
export const trailMoves = `
ALTER TABLE resource ADD COLUMN patient TEXT;
CREATE INDEX former_person_present ON former_person (person);
UPDATE acl SET principal = 'pat:' || substr(right_id, instr(right_id, '|') + 1)
  WHERE principal IN (SELECT 'pat:' || person FROM former_person);
`;
