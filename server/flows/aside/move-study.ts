/**
 * `ImagingStudy/[id]/$move` takes an exam to the right person: what is filed of it under its own identity. What joined
 * it stays with the identities of which it was sent. What the exam itself gives goes along: its authors, and its
 * imaging services to the record. What was said of it as the wrong person's ends: its label, its release, its
 * manifests, its former versions. Reports stay, of whom they say they are, and release it no more.
 */
import type { ImagingStudy } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import { withState } from '../../../profiles/said-label.ts';
import { systemReading } from '../../access/grant.ts';
import { mayOperate, notTheirs, type OperatedFacts } from '../../access/may-operate.ts';
import type { SubjectFacts } from '../../access/may-write.ts';
import type { PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { AuditRecord, FurtherSource, InstanceRow } from '../../ports/commit-plan.ts';
import type { JobRequest } from '../../ports/job-queue.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { refuseOwnMatter } from '../identity/own-matter.ts';
import { knownPatient, subjectFacts } from '../identity/persons.ts';
import { claimOf, findById, type Found } from '../internal-reads.ts';
import { settlingOf } from '../ground/ground.ts';
import { jobOf } from '../jobs/job-of.ts';
import { declaringOf } from '../named/declare-named.ts';
import { hiddenParts } from '../study/hidden-manifest.ts';
import { newId } from '../new-id.ts';
import { loadStudy, manifestsOf } from '../study/study-content.ts';
import { commitFresh, examFiledBy, joinParts, putOf, type PlanParts, type Planned } from '../write/plan-parts.ts';
import type { AsideDeps, AsideReading } from './aside-deps.ts';
import { deriveAnew } from './derive-anew.ts';
import { isRowSeen } from './seen.ts';

/** What the flow needs. */
export type MoveStudyDeps = GuardDeps & AsideDeps;

/** A desk speaks for its establishment: who feeds the Patient is asked for both. */
const ASKS_SOURCES = { kind: 'establishment' } as const;

/** An exam that stands, with what a decision asks of it. */
type Standing = {
  readonly study: Found<ImagingStudy>;
  readonly owner: string;
  readonly operated: OperatedFacts;
  readonly going: Going;
};

/** What was sent and goes along: of a study that was moved before, not what was sent of its identity since. */
type Going = { readonly sent: readonly FurtherSource[]; readonly isMovedOnly: boolean };

/**
 * Moves an exam to the person of a Patient (`Patient/id`).
 * @throws {Fault} not-found - there is no such exam, or it is hidden
 * @throws {Fault} forbidden - it is for others, or the person is opposed to the sharing of exams
 * @throws {Fault} invalid - the Patient is not known, or not one of the establishment
 * @throws {Fault} conflict - it is hers already
 */
export function moveStudy(deps: MoveStudyDeps) {
  return async (visit: Visit, id: string, patient: string): Promise<void> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      const { receipt } = await commitFresh(deps.records, async () => await planOf(deps, visit, id, patient));
      for (const name of receipt.erasedBlobs) await deps.images.remove(name);
    });
}

async function planOf(deps: MoveStudyDeps, visit: Visit, id: string, patient: string): Promise<Planned<undefined>> {
  const now = deps.clock.now();
  const reading = systemReading('clear-aside', now);
  const standing = await findStudy(deps, visit, reading, id);
  const known = await knownPatient(deps.records, reading, patient);
  const subject = known === undefined ? undefined : await subjectFacts(deps.records, reading, ASKS_SOURCES, known);
  const warrant = mayOperate(visit.requester, 'move', { now, operated: standing?.operated, subject });
  if (standing === undefined) throw new Fault('not-found', 'No such resource');
  if (subject === undefined) throw notTheirs();
  const { operated, owner, going } = standing;
  if (subject.person === operated.person) throw new Fault('conflict', 'The exam is of this person already');
  await refuseOwnMatter(deps)(visit.requester, [operated.person, subject.person]);
  const uid = operated.studyInstanceUID;
  const key = claimKey.study(uid);
  const plan = joinParts(await manifestParts(deps, reading, standing), {
    preconditions: [
      { kind: 'claimed', key, value: owner },
      { kind: 'version', type: 'ImagingStudy', id, version: standing.study.row.version },
    ],
    erased: [{ claims: [key], history: [{ type: 'ImagingStudy', id }] }],
    claims: [{ key, value: subject.patient }],
    studies: [
      {
        studyInstanceUID: uid,
        from: operated.person,
        to: subject.person,
        identity: owner,
        subject: subject.patient,
        isMovedOnly: going.isMovedOnly,
      },
    ],
    puts: [movedPut(deps, standing, subject, now)],
    jobs: [
      ...deriveAnew(uid, now),
      // What was kept aside of her is of the study now, and what stays with others no more.
      jobOf('settle-person', subject.person, now),
      openedMeanwhile(operated, now),
      settlingOf(subject.patient, now),
      declaringOf(uid, now),
    ],
    audit: eventsOf(deps, visit, operated.item, [operated.person, subject.person]),
  });
  return { warrant, plan, result: undefined };
}

/** Who opened the exam as the wrong person's is told, whenever that was. */
function openedMeanwhile({ person, item }: OperatedFacts, now: number): JobRequest {
  const payload = { from: person, to: person, since: 0, until: now, item };
  return { id: newId(), kind: 'end-given', subject: newId(), payload, at: now };
}

async function findStudy(
  deps: MoveStudyDeps,
  visit: Visit,
  reading: AsideReading,
  id: string,
): Promise<Standing | undefined> {
  const study = await findById<ImagingStudy>(deps.records, reading, 'ImagingStudy', id);
  if (study?.row.person === undefined) return undefined;
  const studyInstanceUID = studyInstanceUIDIn(study.resource);
  const isStudy = (await claimOf(deps.records, reading, claimKey.imagingStudy(studyInstanceUID))) === id;
  const owner = await claimOf(deps.records, reading, claimKey.study(studyInstanceUID));
  const loaded = isStudy ? await loadStudy(deps.records, reading, studyInstanceUID) : undefined;
  if (owner === undefined || loaded === undefined) return undefined;
  return {
    study,
    owner,
    going: goingOf(
      loaded.series.flatMap(({ instances }) => instances),
      owner,
    ),
    operated: {
      item: `ImagingStudy/${id}`,
      person: study.row.person,
      studyInstanceUID,
      sources: loaded.sources,
      receivers: [],
      isSeen: await isRowSeen(deps, visit, reading, study.row),
    },
  };
}

/**
 * What was moved to the identity goes on without what was sent of her. Of an instance that several sent each has sent
 * its own; whose identity is not known goes with the study.
 */
function goingOf(all: readonly InstanceRow[], owner: string): Going {
  const sent = all.flatMap((row): readonly FurtherSource[] => [row, ...(row.furtherSources ?? [])]);
  const own = sent.filter(({ subject }) => subject === owner);
  const moved = own.filter(({ movedFrom }) => movedFrom !== undefined);
  const isMovedOnly = moved.length > 0;
  const unnamed = sent.filter(({ subject }) => subject === undefined);
  return { sent: [...(isMovedOnly ? moved : own), ...unnamed], isMovedOnly };
}

/** It is hidden from her until a report of hers names it. */
function movedPut(
  { indexer, region }: MoveStudyDeps,
  { study: { resource }, going }: Standing,
  { patient: reference, person }: SubjectFacts,
  now: number,
) {
  const { display: _display, identifier: _identifier, ...subject } = resource.subject;
  const security = [{ system: CODE_SYSTEM.confidentiality, code: 'N' }];
  const moved = { ...resource, subject: { ...subject, reference }, meta: { ...resource.meta, security } };
  const sources = [...new Set(going.sent.map(({ source }) => source))];
  const origin = examFiledBy(region, ...sources);
  // Whether she was informed is looked at by the job that the plan asks for.
  const isShared = sources.every((source) => region.informs(source, now));
  return putOf(indexer, withState(moved, 'unshared', !isShared), now, {
    person,
    subject: reference,
    released: false,
    origin,
  });
}

/** Manifests name the patient: nobody is shown them any more, unless the exam comes back. */
async function manifestParts(
  { records, indexer, clock }: MoveStudyDeps,
  reading: AsideReading,
  { operated, study, owner }: Standing,
): Promise<PlanParts> {
  const found = await manifestsOf(records, reading({ person: operated.person }), study.row.id, 'all');
  const own = found.filter(({ row }) => row.subject === owner);
  return joinParts(...own.map((manifest) => hiddenParts(indexer, manifest, clock.now())));
}

/** Both of them read of it. */
function eventsOf(deps: MoveStudyDeps, visit: Visit, item: string, persons: readonly PersonKey[]): AuditRecord[] {
  return persons.map((person) =>
    eventRecord(deps.clock, visit, 'operation', {
      person,
      entities: [{ what: { reference: item }, role: '4', detail: { operation: 'move' } }],
    }),
  );
}
