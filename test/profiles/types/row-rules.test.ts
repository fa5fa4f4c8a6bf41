/** What a row says of itself, and what it is found by, are the same. */
import type { DiagnosticReport, DocumentReference, Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { datesFound, datesOfRow, examsAmong, examsOfRow, PARTS_OF_EXAMS } from '../../../profiles/types/row-rules.ts';
import { storedType } from '../../../profiles/types/visibility.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';

const report: DiagnosticReport = {
  resourceType: 'DiagnosticReport',
  status: 'final',
  code: { text: 'CT' },
  imagingStudy: [
    { reference: 'ImagingStudy/1', identifier: { system: 'urn:dicom:uid', value: 'urn:oid:1.2' } },
    { identifier: { system: 'urn:dicom:uid', value: 'urn:oid:1.3' } },
    { reference: 'ImagingStudy/2' },
  ],
};
const document: DocumentReference = {
  resourceType: 'DocumentReference',
  status: 'current',
  content: [{ attachment: {} }],
  context: {
    related: [
      { reference: 'ImagingStudy/1' },
      { reference: 'DiagnosticReport/r' },
      { reference: 'DocumentReference/d' },
    ],
  },
};

describe('The exams that a row is part of', () => {
  const cases: readonly (readonly [name: string, resource: Resource, exams: readonly string[]])[] = [
    ['of a report those that it is linked to', report, ['ImagingStudy/1', 'ImagingStudy/2']],
    ['of a report that was an error none', { ...report, status: 'entered-in-error' }, []],
    [
      'of a document its exams and its report, and no other document',
      document,
      ['ImagingStudy/1', 'DiagnosticReport/r'],
    ],
    ['of a study none', { resourceType: 'ImagingStudy', status: 'available', subject: {} }, []],
  ];
  for (const [name, resource, exams] of cases)
    it(`are ${name}, and what it is found by`, async () => {
      const type = storedType(resource.resourceType);
      expect(examsOfRow(type, resource)).to.deep.equal(exams);
      const { indexer } = await loadDefinitions();
      const params = PARTS_OF_EXAMS.flatMap((part) => (part.type === type ? [part.param] : []));
      const found = indexer(resource).references.filter(({ param }) => params.includes(param));
      expect(examsAmong(found.map(({ target }) => target))).to.deep.equal(exams);
    });
});

describe('The time that a row is of', () => {
  const [day, next] = ['2026-01-05', '2026-01-06'].map((text) => Date.parse(`${text}T00:00:00Z`));
  const FOREVER = 8.64e15;
  const of = (lo: number | undefined, hi: number | undefined) => [{ lo, hi }];
  const exam = { resourceType: 'ImagingStudy', status: 'available', subject: {} } as const;
  const visit = { resourceType: 'Encounter', status: 'finished', class: {} } as const;
  const effectivePeriod = { start: '2026-01-05', end: '2026-01-05' };
  const period = { start: '2026-01-05' };
  const cases: readonly (readonly [name: string, resource: Resource, dates: readonly object[]])[] = [
    ['of a study when it was made', { ...exam, started: '2026-01-05' }, of(day, next)],
    ['of a study that says none', exam, []],
    ['of a report the exam', { ...report, effectiveDateTime: '2026-01-05', issued: '2026-02-01' }, of(day, next)],
    ['of a report the exam, also as a Period', { ...report, effectivePeriod, issued: '2026-02-01' }, of(day, next)],
    ['of another report when it was written', { ...report, issued: '2026-01-05' }, of(day, next)],
    ['of a document the exam', { ...document, date: '2026-02-01', context: { period } }, of(day, FOREVER)],
    ['of another document when it was written', { ...document, date: '2026-01-05' }, of(day, next)],
    ['of a visit all of it', { ...visit, period: effectivePeriod }, of(day, next)],
    ['of a visit that lasts without end', { ...visit, period }, of(day, FOREVER)],
    ['of anything else none', { resourceType: 'Observation', status: 'final', code: {}, issued: '2026-01-05' }, []],
  ];
  for (const [name, resource, dates] of cases)
    it(`is ${name}, and what it is found by`, async () => {
      const type = storedType(resource.resourceType);
      expect(datesOfRow(type, resource)).to.deep.equal(dates);
      const { indexer } = await loadDefinitions();
      expect(datesFound(type, indexer(resource).dates)).to.deep.equal(dates);
    });
});
