/**
 * Tells a patient what an exam, a report or a declaration brought: a document that she may read, and who reads her
 * record since. It looks at what stands when it runs, so nothing is told before she may see it, or after it was taken
 * back. An exam is told of once a day; what was imported, and what is older than a month, is no news.
 */
import type { Consent, DiagnosticReport, ImagingStudy, RelatedPerson } from '@medplum/fhirtypes';
import { isBlock } from '../../../profiles/consent/block.ts';
import { CIRCLES } from '../../../profiles/consent/record-circle.ts';
import { IMPORTED_TAG } from '../../../profiles/codes.ts';
import { buildBlockNotice } from '../../../profiles/notices/block.ts';
import {
  buildCorrespondentNotice,
  buildDocumentNotice,
  buildMajorityNotice,
  buildPresenceNotice,
  buildRepresentativeNotice,
  buildServiceNotice,
  buildStayNotice,
  type Reach,
} from '../../../profiles/notices/news.ts';
import type { NoticeFacts } from '../../../profiles/notices/notice.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { fhirType, isStoredType } from '../../../profiles/types/visibility.ts';
import { permits, stateAllows } from '../../access/decide.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { dataPeriodIn, examIn, isShowing, referenceOf } from '../../access/right.ts';
import type { Principal, Relation, Right, ShowingRight } from '../../access/right.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { JobRequest, TakenJob } from '../../ports/job-queue.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { factsOfRow } from '../aside/seen.ts';
import { displayNameOf } from '../directory/directory-changes.ts';
import type { Holders } from '../directory/holders.ts';
import { representativeAt, type RepresentativeDeps } from '../care/representatives.ts';
import { findAll, findById, rowById } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';
import { identitiesOf } from '../identity/identities.ts';
import { endsByAge, MAJORITY, majorityAt } from './majority.ts';
import { newcomersOf } from './newcomers.ts';
import { newsId } from './news-id.ts';
import { noticeParts } from './notice-parts.ts';

/** What the work needs; `holders` is of the region at present. */
export type TellNewsDeps = RepresentativeDeps & { readonly indexer: Indexer; readonly holders: () => Holders };

/** What happened longer ago is history that comes in late. */
const NEWS_MS = 31 * 24 * 3_600_000;

const YEAR_MS = 365 * 24 * 3_600_000;

/** Asks for it: `item` (`Type/id`) is what may have brought news. */
export function tellingOf(item: string, now: number): JobRequest {
  return jobOf('tell-news', item, now);
}

/**
 * Asks for who reads her record by an item alone, where the item itself is no news: it is shared now. What shows
 * that she was there opens her record, to services or to the people of a stay.
 */
export function tellingReadersOf({ type, id }: Pick<InternalRow, 'type' | 'id'>, now: number): readonly JobRequest[] {
  return fhirType(type).attends !== undefined ? [jobOf('tell-news', ofReaders(`${type}/${id}`), now)] : [];
}

const READERS = 'readers';

/** The subject of that job about an item (`Type/id`). */
export function ofReaders(item: string): string {
  return `${item}/${READERS}`;
}

/** Makes the work of `tell-news`. */
export function tellNews(deps: TellNewsDeps) {
  return async ({ subject }: TakenJob<'tell-news'>): Promise<void> => {
    await commitFresh(deps.records, async () => {
      const item = await itemOf(deps, subject);
      const parts = item === undefined ? [] : await newsOf(item);
      const warrant = systemWarrant('tell-news', ...(item === undefined ? [] : [item.person]));
      return { warrant, plan: joinParts(...parts), result: undefined };
    });
  };
}

/** What may have brought news, as it stands, and whose it is. */
type Item = {
  readonly deps: TellNewsDeps;
  readonly reading: NarrowReading;
  readonly now: number;
  /** `Type/id`. */
  readonly name: string;
  readonly row: InternalRow;
  readonly person: PersonKey;
  /** The identity that it is filed under. */
  readonly patient: string;
  /** The item itself is no news. */
  readonly isKnown: boolean;
  /** She is told of her majority alone. */
  readonly isOfAge: boolean;
};

async function itemOf(deps: TellNewsDeps, subject: string): Promise<Item | undefined> {
  const [type = '', id = '', of] = subject.split('/');
  if (!isStoredType(type)) return undefined;
  const now = deps.clock.now();
  const reading = systemReading('tell-news', now);
  const row = await rowById(deps.records, reading, type, id);
  if (row?.person === undefined || row.subject === undefined) return undefined;
  const { person, subject: patient } = row;
  const about = { isKnown: of === READERS, isOfAge: of === MAJORITY };
  return { deps, reading, now, name: `${type}/${id}`, row, person, patient, ...about };
}

async function newsOf(item: Item): Promise<readonly PlanParts[]> {
  return item.isOfAge ? await majorityNews(item) : [await laterParts(item), ...(await presentNews(item))];
}

async function presentNews(item: Item): Promise<readonly PlanParts[]> {
  const { row } = item;
  if (row.type === 'Consent') return await consentNews(item, openedResource<Consent>(row));
  if (row.type === 'Encounter') return await stayNews(item);
  if (row.type === 'CareTeam') return await circleNews(item);
  if (row.type === 'RelatedPerson') return await representativeNews(item, openedResource<RelatedPerson>(row));
  if (row.type === 'ImagingStudy') return await studyNews(item, openedResource<ImagingStudy>(row));
  return row.type === 'DiagnosticReport' ? await reportNews(item, openedResource<DiagnosticReport>(row)) : [];
}

/**
 * Rights to the record that this row began, and that show something now, to somebody who is not barred: of several
 * that give one, the first is its giver. One that begins later is told of then.
 */
async function begunRights(item: Item, ...relations: readonly Relation[]): Promise<readonly ShowingRight[]> {
  const all = await rightsTo(item);
  const state = await item.deps.records.stateOf(item.reading({ person: item.person }), item.person);
  const begun = all.filter(({ from, to }) => from <= item.now && item.now < to);
  const bars = new Set(begun.flatMap((right) => (isShowing(right) ? [] : [right.principal])));
  return given(item, begun, relations).filter(
    ({ relation, principal }) => stateAllows(relation, state) && !areBarred(item, principal, bars),
  );
}

/** Whether all who hold a principal are barred: by these of her blocks, of their organization, or outside of care. */
function areBarred({ deps, now }: Item, principal: Principal, bars: ReadonlySet<Principal>): boolean {
  const holders = deps.holders();
  const held = holders.of(principal, now);
  const isBarred = held.map(({ practitioner }) => holders.isBarred(`Practitioner/${practitioner.id}`, bars, now));
  return bars.has(principal) || (held.length > 0 && isBarred.every(Boolean));
}

async function rightsTo({ deps, reading, name, person }: Item): Promise<readonly Right[]> {
  return await deps.records.rightsOf(reading({ person }), person, name);
}

function given({ name }: Item, rights: readonly Right[], relations: readonly Relation[]): readonly ShowingRight[] {
  return rights.filter(isShowing).filter((right) => relations.includes(right.relation) && right.giver === name);
}

/** Looks again when a right of the row, or a block, begins that has not yet. */
async function laterParts(item: Item): Promise<PlanParts> {
  const later = (await rightsTo(item))
    .filter(({ giver, from }) => giver === item.name && from > item.now)
    .map(({ from }) => from);
  return later.length === 0 ? {} : { jobs: [tellingOf(item.name, Math.min(...later))] };
}

async function consentNews(item: Item, consent: Consent): Promise<readonly PlanParts[]> {
  return isBlock(consent) ? await blockNews(item, consent) : await correspondentNews(item, consent);
}

/** Of an end she hears of those alone to whom no other block closes her record. */
async function blockNews(item: Item, { status, provision }: Consent): Promise<readonly PlanParts[]> {
  const isInForce = status === 'active';
  const bars = (await rightsTo(item)).filter(
    (right) => !isShowing(right) && right.from <= item.now && item.now < right.to,
  );
  const closed = new Set(
    bars.filter(({ giver }) => !isInForce || giver === item.name).map(({ principal }) => referenceOf(principal)),
  );
  const actors = (provision?.actor ?? []).map(({ reference }) => reference);
  const told = actors.filter(({ reference = '' }) => closed.has(reference) === isInForce);
  const barred = await newcomersOf(item.deps.records, item.reading, told);
  const change = isInForce ? 'begun' : 'ended';
  const build = (facts: NoticeFacts) => buildBlockNotice({ ...facts, change, barred, consent: item.name });
  return barred.length === 0
    ? []
    : await onceParts(item, newsId(isInForce ? 'block' : 'block-ended', item.name), build);
}

async function correspondentNews(item: Item, { status, provision }: Consent): Promise<readonly PlanParts[]> {
  if (status !== 'active') return [];
  const rights = await begunRights(item, 'declared', 'presence');
  const begun = new Set(rights.map(({ principal }) => referenceOf(principal)));
  if (begun.size === 0) return [];
  const actors = (provision?.actor ?? []).flatMap(({ reference }) =>
    begun.has(reference.reference ?? '') ? [reference] : [],
  );
  const professionals = await newcomersOf(item.deps.records, item.reading, actors);
  const told = { professionals, consent: item.name };
  const presence = rights.find(({ relation }) => relation === 'presence');
  const { timeZone } = item.deps;
  const build = (facts: NoticeFacts) =>
    presence === undefined
      ? buildCorrespondentNotice({ ...facts, ...told, reach: reachOf(rights) })
      : buildPresenceNotice({ ...facts, ...told, until: presence.to, timeZone });
  const named = professionals.length === 0 ? [] : await onceParts(item, newsId('correspondent', item.name), build);
  const names = new Set(actors.map(({ reference }) => reference));
  const ofTeam = rights.filter(({ principal }) => !names.has(referenceOf(principal)));
  return [...named, ...(await teamNews(item, ofTeam))];
}

/** She hears once of each who is in a team that a Consent names. */
async function teamNews(item: Item, rights: readonly ShowingRight[]): Promise<readonly PlanParts[]> {
  const parts: PlanParts[] = [];
  for (const [principal, some] of Map.groupBy(rights, (right) => right.principal)) {
    const professionals = await newcomersOf(item.deps.records, item.reading, [holderOf(principal)]);
    const told = { professionals, consent: item.name, reach: reachOf(some) };
    const build = (facts: NoticeFacts) => buildCorrespondentNotice({ ...facts, ...told });
    if (professionals.length > 0)
      parts.push(...(await onceParts(item, newsId('correspondent', item.name, referenceOf(principal)), build)));
  }
  return parts;
}

/** A report is told as an exam is: whoever reads it reads what was found. */
function isExam(item = ''): boolean {
  return /^(?:ImagingStudy|DiagnosticReport)\//.test(item);
}

/** Those of one Consent are to the same. */
function reachOf(rights: readonly ShowingRight[]): Reach {
  const items = new Set(rights.map(({ scope }) => examIn(scope)));
  if (!items.has(undefined)) return items.size === 1 && isExam([...items][0]) ? 'exam' : 'items';
  return rights.every(({ scope }) => dataPeriodIn(scope) !== undefined) ? 'period' : 'record';
}

/** One notice a stay, whatever is said of it afterwards. */
async function stayNews(item: Item): Promise<readonly PlanParts[]> {
  const parts: PlanParts[] = [];
  for (const { principal } of await begunRights(item, 'stay')) {
    const providers = await newcomersOf(item.deps.records, item.reading, [holderOf(principal)]);
    const build = (facts: NoticeFacts) => buildStayNotice({ ...facts, providers });
    if (providers.length > 0) parts.push(...(await onceParts(item, newsId('stay', item.name), build)));
  }
  return parts;
}

/** She hears of each participant once, whoever in her name took her in. */
async function circleNews(item: Item): Promise<readonly PlanParts[]> {
  const parts: PlanParts[] = [];
  for (const { id, principal } of await begunRights(item, ...CIRCLES)) {
    const professionals = await newcomersOf(item.deps.records, item.reading, [holderOf(principal)]);
    const build = (facts: NoticeFacts) => buildCorrespondentNotice({ ...facts, professionals, consent: item.name });
    if (professionals.length > 0) parts.push(...(await onceParts(item, newsId('correspondent', id), build)));
  }
  return parts;
}

/** She hears once of who represents her, whom no age of hers keeps away; that one ends on her 18th birthday. */
async function representativeNews(item: Item, related: RelatedPerson): Promise<readonly PlanParts[]> {
  const { deps, reading, row, name, now } = item;
  if ((await representativeAt(deps)(name)) === undefined) return [];
  const representative = { reference: name, display: displayNameOf(related) ?? '' };
  const build = (facts: NoticeFacts) => buildRepresentativeNotice({ ...facts, representative });
  const told = await onceParts(item, newsId('representative', name), build);
  const majority = await endsByAge(deps.records, reading, row, deps.timeZone);
  return majority === undefined || majority <= now ? told : [...told, { jobs: [majorityAt(name, majority)] }];
}

/**
 * She is invited once for the day on which she came of age, by however many she was represented, and while she is 18,
 * as the invitation says; not while her record is to be erased.
 */
async function majorityNews(item: Item): Promise<readonly PlanParts[]> {
  const { deps, reading, row, person, name, now } = item;
  if (row.type !== 'RelatedPerson') return [];
  const majority = await endsByAge(deps.records, reading, row, deps.timeZone);
  if (majority === undefined) return [];
  if (majority > now) return [{ jobs: [majorityAt(name, majority)] }];
  if (now >= majority + YEAR_MS) return [];
  const { erasurePending } = await deps.records.stateOf(reading({ person }), person);
  const [oldest] = await identitiesOf(deps.records, person, now);
  if (erasurePending || oldest === undefined) return [];
  const day = new Date(majority).toISOString().slice(0, 10);
  return await onceParts(item, newsId('majority', `Patient/${oldest.content.id}`, day), buildMajorityNotice);
}

/** Who holds a right, by the reference that its principal names. */
function holderOf(principal: Principal): { readonly reference: string } {
  return { reference: referenceOf(principal) };
}

async function studyNews(item: Item, study: ImagingStudy): Promise<readonly PlanParts[]> {
  if (isImported(study)) return [];
  const linked: readonly string[] = [item.name];
  const reports = await findAll<DiagnosticReport>(
    item.deps.records,
    item.reading({ person: item.person }),
    'DiagnosticReport',
    [{ kind: 'reference', param: 'imaging-study', values: linked }],
  );
  const moments = [study.started, ...reports.map(({ resource }) => momentOf(resource))];
  const names = [item.name, ...reports.map(({ row }) => `DiagnosticReport/${row.id}`)];
  return [...(await serviceNews(item)), ...(await documentNews(item, names, moments))];
}

async function reportNews(item: Item, report: DiagnosticReport): Promise<readonly PlanParts[]> {
  const exams: ImagingStudy[] = [];
  for (const { reference = '' } of report.imagingStudy ?? []) {
    const [type, id = ''] = reference.split('/');
    if (type !== 'ImagingStudy') continue;
    const exam = await findById<ImagingStudy>(item.deps.records, item.reading, 'ImagingStudy', id);
    if (exam?.row.person === item.person) exams.push(exam.resource);
  }
  if (exams.length > 0 && exams.every(isImported)) return [];
  const names = [...exams.map(({ id }) => `ImagingStudy/${id}`), item.name];
  return [...(await serviceNews(item)), ...(await documentNews(item, names, [momentOf(report)]))];
}

/** One notice a service: an exam that another establishment sends more of lets its service in later. */
async function serviceNews(item: Item): Promise<readonly PlanParts[]> {
  const parts: PlanParts[] = [];
  for (const { id, principal } of await begunRights(item, 'imaging-service')) {
    const services = await newcomersOf(item.deps.records, item.reading, [holderOf(principal)]);
    const build = (facts: NoticeFacts) => buildServiceNotice({ ...facts, services });
    if (services.length > 0) parts.push(...(await onceParts(item, newsId('imaging-service', id), build)));
  }
  return parts;
}

/** `names` are of the exam, and of what tells of it; the first is what the notice is counted by. */
async function documentNews(
  item: Item,
  names: readonly string[],
  moments: readonly (string | undefined)[],
): Promise<readonly PlanParts[]> {
  const { deps, reading, now, isKnown } = item;
  if (isKnown) return [];
  const isRecent = moments.some((moment) => moment === undefined || Date.parse(moment) > now - NEWS_MS);
  if (!isRecent || !(await isHersToSee(item))) return [];
  const day = new Date(now).toISOString().slice(0, 10);
  const [id = '', ...others] = names.map((name) => newsId('new-document', name, day));
  for (const other of others) if (await isTold(deps.records, reading, other)) return [];
  return await onceParts(item, id, buildDocumentNotice);
}

/** Whether she sees the item now, whoever else does. */
async function isHersToSee({ deps, reading, name, row, person }: Item): Promise<boolean> {
  const rights = await deps.records.rightsOf(reading({ person }), person, name);
  const state = await deps.records.stateOf(reading({ person }), person);
  return rights.some((right) => right.relation === 'self' && permits(right, factsOfRow(row), state));
}

/** The parts of a notice that has this id, unless it stands; the item is as it was read. */
async function onceParts(
  { deps, reading, row, person, patient, now }: Item,
  id: string,
  build: (facts: NoticeFacts) => ReturnType<typeof buildDocumentNotice>,
): Promise<readonly PlanParts[]> {
  if (await isTold(deps.records, reading, id)) return [];
  const { type, version } = row;
  return [
    {
      preconditions: [
        { kind: 'absent', type: 'Communication', id },
        { kind: 'version', type, id: row.id, version },
      ],
    },
    noticeParts(deps.indexer, { person, patient }, now, (facts) => build({ ...facts, id })),
  ];
}

async function isTold(records: RecordStore, reading: NarrowReading, id: string): Promise<boolean> {
  return (await rowById(records, reading, 'Communication', id)) !== undefined;
}

function isImported({ meta }: ImagingStudy): boolean {
  return (meta?.tag ?? []).some(({ system, code }) => system === IMPORTED_TAG.system && code === IMPORTED_TAG.code);
}

/** When a report was made, or what it tells of. */
function momentOf({ issued, effectiveDateTime, effectivePeriod }: DiagnosticReport): string | undefined {
  return issued ?? effectiveDateTime ?? effectivePeriod?.start;
}
