/** A study after persons were joined or separated: what was kept aside is filed, what is another's is kept aside. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImagingStudy, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { systemGrant } from '../../../../server/access/grant.ts';
import { personKey, type PersonKey } from '../../../../server/access/requester.ts';
import { listFormerAside } from '../../../../server/flows/aside/former-aside.ts';
import { listKeptAside } from '../../../../server/flows/aside/list-kept-aside.ts';
import { fileWhatIsJoined } from '../../../../server/flows/aside/settle-study.ts';
import { findAll } from '../../../../server/flows/internal-reads.ts';
import { fileInstance } from '../../../../server/flows/intake/file-instance.ts';
import { studyIdentifier } from '../../../../profiles/imaging/identifiers.ts';
import { putOf } from '../../../../server/flows/write/plan-parts.ts';
import { receiveBytes } from '../../../../server/flows/intake/receive-bytes.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import type { InstanceRow, Move, QuarantinedInstance } from '../../../../server/ports/commit-plan.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openFileImages } from '../../../../server/stores/files/image-store.ts';
import { openWriter } from '../../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { storedBlobs } from '../../../hostile/kill/data-folder.ts';
import { element, hostileDataSet, hostileUids } from '../../../hostile/dicom/raw-data-set.ts';
import { aPlan, NOW, SYSTEM } from '../../../support/plans.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { aSending, commitPlan } from '../../../support/warrants.ts';

const [MAKER, OTHER] = ['Organization/maker', 'Organization/other'];
const STUDY = uidOf('settled');
const CT = `${DICOM_UID.storageClassPrefix}2`;
const SYSTEMS = { accessionSystem: 'urn:oid:1.2.3.7' };
const systemOf = (organization: string): string => (organization === MAKER ? 'urn:oid:1.2.3.4' : 'urn:oid:1.2.3.5');
const REGION = aRegionIndex(
  { patientIdSystem: '', ...SYSTEMS },
  {
    domainOf: (organization) => ({
      organization,
      ...SYSTEMS,
      patientIdSystem: systemOf(organization),
      qualifies: [],
      informsPatients: '2000-01-01',
    }),
  },
);

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('A study after a join or a separation (identity.md 4)', function () {
  this.timeout(60_000);
  let clinic: Awaited<ReturnType<typeof openClinic>>;
  beforeEach(async () => {
    clinic = await openClinic();
  });
  afterEach(async () => await clinic.close());

  async function openClinic() {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-settled-'));
    const { records, trail, jobs, close } = await openSqliteStores({ dataDir });
    const images = await openFileImages({ dataDir });
    const { indexer } = await loadDefinitions();
    const deps = { records, images, indexer, clock: { now: () => NOW }, region: REGION };
    const take = receiveBytes({ images, patientIdSystemOf: systemOf });
    const receive = fileInstance({ ...deps, quietPeriodMs: 60_000 });
    const settle = fileWhatIsJoined(deps);
    return {
      records,
      settle,
      list: async () => await listKeptAside(deps)(STUDY),
      former: listFormerAside(deps),
      tasks: async () =>
        (await findAll<Task>(records, SYSTEM, 'Task', [])).map(({ row, resource }) => ({ row, resource })),
      send: async (organization: string, name: string, patient: string, changes: Record<string, Buffer> = {}) => {
        const bytes = hostileDataSet(name, {
          '00080016': element('00080016', 'UI', CT),
          '00100020': element('00100020', 'LO', patient),
          '0020000D': element('0020000D', 'UI', STUDY),
          '0020000E': element('0020000E', 'UI', uidOf('settled/series')),
          ...changes,
        });
        const { sopInstanceUID } = hostileUids(name);
        const announced = { sopClassUID: CT, sopInstanceUID, transferSyntaxUID: DICOM_UID.explicitLittleEndian };
        const receiving = take({ peer: { organization }, ...announced });
        await receiving.write(bytes);
        return (await receive(await receiving.finish(), aSending(organization))).outcome;
      },
      instances: async (): Promise<readonly InstanceRow[]> => {
        const place = { studyInstanceUID: STUDY, omitMetadata: true, offset: 0, limit: 100 } as const;
        return (await records.peek(SYSTEM, { kind: 'instances', ...place })).instances;
      },
      aside: async (): Promise<QuarantinedInstance[]> => await allOf(records.quarantined(SYSTEM)),
      personOf: async (organization: string, patient: string): Promise<PersonKey> => {
        const reference = await records.claimed(SYSTEM, claimKey.identity(systemOf(organization), patient));
        const [, id = ''] = reference?.split('/') ?? [];
        const row = await records.peek(SYSTEM, { kind: 'resource', type: 'Patient', id });
        return row?.person ?? personKey('nobody');
      },
      /** By their Patients: one is of the maker, the other of the other. */
      join: async (home: PersonKey, to: PersonKey): Promise<Move> => {
        const [identity = '', patient = ''] = await Promise.all(
          [systemOf(OTHER), systemOf(MAKER)].map(async (system, at) =>
            records.claimed(SYSTEM, claimKey.identity(system, ['O-1', 'M-1'][at] ?? '')),
          ),
        );
        return { identity, home, from: home, to, patient };
      },
      derive: async (person: PersonKey, subject: string) => {
        const study: ImagingStudy = {
          resourceType: 'ImagingStudy',
          id: 'study',
          status: 'available',
          subject: { reference: subject },
          identifier: [studyIdentifier(STUDY)],
        };
        await commitPlan(records, aPlan({ puts: [putOf(indexer, study, NOW, { person, subject })] }));
      },
      /** As an earlier server kept it: not of whom. */
      sentAgainBy: (source: string, sopInstanceUID: string): void => {
        const db = openWriter(join(dataDir, 'records.sqlite'));
        const further = JSON.stringify([{ source }]);
        db.run('UPDATE instance SET further_sources = ? WHERE sop_instance_uid = ?', further, sopInstanceUID);
        db.close();
      },
      refreshes: async () => (await jobs.list({ kind: 'refresh-study', limit: 10 }, NOW)).map(({ subject }) => subject),
      settlements: async () =>
        (await jobs.list({ kind: 'settle-person', limit: 10 }, NOW)).map(({ subject }) => subject),
      blobs: async () => [await storedBlobs(dataDir), await allOf(records.blobNames(SYSTEM))].map((one) => one.sort()),
      close: async () => {
        await images.close();
        await close();
        await trail.head().catch(() => undefined);
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  }

  /** The maker sends one instance, the other two further ones of a patient whom nobody has joined yet. */
  const contradicted = async () => {
    expect(await clinic.send(MAKER, 'first', 'M-1')).to.equal('stored');
    for (const name of ['second', 'third']) expect(await clinic.send(OTHER, name, 'O-1')).to.equal('quarantined');
    return { owner: await clinic.personOf(MAKER, 'M-1'), named: await clinic.personOf(OTHER, 'O-1') };
  };

  it('takes up what was kept aside of whoever became the same person, and nothing before', async () => {
    const { owner, named } = await contradicted();
    expect((await clinic.aside()).map(({ reason, person }) => [reason, person])).to.deep.equal([
      ['other-patient', named],
      ['other-patient', named],
    ]);
    for (const person of [owner, named]) await clinic.settle(person);
    expect(await clinic.aside()).to.have.length(2);
    await commitPlan(clinic.records, aPlan({ moves: [await clinic.join(named, owner)] }));
    await clinic.settle(owner);
    expect(await clinic.aside()).to.deep.equal([]);
    const instances = await clinic.instances();
    expect(instances.map(({ source, person }) => [source, person]).sort()).to.deep.equal([
      [MAKER, owner],
      [OTHER, owner],
      [OTHER, owner],
    ]);
    expect(await clinic.refreshes()).to.include(STUDY);
    // A separation takes them out again of the study, which has been derived since.
    const back = await clinic.join(named, owner);
    await clinic.derive(owner, back.patient);
    await commitPlan(clinic.records, aPlan({ moves: [{ ...back, from: owner, to: named, patient: back.identity }] }));
    await clinic.settle(owner);
    await clinic.settle(named);
    expect((await clinic.instances()).map(({ source }) => source)).to.deep.equal([MAKER]);
    expect((await clinic.aside()).map(({ reason, person, subject }) => [reason, person, subject])).to.deep.equal(
      Array.from({ length: 2 }, () => ['other-patient', named, back.identity]),
    );
    const [stored, referred] = await clinic.blobs();
    expect(stored).to.deep.equal(referred);
  });

  it('leaves with the study, with bytes of its own, what a source sent of whom is not known', async () => {
    const { owner, named } = await contradicted();
    const move = await clinic.join(named, owner);
    await commitPlan(clinic.records, aPlan({ moves: [move] }));
    await clinic.settle(owner);
    await clinic.derive(owner, move.patient);
    const second = (await clinic.instances()).find(({ source }) => source === OTHER);
    clinic.sentAgainBy('Organization/third', second?.sopInstanceUID ?? '');
    await commitPlan(clinic.records, aPlan({ moves: [{ ...move, from: owner, to: named, patient: move.identity }] }));
    await Promise.all([owner, named, owner].map(async (person) => await clinic.settle(person)));
    const instances = await clinic.instances();
    expect(instances.map(({ source, subject, person }) => [source, subject, person]).sort()).to.deep.equal([
      [MAKER, move.patient, owner],
      ['Organization/third', move.patient, owner],
    ]);
    expect((await clinic.aside()).map(({ source, person }) => [source, person])).to.deep.equal([
      [OTHER, named],
      [OTHER, named],
    ]);
    const [stored, referred] = await clinic.blobs();
    expect(referred).to.have.length(4);
    expect(stored).to.deep.equal(referred);
  });

  it('keeps the bytes of what several settle at once: each person of a join has a job of her own', async () => {
    const { owner, named } = await contradicted();
    await commitPlan(clinic.records, aPlan({ moves: [await clinic.join(named, owner)] }));
    await Promise.all(Array.from({ length: 4 }, async () => await clinic.settle(owner)));
    expect([await clinic.aside(), (await clinic.instances()).length]).to.deep.equal([[], 3]);
    const [stored, referred] = await clinic.blobs();
    expect(referred).to.have.length(3);
    expect(stored).to.deep.equal(referred);
  });

  it('keeps aside as other data what stands otherwise, and drops what stands already', async () => {
    await clinic.send(MAKER, 'first', 'M-1');
    await clinic.send(OTHER, 'first', 'O-1');
    const { owner, named } = {
      owner: await clinic.personOf(MAKER, 'M-1'),
      named: await clinic.personOf(OTHER, 'O-1'),
    };
    await commitPlan(clinic.records, aPlan({ moves: [await clinic.join(named, owner)] }));
    await clinic.settle(owner);
    expect((await clinic.aside()).map(({ reason, person }) => [reason, person])).to.deep.equal([
      ['other-data-set', owner],
    ]);
    expect(await clinic.instances()).to.have.length(1);
  });

  it('takes up nothing of a person who is opposed', async () => {
    const { owner, named } = await contradicted();
    await commitPlan(clinic.records, aPlan({ moves: [await clinic.join(named, owner)] }));
    await commitPlan(clinic.records, aPlan({ states: [{ person: owner, change: { opposed: true } }] }));
    await clinic.settle(owner);
    expect(await clinic.aside()).to.have.length(2);
  });

  it('keeps aside again what is another person’s since, under the identity that its image names', async () => {
    const { owner, named } = await contradicted();
    const [kept] = await clinic.aside();
    if (kept === undefined) throw new Error('Nothing is kept aside');
    // As a separation leaves it: an instance of the study that is another person's.
    const [first] = await clinic.instances();
    if (first === undefined) throw new Error('No instance');
    const { sopInstanceUID, blob, dataSetDigest, source, subject = '' } = kept;
    const stranger: InstanceRow = { ...first, sopInstanceUID, blob, dataSetDigest, source, subject, person: named };
    await commitPlan(clinic.records, aPlan({ erased: [{ quarantined: [kept] }], instances: [stranger] }), [named]);
    await clinic.settle(named);
    expect((await clinic.instances()).map(({ person }) => person)).to.deep.equal([owner]);
    const again = (await clinic.aside()).find((one) => one.sopInstanceUID === sopInstanceUID);
    expect(again).to.deep.include({ reason: 'other-patient', person: named, subject: kept.subject, source: OTHER });
    const [stored, referred] = await clinic.blobs();
    expect(stored).to.deep.equal(referred);
  });

  it('lists what an earlier server kept aside of nobody, under the identity that it names', async () => {
    const { named } = await contradicted();
    const [one, ...others] = await clinic.aside();
    if (one === undefined) throw new Error('Nothing is kept aside');
    const { subject, person: _person, ...former } = one;
    await commitPlan(clinic.records, aPlan({ erased: [{ quarantined: [one, ...others] }], quarantined: [former] }));
    expect(await clinic.aside()).to.deep.equal([former]);
    await clinic.former();
    expect(await clinic.refreshes()).to.deep.equal([STUDY]);
    await clinic.list();
    expect(await clinic.aside()).to.deep.equal([{ ...former, subject, person: named }]);
    const [{ row, resource } = { row: undefined, resource: undefined }, ...more] = await clinic.tasks();
    expect(more).to.deep.equal([]);
    expect([row?.person, row?.subject]).to.deep.equal([named, subject]);
    expect(resource).to.deep.include({ status: 'requested', requester: { reference: OTHER } });
    await clinic.list();
    expect(
      (await clinic.tasks()).map(({ row: { version } }) => version),
      'written once',
    ).to.deep.equal([1]);
  });

  it('lists what names a patient of somebody else under a key by which its bytes are found, too', async () => {
    const foreign = { '00100021': element('00100021', 'LO', '1.2.3.99') };
    for (const name of ['one', 'two'])
      expect(await clinic.send(OTHER, `settled/${name}`, 'O-1', foreign)).to.equal('quarantined');
    const before = await clinic.aside();
    expect(before.map(({ reason, person }) => [reason, person])).to.deep.equal(
      before.map(() => ['foreign-issuer', undefined]),
    );
    await clinic.former();
    expect(await clinic.refreshes()).to.deep.equal([STUDY]);
    await clinic.list();
    const [task, ...more] = await clinic.tasks();
    const person = task?.row.person ?? personKey('nobody');
    expect([more.length, task?.row.subject]).to.deep.equal([0, undefined]);
    const grant = systemGrant('clear-aside', { person }, NOW);
    expect(await allOf(clinic.records.quarantined(grant))).to.deep.equal(before.map((one) => ({ ...one, person })));
    await clinic.list();
    expect((await clinic.tasks()).map(({ row }) => [row.person, row.version])).to.deep.equal([[person, 1]]);
  });

  it('takes up what an earlier server kept aside because it came from another establishment', async () => {
    const { owner, named } = await contradicted();
    const all = await clinic.aside();
    const former = all.map(({ subject: _subject, person: _person, ...one }): QuarantinedInstance => ({
      ...one,
      reason: 'other-establishment',
    }));
    await commitPlan(clinic.records, aPlan({ erased: [{ quarantined: all }], quarantined: former }));
    await commitPlan(clinic.records, aPlan({ moves: [await clinic.join(named, owner)] }));
    await clinic.list();
    expect(await clinic.settlements()).to.deep.equal([owner]);
    await clinic.settle(owner);
    expect(await clinic.aside()).to.deep.equal([]);
    expect(await clinic.instances()).to.have.length(3);
  });
});
