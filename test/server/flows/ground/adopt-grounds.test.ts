/** Items of an earlier server, which asked for no ground, once this one has taken its data over (identity.md 8). */
import { setTimeout as pause } from 'node:timers/promises';
import type { List, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { toPatient } from '../../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../../fixtures/people.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import { onFreshStores } from '../../../support/data-folder/fresh-stores.ts';
import {
  aGrant,
  anEstablishmentGrant,
  anId,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aRight,
} from '../../../support/plans.ts';
import { read } from '../../../support/reads.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { commitPlan } from '../../../support/warrants.ts';

const { organization } = ESTABLISHMENTS.nancy;
const HOUR = 3_600_000;

describe('Items that an earlier server shared without a ground', function () {
  this.timeout(30_000);
  const stores = onFreshStores('adopt-grounds');

  /** Patients are informed since `since`. The clock is that of the store. */
  async function takeOver(since: number, establishments: readonly string[] = [organization]): Promise<void> {
    const region = aRegionIndex(
      { patientIdSystem: 'urn:oid:2.25.1', accessionSystem: 'urn:oid:2.25.2' },
      { establishments, informs: (_organization, at) => since <= at },
    );
    await stores.takeOver(region);
  }

  /** A list of hers, in two versions, and who sees it. */
  async function kept(): Promise<{
    readonly subject: string;
    readonly between: number;
    readonly seen: () => Promise<string>;
  }> {
    const person = aPersonKey();
    const patient: Patient & { id: string } = { ...toPatient(PATIENTS.helene, ESTABLISHMENTS.nancy), id: anId() };
    const subject = `Patient/${patient.id}`;
    const list: List & { id: string } = {
      resourceType: 'List',
      id: anId(),
      status: 'current',
      mode: 'working',
      subject: { reference: subject },
    };
    const now = Date.now();
    const facts = { person, subject, released: true, origin: filedBy(organization) };
    const puts = [putOf(stores.indexer, patient, now, facts), putOf(stores.indexer, list, now, facts)];
    await commitPlan(stores.records, aPlan({ puts, rights: [aRight({ person })] }));
    await pause(5);
    const between = Date.now();
    await commitPlan(stores.records, aPlan({ puts: [putOf(stores.indexer, { ...list, title: 'Liste' }, now, facts)] }));
    const grants = {
      declared: aGrant('Practitioner/lambert'),
      patient: aPatientGrant(person),
      author: anEstablishmentGrant(organization),
    };
    const seen = async (): Promise<string> => {
      const names: string[] = [];
      for (const [name, grant] of Object.entries(grants))
        if ((await read(stores.records, grant, { type: 'List', id: list.id })) !== undefined) names.push(name);
      return names.join();
    };
    return { subject, between, seen };
  }

  it('are hidden where the establishment informs nobody, or began later than it filed them', async () => {
    const { seen } = await kept();
    expect(await seen()).to.equal('declared,patient,author');
    await takeOver(Date.now() + HOUR);
    expect(await seen()).to.equal('patient,author');
  });

  it('count from the day of their first version', async () => {
    const { between, seen } = await kept();
    await takeOver(between);
    expect(await seen()).to.equal('patient,author');
  });

  it('stay shared where the establishment informed its patients when it filed them', async () => {
    const { seen } = await kept();
    await takeOver(Date.now() - HOUR);
    expect(await seen()).to.equal('declared,patient,author');
  });

  it('stay shared where the establishment has recorded that it informed her', async () => {
    const { subject, seen } = await kept();
    const claims = [{ key: claimKey.informed(organization, subject), value: 'consent' }];
    await commitPlan(stores.records, aPlan({ claims }));
    await takeOver(Infinity);
    expect(await seen()).to.equal('declared,patient,author');
  });

  it('stay as they are where the region file names the establishment no more', async () => {
    const { seen } = await kept();
    await takeOver(Infinity, ['Organization/other']);
    expect(await seen()).to.equal('declared,patient,author');
  });
});
