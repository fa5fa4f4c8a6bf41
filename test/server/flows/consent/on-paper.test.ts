/** What a desk may end by a paper, told from what stands of a patient (access.md C10). */
import { expect } from 'chai';
import type { Consent, RelatedPerson } from '@medplum/fhirtypes';
import { buildConsentChange, type PrivacyConsent } from '../../../../profiles/consent/privacy-consent.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { standingOnPaper, type OnPaper } from '../../../../server/flows/consent/paper/standing-on-paper.ts';
import { readSharing } from '../../../../server/flows/consent/sharing-parts.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { registerIdentity } from '../../../support/identities.ts';
import { aPlan, NOW } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { CLINIC, openClinic, type Clinic } from '../../endpoints/clinic.ts';

const LEFT = 'Organization/left';
const BEFORE = NOW - 3_600_000;

/** Nobody's sign-in is in the trail: it was cut. */
describe('What a paper ends', () => {
  let clinic: Clinic;
  before(async () => {
    clinic = await openClinic();
  });
  after(async () => await clinic?.close());

  /** What a paper ends that was recorded an hour ago, of a patient who said each at its time. */
  async function standing(
    id: string,
    ...said: readonly (readonly [at: number, facts: { organization?: string; performer?: string }])[]
  ): Promise<OnPaper> {
    const { records } = clinic.stores;
    const { indexer } = await loadDefinitions();
    const { region } = clinic;
    const clock = { now: () => NOW };
    const patient = `Patient/${id}`;
    const person = await registerIdentity(
      { records, indexer, region },
      {
        source: CLINIC,
        own: { system: 'urn:oid:1.2.3.4', value: id },
        said: { resourceType: 'Patient', id, name: [{ family: 'Enfant', given: [id] }], birthDate: '2020-02-03' },
      },
    );
    const filed = { person, subject: patient, origin: filedBy(patient) };
    const related: RelatedPerson & { readonly id: string } = {
      resourceType: 'RelatedPerson',
      id: `of-${id}`,
      identifier: [{ system: 'urn:oid:2.25.77', value: id }],
      active: true,
      patient: { reference: patient },
      relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'MTH' }] }],
    };
    const consents = said.map(([at, facts], index): PrivacyConsent =>
      buildConsentChange({ id: `${id}-${index}`, patient, change: 'withdraw', now: at, ...facts }),
    );
    const puts = consents.map((consent: Consent & { readonly id: string }, index) =>
      putOf(indexer, consent, said[index]?.[0] ?? NOW, filed),
    );
    const states = [{ person, change: { withdrawn: true } }];
    await commitPlan(
      records,
      aPlan({
        puts: [
          putOf(indexer, related, NOW, { ...filed, origin: { ...filed.origin, represents: true, zone: 'UTC' } }),
          ...puts,
        ],
        states,
      }),
    );
    const deps = { records, clock, timeZone: 'UTC', region };
    const stands = await readSharing(records, systemReading('change-consent', NOW), person, NOW);
    expect(stands.sharing.denials).to.have.lengthOf(said.length);
    const reading = systemReading('decide-at-desk', NOW);
    // The store says itself when each was written.
    const at = (row: string): number => said[consents.findIndex(({ id: one }) => one === row)]?.[0] ?? NOW;
    const rows = new Map([...stands.rows].map(([row, one]) => [row, { ...one, updated: at(row) }]));
    return await standingOnPaper(deps, reading, { person, patient }, { ...stands, rows }, BEFORE);
  }

  it('is nothing that she said in her account, or who represents her now, whatever the trail holds', async () => {
    const own = await standing('own', [BEFORE, {}]);
    expect([own.isHers, own.ended]).to.deep.equal([true, []]);
    const parent = await standing('parent', [BEFORE, { performer: 'RelatedPerson/of-parent' }]);
    expect([parent.isHers, parent.ended]).to.deep.equal([true, []]);
    const former = await standing('former', [BEFORE, { performer: 'RelatedPerson/gone' }]);
    expect([former.isHers, former.ended.length]).to.deep.equal([false, 1]);
  });

  it('is nothing that was said after it was recorded', async () => {
    const facts = { performer: 'RelatedPerson/gone' };
    const { ended, left } = await standing(
      'later',
      [BEFORE, facts],
      [BEFORE + 1, facts],
      [BEFORE + 2, { organization: LEFT }],
    );
    expect([ended, left].map((some) => some.map(({ id }) => id).toSorted())).to.deep.equal([
      ['later-0'],
      ['later-1', 'later-2'],
    ]);
  });
});
