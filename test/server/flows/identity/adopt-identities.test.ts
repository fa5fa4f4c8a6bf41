/** What earlier servers knew of people becomes identities: who was joined for good stands by what sources say. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { PersonKey } from '../../../../server/access/requester.ts';
import { adoptIdentities } from '../../../../server/flows/identity/adopt-identities.ts';
import { identityAt } from '../../../../server/flows/identity/identities.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { aPersonKey, aPlan, NOW, SYSTEM } from '../../../support/plans.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { commitPlan } from '../../../support/warrants.ts';

const DOMAIN = 'urn:oid:1.2.3.4';
const CLINIC = 'Organization/clinic';
const REGION = aRegionIndex({ patientIdSystem: DOMAIN, accessionSystem: 'urn:oid:1.2.3.7' });
const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };

describe('Persons of earlier servers (identity.md section 8)', function () {
  this.timeout(30_000);
  let dataDir: string;
  let stores: Awaited<ReturnType<typeof openSqliteStores>>;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-adopted-'));
    stores = await openSqliteStores({ dataDir });
  });
  afterEach(async () => {
    await stores.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** A Patient as an earlier server kept it: a row of the person, and no identity beside it. */
  async function formerPatient(id: string, person: PersonKey): Promise<void> {
    const { indexer } = await loadDefinitions();
    const patient: Patient & { id: string } = {
      resourceType: 'Patient',
      id,
      identifier: [{ system: DOMAIN, value: id }],
      name: [{ use: 'official', family: `Ormélac-${id}`, given: ['Ysoline'] }],
    };
    const facts = { person, subject: `Patient/${id}`, origin: filedBy(CLINIC) };
    const claims = [{ key: claimKey.identity(DOMAIN, id), value: `Patient/${id}` }];
    await commitPlan(stores.records, aPlan({ claims, puts: [putOf(indexer, patient, NOW, facts)] }));
  }

  async function adopt(): Promise<void> {
    const { indexer } = await loadDefinitions();
    const { records } = stores;
    await adoptIdentities({ records, indexer, region: REGION, clock: { now: () => NOW }, log: silent })();
  }

  const personOf = async (id: string): Promise<PersonKey | undefined> =>
    (await identityAt(stores.records, SYSTEM_READING, `Patient/${id}`))?.person;

  it('separates whom no rule would join, and both keep what was said while they were one', async () => {
    const person = aPersonKey();
    await formerPatient('a', person);
    await formerPatient('b', person);
    await commitPlan(stores.records, aPlan({ states: [{ person, change: { withdrawn: true } }] }));
    await adopt();
    const persons = await Promise.all(['a', 'b'].map(personOf));
    expect(new Set(persons)).to.have.property('size', 2);
    for (const one of persons) {
      if (one === undefined) throw new Error('An identity is missing');
      expect(await stores.records.stateOf(SYSTEM, one)).to.include({ withdrawn: true, opposed: false });
    }
  });

  it('is done once, and leaves who was one person by herself under her key', async () => {
    const person = aPersonKey();
    await formerPatient('a', person);
    await adopt();
    await formerPatient('late', aPersonKey());
    await adopt();
    expect(await personOf('a')).to.equal(person);
    expect(await personOf('late')).to.equal(undefined);
  });
});

const SYSTEM_READING = (): typeof SYSTEM => SYSTEM;
