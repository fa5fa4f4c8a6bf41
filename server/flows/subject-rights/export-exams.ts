/**
 * The instances of an exam as DICOM files, and the records of a DICOMDIR that lead to them. Instances are read page by
 * page, each page and each second decided anew; what is kept of one is its place in the directory.
 */
import type { ImagingStudy } from '@medplum/fhirtypes';
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import { formatTag } from '../../../profiles/dicom/data-element.ts';
import {
  SERIES_KEYS,
  studyRecords,
  type MediaInstance,
  type StudyRecords,
} from '../../../profiles/dicom/media/dicomdir.ts';
import { keysOf, recordTypeOf } from '../../../profiles/dicom/media/record-type.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import type { ShownInstance, StudyInstances, VisibleRow } from '../../ports/record-store.ts';
import { readOn } from '../guard.ts';
import { openInstance } from '../retrieve/retrieve-instances.ts';
import { accountOf, foundInstances, PAGE, studyPages } from '../retrieve/study-pages.ts';
import type { ExportReading } from './export-resources.ts';
import type { ExportedFile } from './exported-file.ts';

/** What an exam is on the medium: its number among others (from 1), and what is known once its files were read. */
export class ExportedExam {
  readonly #deps: ExportReading;
  readonly #number: number;
  readonly #uid: string;
  readonly #series: { readonly uid: string; readonly header: DicomJson; readonly instances: MediaInstance[] }[] = [];

  constructor(deps: ExportReading, row: VisibleRow, number: number) {
    this.#deps = deps;
    this.#number = number;
    this.#uid = studyInstanceUIDIn(JSON.parse(row.json) as ImagingStudy);
  }

  /** Folder of its files: `DICOM/ST000001`. */
  get folder(): string {
    return `DICOM/${nameOf('ST', this.#number)}`;
  }

  /** Instances whose files were yielded. */
  get count(): number {
    return this.#series.reduce((sum, { instances }) => sum + instances.length, 0);
  }

  /** The records of the directory; undefined when it had no instance that she may see. */
  records(): StudyRecords | undefined {
    return this.#series.length === 0 ? undefined : studyRecords(this.#number, this.#series);
  }

  /** The files, in the order of the study. An exam that was hidden meanwhile has none. */
  async *files(): AsyncGenerator<ExportedFile> {
    const which = { studyInstanceUID: this.#uid };
    const read = async (offset: number, limit: number): Promise<StudyInstances> =>
      await readOn(this.#deps, this.#deps.reading, { kind: 'instances', ...which, offset, limit }, (answer) =>
        accountOf(which, foundInstances(answer)),
      );
    const first = await read(0, PAGE);
    if (first.study === undefined) return;
    const { pages, decideAgain } = studyPages(this.#deps.clock, first.instances, async ({ offset, limit }) => {
      const { study, instances } = await read(offset, limit);
      return study && instances;
    });
    for await (const page of pages()) {
      for (const instance of page) {
        await decideAgain();
        const bytes = fileBytes(async () => await openInstance(this.#deps.images, { decideAgain }, instance));
        yield { path: this.#place(instance), size: instance.blob.size, bytes };
      }
    }
  }

  /** Takes an instance into the directory; its path is the File ID. */
  #place(instance: ShownInstance): string {
    const { seriesInstanceUID: uid, sopClassUID, sopInstanceUID, transferSyntaxUID, instanceNumber } = instance;
    let series = this.#series.find((one) => one.uid === uid);
    const isNew = series === undefined;
    const keys = keysOf(recordTypeOf(sopClassUID));
    const json = isNew || keys.length > 0 ? (JSON.parse(instance.metadata) as DicomJson) : {};
    if (series === undefined) {
      series = { uid, header: picked(json, SERIES_KEYS), instances: [] };
      this.#series.push(series);
    }
    const names = [nameOf('SE', this.#series.indexOf(series) + 1), nameOf('IM', series.instances.length + 1)];
    const fileId = [...this.folder.split('/'), ...names];
    const header = picked(json, keys);
    series.instances.push({ sopClassUID, sopInstanceUID, transferSyntaxUID, instanceNumber, fileId, header });
    return fileId.join('/');
  }
}

/** Attributes of a header by tag: the rest of it is not kept. */
function picked(json: DicomJson, tags: readonly number[]): DicomJson {
  return Object.fromEntries(
    tags.flatMap((tag) => {
      const attribute = json[formatTag(tag)];
      return attribute === undefined ? [] : [[formatTag(tag), attribute]];
    }),
  );
}

/** A component of a File ID: two letters and six digits. @see DICOM PS3.10 section 8.2 */
function nameOf(prefix: string, number: number): string {
  return `${prefix}${String(number).padStart(6, '0')}`;
}

async function* fileBytes(open: () => Promise<AsyncIterable<Uint8Array>>): AsyncGenerator<Uint8Array> {
  yield* await open();
}
