/**
 * What an exam is called in the list of accesses: the words of its row, and when it was. Both can be erased, and so
 * they come with the row that they are of. Which elements say it is what the file of its type says.
 */
import type { AuditEvent, AuditEventEntity } from '@medplum/fhirtypes';
import { elementsAt } from '../types/element.ts';
import type { ExamElements } from '../types/fhir-type.ts';
import { fhirType, type StoredType } from '../types/visibility.ts';

/** The words of an exam. `started` is a FHIR dateTime; `modality` is told where nothing else says what it was. */
export type ExamWords = { readonly description?: string; readonly started?: string; readonly modality?: string };

/** Whether rows of a type are exams, or what was written of them; undefined: neither. */
export function examKindOf(type: StoredType): ExamElements['kind'] | undefined {
  return fhirType(type).exam?.kind;
}

/** Longest words of one exam, in characters. */
const LONGEST = 200;

/** Takes the words of an exam from its resource, of which members may be missing. */
export function examWords(type: StoredType, resource: object): ExamWords {
  const { words = [], started = [], modality } = fhirType(type).exam ?? {};
  const description = textAt(resource, words);
  return {
    ...told('description', description),
    ...told('started', textAt(resource, started)),
    ...(description === undefined && modality !== undefined ? told('modality', allAt(resource, modality)) : {}),
  };
}

/** The detail of an entity that counts further exams which its event does not name. */
export const FURTHER = 'further';

/** The details of an entity in which the words of an exam stand; `description` is its own. */
const WORDS: readonly (string | undefined)[] = ['started', 'modality'] satisfies (keyof ExamWords)[];

/** An event without the words of the exams that it names: who, when and which item, as who sees no content reads it. */
export function withoutExamWords<E extends Pick<AuditEvent, 'entity'>>(event: E): E {
  return event.entity === undefined ? event : { ...event, entity: event.entity.map(wordless) };
}

function wordless({ description: _words, detail = [], ...entity }: AuditEventEntity): AuditEventEntity {
  const kept = detail.filter(({ type }) => !WORDS.includes(type));
  return kept.length === 0 ? entity : { ...entity, detail: kept };
}

function told(name: keyof ExamWords, text: string | undefined): ExamWords {
  return text === undefined || text === '' ? {} : { [name]: text.slice(0, LONGEST) };
}

function textAt(resource: object, paths: readonly string[]): string | undefined {
  return paths.flatMap((path) => elementsAt(resource, path)).find((value) => typeof value === 'string');
}

function allAt(resource: object, path: string): string {
  return elementsAt(resource, path)
    .filter((value) => typeof value === 'string')
    .join(', ');
}
