/**
 * An AuditEvent had a body of 2 KB and a dozen search values of its own, kept twice, and nearly the same in all events.
 * What is the same is kept once now, as the form of many events: the frame of their bodies (see event-body.ts), and
 * under `token` what few values can be (their tokens, and of which parameters they have references). The date of an
 * event is its place in the list, its patients are among its agents and entities, and as events never change nothing
 * need lead from an event to its references.
 *
 * Earlier events keep their bodies whole: `chain.form` is null. What is chained and has no row yet waits in `unindexed`
 * (see event-index.ts).
 */
export const eventForms = `
CREATE TABLE event_form (form INTEGER PRIMARY KEY, frame TEXT NOT NULL, entries TEXT NOT NULL, UNIQUE (entries, frame));
CREATE TABLE unindexed (sequence INTEGER PRIMARY KEY, event TEXT NOT NULL);
ALTER TABLE resource ADD COLUMN form INTEGER;
ALTER TABLE chain ADD COLUMN form INTEGER;
CREATE TEMP TABLE entries_of AS
  SELECT rid, json_group_array(json_array(param, value, system)) AS entries FROM (
    SELECT rid, param, value, system FROM token
    UNION SELECT rid, param, '', '' FROM reference
    UNION SELECT rid, param, '', '' FROM date_range
    ORDER BY rid, param, value, system
  ) GROUP BY rid;
INSERT INTO event_form (frame, entries) SELECT DISTINCT '', entries FROM entries_of;
UPDATE resource SET form = f.form FROM entries_of e JOIN event_form f ON f.entries = e.entries
  WHERE e.rid = resource.rid;
DELETE FROM token;
INSERT INTO token (param, value, system, rid)
  SELECT e.value ->> 0, e.value ->> 1, e.value ->> 2, f.form FROM event_form f, json_each(f.entries) e;
DROP TABLE entries_of;
DELETE FROM date_range;
DELETE FROM reference WHERE param = 'AuditEvent.patient';
DROP INDEX reference_rid;
DROP INDEX acl_right;
CREATE INDEX resource_form ON resource (form);
`;
