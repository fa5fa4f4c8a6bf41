/**
 * One cell of the table: a door, a person, a state; the answer, and the AuditEvent of it. Row M01 of smart-
 * security.md.
 */
import { expect } from 'chai';
import type { AuditEvent, AuditEventEntity } from '@medplum/fhirtypes';
import type { Call, Door, Event, Reply } from './door.ts';
import { withoutIds, type ExamIds } from './exam.ts';
import { find } from './fhir.ts';
import { clientOf, PEOPLE, type Person, type PersonKey } from './people.ts';
import { envelopeOf } from './soap.ts';
import { requestIdOf } from './trail.ts';
import { callOf, type World } from './world.ts';

/**
 * Asserts that a door shows a person the exam, and that the patient can read that it did; in the words of the exam
 * where she may see it herself.
 */
export async function expectShown(world: World, door: Door, key: PersonKey, isForPatient = true): Promise<void> {
  const { call, reply } = await askFor(world, door, key, world.ids);
  door.expectShown(reply, world);
  const [event, ...others] = await eventsForPatient(world, call.requestId);
  expect(others, 'more than one AuditEvent').to.deep.equal([]);
  const viewing = viewingOf(key, door);
  if (event === undefined && viewing !== undefined && world.viewings.has(viewing)) return;
  if (viewing !== undefined) world.viewings.add(viewing);
  if (event === undefined) throw new Error('The patient reads no AuditEvent of the request');
  expectEvent(event, world, door, key);
  expectExamNamed(event, world, isForPatient);
}

function viewingOf(key: PersonKey, { viewing }: Door): string | undefined {
  return viewing === undefined ? undefined : `${viewing} by ${key}`;
}

/**
 * Asserts that a door tells a person nothing of the exam, not even that there is one, and records that it was asked.
 */
export async function expectHidden(world: World, door: Door, key: PersonKey): Promise<void> {
  const { call, reply } = await askFor(world, door, key, world.ids);
  door.expectHidden(reply, world.ids);
  world.viewings.delete(viewingOf(key, door) ?? '');
  const other = await askFor(world, door, key, world.unknown);
  expect(comparable(reply, world.ids), 'the answer for an unknown exam').to.equal(
    comparable(other.reply, world.unknown),
  );
  expect(await eventsForPatient(world, call.requestId), 'the patient reads an AuditEvent').to.deep.equal([]);
  const [passage, ...others] = await world.trail.eventsOf(call.requestId);
  expect(others, 'more than one AuditEvent').to.deep.equal([]);
  if (passage === undefined) throw new Error('The trail has no AuditEvent of the request');
  const { event, persons } = passage;
  expect(persons).to.deep.equal([]);
  expect(codesOf(event)).to.deep.equal(codesAsked(door.event));
  // A search that finds nothing succeeds; what is opened and is not there is refused.
  expect(event.outcome).to.equal(door.event.touched === undefined ? '0' : '4');
  expectAgent(event, world, door, key, false);
  const named = (event.entity ?? []).filter(
    ({ what }) => what?.reference !== undefined || what?.identifier?.value !== call.requestId,
  );
  expect(
    named.filter(({ query }) => query === undefined),
    'what the event names',
  ).to.deep.equal([]);
}

/** The AuditEvents of a request that the patient reads over FHIR, among the latest. */
export async function eventsForPatient(world: World, requestId: string): Promise<AuditEvent[]> {
  const latest = await find<AuditEvent>(callOf(world, 'patient'), 'AuditEvent?_count=10');
  return latest.filter((event) => requestIdOf(event) === requestId);
}

async function askFor(world: World, door: Door, key: PersonKey, ids: ExamIds): Promise<{ call: Call; reply: Reply }> {
  const call = { ...callOf(world, key), ids };
  const reply = await door.ask(call);
  const envelope = envelopeOf(reply);
  if (envelope !== undefined) world.envelopes.push(envelope);
  return { call, reply };
}

/** An answer without what names an exam, a moment or a message: the rest must be the same bytes. */
export function comparable({ status, headers, body }: Reply, ids: ExamIds): string {
  const lines = [...headers]
    .filter(([name]) => name !== 'date' && name !== 'x-request-id')
    .map(([name, value]) => `${name}: ${value}`);
  const text = withoutIds([status, ...lines, '', body.toString('latin1')].join('\n'), ids);
  return text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '{uuid}')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '{moment}');
}

function expectEvent(event: AuditEvent, world: World, door: Door, key: PersonKey): void {
  const asked = door.event;
  const { relation, relationToReport = relation, isByConsent }: Person = PEOPLE[key];
  expect(codesOf(event)).to.deep.equal(codesAsked(asked));
  expect(event.outcome).to.equal('0');
  expectAgent(event, world, door, key, true);
  expect(referencesOf(entitiesOf(event, '1'))).to.deep.equal([`Patient/${world.ids.patient}`]);
  const touched = entitiesOf(event, '2');
  if (asked.touched === undefined) expect(touched[0]?.query, 'query').to.be.a('string');
  else expect(referencesOf(touched)).to.deep.equal([asked.touched(world.ids)]);
  const [right] = entitiesOf(event, 'Consent');
  expect(right?.detail).to.deep.equal([
    { type: 'relation', valueString: door.isOfReport === true ? relationToReport : relation },
  ]);
  expect(right?.what?.reference?.startsWith('Consent/') ?? false, 'a Consent is cited').to.equal(isByConsent);
}

/** Each exam that is told is told once, in the words of this one; without words where they are not for the patient. */
function expectExamNamed({ entity = [] }: AuditEvent, { exam: { study, report } }: World, isForPatient: boolean): void {
  const words = [study.description, report.code.text ?? ''];
  const exams = entity.filter(({ what }) => EXAM.test(what?.reference ?? ''));
  const references = exams.map(({ what }) => what?.reference);
  expect(new Set(references).size, 'an exam is told twice').to.equal(references.length);
  const told = exams.map(({ description }) => description ?? '');
  expect(told, 'the words of the exam').to.not.deep.equal([]);
  for (const text of told)
    if (!isForPatient) expect(text, 'words that are not for her').to.equal('');
    else
      expect(
        words.some((word) => text.includes(word)),
        `the words of the exam: ${text}`,
      ).to.equal(true);
}

const EXAM = /^(?:ImagingStudy|DiagnosticReport|DocumentReference)\//;

/** An emergency access is one of purpose BTG where it shows something; before, the token's purpose counts. */
function expectAgent(event: AuditEvent, { ids }: World, door: Door, key: PersonKey, isShown: boolean): void {
  const person: Person = PEOPLE[key];
  const requestors = event.agent.filter(({ requestor }) => requestor);
  expect(requestors.map(({ who }) => who?.reference)).to.deep.equal([person.agent ?? `Patient/${ids.patient}`]);
  expect(event.agent[0]?.who?.identifier?.value).to.equal(clientOf(person, door.isPage === true));
  const purposes = [event.purposeOfEvent, requestors[0]?.purposeOfUse].map(
    (purpose) => purpose?.[0]?.coding?.[0]?.code,
  );
  const purpose = isShown || person.purpose !== 'BTG' ? person.purpose : 'TREAT';
  expect(purposes).to.deep.equal([purpose, purpose]);
}

function codesOf({ type, subtype, action }: AuditEvent): object {
  return { type: type.code, subtype: subtype?.map(({ code }) => code) ?? [], action };
}

function codesAsked({ type, subtype, action }: Event): object {
  return { type, subtype, action };
}

function entitiesOf({ entity = [] }: AuditEvent, type: string): AuditEventEntity[] {
  return entity.filter((one) => one.type?.code === type);
}

function referencesOf(entities: readonly AuditEventEntity[]): (string | undefined)[] {
  return entities.map(({ what }) => what?.reference);
}
