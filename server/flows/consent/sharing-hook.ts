/**
 * A Consent of sharing that is sent does what the operation of its name does, and its end what ends that: nothing of it
 * is stored that is not enforced. Nothing but its status can be changed.
 */
import type { Consent } from '@medplum/fhirtypes';
import { PCF_PROFILE_PREFIX } from '../../../profiles/codes.ts';
import { markedRecorded } from '../../../profiles/consent/sharing.ts';
import { readSharingChoice } from '../../../profiles/consent/sharing-choice.ts';
import { Fault } from '../../../profiles/fault.ts';
import { systemReading } from '../../access/grant.ts';
import type { WriteFacts } from '../../access/may-write.ts';
import { speaksForPatient, type PersonKey } from '../../access/requester.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { filerOf } from '../guard.ts';
import type { KnownPatient } from '../identity/persons.ts';
import { changed, sameContent } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { oneOf } from '../write/plan-parts.ts';
import type { ActParts, Placed, Work, Written } from '../write/work.ts';
import { changeOf, endOf, type SharingStory } from './sharing-change.ts';
import { readSharing } from './sharing-parts.ts';

/** The steps of a Consent that says whether a record is shared. */
export const SHARING_HOOK = {
  asked: async (): Promise<Pick<WriteFacts, 'isSharingChoice'>> => await Promise.resolve({ isSharingChoice: true }),
  parts: async (work: Work, { placed, resource, known }: Written): Promise<ActParts> => {
    const { standing } = placed;
    const sent = resource as Consent;
    if (standing !== undefined) return await endedParts(work, standing, endedStatus(sent, standing));
    if (known === undefined) throw new Error('A Consent without a patient is not written here');
    return await saidParts(work, placed, known, sent);
  },
  remove: async (work: Work, { standing }: Placed & { readonly standing: InternalRow }): Promise<ActParts> => {
    const { status } = openedResource<Consent>(standing);
    return await endedParts(work, standing, isOpen(status) ? 'inactive' : status);
  },
};

/** What is said, of the identity that it is filed under: whichever of hers she names, a patient speaks as one. */
async function saidParts(work: Work, placed: Placed, known: KnownPatient, sent: Consent): Promise<ActParts> {
  const choice = readSharingChoice(sent, work.now, work.deps.timeZone);
  const { requester } = work.visit;
  const patient = speaksForPatient(requester) ? requester.patient : known.patient;
  const subject = { person: known.person, patient };
  const consent = markedRecorded(
    { ...withoutClaim(sent), id: placed.id, patient: { ...sent.patient, reference: patient } },
    filerOf(requester),
  );
  const story = { ...(await storyOf(work, subject, known)), sent: consent };
  const { parts, result } = changeOf(story, choice);
  const made = { person: subject.person, subject: patient, parts: oneOf(parts) };
  const [type = '', id = ''] = result.reference.split('/');
  if (type === 'Task') return { ...made, answered: { status: 202, type, id } };
  if (id === placed.id) return made;
  const { version = 0, updated = 0 } = story.standing.rows.get(id) ?? {};
  return { ...made, answered: { status: 200, type: 'Consent', id, version, updated } };
}

/** PCF has no verification (0..0): a Consent with one is kept, and is none of its profiles. @see access.md C10 */
function withoutClaim(consent: Consent): Consent {
  const { verification = [], meta = {} } = consent;
  if (verification.length === 0 || meta.profile === undefined) return consent;
  const profile = meta.profile.filter((url) => !url.startsWith(PCF_PROFILE_PREFIX));
  const { profile: _, ...rest } = meta;
  return { ...consent, meta: profile.length === 0 ? rest : { ...rest, profile } };
}

async function endedParts(work: Work, standing: InternalRow, status: Consent['status']): Promise<ActParts> {
  const { deps, now, visit } = work;
  const ended = { ...openedResource<Consent>(standing), id: standing.id, status };
  const about = aboutRow(standing);
  if (!isOpen(openedResource<Consent>(standing).status))
    return { ...about, parts: changed(deps.indexer, standing, ended, now, about) };
  const { person, subject } = standing;
  if (person === undefined || subject === undefined) throw new Error('A Consent is of somebody');
  const patient = speaksForPatient(visit.requester) ? visit.requester.patient : subject;
  return { ...about, parts: oneOf(endOf(await storyOf(work, { person, patient }), ended).parts) };
}

/** @throws {Fault} not-supported - more than its status would change, or it would begin again */
function endedStatus(sent: Consent, row: InternalRow): Consent['status'] {
  const standing = openedResource<Consent>(row);
  if (isOpen(sent.status) || sent.status === 'draft' || sent.status === 'rejected')
    throw new Fault('not-supported', 'A Consent can be ended only: inactive or entered-in-error', {
      expression: 'Consent.status',
    });
  if (!sameContent(standing, { ...sent, status: standing.status }))
    throw new Fault('not-supported', 'Only the status of a Consent can be changed', { expression: 'Consent' });
  return sent.status;
}

function isOpen(status: Consent['status']): boolean {
  return status === 'active' || status === 'proposed';
}

/** An identity that the same plan makes is not among those that stand. */
async function storyOf(
  { deps, visit, now }: Work,
  subject: { readonly person: PersonKey; readonly patient: string },
  known?: KnownPatient,
): Promise<SharingStory> {
  const { requester } = visit;
  if (requester.kind === 'practitioner') throw new Fault('forbidden', 'A withdrawal is ended by who spoke');
  const read = await readSharing(deps.records, systemReading('change-consent', now), subject.person, now);
  const homes = new Map([...(known === undefined ? [] : [[known.patient, known.home] as const]), ...read.homes]);
  return { deps, visit, requester, subject, standing: { ...read, homes }, now };
}
