import { expect } from 'chai';
import type { AuditEvent } from '@medplum/fhirtypes';
import { Fault } from '../../../../profiles/fault.ts';
import { endViewing } from '../../../../server/flows/retrieve/end-viewing.ts';
import type { Visit } from '../../../../server/flows/guard.ts';
import { retrieveInstances } from '../../../../server/flows/retrieve/retrieve-instances.ts';
import { Viewings, type ViewedPart } from '../../../../server/flows/retrieve/viewings.ts';
import { principal } from '../../../../server/access/right.ts';
import { aPlan, aRight } from '../../../support/plans.ts';
import { openClinic, type Clinic } from '../../endpoints/clinic.ts';
import { commitPlan } from '../../../support/warrants.ts';

const QUARTER_MS = 15 * 60_000;

describe('The AuditEvents of a viewing (RAD-107, one passage of many requests)', () => {
  let clinic: Clinic;
  let viewings: Viewings;
  let open: ReturnType<typeof retrieveInstances>;
  let now: number;

  beforeEach(async () => {
    clinic = await openClinic();
    now = clinic.guard.clock.now();
    const guard = { ...clinic.guard, clock: { now: () => now } };
    viewings = new Viewings(guard);
    open = retrieveInstances(guard, viewings);
  });

  afterEach(async () => {
    await clinic.close();
  });

  const view = async (visit: Visit, at: number, part: ViewedPart = 'frames'): Promise<void> =>
    await viewOne(visit, clinic.ct.instances[at]?.row.sopInstanceUID ?? '', part);
  const viewOne = async (visit: Visit, sopInstanceUID: string, part: ViewedPart = 'frames'): Promise<void> => {
    const which = { studyInstanceUID: clinic.ct.studyInstanceUID, sopInstanceUIDs: [sopInstanceUID] };
    await open(visit, { ...which, passage: 'wado', viewing: part });
  };

  /** Ends viewings, and runs the jobs that record it. */
  const end = async (which: 'ended' | 'all'): Promise<void> => {
    await viewings.end(which);
    const { jobs } = clinic.stores;
    const work = endViewing(clinic.guard);
    for (const job of await jobs.take('end-viewing', { now, leaseMs: 60_000, limit: 10 })) {
      await work(job);
      // As after a crash in between: it is recorded once.
      await work(job);
      await jobs.settle(job, now, { end: 'done' });
    }
  };

  const lambert = (): Visit => clinic.visitOf('lambert', 'wado');
  const events = async (): Promise<readonly AuditEvent[]> => await clinic.events(clinic.anne, 'RAD-107');
  const countOf = ({ entity }: AuditEvent): string | undefined =>
    entity?.flatMap(({ detail = [] }) => detail).find(({ type }) => type === 'further requests of frames')?.valueString;
  /** The Consent that an event cites, and the relation. */
  const rightOf = ({ entity }: AuditEvent): readonly (string | undefined)[] => {
    const right = entity?.find(({ type }) => type?.code === 'Consent');
    return [right?.what?.reference, right?.detail?.find(({ type }) => type === 'relation')?.valueString];
  };

  it('are one before the first answer and one that counts the others, at the end of a quarter of an hour', async () => {
    for (const at of [0, 1, 2, 0]) await view(lambert(), at);
    expect((await events()).map(countOf)).to.deep.equal([undefined]);
    await end('ended');
    expect(await events()).to.have.length(1);
    now += QUARTER_MS;
    await end('ended');
    expect((await events()).map(countOf)).to.have.members([undefined, '3']);
    const [one, other] = await events();
    expect(one?.agent.map(({ who }) => who)).to.deep.equal(other?.agent.map(({ who }) => who));
    await view(lambert(), 0);
    expect(await events()).to.have.length(3);
    await end('all');
    expect(await events(), 'a single request needs no count').to.have.length(3);
  });

  it('are those of one person, token, address and kind of part each', async () => {
    await view(lambert(), 0);
    await view(clinic.visitOf('clinic', 'wado'), 0);
    await view({ ...lambert(), address: '192.0.2.8' }, 0);
    await view({ ...lambert(), requester: { ...lambert().requester, tokenId: 'another' } }, 0);
    await view(lambert(), 0, 'instances');
    expect(await events()).to.have.length(5);
  });

  it('name the right that shows the study: one that goes on under another right has an event of its own', async () => {
    const person = clinic.anne.person;
    const lasting = { person, principal: principal.practitioner('Practitioner/lambert') };
    const [first, second] = ['first', 'second'].map((id) => aRight({ ...lasting, giver: `Consent/${id}` }));
    const emergency = aRight({
      person,
      principal: principal.breakGlass('Practitioner/lambert'),
      relation: 'break-glass',
      giver: 'Consent/second',
    });
    if (first === undefined || second === undefined) throw new Error('No rights');
    const { records } = clinic.stores;
    await commitPlan(records, aPlan({ rights: [first], ended: [clinic.declared] }));
    for (const at of [0, 1]) await view(lambert(), at);
    // The same relation by another Consent, then the same Consent by another relation.
    await commitPlan(records, aPlan({ rights: [second], ended: [first] }));
    for (const at of [0, 1, 2]) await view(lambert(), at);
    await commitPlan(records, aPlan({ rights: [emergency], ended: [second] }));
    await view(lambert(), 0);
    await end('all');
    const told = (await events()).map((event) => [...rightOf(event), countOf(event)]);
    expect(told).to.have.deep.members([
      ['Consent/first', 'declared', undefined],
      ['Consent/first', 'declared', '1'],
      ['Consent/second', 'declared', undefined],
      ['Consent/second', 'declared', '2'],
      ['Consent/second', 'break-glass', undefined],
    ]);
  });

  it('are heard of by each whose images were looked at while two were one', async () => {
    const { anne, bruno, ct, stores } = clinic;
    const [one] = ct.instances;
    if (one === undefined) throw new Error('No instance');
    const his = {
      ...one.row,
      sopInstanceUID: `${ct.studyInstanceUID}.9`,
      subject: 'Patient/bruno',
      person: bruno.person,
    };
    await commitPlan(stores.records, aPlan({ instances: [his] }));
    const identity = { identity: his.subject, home: bruno.person };
    const join = { ...identity, from: bruno.person, to: anne.person, patient: 'Patient/anne' };
    await commitPlan(stores.records, aPlan({ moves: [join] }));
    await view(lambert(), 0);
    await viewOne(lambert(), his.sopInstanceUID);
    await view(lambert(), 1);
    await viewOne(lambert(), his.sopInstanceUID);
    await commitPlan(
      stores.records,
      aPlan({ moves: [{ ...join, from: anne.person, to: bruno.person, patient: his.subject }] }),
    );
    await end('all');
    for (const patient of [anne, bruno])
      expect((await clinic.events(patient, 'RAD-107')).map(countOf)).to.have.members([undefined, '2']);
  });

  it('do not outlive a withdrawal: the next request finds nothing, and is recorded as refused', async () => {
    await view(lambert(), 0);
    await view(lambert(), 1);
    await clinic.withdraw();
    const fault = await view(lambert(), 2).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(fault).to.be.instanceOf(Fault).with.property('kind', 'not-found');
    await end('all');
    expect((await events()).map(countOf)).to.have.members([undefined, '1']);
  });

  it('name no study that was erased meanwhile', async () => {
    await view(lambert(), 0);
    await view(lambert(), 1);
    const { id } = clinic.ct.resource;
    const plan = aPlan({ erased: [{ rows: [{ type: 'ImagingStudy', id }] }] });
    await commitPlan(clinic.stores.records, plan, [clinic.anne.person]);
    await end('all');
    const counted = (await events()).find((event) => countOf(event) !== undefined);
    expect(JSON.stringify(counted)).to.not.include(clinic.ct.studyInstanceUID).and.not.include(id);
  });

  it('are one for requests that come together', async () => {
    await Promise.all(
      [0, 1, 2].map(
        async (at) => await new Promise((resolve) => setImmediate(resolve)).then(async () => await view(lambert(), at)),
      ),
    );
    await end('all');
    expect((await events()).length).to.be.lessThan(4);
  });
});
