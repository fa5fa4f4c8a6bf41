/** A CareTeam that a Consent names: whom a write of it lets in, by what the Consent lets in now (access.md R-16). */
import type { CareTeam } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../../fixtures/consent.ts';
import { maskCoding } from '../../../../profiles/confidentiality.ts';
import { namedTeam } from '../../../../profiles/consent/giving/named-team.ts';
import { withCodingsSaid } from '../../../../profiles/said-label.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { followedParts, letsFurther } from '../../../../server/flows/care/named-teams.ts';
import { filedBy, joinParts, putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { Work } from '../../../../server/flows/write/work.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { aPlan, NOW } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { CLINIC, openClinic, type Clinic } from '../../endpoints/clinic.ts';

describe('A write of a CareTeam that a Consent names', () => {
  let clinic: Clinic;
  before(async () => {
    clinic = await openClinic();
  });
  after(async () => await clinic?.close());

  const subject = (): string => `Patient/${clinic.anne.resource.id}`;
  const teamOf = (...members: readonly string[]): CareTeam => ({
    resourceType: 'CareTeam',
    id: 'team',
    status: 'active',
    subject: { reference: subject() },
    participant: members.map((id) => ({ member: { reference: `Practitioner/${id}` } })),
  });
  const aWork = async (): Promise<Work> => {
    const { records } = clinic.stores;
    const { indexer } = await loadDefinitions();
    const reading = systemReading('publish-report', NOW);
    return { deps: { records, indexer, timeZone: 'UTC' }, reading, now: NOW } as unknown as Work;
  };
  /** Masks of the Consents that the last write puts. */
  let last: readonly (readonly string[])[] = [];
  /** Whether a write of it lets somebody in, and whom its Consent is to be told to let in. */
  const written = async (before: CareTeam | undefined, after: CareTeam | undefined, id = 'team', of?: Work) => {
    const [work, { person }] = [of ?? (await aWork()), clinic.anne];
    const isFurther = await letsFurther(work, person, id, { before, after });
    const { puts = [], jobs = [] } = joinParts(...(await followedParts(work, person, id, { before, after })));
    last = puts.map(({ masks }) => masks);
    const members = puts.map(({ team }) => team?.members.map(({ reference }) => reference));
    return [isFurther, members, jobs.length];
  };

  type Named = { readonly members?: CareTeam; readonly data?: readonly string[] };
  /** Puts a Consent that names a team, whose row says who is in it: nobody when absent. */
  const named = async (id: string, { members = teamOf(), data }: Named): Promise<void> => {
    const { indexer } = await loadDefinitions();
    const { provision, ...consent } = demoConsent(subject());
    const [first] = provision?.actor ?? [];
    const actor = [{ role: first?.role ?? {}, reference: { reference: `CareTeam/${id}` } }];
    const items = data?.map((reference) => ({ meaning: 'instance' as const, reference: { reference } }));
    const said = { ...provision, actor, ...(items === undefined ? {} : { data: items }) };
    const { person } = clinic.anne;
    const origin = { ...filedBy(CLINIC), zone: 'UTC', team: namedTeam(id, members, 'UTC') };
    const facts = { person, subject: subject(), origin };
    const put = putOf(indexer, { ...consent, id: `naming-${id}`, provision: said }, NOW, facts);
    await commitPlan(clinic.stores.records, aPlan({ puts: [put] }));
  };

  it('lets in whom the Consent does not let in yet, whatever the team was, and out whom it has no more', async () => {
    await named('team', { members: teamOf('one', 'two') });
    const [both, three] = [teamOf('one', 'two'), teamOf('one', 'two', 'three')];
    const [of, ofThree] = [
      ['one', 'two'],
      ['one', 'two', 'three'],
    ].map((ids) => ids.map((id) => `Practitioner/${id}`));
    expect(await written(both, both)).to.deep.equal([false, [], 0]);
    expect(await written(both, three)).to.deep.equal([true, [ofThree], 1]);
    expect(await written(three, three), 'it came in while the team was elsewhere').to.deep.equal([true, [ofThree], 1]);
    expect(await written(three, both), 'who goes').to.deep.equal([false, [of], 0]);
    expect(await written(undefined, undefined), 'a team that is gone').to.deep.equal([false, [[]], 0]);
    expect(await written(teamOf('one'), teamOf('one')), 'one is gone').to.deep.equal([
      false,
      [['Practitioner/one']],
      0,
    ]);
  });

  it('hides the Consent from who represents the patient while the team is', async () => {
    await named('hidden', { members: teamOf('one') });
    const security = [maskCoding('representatives')];
    const masked: CareTeam = { ...withCodingsSaid(teamOf('one'), 'server', security) };
    await written(teamOf('one'), masked, 'hidden');
    expect(last).to.deep.equal([['representatives']]);
    await written(teamOf('one'), { ...masked, participant: [] }, 'hidden');
    expect(last).to.deep.equal([['representatives']]);
    await written(masked, teamOf(), 'hidden');
    expect(last).to.deep.equal([[]]);
  });

  it('lets in few at once, times the items; and whoever goes may go', async () => {
    const crowd = (count: number): CareTeam => teamOf(...Array.from({ length: count }, (_, at) => `c${at}`));
    const data = ['a', 'b', 'c'].map((id) => `ImagingStudy/${id}`);
    await named('crowd', { members: crowd(2), data });
    const letIn = async (before: CareTeam | undefined, after: CareTeam | undefined, work?: Work) =>
      await written(before, after, 'crowd', work).catch(({ kind }: { readonly kind: string }) => kind);
    expect(await letIn(crowd(2), crowd(68))).to.have.property('0', true);
    expect(await letIn(crowd(2), crowd(69))).to.equal('too-costly');
    const work = await aWork();
    expect(await letIn(crowd(2), crowd(50), work)).to.have.property('0', true);
    await named('other', { data: ['ImagingStudy/a'] });
    const other = await written(crowd(2), crowd(70), 'other', work).catch(({ kind }: { kind: string }) => kind);
    expect(other, 'with those of the other team').to.equal('too-costly');
    await named('crowd', { members: crowd(100), data });
    expect(await letIn(crowd(100), crowd(90))).to.have.property('0', false);
    expect(await letIn(crowd(100), undefined)).to.have.property('0', false);
  });
});
