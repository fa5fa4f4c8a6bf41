/**
 * A Consent by which an establishment or the patient declares who may see the record, or blocks somebody, and its end:
 * whoever wrote it, or the patient, sets it inactive, or deletes it, which is the same. Nothing else of it can be
 * changed but by the declaration said again: a create that names the same actors is the next version of what stands.
 */
import type { Consent } from '@medplum/fhirtypes';
import { isBlock, readBlock } from '../../../profiles/consent/block.ts';
import { readDeclaration } from '../../../profiles/consent/declaration.ts';
import { maskedAsExam } from '../../../profiles/consent/giving/masked-as-exam.ts';
import { itemsNamed, withItemsSeen } from '../../../profiles/consent/giving/told-items.ts';
import { isShare } from '../../../profiles/consent/giving/is-share.ts';
import { unknownActors } from '../../../profiles/consent/unknown-correspondent.ts';
import { TIME_BOUND } from '../../../profiles/search/date-range.ts';
import { Fault } from '../../../profiles/fault.ts';
import { storedType } from '../../../profiles/types/visibility.ts';
import { speaksForPatient, type PersonKey } from '../../access/requester.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { isMaskedFromRepresentatives, isRowSeen } from '../aside/seen.ts';
import { requiredTeam } from '../care/named-teams.ts';
import { attendanceAsked } from '../consent/attendance.ts';
import { requireFewStanding } from '../consent/declaration-bounds.ts';
import { endingAt } from '../consent/end-consent.ts';
import { actorsNamed } from '../consent/named-actors.ts';
import { declarationPlace, endedAlong, type DeclarationPlace } from '../consent/standing-declarations.ts';
import { knownParts, unknownParts } from '../consent/unknown-parts.ts';
import { filerOf, referenceOf } from '../guard.ts';
import { rowById } from '../internal-reads.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { confirmedTickets, ticketsDone } from '../support/ticket-done.ts';
import { changed, sameContent } from './changed-put.ts';
import { aboutRow } from './plain-parts.ts';
import { filedBy, oneOf, type PlanParts } from './plan-parts.ts';
import type { ActParts, Placed, Work, Written } from './work.ts';

/** The steps of a type whose rows give rights. */
export const CONSENT_HOOK = {
  asked: attendanceAsked,
  parts: async (work: Work, written: Written): Promise<ActParts> => {
    const { standing } = written.placed;
    const sent = written.resource as Consent;
    if (standing === undefined) return await declaredParts(work, written, sent);
    const resource = openedResource<Consent>(standing);
    const status = await endedStatus(work, standing, sent);
    return await endedParts(work, standing, { ...resource, status });
  },
  remove: async (work: Work, { standing }: Placed & { standing: InternalRow }): Promise<ActParts> => {
    const resource = openedResource<Consent>(standing);
    requireDeclaration(resource);
    const status = ENDED.includes(resource.status) ? resource.status : 'inactive';
    return await endedParts(work, standing, { ...resource, status });
  },
};

const ENDED: readonly Consent['status'][] = ['inactive', 'entered-in-error'];

/**
 * Works out the parts of a declaration: the Consent, which its writer and the patient see, and which gives the record
 * to each actor that it names, or closes it. Where a number is nobody's a declaration is proposed, gives nothing, and a
 * desk is told.
 * @throws {Fault} not-supported - a Consent of another shape
 * @throws {Fault} invalid - an actor who is not in the directory: a reference, or a number that is blocked
 * @throws {Fault} business-rule - an item or a CareTeam that is not of the patient, or that who sends this does not see
 * @throws {Fault} too-costly - more than the bounds of ../consent/declaration-bounds.ts, or too large a team
 */
async function declaredParts(work: Work, { placed, known }: Written, sent: Consent): Promise<ActParts> {
  if (known === undefined) throw new Error('A Consent without a patient is not written here');
  const { person, patient: subject } = known;
  const { deps, visit, now } = work;
  const { timeZone: zone } = deps;
  const named = await actorsNamed(work, person, sent);
  const isOfBlock = isBlock(named);
  const { to, exams } = isOfBlock ? readBlock(named, zone) : readDeclaration(named, zone);
  const items = await requiredItems(work, person, exams ?? []);
  const isWaiting = unknownActors(named).length > 0;
  if (isWaiting && isOfBlock) throw unknownBlocked();
  const { standing, waited, take } = await placeOf(work, subject, { sent, named, isWaiting });
  if (standing === undefined) await requireFewStanding(work, person, named);
  const team = await requiredTeam(work, person, named, standing);
  const isMasked = [...items, ...(team === undefined ? [] : [team.row])].some(isMaskedFromRepresentatives);
  const id = standing?.id ?? placed.id;
  const sentAs = exams === undefined && team === undefined ? named : maskedAsExam(named, isMasked);
  const consent = { ...sentAs, id, ...(isWaiting ? { status: 'proposed' as const } : {}) };
  const ofTeam = team === undefined ? {} : { team: team.named };
  const facts = { person, subject, origin: { ...filedBy(filerOf(visit.requester)), zone, ...ofTeam } };
  const written = changed(deps.indexer, standing, consent, now, facts);
  const isNew = standing === undefined;
  const isInForce = written.puts !== undefined && !isWaiting;
  const parts = [
    written,
    isNew || waited ? take(id) : {},
    written.puts === undefined ? {} : (team?.take ?? {}),
    isNew && isWaiting ? unknownParts(work, consent, { person, subject, by: referenceOf(visit.requester) }) : {},
    ...(waited ? await knownParts(work, person, id) : []),
    isInForce && isNews(work, consent) ? { jobs: [tellingOf(`Consent/${id}`, now)] } : {},
    isInForce && to < TIME_BOUND ? { jobs: [endingAt(id, to, zone)] } : {},
  ];
  const made = { person, subject, parts: oneOf(parts) };
  if (standing === undefined) return made;
  const { version, updated } = standing;
  return { ...made, answered: { status: 200, type: 'Consent', id, version, updated } };
}

async function requiredItems(work: Work, person: PersonKey, named: readonly string[]): Promise<readonly InternalRow[]> {
  const items: InternalRow[] = [];
  for (const item of named) items.push(await requiredItem(work, person, item));
  return items;
}

/** What is hidden from who declares is told from nothing. */
async function requiredItem({ deps, visit, reading }: Work, person: PersonKey, item: string): Promise<InternalRow> {
  const [type = '', id = ''] = item.split('/');
  const row = await rowById(deps.records, reading, storedType(type), id);
  if (row?.person === person && (await isRowSeen(deps, visit, reading, row))) return row;
  throw new Fault('business-rule', 'The Consent names an item that is none of the patient that is known', {
    expression: 'Consent.provision.data',
  });
}

/** Nothing waits for somebody to be known, to be closed to them then. */
function unknownBlocked(): Fault {
  return new Fault('invalid', 'A Consent that denies names people or organizations of the directory', {
    expression: 'Consent.provision.actor',
  });
}

/** One that names somebody unknown stands under what was sent; `waited` of one that did, and names them all by now. */
async function placeOf(
  work: Work,
  subject: string,
  { sent, named, isWaiting }: { readonly sent: Consent; readonly named: Consent; readonly isWaiting: boolean },
): Promise<DeclarationPlace & { readonly waited: boolean }> {
  if (isWaiting) return { ...(await declarationPlace(work, subject, sent)), waited: false };
  const place = await declarationPlace(work, subject, named);
  if (place.standing !== undefined || unknownActors(sent).length === 0) return { ...place, waited: false };
  const { standing } = await declarationPlace(work, subject, sent);
  return { ...place, standing, waited: standing !== undefined };
}

/**
 * The Consent as it ends: it gives nobody the record any more. The patient, and who represents her, ends what
 * others said alike, too.
 */
async function endedParts(work: Work, standing: InternalRow, ended: Consent): Promise<ActParts> {
  const { deps, now, visit } = work;
  const about = aboutRow(standing);
  const along = speaksForPatient(visit.requester)
    ? await endedAlong(work, standing, openedResource<Consent>(standing))
    : [];
  const told = openedResource<Consent>(standing).status === 'proposed';
  const done = told ? await knownParts(work, standing.person, standing.id) : [];
  const tickets = await endedTickets(work, standing, along);
  const news = isBlock(ended) && isNews(work, ended) ? [{ jobs: [tellingOf(`Consent/${standing.id}`, now)] }] : [];
  return {
    ...about,
    parts: oneOf([changed(deps.indexer, standing, ended, now, about), ...along, ...done, ...tickets, ...news]),
  };
}

/** What ends with a Consent, and with those that end along with it: tickets of support that they answered. */
async function endedTickets(
  { deps, reading, now }: Work,
  { person, id }: InternalRow,
  along: readonly PlanParts[],
): Promise<readonly PlanParts[]> {
  const ids = along.flatMap(({ puts = [] }) => puts.map((put) => put.id));
  return ticketsDone(deps.indexer, await confirmedTickets(deps.records, reading, person), [id, ...ids], now);
}

/** Whether the patient is told: of a block that she sets, or ends, she knows. */
function isNews({ visit }: Work, consent: Consent): boolean {
  return !isBlock(consent) || visit.requester.kind !== 'patient';
}

/** @throws {Fault} not-supported - the Consent is no declaration, or more than its status would change */
async function endedStatus(work: Work, row: InternalRow, sent: Consent): Promise<Consent['status']> {
  const standing = openedResource<Consent>(row);
  requireDeclaration(standing);
  if (!ENDED.includes(sent.status))
    throw new Fault('not-supported', 'A declaration can be ended only: inactive or entered-in-error', {
      expression: 'Consent.status',
    });
  const said = { ...sent, status: standing.status };
  // Whoever sent a number alone may say it so again, and who is not told of an item does not say it.
  const isSaid =
    sameContent(standing, said) ||
    sameContent(standing, await actorsNamed(work, row.person, said)) ||
    sameContent(await asTold(work, standing), said);
  if (!isSaid)
    throw new Fault('not-supported', 'Only the status of a Consent can be changed', { expression: 'Consent' });
  return sent.status;
}

/** A Consent as who sends its end reads it. */
async function asTold({ deps, visit, reading }: Work, consent: Consent): Promise<Consent> {
  const seen = new Set<string>();
  for (const item of itemsNamed(consent)) {
    const [type = '', id = ''] = item.split('/');
    const row = await rowById(deps.records, reading, storedType(type), id);
    if (row !== undefined && (await isRowSeen(deps, visit, reading, row))) seen.add(item);
  }
  return withItemsSeen(consent, seen);
}

/** A declaration or a presence, or a block, names professionals; emergencies, shares and withdrawals do not pass. */
function requireDeclaration(consent: Consent): void {
  const { provision } = consent;
  const purposes = (provision?.purpose ?? []).map(({ code }) => code);
  const isDeclaration = provision?.type === 'permit' && (provision.actor?.length ?? 0) > 0 && !purposes.includes('BTG');
  if ((!isDeclaration && !isBlock(consent)) || isShare(consent))
    throw new Fault('not-supported', 'This Consent is changed by its own operation', { expression: 'Consent' });
}
