import { expect } from 'chai';
import { studyEntity } from '../../../../profiles/audit/entities.ts';
import { MOST_EXAMS, toldExams, type ExamRow } from '../../../../server/flows/audit/told-exams.ts';

const study = (id: string, more: object = {}): ExamRow => ({
  type: 'ImagingStudy',
  id,
  json: JSON.stringify({
    resourceType: 'ImagingStudy',
    id,
    description: `Scanner ${id}`,
    started: '2026-03-14',
    ...more,
  }),
  isOpenToPatient: true,
});

const report: ExamRow = {
  type: 'DiagnosticReport',
  id: 'r1',
  json: JSON.stringify({ resourceType: 'DiagnosticReport', code: { coding: [{ display: 'CT of chest' }] } }),
  isOpenToPatient: true,
};

const query = { role: '24', query: 'ImagingStudy?status=available' };

describe('The exams that an event tells of', () => {
  it('are named each once, in words and with their time, beside the query', () => {
    const { entities, exams } = toldExams([study('s1'), report, study('s1')], [query], false);
    expect(entities).to.deep.equal([query]);
    expect(exams.map(({ what, description, detail }) => [what?.reference, description, detail])).to.deep.equal([
      ['ImagingStudy/s1', 'Scanner s1', { item: 'ImagingStudy/s1', started: '2026-03-14' }],
      ['DiagnosticReport/r1', 'CT of chest', { item: 'DiagnosticReport/r1' }],
    ]);
  });

  it('are told by what was touched where that names them, which keeps what it says', () => {
    const touched = studyEntity('1.2.3', 'ImagingStudy/s1', { instances: '4' });
    const { entities, exams } = toldExams([study('s1')], [touched], false);
    expect(exams).to.deep.equal([]);
    const detail = { instances: '4', item: 'ImagingStudy/s1', started: '2026-03-14' };
    expect(entities).to.deep.equal([{ ...touched, description: 'Scanner s1', detail }]);
  });

  it('say no word of what their patient may not see, nor where others read the event, too', () => {
    const { isOpenToPatient: _, ...hidden } = study('s1');
    const told = [toldExams([hidden], [], false), toldExams([study('s1')], [], true)];
    for (const { exams } of told) {
      expect(exams).to.have.length(1);
      expect(JSON.stringify(exams)).to.include('ImagingStudy/s1').and.not.include('Scanner');
      expect(exams[0]).to.deep.include({ detail: {} });
    }
  });

  it('are the item that a part belongs to, and no rows of another kind', () => {
    const binary: ExamRow = {
      type: 'Binary',
      id: 'b1',
      json: '{}',
      item: { ...report, type: 'DiagnosticReport', id: 'r1', json: report.json ?? '' },
    };
    const patient: ExamRow = { type: 'Patient', id: 'p1', json: '{}', isOpenToPatient: true };
    const { exams } = toldExams([patient, binary], [], false);
    expect(exams.map(({ what }) => what?.reference)).to.deep.equal(['DiagnosticReport/r1']);
  });

  it('are counted beyond a bound', () => {
    const rows = Array.from({ length: MOST_EXAMS + 13 }, (_, at) => study(`s${at}`));
    const { exams } = toldExams(rows, [query], false);
    expect(exams).to.have.length(MOST_EXAMS);
    expect(exams.at(-1)?.detail).to.deep.include({ further: '13' });
    expect(exams.at(-2)?.detail).to.not.have.property('further');
  });

  it('are called by their modality where nothing else says what they were, and in no more than 200 characters', () => {
    const nameless = study('s1', { description: undefined, modality: [{ code: 'CT' }, { code: 'PT' }] });
    const long = study('s2', { description: 'x'.repeat(500) });
    const { exams } = toldExams([nameless, long], [], false);
    expect(exams[0]?.description).to.equal(undefined);
    expect(exams[0]?.detail).to.deep.include({ modality: 'CT, PT' });
    expect(exams[1]?.description).to.have.length(200);
  });
});
