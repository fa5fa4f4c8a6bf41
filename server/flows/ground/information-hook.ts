/**
 * A Consent by which an establishment records that it informed a patient. It is the ground on which what the
 * establishment files of her is shared, where the region file does not say that it informs everybody. There is one for
 * an establishment and an identity; it can be ended, and begins anew with another one.
 */
import type { Consent } from '@medplum/fhirtypes';
import { readInformation } from '../../../profiles/consent/information.ts';
import { markedRecorded, recordedBy } from '../../../profiles/consent/sharing.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { WriteFacts } from '../../access/may-write.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { referenceOf } from '../guard.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import { changed, sameContent } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { filedBy, oneOf } from '../write/plan-parts.ts';
import type { ActParts, Placed, Work, Written } from '../write/work.ts';
import { settlingOf } from './ground.ts';

/** The steps of a Consent of information. Nobody sees more by it than by what the establishment files anyway. */
export const INFORMATION_HOOK = {
  asked: async (): Promise<Pick<WriteFacts, 'isSharingChoice'>> => await Promise.resolve({ isSharingChoice: true }),
  parts: async (work: Work, written: Written): Promise<ActParts> => {
    const { standing } = written.placed;
    const sent = written.resource as Consent;
    if (standing === undefined) return await recordedParts(work, written, sent);
    return await endedParts(work, standing, endedStatus(sent, openedResource<Consent>(standing)));
  },
  remove: async (work: Work, { standing }: Placed & { readonly standing: InternalRow }): Promise<ActParts> => {
    const { status } = openedResource<Consent>(standing);
    return await endedParts(work, standing, status === 'active' ? 'inactive' : status);
  },
};

/**
 * Works out the parts of an information that is recorded; one that stands already is answered in its place.
 * @throws {Fault} forbidden - a patient, or a professional, records it
 * @throws {Fault} not-supported - a Consent of another shape
 */
async function recordedParts(work: Work, { placed, known }: Written, sent: Consent): Promise<ActParts> {
  const { deps, reading, now, visit } = work;
  if (known === undefined) throw new Error('A Consent without a patient is not written here');
  if (visit.requester.kind !== 'establishment')
    throw new Fault('forbidden', 'That a patient was informed is recorded by her establishment');
  readInformation(sent, now, deps.timeZone);
  const { person, patient: subject } = known;
  const key = claimKey.informed(visit.requester.organization, subject);
  const held = await claimOf(deps.records, reading, key);
  const standing = held === undefined ? undefined : await rowById(deps.records, reading, 'Consent', held);
  if (standing !== undefined) {
    const { id, version, updated } = standing;
    return { person, subject, parts: {}, answered: { status: 200, type: 'Consent', id, version, updated } };
  }
  const consent = markedRecorded({ ...sent, id: placed.id }, referenceOf(visit.requester));
  const facts = { person, subject, origin: filedBy(referenceOf(visit.requester)) };
  const parts = [
    changed(deps.indexer, undefined, consent, now, facts),
    { claims: [{ key, value: placed.id }], jobs: [settlingOf(subject, now)] },
  ];
  return { person, subject, parts: oneOf(parts) };
}

/** @throws {Fault} forbidden - another than who recorded it ends it */
async function endedParts(work: Work, standing: InternalRow, status: Consent['status']): Promise<ActParts> {
  const { deps, reading, now, visit } = work;
  const resource = openedResource<Consent>(standing);
  const { requester } = visit;
  const { id, subject } = standing;
  if (requester.kind !== 'establishment' || recordedBy(resource) !== requester.organization)
    throw new Fault('forbidden', 'That a patient was informed is taken back by who recorded it');
  const about = aboutRow(standing);
  const parts = changed(deps.indexer, standing, { ...resource, id, status }, now, about);
  if (subject === undefined) return { ...about, parts };
  const key = claimKey.informed(requester.organization, subject);
  const isHeld = (await claimOf(deps.records, reading, key)) === id;
  const ground = isHeld ? { erased: [{ claims: [key] }], jobs: [settlingOf(subject, now)] } : {};
  return { ...about, parts: oneOf([parts, ground]) };
}

/** @throws {Fault} not-supported - more than its status would change, or it would begin again */
function endedStatus(sent: Consent, standing: Consent): Consent['status'] {
  const isEnd = sent.status === 'inactive' || sent.status === 'entered-in-error';
  if (isEnd && sameContent(standing, { ...sent, status: standing.status })) return sent.status;
  throw new Fault('not-supported', 'Of a Consent of information only the end can be said: another is sent anew', {
    expression: 'Consent.status',
  });
}
