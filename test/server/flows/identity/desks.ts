/** What desks do, and what others try of it: joins, separations, moves, and clearing up what is kept aside. */
import type { Task } from '@medplum/fhirtypes';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { oidUri } from '../../../../profiles/codes.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import type { Judge, Move } from './sequences.ts';
import { nameOf, partitionOf, refused, visitOf, whoseOf, type Session } from './session.ts';

const DESK = 'Practitioner/demo-region-desk';
const STRANGER = 'Practitioner/demo-stranger';

/** Resolves with whether it was said: where it was said already nothing is done. */
export async function judge(session: Session, { does, one, other, by }: Judge): Promise<boolean> {
  const { model, world } = session;
  const known = await session.known();
  const [first, second] = [known.get(nameOf(one)), known.get(nameOf(other))];
  if (first === undefined || second === undefined || first === second) return false;
  const account = by === 'desk' ? DESK : STRANGER;
  const visit =
    by === 'establishment' ? world.establishment(ESTABLISHMENTS[one.at].organization) : await visitOf(session, account);
  world.tick();
  const said = world.flows.judgeIdentities(visit, {
    operation: does,
    patients: [{ reference: first.patient }, { reference: second.patient }],
    reason: 'Carte',
  });
  if (by !== 'desk') {
    await refused(said, `${does} by ${by}`);
    return false;
  }
  const isDone = await said.then(
    () => true,
    (error: unknown) => {
      if (error instanceof Fault && error.kind === 'conflict') return false;
      throw error;
    },
  );
  if (!isDone) return false;
  model[does](nameOf(one), nameOf(other));
  const who = partitionOf(await session.known());
  if ((who.get(nameOf(one)) === who.get(nameOf(other))) !== (does === 'join')) throw new Error(`${does} did not`);
  return true;
}

/** Moves an exam, once all jobs are done; resolves with whether it moved. Only the desk and its one source may. */
export async function move(session: Session, { study, to, by }: Move): Promise<boolean> {
  const { model, world, studyUid } = session;
  await world.rest();
  const known = await session.known();
  const standing = model.studies.get(String(study));
  const target = known.get(nameOf(to));
  if (standing === undefined || target === undefined) return false;
  const who = partitionOf(known);
  if (who.get(standing.owner) === target.person) return false;
  const sources = new Set(
    standing.instances
      .filter(({ identity }) => who.get(identity) === who.get(standing.owner))
      .map((one) => one.establishment),
  );
  const id = await imagingStudyOf(session, studyUid(study));
  const visit = by === 'desk' ? await visitOf(session, DESK) : world.establishment(ESTABLISHMENTS[by].organization);
  world.tick();
  const moved = world.flows.moveStudy(visit, id, target.patient);
  const may = by === 'desk' || ([...sources].every((one) => one === by) && to.at === by);
  if (!may) {
    await refused(moved, 'a move by another');
    return false;
  }
  await moved;
  model.move(String(study), nameOf(to));
  await world.rest();
  return true;
}

/** The id of the ImagingStudy of a study (Study Instance UID). */
export async function imagingStudyOf({ world }: Session, uid: string): Promise<string> {
  const key = claimKey.imagingStudy(uid);
  const reading = systemReading('resolve-identity', world.now());
  return (await world.stores.records.claimed(reading({ item: key }), key)) ?? '';
}

/** The desk releases, the sender discards, what is kept aside of one identity. */
export async function clear(session: Session, does: 'release' | 'discard', study: number): Promise<void> {
  const { model, world, studyUid, localId } = session;
  await world.rest();
  const known = await session.known();
  const who = partitionOf(known);
  const standing = model.studies.get(String(study));
  const aside = standing?.instances.find(({ identity }) => who.get(identity) !== who.get(standing.owner));
  if (aside === undefined) return;
  const patient = known.get(aside.identity);
  const desk = await visitOf(session, DESK);
  const tasks = await world.find<Task>(desk, 'Task', `patient=${patient?.patient ?? ''}&_count=500`);
  const { organization } = ESTABLISHMENTS[whoseOf(aside.identity).at];
  const listed = tasks.filter(
    ({ focus, requester, status, for: whose }) =>
      focus?.identifier?.value === oidUri(studyUid(study)) &&
      requester?.reference === organization &&
      status === 'requested' &&
      whose !== undefined,
  );
  // Of identities that are one person each has a Task of its own.
  const named = localId(whoseOf(aside.identity));
  const names = ({ input = [] }: Task): boolean => input.some(({ valueIdentifier: one }) => one?.value === named);
  const task = listed.find(names) ?? listed[0];
  if (task === undefined) throw new Error(`Nothing is listed of ${aside.identity} in study ${study}`);
  world.tick();
  await refused(world.flows.clearAside(await visitOf(session, STRANGER), task.id ?? '', { operation: does }), does);
  await world.flows.clearAside(does === 'release' ? desk : world.establishment(organization), task.id ?? '', {
    operation: does,
  });
  model[does](String(study), aside.identity);
}
