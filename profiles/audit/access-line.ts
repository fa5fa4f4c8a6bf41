/**
 * The accesses to a record as people count them: who looked, when, at what and by which right. A viewing of an exam is
 * one access, however many events tell of it. Pure.
 */
import type { AuditEvent, AuditEventAgent, AuditEventEntity, CodeableConcept, Reference } from '@medplum/fhirtypes';
import type { ExamElements } from '../types/fhir-type.ts';
import { isStoredType } from '../types/visibility.ts';
import { isForgotten } from './entities.ts';
import { examKindOf, FURTHER, type ExamWords } from './exam-label.ts';
import { tellsMoreRequests } from './further-event.ts';
import { PASSAGE } from './shapes.ts';

/**
 * An exam as the events told of it; wordless where its patient could not read it then, or its words were erased since
 * (`isForgotten`).
 */
export type SeenExam = ExamWords & {
  readonly reference: string;
  readonly kind: ExamElements['kind'];
  readonly isForgotten?: true;
};

/**
 * One access. `opened`: an exam, report or document; `listed`: several in a list; `record`: what the record says
 * beside exams; `exported`: the record was taken along; `emergency`: somebody declared one. Times are epoch
 * milliseconds.
 */
export type AccessLine = {
  readonly kind: 'opened' | 'listed' | 'record' | 'exported' | 'emergency';
  readonly at: number;
  readonly who: Reference & { readonly reference: string };
  /** The patient herself. */
  readonly isOwn: boolean;
  readonly roles: readonly CodeableConcept[];
  readonly institutions: readonly Reference[];
  readonly exams: readonly SeenExam[];
  /** Exams that were seen, too, and that no event names; `isAtLeast` where lists were joined that did not name all. */
  readonly further: number;
  readonly isAtLeast?: true;
  /** The right by which it was shown, as events name it; and the Consent (`Consent/id`) that gave it. */
  readonly relation: string | undefined;
  readonly consent: string | undefined;
  /** Ids of its events, the first at first. */
  readonly events: readonly string[];
};

/** So long after its beginning what the same reader does with the same exam is the same access: as viewings last. */
const LASTS_MS = 15 * 60_000;

/**
 * The accesses of events. Refusals, what establishments and the server wrote, and how many requests a viewing had are
 * none (smart-security.md M08). `own` are the identities (`Patient/id`) that are she: what another did while two were
 * one by a mistake is another's.
 */
export class AccessLines {
  readonly #own: ReadonlySet<string>;
  readonly #lines: Begun[] = [];
  /** By what makes events one access: the place of its latest. */
  readonly #open = new Map<string, number>();

  constructor(own: ReadonlySet<string>) {
    this.#own = own;
  }

  /** Adds events none of which is earlier than those before. */
  add(events: readonly AuditEvent[]): void {
    const lines = events.flatMap((event) => lineOf(event, this.#own));
    for (const line of lines.toSorted((one, other) => one.at - other.at)) {
      const key = keyOf(line);
      const at = this.#open.get(key);
      const begun = at === undefined ? undefined : this.#lines[at];
      if (at !== undefined && begun !== undefined && line.at < begun.at + LASTS_MS)
        this.#lines[at] = joined(begun, line);
      else this.#open.set(key, this.#lines.push(line) - 1);
    }
  }

  /** All of them, the latest first. */
  latestFirst(): readonly AccessLine[] {
    return this.#lines.toReversed();
  }
}

/** An access, and which lists it was asked by: of one that comes in pages the pages count together. */
type Begun = AccessLine & { readonly lists: ReadonlySet<string> };

/** What makes two events one access, beside their time. */
function keyOf({ kind, who, relation, consent, exams }: AccessLine): string {
  return JSON.stringify([kind, who.reference, relation, consent, kind === 'opened' ? exams[0]?.reference : undefined]);
}

function joined(one: Begun, other: Begun): Begun {
  const exams = new Map(one.exams.map((exam) => [exam.reference, exam]));
  for (const exam of other.exams) exams.set(exam.reference, { ...exam, ...exams.get(exam.reference) });
  const [first, second] = [one, other].map((line) => line.exams.length + line.further) as [number, number];
  // Pages of one list have no exam in common. Of other lists, what one does not name may be what the other names.
  const arePages = [...other.lists].every((list) => one.lists.has(list));
  const isApart = exams.size === one.exams.length + other.exams.length;
  const counted = arePages && isApart ? first + second : Math.max(first, second, exams.size);
  return {
    ...one,
    exams: [...exams.values()],
    further: counted - exams.size,
    ...(one.further + other.further === 0 ? {} : { isAtLeast: true }),
    lists: new Set([...one.lists, ...other.lists]),
    events: [...one.events, ...other.events],
  };
}

/** Parameters that say which page of a list is asked for. */
const OF_PAGE = /^(?:_cursor|_count|_offset|offset|limit)(?:=|$)/;

/** What was asked, whichever page of it. */
function listsIn(entities: readonly AuditEventEntity[]): readonly string[] {
  const asked = entities.flatMap(({ query }) => (query === undefined ? [] : [atob(query)]));
  return asked.map((text) => {
    const at = text.indexOf('?');
    const pairs = text.slice(at + 1).split('&');
    return [text.slice(0, at + 1), ...pairs.filter((pair) => !OF_PAGE.test(pair))].join('&');
  });
}

function lineOf(event: AuditEvent, own: ReadonlySet<string>): readonly Begun[] {
  const { id = '', recorded = '', entity = [], agent } = event;
  const reader = agent.find(({ requestor, who }) => requestor && who?.reference !== undefined);
  const reference = reader?.who?.reference;
  const forgotten = isForgotten(entity) ? ({ isForgotten: true } as const) : {};
  const exams = entity.flatMap(examIn).map((exam) => ({ ...exam, ...forgotten }));
  const kind = kindOf(event, exams);
  if (reader === undefined || reference === undefined || kind === undefined) return [];
  const right = entity.find(({ type }) => type?.code === 'Consent');
  return [
    {
      kind,
      at: Date.parse(recorded),
      who: { reference, ...displayOf(reader) },
      isOwn: own.has(reference),
      roles: reader.role ?? [],
      institutions: agent.flatMap(({ type, who }) => (isInstitution(type) && who !== undefined ? [who] : [])),
      exams,
      further: Math.max(0, ...entity.map((one) => Number(detailIn(one, FURTHER) ?? 0))),
      relation: right && detailIn(right, 'relation'),
      consent: right?.what?.reference,
      lists: new Set(listsIn(entity)),
      events: [id],
    },
  ];
}

function displayOf({ name, who }: AuditEventAgent): { readonly display?: string } {
  const display = name ?? who?.display;
  return display === undefined ? {} : { display };
}

function isInstitution(type: CodeableConcept | undefined): boolean {
  return type?.coding?.some(({ code }) => code === 'PROV') === true;
}

/** Questions, by the subtype of their events. */
const QUESTIONS: ReadonlySet<string> = new Set([
  'search-type',
  'search',
  'history-type',
  'ITI-18',
  'RAD-129',
  'RAD-106',
]);
const EMERGENCY = '110127';
/** The subtype of an export of the record, which other exports do not have. */
const EXPORTED = PASSAGE.export.subtype[0]?.code;

function kindOf(event: AuditEvent, exams: readonly SeenExam[]): AccessLine['kind'] | undefined {
  const { outcome, action, type, subtype = [], entity = [] } = event;
  const isAsked = subtype.some(({ code }) => QUESTIONS.has(code ?? ''));
  if (outcome !== '0' || tellsMoreRequests(event)) return undefined;
  if (subtype.some(({ code }) => code === EMERGENCY)) return 'emergency';
  if (action !== 'R' && !(action === 'E' && isAsked)) return undefined;
  if (type.code === PASSAGE.export.type.code && subtype.some(({ code }) => code === EXPORTED)) return 'exported';
  if (exams.length === 0) return 'record';
  // What is asked of one exam by its name is opened; what is found by a question comes in a list.
  const isOpened = action === 'R' || entity.some((one) => one.type?.code === '2' && one.what?.reference !== undefined);
  return isOpened ? 'opened' : 'listed';
}

function examIn(entity: AuditEventEntity): readonly SeenExam[] {
  const reference = entity.what?.reference ?? '';
  const type = reference.split('/')[0] ?? '';
  const kind = isStoredType(type) ? examKindOf(type) : undefined;
  if (kind === undefined) return [];
  const [started, modality] = [detailIn(entity, 'started'), detailIn(entity, 'modality')];
  return [
    {
      reference,
      kind,
      ...(entity.description === undefined ? {} : { description: entity.description }),
      ...(started === undefined ? {} : { started }),
      ...(modality === undefined ? {} : { modality }),
    },
  ];
}

function detailIn({ detail = [] }: AuditEventEntity, name: string): string | undefined {
  return detail.find(({ type }) => type === name)?.valueString;
}
