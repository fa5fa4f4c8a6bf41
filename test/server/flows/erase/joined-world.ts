/** Identities that are joined to an opposed person, on one store, and what a desk and the work do then. */
import type { Consent, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../../fixtures/consent.ts';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { purgeJoined } from '../../../../server/flows/erase/joined/purge-joined.ts';
import type { JobRun } from '../../../../server/flows/jobs/job-runner.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import { SYSTEM } from '../../../support/plans.ts';
import type { Feed, Step, Whose } from '../identity/sequences.ts';
import { visitOf, type Session } from '../identity/session.ts';
import { doStep } from '../identity/steps.ts';
import { patientsOf, type Erasing } from './her-record.ts';

/** Her identity, which is opposed, and the one that is joined to it; the study of each. */
export const ONE = { at: 'strasbourg', number: 0 } as const;
export const OTHER = { at: 'nancy', number: 0 } as const;
export const [HERS, THEIRS] = [0, 1] as const;
/** A run that nothing ends. */
export const GOES_ON: JobRun = { goOn: async () => undefined };

const CODE = `code=${CODE_SYSTEM.task}|joined-purge`;

/** A source feeds an identity with one of two national numbers. */
export const feed = (of: Whose, national: number): Feed => ({
  does: 'feed',
  of,
  traits: 0,
  national,
  status: 'QUAL',
  into: null,
});
/** An image of a study is sent. */
export const image = (of: Whose, study: number, instance = 0): Step => ({ does: 'image', of, study, instance });

/** What is done in a world that is opened by then, and asked of it. */
export function joinedIn(opened: () => Pick<Erasing, 'world' | 'deps'>) {
  async function told(session: Session, ...steps: readonly Step[]): Promise<void> {
    for (const step of steps) await doStep(session, step, async () => undefined);
    await opened().world.rest();
  }
  const strasbourg = () => opened().world.establishment(ESTABLISHMENTS.strasbourg.organization);
  async function opposed(session: Session): Promise<Consent & { id: string }> {
    const [patient = ''] = await patientsOf(session);
    const { provision: _, policy: __, ...frame } = demoConsent(patient);
    const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }];
    const resource: Consent = { ...frame, policyRule: { coding }, provision: { type: 'deny' } };
    const id = await opened().world.write(strasbourg(), { interaction: 'create', type: 'Consent', resource });
    await opened().world.rest();
    const row = await opened().world.stores.records.peek(SYSTEM, { kind: 'resource', type: 'Consent', id });
    return { ...openedResource<Consent>(row ?? expect.fail('No Consent')), id };
  }
  /** She is opposed no more. */
  async function reconsented({ id, ...consent }: Consent & { id: string }): Promise<void> {
    const resource = { ...consent, id, status: 'inactive' } as const;
    await opened().world.write(strasbourg(), { interaction: 'update', type: 'Consent', id, resource });
  }
  /** Two identities, each with an exam: hers is opposed, and the feed of the other one joins them. */
  async function joined(session: Session, ...before: readonly Step[]): Promise<Consent & { id: string }> {
    await told(session, feed(ONE, 0), image(ONE, HERS), feed(OTHER, 1), image(OTHER, THEIRS), ...before);
    const consent = await opposed(session);
    await told(session, feed(OTHER, 0));
    const known = await session.known();
    expect(known.get('nancy/0')?.person).to.equal(known.get('strasbourg/0')?.person);
    return consent;
  }
  const desk = async (session: Session) => await visitOf(session, 'Practitioner/demo-region-desk');
  /** The Tasks of a session that a reader sees. */
  async function tasks(session: Session, reader = 'Practitioner/demo-region-desk'): Promise<readonly Task[]> {
    const patients = await patientsOf(session);
    const all = await opened().world.find<Task>(await visitOf(session, reader), 'Task', CODE);
    return all.filter((task) => patients.includes(task.for?.reference ?? ''));
  }
  async function asked(session: Session): Promise<string> {
    const [task, ...more] = await tasks(session);
    expect(more).to.deep.equal([]);
    expect(task).to.include({ status: 'requested' });
    return task?.id ?? '';
  }
  async function confirmed(session: Session, task: string): Promise<void> {
    const decision = { verdict: 'confirmed', comment: 'Carte vitale' } as const;
    await opened().world.flows.decideReview(await desk(session), task, decision);
  }
  const purged = async (subject: string, run = GOES_ON, more: Partial<Erasing['deps']> = {}) =>
    await purgeJoined({ ...opened().deps, ...more })({ subject }, run);
  async function standing(session: Session, studies: readonly number[] = [HERS, THEIRS]): Promise<readonly number[]> {
    const { records } = opened().world.stores;
    const owners = await Promise.all(
      studies.map(async (one) => await records.claimed(SYSTEM, claimKey.study(session.studyUid(one)))),
    );
    return studies.filter((_, at) => owners[at]?.startsWith('Patient/') === true);
  }
  return { told, opposed, reconsented, joined, desk, tasks, asked, confirmed, purged, standing };
}
