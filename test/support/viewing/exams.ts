/** Exams to look at, all of one patient: drawn by the demonstration's code, or published samples under her name. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  chestRadiograph,
  headScan,
  heartCine,
  liverFlowCine,
  thoraxScan,
  type Acquisition,
} from '../../../fixtures/dicom/acquisitions.ts';
import { studyModules, type StudyHead } from '../../../fixtures/dicom/modules.ts';
import { assembleStudy, type DemoInstance, type DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { uidOf } from '../../../fixtures/dicom/uid.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import { makeReportPdf } from '../../../fixtures/report-pdf.ts';
import { reportTextOf } from '../../../fixtures/report-texts.ts';
import { DICOM_UID } from '../../../profiles/codes.ts';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';

/** The head of an exam of Hélène in Strasbourg. */
export function headOf(key: string, description: string, started = '2025-09-15T10:42:17'): StudyHead {
  return {
    key,
    description,
    studyInstanceUID: uidOf(key),
    accessionNumber: `V${uidOf(key).slice(-9)}`,
    patient: PATIENTS.helene,
    establishment: ESTABLISHMENTS.strasbourg,
    started,
    zone: '+0100',
    characterSet: 'ISO_IR 192',
    referringPhysician: 'Brandessart^Maëlle^^Dr',
  };
}

/** The exams that are drawn. */
export const DRAWN = {
  ct: () => assembleStudy(headOf('view/ct', 'Scanner thoracique avec injection'), [thoraxScan()]),
  mr: () =>
    assembleStudy(headOf('view/mr', 'IRM cérébrale', '2025-10-06T14:05:50'), [
      headScan({ number: 1, weighting: 'T1' }),
      headScan({ number: 2, weighting: 'T2' }),
    ]),
  cr: () =>
    assembleStudy(headOf('view/cr', 'Radiographie du thorax de face', '2024-03-21T16:31:44'), [chestRadiograph()]),
  us: () => assembleStudy(headOf('view/us', 'Échographie cardiaque', '2025-11-18T09:12:03'), [heartCine()]),
  flow: () =>
    assembleStudy(headOf('view/flow', 'Échographie Doppler du foie', '2026-02-10T10:05:42'), [liverFlowCine()]),
} as const satisfies Readonly<Record<string, () => DemoStudy>>;

/** A study of two documents and no picture: a PDF, and a structured report. */
export async function documentsExam(): Promise<DemoStudy> {
  const head = headOf('view/documents', 'Comptes rendus', '2026-01-12T08:30:00');
  const pdf = Buffer.from(await makeReportPdf(head, reportTextOf('ct-thorax')));
  const encapsulated: Acquisition = {
    series: { number: 1, modality: 'DOC', description: 'Compte rendu en PDF', bodyPart: 'CHEST' },
    sopClassUID: `${DICOM_UID.storageClassPrefix}104.1`,
    count: 1,
    draw: () => ({
      '00420010:ST': 'Scanner thoracique, compte rendu',
      '00420011:OB': pdf.length % 2 === 0 ? pdf : Buffer.concat([pdf, Buffer.alloc(1)]),
      '00420012:LO': 'application/pdf',
      '00420015:UL': pdf.length,
    }),
  };
  const concept = (meaning: string) => ({ '00080100:SH': '1', '00080102:SH': '99TEST', '00080104:LO': meaning });
  const structured: Acquisition = {
    series: { number: 2, modality: 'SR', description: 'Mesures', bodyPart: 'CHEST' },
    sopClassUID: `${DICOM_UID.storageClassPrefix}88.33`,
    count: 1,
    draw: () => ({
      '0040A040:CS': 'CONTAINER',
      '0040A043:SQ': [concept('Compte rendu d’imagerie')],
      '0040A050:CS': 'SEPARATE',
      '0040A491:CS': 'COMPLETE',
      '0040A493:CS': 'VERIFIED',
      '0040A730:SQ': [
        {
          '0040A010:CS': 'CONTAINS',
          '0040A040:CS': 'TEXT',
          '0040A043:SQ': [concept('Conclusion')],
          '0040A160:UT': 'Nodule pulmonaire isolé de 9 mm du lobe supérieur droit.',
        },
      ],
    }),
  };
  return assembleStudy(head, [encapsulated, structured]);
}

/**
 * A published sample as an exam of Hélène: DCMTK's `dcmodify` gives it her name and a study of its own, and leaves the
 * pixels as they are.
 * @throws {Error} dcmodify does not take the file
 */
export function sampleExam(path: string, name: string): DemoStudy {
  const head = headOf(`view/sample/${name}`, name);
  const folder = mkdtempSync(join(tmpdir(), 'passerelle-exam-'));
  try {
    const file = join(folder, 'sample.dcm');
    copyFileSync(path, file);
    const given = Object.entries(studyModules({ ...head, characterSet: 'ISO_IR 100' })).flatMap(([name, value]) =>
      ['PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex', 'StudyInstanceUID', 'StudyDescription'].includes(
        name,
      )
        ? ['-i', `${name}=${String(value)}`]
        : [],
    );
    const changed = [
      ...given,
      '-m',
      `SOPInstanceUID=${uidOf(`${head.key}/instance`)}`,
      '-i',
      'AccessionNumber=',
      '-ea',
      'IssuerOfPatientIDQualifiersSequence',
    ];
    const { status, stderr } = spawnSync('dcmodify', ['-q', '-nb', '-imt', ...changed, file], { encoding: 'latin1' });
    if (status !== 0) throw new Error(`dcmodify: ${stderr}`);
    const bytes = readFileSync(file);
    const { sopClassUID = '', sopInstanceUID = '' } = parseFileMeta(bytes);
    const instance: DemoInstance = { sopClassUID, sopInstanceUID, seriesInstanceUID: '', bytes };
    return { ...head, modality: '', seriesCount: 1, instanceCount: 1, instances: () => [instance] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
