/**
 * A second person of the region's desk decides a paper that a first one recorded: confirmed, what it ends is ended at
 * once, and the patient is told. Refused, nothing changes: one person does that alone.
 */
import type { Task } from '@medplum/fhirtypes';
import {
  buildPaperConsent,
  buildPaperProvenance,
  decidedPaper,
  PAPER_VERDICTS,
} from '../../../../profiles/consent/reconsent/paper.ts';
import { recordedBy } from '../../../../profiles/consent/sharing.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { buildPaperNotice } from '../../../../profiles/notices/news.ts';
import { systemReading, type NarrowReading } from '../../../access/grant.ts';
import { eventRecord, type Visit } from '../../guard.ts';
import type { Found } from '../../internal-reads.ts';
import { newId } from '../../new-id.ts';
import { noticeParts } from '../../notices/notice-parts.ts';
import { changed } from '../../write/changed-put.ts';
import { aboutRow } from '../../write/plain-parts.ts';
import { filedBy, putOf, type PlanParts } from '../../write/plan-parts.ts';
import { readSharing, sharingParts } from '../sharing-parts.ts';
import type { RecordPaperDeps } from './record-paper.ts';
import { standingOnPaper } from './standing-on-paper.ts';
import { requireTwo } from './two-persons.ts';

/** What is decided; `officer` (`Practitioner/id`) is the second person, `now` in epoch milliseconds. */
export type DecidedPaper = {
  readonly verdict: string;
  readonly comment: string;
  readonly officer: string;
  readonly now: number;
};

/**
 * Works out the parts.
 * @throws {Fault} invalid - a verdict that Tasks of this kind do not have
 * @throws {Fault} conflict - it is decided; nothing stands any more that it ends
 * @throws {Fault} forbidden - both accounts may be one human being's
 */
export async function paperDecidedParts(
  deps: RecordPaperDeps,
  visit: Visit,
  reading: NarrowReading,
  { row, resource: task }: Found<Task>,
  decided: DecidedPaper,
): Promise<readonly PlanParts[]> {
  const verdict = PAPER_VERDICTS.find((one) => one === decided.verdict);
  if (verdict === undefined)
    throw new Fault('invalid', `The verdict is one of ${PAPER_VERDICTS.join(', ')}`, { expression: 'verdict' });
  if (task.status !== 'requested') throw new Fault('conflict', 'It is decided already');
  const { indexer } = deps;
  const { now } = decided;
  if (verdict === 'refused')
    return [changed(indexer, row, decidedPaper(task, { ...decided, verdict }), now, aboutRow(row))];
  await requireTwo(deps.records, reading, task, decided.officer);
  return await confirmedParts(deps, visit, { row, resource: task }, { ...decided, verdict });
}

async function confirmedParts(
  deps: RecordPaperDeps,
  visit: Visit,
  { row, resource }: Found<Task>,
  decided: DecidedPaper & { readonly verdict: 'confirmed' },
): Promise<readonly PlanParts[]> {
  const { person, subject: patient } = row;
  if (person === undefined || patient === undefined) throw new Error('A paper is of somebody');
  const { records, clock, indexer } = deps;
  const { now } = decided;
  const subject = { person, patient };
  const read = await readSharing(records, systemReading('change-consent', now), person, now);
  const standing = { ...read, papers: read.papers.filter((paper) => paper.row.id !== row.id) };
  const atDesk = systemReading('decide-at-desk', now);
  const filed = Date.parse(resource.authoredOn ?? '');
  const { ended, left } = await standingOnPaper(deps, atDesk, subject, standing, filed);
  if (ended.length === 0) throw new Fault('conflict', 'Nothing stands any more that the paper ends');
  const consent = buildPaperConsent(resource, { id: newId(), patient, isShared: left.length === 0, now });
  const reference = `Consent/${consent.id}`;
  const task = decidedPaper(resource, { ...decided, consent: reference });
  const provenance = buildPaperProvenance(newId(), { ...task, id: row.id });
  const isAnswered = left.every((denial) => recordedBy(denial) !== undefined);
  const entities = [{ what: { reference: `Task/${row.id}` }, detail: { change: 'reconsent' } }];
  return [
    changed(indexer, row, task, now, aboutRow(row)),
    sharingParts(
      indexer,
      standing,
      { ended: [...ended, ...standing.sharing.permits], done: isAnswered ? standing.requests : [], denials: left },
      now,
    ),
    {
      puts: [
        putOf(indexer, consent, now, { ...subject, origin: filedBy(patient) }),
        putOf(indexer, provenance, now, { ...subject, parent: reference, released: true }),
      ],
      audit: [eventRecord(clock, visit, 'withdraw', { ...subject, consent: reference, entities })],
    },
    noticeParts(indexer, subject, now, (facts) => buildPaperNotice({ ...facts, consent: reference })),
  ];
}
