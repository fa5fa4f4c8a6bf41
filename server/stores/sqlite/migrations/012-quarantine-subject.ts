/**
 * What is kept aside is filed under the identity by which its sender knows the patient; an instance may have been sent
 * by several establishments (JSON array of `Organization/id`, the first one left out).
 */
export const quarantineSubject = `
ALTER TABLE quarantine ADD COLUMN subject TEXT;
ALTER TABLE quarantine ADD COLUMN person TEXT;
CREATE INDEX quarantine_person ON quarantine (person) WHERE person IS NOT NULL;
CREATE INDEX quarantine_study ON quarantine (study_instance_uid);
ALTER TABLE instance ADD COLUMN further_sources TEXT;
`;
