/**
 * Rights are derived from rows. A row says whom it comes from (`origin`). A right names the row that gives it; others
 * that give it, too, are kept beside it in the order in which they began. There is one right for a principal, a
 * relation, a scope and a time, so that those of several Consents become one.
 *
 * What earlier servers named is derived so: a right to a row comes from that row, a person's own from each Patient of
 * hers, one that a Consent gave from it, that of an imaging service from each exam and report of the person, until the
 * next version of one says its services.
 */
export const givers = `
ALTER TABLE resource ADD COLUMN origin TEXT;
UPDATE resource SET origin = json_object('sources', json('[]'), 'services', json((
    SELECT json_group_array(substr(r.principal, 3)) FROM access_right r
    WHERE r.person = resource.person AND r.item IS NULL AND r.relation = 'imaging-service')))
  WHERE type IN ('ImagingStudy', 'DiagnosticReport') AND person IS NOT NULL;
UPDATE resource SET origin = json_set(coalesce(origin, '{"sources":[],"services":[]}'), '$.sources', json((
    SELECT json_group_array(CASE WHEN r.principal LIKE 'pat:%' THEN resource.subject ELSE substr(r.principal, 3) END)
    FROM access_right r WHERE r.person = resource.person AND r.item = resource.type || '/' || resource.id
      AND (r.relation = 'author' OR r.principal NOT LIKE 'pat:%'))))
  WHERE person IS NOT NULL AND EXISTS (SELECT 1 FROM access_right r
    WHERE r.person = resource.person AND r.item = resource.type || '/' || resource.id);

CREATE TEMP TABLE named_right AS SELECT
  id AS former, relation || '|' || principal || '|' || coalesce(item, 'record|' || person)
    || iif(valid_from = 0 AND valid_to = 8640000000000000, '', '|' || valid_from || '|' || valid_to) AS id,
  person, principal, relation, item, valid_from, valid_to, source FROM access_right;
CREATE INDEX temp.named_right_id ON named_right (id);
DROP TABLE access_right;

CREATE TABLE further_giver (place INTEGER PRIMARY KEY, right_id TEXT NOT NULL, giver TEXT NOT NULL);
INSERT INTO further_giver (right_id, giver)
  SELECT DISTINCT id, giver FROM (
    SELECT id, item AS giver, 0 AS place FROM named_right WHERE item IS NOT NULL
    UNION ALL
    SELECT n.id, n.source, coalesce(x.rid, 0) FROM named_right n LEFT JOIN resource x
      ON x.type = 'Consent' AND n.source = 'Consent/' || x.id WHERE n.item IS NULL AND n.source IS NOT NULL
    UNION ALL
    SELECT n.id, x.type || '/' || x.id, x.rid FROM named_right n JOIN resource x ON x.person = n.person
      WHERE n.item IS NULL AND n.source IS NULL AND (n.relation = 'self' AND x.type = 'Patient'
        OR n.relation = 'imaging-service' AND x.type IN ('ImagingStudy', 'DiagnosticReport'))
  ) ORDER BY place;
CREATE INDEX further_giver_right ON further_giver (right_id);

CREATE TABLE access_right (
  id TEXT PRIMARY KEY, person TEXT NOT NULL, principal TEXT NOT NULL, relation TEXT NOT NULL, item TEXT,
  valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL, giver TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO access_right SELECT n.id, n.person, n.principal, n.relation, n.item, n.valid_from, n.valid_to, g.giver
  FROM named_right n JOIN further_giver g
    ON g.place = (SELECT min(place) FROM further_giver WHERE right_id = n.id)
  GROUP BY n.id;
DELETE FROM further_giver WHERE place IN (SELECT min(place) FROM further_giver GROUP BY right_id);
CREATE INDEX further_giver_giver ON further_giver (giver, right_id);
CREATE INDEX access_right_giver ON access_right (giver);
CREATE INDEX access_right_person ON access_right (person, item);

INSERT OR IGNORE INTO acl (principal, type, sort, id, right_id, rid, relation, source, valid_from, valid_to)
  SELECT a.principal, a.type, a.sort, a.id, n.id, a.rid, a.relation,
    iif(r.item IS NULL AND r.giver LIKE 'Consent/%', r.giver, NULL), a.valid_from, a.valid_to
  FROM named_right n JOIN access_right r ON r.id = n.id JOIN acl a ON a.right_id = n.former WHERE n.former <> n.id;
DELETE FROM acl WHERE right_id IN (SELECT former FROM named_right EXCEPT SELECT id FROM access_right);
DROP TABLE named_right;
`;
