/** A CareTeam that a Consent names: whom a write of it lets in, by what the Consent lets in now (access.md R-16). */
import type { CareTeam, Coding } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../../fixtures/consent.ts';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { maskCoding } from '../../../../profiles/confidentiality.ts';
import { maskedAsExam } from '../../../../profiles/consent/giving/masked-as-exam.ts';
import { namedTeam } from '../../../../profiles/consent/giving/named-team.ts';
import { withCodingsSaid, withState } from '../../../../profiles/said-label.ts';
import { labelOfRow } from '../../../../profiles/types/row-rules.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { hidesFromRepresentatives } from '../../../../server/flows/aside/seen.ts';
import { CIRCLE_HOOK } from '../../../../server/flows/care/circle-hook.ts';
import { followedParts, letsFurther } from '../../../../server/flows/care/named-teams.ts';
import { knownPatient } from '../../../../server/flows/identity/persons.ts';
import { rowById } from '../../../../server/flows/internal-reads.ts';
import { filedBy, joinParts, putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { Work } from '../../../../server/flows/write/work.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
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
  const isHidden = (team: CareTeam | undefined): boolean | undefined =>
    team && hidesFromRepresentatives(labelOfRow('CareTeam', team));
  /** Masks of the Consents that the last write puts. */
  let last: readonly (readonly string[])[] = [];
  /** Whether a write of it lets somebody in, and whom its Consent is to be told to let in. */
  const written = async (before: CareTeam | undefined, after: CareTeam | undefined, id = 'team', of?: Work) => {
    const [work, { person }] = [of ?? (await aWork()), clinic.anne];
    const isFurther = await letsFurther(work, person, id, { before, after });
    const hidden = { wasHidden: isHidden(before), isHidden: isHidden(after) };
    const { puts = [], jobs = [] } = joinParts(
      ...(await followedParts(work, person, id, { before, after, ...hidden })),
    );
    last = puts.map(({ masks }) => masks);
    const members = puts.map(({ team }) => team?.members.map(({ reference }) => reference));
    return [isFurther, members, jobs.length];
  };

  type Named = { readonly members?: CareTeam; readonly data?: readonly string[]; readonly isMasked?: boolean };
  /** Puts a Consent that names a team, whose row says who is in it: nobody when absent. */
  const named = async (id: string, { members = teamOf(), data, isMasked = false }: Named): Promise<void> => {
    const { indexer } = await loadDefinitions();
    const { provision, ...consent } = demoConsent(subject());
    const [first] = provision?.actor ?? [];
    const actor = [{ role: first?.role ?? {}, reference: { reference: `CareTeam/${id}` } }];
    const items = data?.map((reference) => ({ meaning: 'instance' as const, reference: { reference } }));
    const said = { ...provision, actor, ...(items === undefined ? {} : { data: items }) };
    const { person } = clinic.anne;
    const origin = { ...filedBy(CLINIC), zone: 'UTC', team: namedTeam(id, members, 'UTC') };
    const facts = { person, subject: subject(), origin };
    const naming = maskedAsExam({ ...consent, id: `naming-${id}`, provision: said }, isMasked);
    const put = putOf(indexer, naming, NOW, facts);
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

  /** Works a team out under an id, in place of the one that it puts there before: none when absent. */
  const worked = async (id: string, standing: CareTeam | undefined, sent: CareTeam) => {
    const { stores, region, visitOf, anne } = clinic;
    const { person } = anne;
    const { deps, ...work } = await aWork();
    if (standing !== undefined) {
      const facts = { person, subject: subject(), origin: filedBy(CLINIC) };
      const put = putOf(deps.indexer, { ...standing, id }, NOW, facts);
      await commitPlan(stores.records, aPlan({ puts: [put] }));
    }
    const resource = { ...sent, id };
    const placed = {
      act: { interaction: 'update', type: 'CareTeam', id, resource },
      id,
      standing: await rowById(stores.records, work.reading, 'CareTeam', id),
    } as const;
    const known = await knownPatient(stores.records, work.reading, subject());
    const of = { ...work, deps: { ...deps, region }, visit: visitOf('clinic', 'fhir') };
    return (await CIRCLE_HOOK.parts(of, { placed, resource, known })).parts;
  };
  const labelled = (security: readonly Coding[], team: CareTeam = teamOf('one')): CareTeam =>
    withCodingsSaid(team, 'source', security);
  const [INVISIBLE, HER] = [maskCoding('representatives'), maskCoding('patient')];
  const PRIVATE: Coding = { system: CODE_SYSTEM.confidentiality, code: 'V' };

  it('leaves the Consent hidden that was when it was declared, by whatever hides the team', async () => {
    for (const [at, [standing, sent]] of [
      [labelled([PRIVATE]), labelled([PRIVATE])],
      [labelled([HER]), labelled([HER])],
      // Nobody sends a state.
      [withState(teamOf('one'), 'restricted', true), teamOf('one')],
    ].entries()) {
      const id = `kept-${at}`;
      await named(id, { members: teamOf('one'), isMasked: true });
      const { puts: [own, ...others] = [] } = await worked(id, standing, { ...(sent ?? teamOf()), name: 'RCP' });
      expect([own?.type, others], `${at}`).to.deep.equal(['CareTeam', []]);
    }
  });

  it('brings the Consent to a team that is sent again as it is', async () => {
    await named('again', { isMasked: true });
    const team = labelled([PRIVATE], teamOf('later'));
    const { puts = [] } = await worked('again', team, team);
    expect(puts.map(({ type, masks }) => [type, masks])).to.deep.equal([['Consent', ['representatives']]]);
  });

  it('takes its turn where representatives see it otherwise, though no Consent names it yet', async () => {
    const turns = async (id: string, standing: CareTeam | undefined, sent: CareTeam): Promise<boolean> => {
      const { claims = [] } = await worked(id, standing, { ...sent, name: 'RCP' });
      return claims.some(({ key }) => key === claimKey.team(id));
    };
    for (const security of [[INVISIBLE], [HER], [PRIVATE]])
      expect(await turns('unnamed', teamOf('one'), labelled(security))).to.equal(true);
    expect(await turns('unnamed', labelled([PRIVATE]), teamOf('one'))).to.equal(true);
    expect(await turns('unnamed', labelled([PRIVATE]), labelled([HER])), 'hidden as before').to.equal(false);
    expect(await turns('unnamed', teamOf('one'), teamOf('one'))).to.equal(false);
    expect(await turns('new', undefined, labelled([INVISIBLE], teamOf()))).to.equal(true);
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
