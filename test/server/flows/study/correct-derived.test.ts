/** What is brought up to date after a correction, however much there is of her, and which corrections ask for it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { fileWhatIsJoined } from '../../../../server/flows/aside/settle-study.ts';
import { identityAt } from '../../../../server/flows/identity/identities.ts';
import { placeIdentity } from '../../../../server/flows/identity/place-identity.ts';
import { correctDerived } from '../../../../server/flows/study/correct-derived.ts';
import type { JobKind } from '../../../../server/ports/job-queue.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openFileImages } from '../../../../server/stores/files/image-store.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { registerIdentity } from '../../../support/identities.ts';
import { aPlan, aStudyPut, aUid, NOW, SYSTEM } from '../../../support/plans.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { commitPlan } from '../../../support/warrants.ts';

const REGION = aRegionIndex({ patientIdSystem: 'urn:oid:1.2.3.4', accessionSystem: 'urn:oid:1.2.3.7' });
const SAID: Patient & { readonly id: string } = {
  resourceType: 'Patient',
  id: 'corrected',
  identifier: [{ system: 'urn:oid:1.2.3.4', value: 'C-1' }],
  name: [{ family: 'Ormélac', given: ['Ysoline'] }],
  gender: 'female',
  birthDate: '1979-05-14',
};
/** More than one page, and more than one search gives. */
const MANY = 1_050;

describe('A correction of an identity (IHE PIXm ITI-104)', function () {
  this.timeout(60_000);
  let clinic: Awaited<ReturnType<typeof openClinic>>;
  beforeEach(async () => {
    clinic = await openClinic();
  });
  afterEach(async () => await clinic.close());

  async function openClinic() {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-corrected-'));
    const { records, jobs, close } = await openSqliteStores({ dataDir });
    const { indexer } = await loadDefinitions();
    const deps = { records, indexer, clock: { now: () => NOW }, region: REGION };
    const own = { system: 'urn:oid:1.2.3.4', value: 'C-1' };
    const person = await registerIdentity(deps, { source: 'Organization/clinic', own, said: SAID });
    return {
      deps: { ...deps, images: await openFileImages({ dataDir }) },
      person,
      /** Files exams of hers under an identity, and gives their Study Instance UIDs. */
      exams: async (count: number, subject: string): Promise<readonly string[]> => {
        const uids = Array.from({ length: count }, aUid);
        await commitPlan(records, aPlan({ puts: uids.map((uid) => aStudyPut(uid, { person, subject })) }));
        return uids.toSorted();
      },
      asked: async (kind: JobKind): Promise<readonly string[]> => {
        const first = await jobs.list({ kind, limit: 1_000 }, NOW);
        const last = first.at(-1);
        const more = last === undefined ? [] : await jobs.list({ kind, after: last, limit: 1_000 }, NOW);
        return [...first, ...more].map(({ subject }) => subject).toSorted();
      },
      /** Kinds of jobs that the identity asks for when it is said anew. */
      askedBy: async (said: Partial<Patient>): Promise<readonly string[]> => {
        const standing = await identityAt(records, () => SYSTEM, 'Patient/corrected');
        if (standing === undefined) throw new Error('The identity does not stand');
        const content = { ...standing.content, said: { ...SAID, ...said } };
        const { parts } = await placeIdentity(deps, { content, standing }, NOW);
        return (parts.jobs ?? []).map(({ kind, subject }) => `${kind} ${subject}`);
      },
      close: async () => {
        await close();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  }

  it('asks for every exam that was filed under it, and for none of another identity of the person', async () => {
    const filed = await clinic.exams(MANY, 'Patient/corrected');
    await clinic.exams(3, 'Patient/other');
    await correctDerived(clinic.deps)('corrected');
    expect(await clinic.asked('refresh-study')).to.deep.equal(filed);
    await correctDerived(clinic.deps)('nobody');
    expect(await clinic.asked('refresh-study')).to.deep.equal(filed);
  });

  it('asks, like a join, for more exams than one search gives', async () => {
    const filed = await clinic.exams(MANY, 'Patient/corrected');
    await fileWhatIsJoined(clinic.deps)(clinic.person);
    expect(await clinic.asked('refresh-study')).to.deep.equal(filed);
  });

  for (const [what, said] of Object.entries<Partial<Patient>>({
    'a name': { name: [{ family: 'Ormélac-Vey', given: ['Ysoline'] }] },
    'a birth date': { birthDate: '1979-05-15' },
    'a sex': { gender: 'male' },
    'a number': { identifier: [...(SAID.identifier ?? []), { system: 'urn:oid:1.2.9', value: '7' }] },
  }))
    it(`asks for what was derived under it: ${what}`, async () => {
      expect(await clinic.askedBy(said)).to.deep.equal(['correct-identity corrected']);
    });

  it('asks for nothing where no document says it', async () => {
    expect(await clinic.askedBy({ telecom: [{ system: 'phone', value: '+33 4' }], active: true })).to.deep.equal([]);
  });
});
