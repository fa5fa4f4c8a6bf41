/** What a row says of itself, and what it is found by, are the same. */
import type { DiagnosticReport, DocumentReference, Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { examsOfRow, PARTS_OF_EXAMS } from '../../../profiles/types/row-rules.ts';
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
  context: { related: [{ reference: 'ImagingStudy/1' }, { reference: 'DiagnosticReport/r' }] },
};

describe('The exams that a row is part of', () => {
  const cases: readonly (readonly [name: string, resource: Resource, exams: readonly string[]])[] = [
    ['of a report those that it is linked to', report, ['ImagingStudy/1', 'ImagingStudy/2']],
    ['of a report that was an error none', { ...report, status: 'entered-in-error' }, []],
    ['of a document its exams and its report', document, ['ImagingStudy/1', 'DiagnosticReport/r']],
    ['of a study none', { resourceType: 'ImagingStudy', status: 'available', subject: {} }, []],
  ];
  for (const [name, resource, exams] of cases)
    it(`are ${name}, and what it is found by`, async () => {
      const type = storedType(resource.resourceType);
      expect(examsOfRow(type, resource)).to.deep.equal(exams);
      const { indexer } = await loadDefinitions();
      const params = PARTS_OF_EXAMS.flatMap((part) => (part.type === type ? [part.param] : []));
      const found = indexer(resource).references.filter(({ param }) => params.includes(param));
      expect(found.map(({ target }) => target)).to.deep.equal(exams);
    });
});
