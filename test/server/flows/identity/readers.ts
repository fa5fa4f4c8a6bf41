/** What readers see in a world: compared with what the model gives, and with itself after an undo. */
import type { DiagnosticReport, DocumentReference, ImagingStudy, Patient, Resource, Task } from '@medplum/fhirtypes';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { oidUri } from '../../../../profiles/codes.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import type { Visit } from '../../../../server/flows/guard.ts';
import type { InstanceRow } from '../../../../server/ports/commit-plan.ts';
import type { KnownPatient } from '../../../../server/flows/identity/persons.ts';
import { domainOf } from '../../../flows/identity/people.ts';
import type { Reader } from './model.ts';
import { ESTABLISHMENT_KEYS } from './sequences.ts';
import { partitionOf, visitOf, whoseOf, type Session } from './session.ts';

const STUDIES = [0, 1];

type Asking = { readonly name: string; readonly reader: Reader; readonly visit: Visit };

async function askers({ world }: Session, known: ReadonlyMap<string, KnownPatient>): Promise<readonly Asking[]> {
  const asking: Asking[] = ESTABLISHMENT_KEYS.map((establishment) => ({
    name: establishment,
    reader: { kind: 'establishment', establishment },
    visit: world.establishment(ESTABLISHMENTS[establishment].organization),
  }));
  const accounts: [string, Reader, string][] = [
    ['declared', { kind: 'declared' }, 'Practitioner/demo-declared'],
    ['stranger', { kind: 'stranger' }, 'Practitioner/demo-stranger'],
    ['radiologist', { kind: 'radiologist', establishment: 'strasbourg' }, 'Practitioner/demo-radiologist'],
    ...[...known].map(([identity, { patient }]): [string, Reader, string] => [
      `patient ${identity}`,
      { kind: 'patient', identity },
      patient,
    ]),
  ];
  for (const [name, reader, account] of accounts) {
    const visit = await world.person(account);
    if (visit !== undefined) asking.push({ name, reader, visit });
  }
  return asking;
}

/** What is other than the model gives, as sentences. */
export async function differences(session: Session): Promise<readonly string[]> {
  const { world, model } = session;
  await world.rest();
  const known = await session.known();
  const who = partitionOf(known);
  const found = [...model.contradictions(who), ...(await bytesLost(session))];
  for (const { name, reader, visit } of await askers(session, known)) {
    const given = model.seen(reader, who);
    const [studies, reports] = [await studiesSeen(session, visit), await reportsSeen(session, visit)];
    if (studies.join() !== given.studies.join())
      found.push(`${name} sees exams ${studies.join()}, not ${given.studies.join()}`);
    if (reports.join() !== given.reports.join())
      found.push(`${name} sees reports ${reports.join()}, not ${given.reports.join()}`);
    const [documents, numbers] = [await documentsSeen(session, visit, known), await numbersSeen(session, visit, known)];
    if (documents !== given.documents) found.push(`${name} sees ${documents} documents, not ${given.documents}`);
    const further = numbers.filter((number) => !given.numbers.includes(number));
    if (further.length > 0) found.push(`${name} finds ${further.join()}, too`);
  }
  return found;
}

/** Instances, in a study or kept aside, of which no bytes are left, as sentences. */
async function bytesLost({ world: { stores, now }, studyUid }: Session): Promise<readonly string[]> {
  const lost: string[] = [];
  for (const study of STUDIES) {
    const studyInstanceUID = studyUid(study);
    const grant = systemReading('clear-aside', now())({ study: studyInstanceUID });
    const place = { kind: 'instances', studyInstanceUID, omitMetadata: true, offset: 0, limit: 9 } as const;
    const all: Pick<InstanceRow, 'blob'>[] = [...(await stores.records.peek(grant, place)).instances];
    for await (const aside of stores.records.quarantined(grant)) all.push(aside);
    for (const { blob } of all) {
      const reader = await stores.images.reader(blob.name).catch(() => undefined);
      if (reader === undefined) lost.push(`Study ${study} has lost bytes`);
      await reader?.close();
    }
  }
  return lost;
}

function studySearch({ studyUid }: Session): string {
  return `identifier=${STUDIES.map((study) => `urn:dicom:uid|${oidUri(studyUid(study))}`).join(',')}`;
}

async function studiesSeen(session: Session, visit: Visit): Promise<readonly string[]> {
  const found = await session.world.find<ImagingStudy>(visit, 'ImagingStudy', studySearch(session));
  const named = found.map(({ identifier = [], numberOfInstances }) => {
    const name = STUDIES.find((study) => identifier.some(({ value }) => value === oidUri(session.studyUid(study))));
    return `${name}:${numberOfInstances}`;
  });
  return named.sort();
}

function reportSearch({ model, reportIdentifier }: Session): string | undefined {
  const names = [...model.reports.keys()];
  return names.length === 0 ? undefined : `identifier=${names.map(reportIdentifier).join(',')}`;
}

async function reportsSeen(session: Session, visit: Visit): Promise<readonly string[]> {
  const search = reportSearch(session);
  if (search === undefined) return [];
  const found = await session.world.find<DiagnosticReport>(visit, 'DiagnosticReport', search);
  const values = found.map(({ identifier = [] }) => `${identifier[0]?.system}|${identifier[0]?.value}`);
  return [...session.model.reports.keys()].filter((name) => values.includes(session.reportIdentifier(name))).sort();
}

type Known = ReadonlyMap<string, KnownPatient>;

function idsOf(known: Known): string {
  return [...new Set([...known.values()].map(({ patient }) => patient.replace('Patient/', '')))].join(',');
}

async function documentsSeen({ world }: Session, visit: Visit, known: Known): Promise<number> {
  if (known.size === 0) return 0;
  const search = `patient=${idsOf(known)}&status=current`;
  return (await world.find<DocumentReference>(visit, 'DocumentReference', search)).length;
}

/** The identities by whose local identifiers a reader finds a Patient, who bears them. */
async function numbersSeen({ world, localId }: Session, visit: Visit, known: Known): Promise<readonly string[]> {
  const seen: string[] = [];
  for (const name of known.keys()) {
    const of = whoseOf(name);
    const found = await world.find<Patient>(visit, 'Patient', `identifier=${domainOf(of.at)}|${localId(of)}`);
    if (found.length > 0) seen.push(name);
  }
  return seen.sort();
}

/** All that readers are told, and the rights of all persons: two of one state are equal. */
export async function snapshot(session: Session): Promise<ReadonlyMap<string, string>> {
  await session.world.rest();
  const known = await session.known();
  const ids = idsOf(known);
  const searches: [StoredType, string | undefined][] = [
    ['ImagingStudy', studySearch(session)],
    ['DiagnosticReport', reportSearch(session)],
    ['Patient', ids === '' ? undefined : `_id=${ids}`],
    ['DocumentReference', ids === '' ? undefined : `patient=${ids}`],
    ['Consent', ids === '' ? undefined : `patient=${ids}`],
  ];
  const told = new Map<string, string>();
  for (const { name, visit } of await askers(session, known))
    for (const [type, search] of searches)
      if (search !== undefined) told.set(`${name}: ${type}`, textOf(await session.world.find(visit, type, search)));
  for (const [name, one] of known) told.set(`${name}: person`, `${one.person} ${one.present}`);
  for (const [name, text] of await rightsIn(session, known)) told.set(name, text);
  told.set('desk: reviews', (await reviewsWaiting(session)).join('\n'));
  return told;
}

/** What waits for the desk of the region: of which two identities it asks, and why. */
export async function reviewsWaiting(session: Session): Promise<readonly string[]> {
  const desk = await visitOf(session, 'Practitioner/demo-region-desk');
  const search = 'code=identity-review&status=requested&_count=500';
  const tasks = await session.world.find<Task>(desk, 'Task', search);
  const asked = tasks.map(({ input = [], reasonCode }) => {
    const two = input.map(({ valueReference }) => valueReference?.reference).sort();
    return [...two, reasonCode?.coding?.[0]?.code].join(' ');
  });
  return asked.sort();
}

async function rightsIn(
  { world }: Session,
  known: ReadonlyMap<string, KnownPatient>,
): Promise<ReadonlyMap<string, string>> {
  const reading = systemReading('resolve-identity', world.now());
  const rights = new Map<string, string>();
  const present = new Set([...known.values()].map((one) => one.present));
  // Tasks and notices tell of mistakes; a Patient that was one for a while stays known to whoever knew it.
  const isTrace = (giver: string): boolean =>
    /^(Task|Communication)\//.test(giver) || (giver.startsWith('Patient/') && !present.has(giver));
  for (const [name, { person }] of known) {
    const all = await world.stores.records.rightsOf(reading({ person }), person);
    const told = all.filter(({ giver }) => !isTrace(giver)).map(({ id, giver }) => `${id} by ${giver}`);
    rights.set(`${name}: rights`, told.sort().join('\n'));
  }
  return rights;
}

function textOf(resources: readonly Resource[]): string {
  return resources
    .map(({ meta, ...rest }) => JSON.stringify({ ...rest, security: meta?.security, tag: meta?.tag }, undefined, 1))
    .sort()
    .join('\n');
}

/** What differs between two snapshots, by its name with the lines that come and go. */
export function changesBetween(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [old, fresh] = [before.get(name) ?? 'nothing', after.get(name) ?? 'nothing'].map((text) => text.split('\n'));
    if (old?.join() === fresh?.join()) return [];
    const gone = old?.filter((line) => fresh?.includes(line) !== true).map((line) => `  - ${line}`) ?? [];
    const come = fresh?.filter((line) => old?.includes(line) !== true).map((line) => `  + ${line}`) ?? [];
    return [[name, ...gone.slice(0, 8), ...come.slice(0, 8)].join('\n')];
  });
}

/** A snapshot in which the giver of a right does not count: of several the earliest is told. */
export function withoutGivers(told: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...told].map(([name, text]) => [name, name.endsWith(': rights') ? rightsAlone(text) : text]));
}

function rightsAlone(rights: string): string {
  return rights
    .split('\n')
    .map((right) => right.replace(/ by .*/, ''))
    .sort()
    .join('\n');
}
