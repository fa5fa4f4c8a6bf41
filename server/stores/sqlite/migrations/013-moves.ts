/**
 * Identities that join and leave persons. A row knows the Patient that doors show in place of the one that it is filed
 * under (`subject`), where it is another; its references are to that Patient then, and as it was filed they are kept
 * beside. A former version knows the identity that it was filed under, too, unless it is that of the row, and so does
 * an instance.
 *
 * Switches are kept as they were said of each identity (`said`), beside those that count for the person. The rows that
 * give a right have places in the order in which they began, which they keep when they move. An identity knows who it
 * is at present, through others no more. Of a person's rows those of a type are told apart in the index: she may have
 * thousands, and each that is looked at in the table is a page of it.
 */
export const recordsMoves = `
ALTER TABLE resource ADD COLUMN patient TEXT;
ALTER TABLE deleted ADD COLUMN patient TEXT;
ALTER TABLE history ADD COLUMN subject TEXT;
DROP INDEX resource_person;
CREATE INDEX resource_person ON resource (person, subject, type) WHERE person IS NOT NULL;
CREATE INDEX resource_identity ON resource (person) WHERE type = 'Person';
CREATE TABLE filed_reference (
  rid INTEGER NOT NULL, param TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (rid, param, target)
) WITHOUT ROWID;
ALTER TABLE instance ADD COLUMN subject TEXT NOT NULL DEFAULT '';
UPDATE instance SET subject = coalesce((SELECT value FROM claim WHERE key = 'study|' || study_instance_uid), '');
DELETE FROM claim WHERE key >= 'qualified|' AND key < 'qualified}';

ALTER TABLE patient_state ADD COLUMN said INTEGER NOT NULL DEFAULT 0;
UPDATE patient_state SET said = opposed + 2 * withdrawn + 4 * erasure_pending + 8 * account_off;
WITH RECURSIVE present (person, merged_into) AS (
  SELECT person, merged_into FROM patient_state WHERE merged_into IS NOT NULL
  UNION ALL SELECT p.person, s.merged_into FROM present p JOIN patient_state s ON s.person = p.merged_into
    WHERE s.merged_into IS NOT NULL
)
UPDATE patient_state SET merged_into = p.merged_into FROM present p
  WHERE p.person = patient_state.person AND p.merged_into NOT IN (SELECT person FROM present);
CREATE INDEX patient_state_merged ON patient_state (merged_into) WHERE merged_into IS NOT NULL;

ALTER TABLE access_right ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
CREATE TABLE giver (
  right_id TEXT NOT NULL, place INTEGER NOT NULL, giver TEXT NOT NULL, PRIMARY KEY (right_id, place, giver)
) WITHOUT ROWID;
INSERT INTO giver (right_id, place, giver) SELECT right_id, place, giver FROM further_giver;
DROP TABLE further_giver;
ALTER TABLE giver RENAME TO further_giver;
CREATE INDEX further_giver_giver ON further_giver (giver, right_id);

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
