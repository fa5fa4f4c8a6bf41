/** An exam that is moved to somebody of whom instances are kept aside in it, and back (identity.md section 4). */
import type { AuditEvent, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { systemReading } from '../../../../server/access/grant.ts';
import type { PersonKey } from '../../../../server/access/requester.ts';
import type { Region } from '../../../../server/config/region-model.ts';
import { imagingStudyOf } from './desks.ts';
import { describeWorld } from './describe-world.ts';
import { differences } from './readers.ts';
import type { Step } from './sequences.ts';
import { openSession, visitOf, type Session } from './session.ts';
import { doStep } from './steps.ts';
import { expectUndone } from './undone.ts';
import { openWorld } from './world.ts';

const HERS = { at: 'strasbourg', number: 0 } as const;

describeWorld('An exam that is moved and moved back (identity.md 4)', (begin) => {
  for (const [name, other] of [
    ['another establishment', { at: 'nancy', number: 1 }],
    ['its own establishment', { at: 'strasbourg', number: 1 }],
  ] as const)
    it(`leaves with each what was sent of her: somebody of ${name}`, async () => {
      const session = begin();
      const moved = { does: 'move', study: 0, by: 'desk' } as const;
      const steps: readonly Step[] = [
        { does: 'image', of: HERS, study: 0, instance: 0 },
        { does: 'image', of: other, study: 0, instance: 1 },
        { does: 'err', mistake: { ...moved, to: other } },
        { ...moved, to: other },
        { does: 'image', of: HERS, study: 0, instance: 1 },
        { ...moved, to: { at: 'luxembourg', number: 0 } },
        { ...moved, to: HERS },
      ];
      await doStep(
        session,
        { does: 'image', of: { at: 'luxembourg', number: 0 }, study: 1, instance: 0 },
        expectUndone,
      );
      for (const step of steps) {
        await doStep(session, step, expectUndone);
        expect(await differences(session), JSON.stringify(step)).to.deep.equal([]);
      }
    });

  it('has its manifests again when what stayed with her is back in it', async () => {
    const session = begin();
    const [kept, merged] = [
      { at: 'luxembourg', number: 0 },
      { at: 'luxembourg', number: 1 },
    ] as const;
    const steps: readonly Step[] = [
      { does: 'image', of: HERS, study: 0, instance: 0 },
      { does: 'image', of: kept, study: 1, instance: 1 },
      { does: 'image', of: merged, study: 1, instance: 1 },
      { does: 'feed', of: merged, traits: 0, national: 0, status: 'QUAL', into: 0 },
      { does: 'err', mistake: { does: 'move', study: 1, to: HERS, by: 'desk' } },
    ];
    for (const step of steps) await doStep(session, step, expectUndone);
    expect(await differences(session)).to.deep.equal([]);
  });

  it('leaves her the words of its events where it is back before the work that forgets them', async () => {
    const session = begin();
    const { world } = session;
    const other = { at: 'strasbourg', number: 1 } as const;
    const steps: readonly Step[] = [
      { does: 'image', of: HERS, study: 0, instance: 0 },
      { does: 'image', of: other, study: 1, instance: 0 },
      { does: 'report', of: HERS, study: 0, isFinal: true },
    ];
    for (const step of steps) await doStep(session, step, expectUndone);
    await world.rest();
    const id = await imagingStudyOf(session, session.studyUid(0));
    const known = await session.known();
    const [hers = '', theirs = ''] = [HERS, other].map(({ at, number }) => known.get(`${at}/${number}`)?.patient);
    const visit = await visitOf(session, hers);
    expect((await world.find<ImagingStudy>(visit, 'ImagingStudy', `_id=${id}`)).length).to.equal(1);
    const told = async (): Promise<number> => {
      const events = await world.find<AuditEvent>(visit, 'AuditEvent', `entity=ImagingStudy/${id}`);
      return events.filter((event) => JSON.stringify(event).includes(`"valueString":"ImagingStudy/${id}"`)).length;
    };
    const before = await told();
    expect(before).to.be.greaterThan(0);
    for (const patient of [theirs, hers]) {
      world.tick();
      await world.flows.moveStudy(await visitOf(session, DESK), id, patient);
    }
    await world.rest();
    expect(await told()).to.be.at.least(before);
  });

  it('shows no manifest again that was made of a mistake before', async () => {
    const session = begin();
    const [owner, joined] = [{ at: 'nancy', number: 0 } as const, HERS];
    const released = { at: 'strasbourg', number: 1 } as const;
    const steps: readonly Step[] = [
      { does: 'image', of: owner, study: 0, instance: 1 },
      { does: 'image', of: released, study: 0, instance: 0 },
      { does: 'image', of: joined, study: 0, instance: 0 },
      { does: 'err', mistake: { does: 'join', one: joined, other: owner, by: 'desk' } },
      { does: 'release', study: 0 },
      { does: 'err', mistake: { does: 'move', study: 0, to: released, by: 'desk' } },
    ];
    for (const step of steps) await doStep(session, step, expectUndone);
    expect(await differences(session)).to.deep.equal([]);
  });

  it('is moved with all who sent it of her, where several number her alike', async () => {
    const numberedAlike = await openWorld('sqlite', undefined, withOneDomain);
    try {
      const session = openSession(numberedAlike);
      const theirs = { at: 'nancy', number: 0 } as const;
      const step = async (one: Step): Promise<void> => await doStep(session, one, expectUndone);
      await step({ does: 'image', of: HERS, study: 0, instance: 0 });
      await step({ does: 'image', of: theirs, study: 0, instance: 0, as: 'strasbourg' });
      await step({ does: 'image', of: { at: 'luxembourg', number: 0 }, study: 1, instance: 0 });
      await numberedAlike.rest();
      const known = await session.known();
      for (const to of ['luxembourg/0', 'strasbourg/0']) {
        const { patient = '', person } = known.get(to) ?? {};
        const id = await imagingStudyOf(session, session.studyUid(0));
        await numberedAlike.flows.moveStudy(await visitOf(session, DESK), id, patient);
        // Both at once, and when all is derived anew.
        for (const rest of [async () => undefined, numberedAlike.rest]) {
          await rest();
          expect(await authorsOf(session, id, person)).to.deep.equal(['demo-nancy', 'demo-strasbourg']);
        }
      }
    } finally {
      await numberedAlike.close();
    }
  });
});

const DESK = 'Practitioner/demo-region-desk';

/** A region in which two establishments number patients alike. */
function withOneDomain(region: Region): Region {
  const [first] = region.identifierDomains.filter(({ organization }) => organization.endsWith('strasbourg'));
  const { patientIdSystem } = first ?? expect.fail('No domain');
  const isSecond = (organization: string): boolean => organization.endsWith('nancy');
  const identifierDomains = region.identifierDomains.map((domain) =>
    isSecond(domain.organization) ? { ...domain, patientIdSystem } : domain,
  );
  return { ...region, identifierDomains };
}

/** The establishments that are authors of an exam. */
async function authorsOf({ world }: Session, id: string, person: PersonKey | undefined): Promise<readonly string[]> {
  if (person === undefined) throw new Error('Nobody');
  const reading = systemReading('clear-aside', world.now());
  const rights = await world.stores.records.rightsOf(reading({ person }), person, `ImagingStudy/${id}`);
  const authors = rights.filter(({ relation }) => relation === 'author').map(({ principal }) => principal);
  return [...new Set(authors.map((principal) => principal.replace(/.*Organization\//, '')))].toSorted();
}
