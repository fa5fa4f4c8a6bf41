/**
 * The exams of one person that an answer shows, as her event tells them: each by its reference, and in words as far as
 * she may see it herself. What a row says comes from the row at hand: nothing more is read.
 */
import { examKindOf, examWords, FURTHER } from '../../../profiles/audit/exam-label.ts';
import type { TouchedEntity } from '../../../profiles/audit/facts.ts';
import { resourceType } from '../../../profiles/audit/entities.ts';
import { headOf, STUDY_TAIL } from '../../../profiles/search/json-tail.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { VisibleRow } from '../../ports/record-store.ts';

/** What of a shown row says which exam it is. */
export type ExamRow = Partial<Pick<VisibleRow, 'type' | 'id' | 'json' | 'isOpenToPatient' | 'item'>>;

/** Most exams that one event names; of further ones it tells how many. */
export const MOST_EXAMS = 20;

/** What of an event is touched, in words where it is an exam that is shown, and the exams beside it. */
export type ToldExams = {
  readonly entities: readonly TouchedEntity[];
  readonly exams: readonly TouchedEntity[];
};

/** Tells the exams among some rows. `isWordless` where not all who read the event may read of every row. */
export function toldExams(rows: readonly ExamRow[], touched: readonly TouchedEntity[], isWordless: boolean): ToldExams {
  const exams = new Map<string, () => Words>(rows.flatMap((row) => examOf(row.item ?? row, isWordless)));
  const entities = touched.map((entity) => {
    const exam = exams.get(entity.what?.reference ?? '');
    if (exam === undefined) return entity;
    exams.delete(entity.what?.reference ?? '');
    const { description, detail } = exam();
    return { ...entity, ...description, detail: { ...entity.detail, ...detail } };
  });
  return { entities, exams: examEntities(exams) };
}

type Words = { readonly description: Pick<TouchedEntity, 'description'>; readonly detail: TouchedEntity['detail'] };

/** The words are made of those alone that are told. */
function examOf({ type, id, json, isOpenToPatient }: ExamRow, isWordless: boolean) {
  if (type === undefined || id === undefined || examKindOf(type) === undefined) return [];
  const isTold = isOpenToPatient === true && json !== undefined && json !== '' && !isWordless;
  return [[`${type}/${id}`, (): Words => (isTold ? wordsOf(type, id, json) : WORDLESS)]] as const;
}

const WORDLESS: Words = { description: {}, detail: {} };

/** Beside its words an event keeps which item they are of, where an erasure of that item finds them. */
function wordsOf(type: StoredType, id: string, json: string): Words {
  // The series of a study of thousands of instances say nothing of what it is called.
  const head = type === 'ImagingStudy' ? headOf(json, STUDY_TAIL) : json;
  const { description, ...detail } = examWords(type, JSON.parse(head) as object);
  return {
    description: description === undefined ? {} : { description },
    detail: { item: `${type}/${id}`, ...detail },
  };
}

function examEntities(exams: ReadonlyMap<string, () => Words>): readonly TouchedEntity[] {
  const named = [...exams].slice(0, MOST_EXAMS);
  const further = exams.size - named.length;
  return named.map(([reference, words], at): TouchedEntity => {
    const { description, detail } = words();
    const isLast = further > 0 && at === named.length - 1;
    const told = { ...detail, ...(isLast ? { [FURTHER]: String(further) } : {}) };
    return {
      what: { reference },
      type: resourceType(reference.split('/')[0] ?? ''),
      role: '3',
      ...description,
      detail: told,
    };
  });
}
