/**
 * The study list as OHIF asks it, beside Orthanc while it can be filled in seconds, then in larger indexes of ours: a
 * list must not grow slower with the region.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SOP_CLASS } from '../../../fixtures/dicom/modules.ts';
import { writePart10 } from '../../../fixtures/dicom/part10.ts';
import { medianOf, msOf, type Row } from '../support/figures.ts';
import { sliceContent } from '../support/slices.ts';
import { sendPath } from '../support/store-scu.ts';
import { fillStudyIndex, indexedStudy } from '../support/study-index.ts';
import { askInTurn, rowsOf, type Answered, type Ask } from './asking.ts';
import { missingPeers, startOrthancWeb, startPasserelle, type Side } from './sides.ts';

const BESIDE_ORTHANC = [1_000, 3_000];
const BUDGET = 10;
const REPEATS = 40;
/** An index of ours only, and the first of {@link BESIDE_ORTHANC}, are asked more often: they answer at once. */
const REPEATS_ALONE = 100;
const JSON_HEADERS = { Accept: 'application/dicom+json' };

/** Numbers of studies: `PASSERELLE_BENCH_STUDIES`, by commas. */
function sizes(): number[] {
  return (process.env['PASSERELLE_BENCH_STUDIES'] ?? '1000,3000,10000,100000').split(',').map(Number);
}

type Question = { readonly name: string; readonly query: (studies: number, sequence: number) => string };

const COMMON = 'limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060';
const QUESTIONS: readonly Question[] = [
  { name: 'list', query: () => COMMON },
  {
    name: 'by name',
    query: (studies, at) => `PatientName=*${encodeURIComponent(nameOf((at * 7919) % studies, studies))}*&${COMMON}`,
  },
  {
    name: 'by number',
    query: (studies, at) => `00100020=*${indexedStudy((at * 7919) % studies, studies).patientID}*&${COMMON}`,
  },
  { name: 'of a month', query: () => `${COMMON}&StudyDate=20260101-20260131` },
];

/** Measures; without the peer it says which one is missing. */
export async function measureQido(): Promise<readonly Row[]> {
  const missing = missingPeers();
  if (missing.length > 0) return [{ name: 'skipped', figures: { missing: missing.join(', ') } }];
  const rows: Row[] = [];
  const lists = new Map<number, number>();
  for (const studies of sizes()) {
    const answers = await measureSize(studies);
    for (const [name, answered] of answers) {
      rows.push(
        ...rowsOf(`${studies} studies, ${name}`, answered, name === 'list' && studies === 3_000 ? BUDGET : undefined),
      );
      if (name === 'list')
        for (const [side, ours] of answered)
          if (side.name === 'passerelle') lists.set(studies, medianOf(ours.map(({ ms }) => ms)));
    }
  }
  const [least, most] = [Math.min(...lists.keys()), Math.max(...lists.keys())];
  return [
    ...rows,
    {
      name: `list of ${most} studies to that of ${least}`,
      figures: { ratio: msOf((lists.get(most) ?? Number.NaN) / (lists.get(least) ?? Number.NaN)) },
    },
  ];
}

async function measureSize(studies: number): Promise<Map<string, ReadonlyMap<Side, readonly Answered[]>>> {
  const root = await mkdtemp(join(tmpdir(), 'passerelle-qido-'));
  const sides: Side[] = [];
  try {
    await fillStudyIndex(join(root, 'data'), { studies });
    sides.push(await startPasserelle({ dataDir: join(root, 'data'), asks: 'radiologist' }));
    if (BESIDE_ORTHANC.includes(studies)) sides.push(await filledOrthanc(join(root, 'files'), studies));
    const answers = new Map<string, ReadonlyMap<Side, readonly Answered[]>>();
    for (const { name, query } of QUESTIONS) {
      const askAt = (sequence: number): Ask => ({
        path: `/studies?${query(studies, sequence)}`,
        headers: JSON_HEADERS,
      });
      answers.set(name, await askInTurn(sides, sides.length === 1 ? REPEATS_ALONE : REPEATS, askAt));
    }
    return answers;
  } finally {
    for (const side of sides) await side.stop();
    await rm(root, { recursive: true, force: true });
  }
}

/** The same studies, each as one instance of a header without pixels. */
async function filledOrthanc(folder: string, studies: number): Promise<Side> {
  const side = await startOrthancWeb();
  await mkdir(folder);
  for (let number = 0; number < studies; number += 1)
    await writeFile(join(folder, `${number}.dcm`), instanceOf(number, studies));
  await sendPath(side.receiver, folder);
  return side;
}

function instanceOf(number: number, studies: number): Uint8Array {
  const study = indexedStudy(number, studies);
  const started = new Date(study.started).toISOString();
  const [StudyDate, StudyTime] = [started.slice(0, 10).replaceAll('-', ''), started.slice(11, 19).replaceAll(':', '')];
  return writePart10({
    ...sliceContent(),
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: SOP_CLASS.CT,
    SOPInstanceUID: `${study.studyInstanceUID}.1.1`,
    StudyInstanceUID: study.studyInstanceUID,
    SeriesInstanceUID: `${study.studyInstanceUID}.1`,
    StudyDate,
    StudyTime,
    SeriesDate: StudyDate,
    SeriesTime: StudyTime,
    AccessionNumber: study.accessionNumber,
    Modality: study.modality,
    ReferringPhysicianName: 'Brandessart^Maëlle^^Dr',
    StudyDescription: study.description,
    PatientName: study.patientName,
    PatientID: study.patientID,
    PatientBirthDate: '19500417',
    PatientSex: 'F',
    StudyID: String(number),
    SeriesNumber: 1,
    InstanceNumber: 1,
  });
}

function nameOf(number: number, studies: number): string {
  return indexedStudy(number, studies).patientName.split('^')[0] ?? '';
}
