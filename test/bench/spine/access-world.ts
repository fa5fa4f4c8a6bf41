/** A store of a million studies, filled by SQL alone: the rows that the writer would have written, in seconds. */
import { join } from 'node:path';
import { openWriter } from '../../../server/stores/sqlite/database.ts';
import { MIGRATIONS, migrate } from '../../../server/stores/sqlite/schema.ts';
import { fillAtOnce } from '../support/fill-at-once.ts';

/** The holders of the world: 1 in 3 studies, 1 in 19, 1 in 199, and ten studies. */
export const HOLDERS = {
  bigService: 'r:Organization/big',
  smallService: 'r:Organization/small',
  doctor: 'p:Practitioner/doctor',
  emergency: 'bg:Practitioner/doctor',
} as const;

/** Values of the token `ImagingStudy.modality` and how often each comes. */
export const TOKEN = { common: 'CT', medium: 'NM', rare: 'XA' } as const;

/** When the newest study began, epoch milliseconds. */
export const NEWEST = Date.parse('2026-01-01T00:00:00Z');

const MINUTE = 60_000;

/** Fills `records.sqlite` of a folder; resolves with the number of rows of the access table. */
export function fillAccessWorld(dataDir: string, studies: number): number {
  const path = join(dataDir, 'records.sqlite');
  const made = openWriter(path);
  migrate(made, MIGRATIONS.records);
  made.close();
  return fillAtOnce(path, (db) => {
    db.exec(fillSql(studies));
    const { n } = db.prepare('SELECT count(*) AS n FROM acl').get() as { n: number };
    return n;
  });
}

/** Row `i`: a study a minute, of one of `studies / 10` persons; modalities 40 % common, 5,000 medium, 20 rare. */
function fillSql(studies: number): string {
  const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${studies})`;
  const id = "printf('%08x-0000-4000-8000-%012x', (i * 2654435761) % 4294967296, i)";
  const person = `'person-' || (i % ${studies / 10})`;
  const sort = `${NEWEST} - (${studies} - i) * ${MINUTE}`;
  const modality =
    `CASE WHEN i % ${studies / 20} = 7 THEN '${TOKEN.rare}' WHEN i % ${studies / 5_000} = 3 THEN ` +
    `'${TOKEN.medium}' WHEN i % 5 < 2 THEN '${TOKEN.common}' ELSE 'MR' END`;
  const json =
    `'{"resourceType":"ImagingStudy","id":"' || ${id} || ` +
    `'","status":"available","description":"${'x'.repeat(400)}"}'`;
  const acl = (holder: string, relation: string, where: string): string =>
    `${numbers} INSERT INTO acl SELECT ${holder}, 'ImagingStudy', ${sort}, ${id}, '${relation}-' || i, i,
      '${relation}', NULL, 0, 8640000000000000 FROM n WHERE ${where} ORDER BY i DESC;`;
  const token = (param: string, value: string, system: string): string =>
    `${numbers} INSERT INTO token SELECT 'ImagingStudy.${param}', ${value}, '${system}', i FROM n ORDER BY 2, i;`;
  return `
    ${numbers} INSERT INTO resource (rid, type, id, version, updated, sort, person, subject, level, released, json)
      SELECT i, 'ImagingStudy', ${id}, 1, ${NEWEST}, ${sort}, ${person}, 'Patient/' || (i % ${studies / 10}), 0, 1,
      ${json} FROM n;
    ${token('modality', modality, 'http://dicom.nema.org/resources/ontology/DCM')}
    ${token('status', "'available'", 'http://hl7.org/fhir/imagingstudy-status')}
    ${token('identifier', "printf('urn:oid:2.25.%012d', i)", 'urn:dicom:uid')}
    ${numbers} INSERT INTO reference SELECT 'ImagingStudy.patient', 'Patient/' || (i % ${studies / 10}), i
      FROM n ORDER BY 2, i;
    ${numbers} INSERT INTO date_range SELECT 'ImagingStudy.started', ${sort}, ${sort} + 1000, i FROM n;
    ${acl(`'pat:' || ${person}`, 'self', '1')}
    ${acl(`'${HOLDERS.bigService}'`, 'imaging-service', 'i % 3 = 0')}
    ${acl(`'${HOLDERS.smallService}'`, 'imaging-service', 'i % 19 = 1')}
    ${acl(`'${HOLDERS.doctor}'`, 'declared', 'i % 199 = 3')}
    ${acl(`'${HOLDERS.emergency}'`, 'break-glass', `i % ${studies / 10} = 9`)}`;
}
