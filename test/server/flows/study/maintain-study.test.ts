/**
 * What is derived from a study, whatever the order in which its instances came and how often it was derived meanwhile.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiagnosticReport, DocumentReference, ImagingStudy, Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { DICOM_UID, oidUri } from '../../../../profiles/codes.ts';
import { maintainStudy } from '../../../../server/flows/study/maintain-study.ts';
import { fileInstance } from '../../../../server/flows/intake/file-instance.ts';
import type { PersonKey } from '../../../../server/access/requester.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { QuarantinedInstance } from '../../../../server/ports/commit-plan.ts';
import { findAll, type Found } from '../../../../server/flows/internal-reads.ts';
import { receiveBytes } from '../../../../server/flows/intake/receive-bytes.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openFileImages } from '../../../../server/stores/files/image-store.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { openTrail } from '../../../flows/support/trail.ts';
import { storedBlobs } from '../../../hostile/kill/data-folder.ts';
import { hostileUids } from '../../../hostile/dicom/raw-data-set.ts';
import { eventually } from '../../../support/clients/fhir-caller.ts';
import { aPersonKey, aPlan, NOW, SYSTEM } from '../../../support/plans.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { aSending, commitPlan } from '../../../support/warrants.ts';
import { INSTANCES, STUDY, type Sent } from './maintained-instances.ts';

const CLINIC = 'Organization/clinic';
const REGION = aRegionIndex({ patientIdSystem: 'urn:oid:1.2.3.4', accessionSystem: 'urn:oid:1.2.3.7' });

function aReport(study: string, subject: string): DiagnosticReport & { id: string } {
  return {
    resourceType: 'DiagnosticReport',
    id: randomUUID(),
    status: 'final',
    code: { text: 'Compte rendu' },
    issued: new Date(NOW).toISOString(),
    subject: { reference: subject },
    performer: [{ reference: CLINIC }],
    imagingStudy: [{ identifier: { system: 'urn:dicom:uid', value: oidUri(study) } }],
    presentedForm: [{ url: 'http://localhost/fhir/Binary/form', contentType: 'application/pdf' }],
  };
}

/** The addresses of viewers within a resource. */
function viewers({ contained = [] }: ImagingStudy | DocumentReference): (string | undefined)[] {
  return contained.flatMap((one) => (one.resourceType === 'Endpoint' ? [one.address] : []));
}

function leaveOutViewers(_name: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const kept = value.filter((item: object) => !JSON.stringify(item).includes('"Endpoint"'));
  return kept.length === 0 ? undefined : kept;
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('Maintenance of a study', function () {
  this.timeout(60_000);

  async function openImaging() {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-maintained-'));
    const { records, trail, close } = await openSqliteStores({ dataDir });
    const images = await openFileImages({ dataDir });
    const { indexer, validate } = await loadDefinitions();
    const deps = { records, trail, images, indexer, clock: { now: () => NOW }, region: REGION };
    const take = receiveBytes({ images, patientIdSystemOf: () => 'urn:oid:1.2.3.4' });
    const receive = fileInstance({ ...deps, quietPeriodMs: 60_000 });
    const told: string[] = [];
    const study = {
      ...deps,
      timeZone: 'Europe/Paris',
      repositoryUniqueId: '1.2',
      retrieveAETitle: 'A',
      publicUrl: () => 'http://localhost',
      endpoint: 'Endpoint/wado',
      alert: ({ reason }: QuarantinedInstance, why: string) => told.push(`${reason}: ${why}`),
    };
    const maintain = maintainStudy(study);
    const where = [{ kind: 'token', param: 'identifier', values: [{ code: oidUri(STUDY) }] }] as const;
    return {
      maintain: async (closing = false) => await maintain(STUDY, closing),
      /** Closes, and does something once between what is read for that and what is written. */
      closeAfter: async (meanwhile: () => Promise<void>) => {
        let isDone = false;
        const commit: typeof records.commit = async (...plan) => {
          if (!isDone) {
            isDone = true;
            await meanwhile();
          }
          return await records.commit(...plan);
        };
        const interrupted = new Proxy<typeof records>(records, {
          get: (_, name) => {
            const member: unknown = name === 'commit' ? commit : Reflect.get(records, name);
            return typeof member === 'function' ? (member.bind(records) as unknown) : member;
          },
        });
        await maintainStudy({ ...study, records: interrupted })(STUDY, true);
      },
      /** Files a validated report that names the study, of a person and her Patient. */
      report: async (person: PersonKey, subject: string) => {
        const report = aReport(STUDY, subject);
        const clinic = { resourceType: 'Organization', id: 'clinic', name: 'Clinique' } as const;
        const origin = filedBy(CLINIC);
        const puts = [putOf(indexer, report, NOW, { person, subject, origin }), putOf(indexer, clinic, NOW)];
        await commitPlan(records, aPlan({ puts }));
      },
      /** `metadata`: what is stored in the place of the words that the header was put into. */
      receive: async ({ name, sopClassUID, bytes }: Sent, metadata?: string) => {
        const receiving = take({
          peer: { organization: CLINIC },
          sopClassUID,
          sopInstanceUID: hostileUids(name).sopInstanceUID,
          transferSyntaxUID: DICOM_UID.explicitLittleEndian,
        });
        await receiving.write(bytes);
        const { unfiled, durable } = await receiving.finish();
        const row = { ...unfiled.row, ...(metadata === undefined ? {} : { metadata }) };
        await receive({ unfiled: { ...unfiled, row }, durable }, aSending(CLINIC));
      },
      /** What was told of instances that were put aside. */
      told: () => told,
      aside: async (): Promise<QuarantinedInstance[]> => await allOf(records.quarantined(SYSTEM)),
      blobNames: async (): Promise<string[]> => await allOf(records.blobNames(SYSTEM)),
      storedBlobs: async (): Promise<string[]> => await storedBlobs(dataDir),
      events: async () => {
        const reader = await openTrail('sqlite', dataDir);
        try {
          return await reader.eventsNaming(STUDY);
        } finally {
          await reader.close();
        }
      },
      studies: async () => await findAll<ImagingStudy>(records, SYSTEM, 'ImagingStudy', where),
      study: async (): Promise<Found<ImagingStudy>> => {
        const [found] = await findAll<ImagingStudy>(records, SYSTEM, 'ImagingStudy', where);
        if (found === undefined) throw new Error('The study has no ImagingStudy');
        validate(found.resource);
        return found;
      },
      documents: async () => await findAll<DocumentReference>(records, SYSTEM, 'DocumentReference', []),
      /** Leaves what is derived as earlier servers wrote it. */
      forgetViewers: async () => {
        const [study, ...documents] = [
          ...(await findAll<ImagingStudy>(records, SYSTEM, 'ImagingStudy', where)),
          ...(await findAll<DocumentReference>(records, SYSTEM, 'DocumentReference', [])),
        ].map(({ row, resource }) => {
          const without = JSON.parse(JSON.stringify(resource, leaveOutViewers)) as Resource;
          const { person = expect.fail('Nobody’s'), subject = '', released } = row;
          return putOf(indexer, without, NOW, { person, subject, released });
        });
        if (study === undefined) throw new Error('There is no study');
        await commitPlan(records, aPlan({ puts: [study, ...documents] }));
      },
      close: async () => {
        await close();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  }

  /** The derived study without what is drawn by lot or counted: its id, its patient's, its version. */
  function contentOf({ resource }: Found<ImagingStudy>): string {
    const { id = '', meta, ...rest } = resource;
    return JSON.stringify({ ...rest, meta: meta?.security, subject: {} }).replaceAll(id, 'id');
  }

  async function derive(order: readonly Sent[], maintainedAfter: (at: number) => boolean): Promise<string> {
    const imaging = await openImaging();
    try {
      for (const [at, instance] of order.entries()) {
        await imaging.receive(instance);
        if (maintainedAfter(at)) await imaging.maintain();
      }
      await imaging.maintain();
      return contentOf(await imaging.study());
    } finally {
      await imaging.close();
    }
  }

  it('derives the same ImagingStudy from the same instances, in whatever order and at whatever moments', async () => {
    const expected = await derive(INSTANCES, () => false);
    const anyOrder = fc.shuffledSubarray([...INSTANCES], { minLength: INSTANCES.length });
    await fc.assert(
      fc.asyncProperty(
        anyOrder,
        fc.array(fc.boolean(), { minLength: INSTANCES.length, maxLength: INSTANCES.length }),
        async (order, moments) => {
          expect(await derive(order, (at) => moments[at] === true)).to.equal(expected);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('is released by a report of its patient, and by none of another person that names it', async () => {
    const imaging = await openImaging();
    const [only] = INSTANCES;
    if (only === undefined) throw new Error('no instance');
    await imaging.receive(only);
    const released = async (): Promise<boolean> => {
      await imaging.maintain();
      return (await imaging.study()).row.released;
    };
    expect(await released()).to.equal(false);
    await imaging.report(aPersonKey(), 'Patient/other');
    expect(await released()).to.equal(false);
    const { person = expect.fail('The study has no patient'), subject = '' } = (await imaging.study()).row;
    await imaging.report(person, subject);
    expect(await released()).to.equal(true);
    await imaging.close();
  });

  it('releases the manifest, too, by a report that comes while it is made', async () => {
    const imaging = await openImaging();
    const [only] = INSTANCES;
    if (only === undefined) throw new Error('no instance');
    await imaging.receive(only);
    await imaging.report(aPersonKey(), 'Patient/other');
    await imaging.maintain();
    const { person = expect.fail('The study has no patient'), subject = '' } = (await imaging.study()).row;
    await imaging.closeAfter(async () => {
      await imaging.report(person, subject);
      await imaging.maintain();
    });
    const rows = [await imaging.study(), ...(await imaging.documents())].map(({ row }) => [row.type, row.released]);
    expect(rows).to.deep.include(['ImagingStudy', true]).and.to.deep.include(['DocumentReference', true]);
    expect(rows.every(([, released]) => released)).to.equal(true);
    await imaging.close();
  });

  it('writes nothing when nothing came, and nothing for an instance that came twice', async () => {
    const imaging = await openImaging();
    for (const instance of INSTANCES) await imaging.receive(instance);
    await imaging.maintain();
    const once = await imaging.study();
    await imaging.maintain();
    for (const instance of INSTANCES) await imaging.receive(instance);
    await imaging.maintain();
    const again = await imaging.study();
    expect(again.row.version).to.equal(once.row.version);
    expect(contentOf(again)).to.equal(contentOf(once));
    await imaging.close();
  });

  it('gives study, manifest and report the lasting link to the viewer, those of earlier servers too', async () => {
    const imaging = await openImaging();
    const [only] = INSTANCES;
    if (only === undefined) throw new Error('no instance');
    await imaging.receive(only);
    await imaging.maintain();
    const { person = expect.fail('The study has no patient'), subject = '' } = (await imaging.study()).row;
    await imaging.report(person, subject);
    await imaging.maintain(true);
    const links = async () =>
      [await imaging.study(), ...(await imaging.documents())].map(({ resource }) => viewers(resource));
    const link = `http://localhost/voir/${(await imaging.study()).resource.id}`;
    expect(await links()).to.deep.equal([[link], [link], [link]]);
    await imaging.forgetViewers();
    expect(await links()).to.deep.equal([[], [], []]);
    await imaging.maintain();
    expect(await links()).to.deep.equal([[link], [link], [link]]);
    await imaging.close();
  });

  it('takes titles and sides from each instance, the rest from the first of its series', async () => {
    const { series = [], description, identifier } = JSON.parse(await derive(INSTANCES, () => false)) as ImagingStudy;
    expect(
      series.map(({ modality, laterality, instance }) => [
        modality.code,
        laterality?.code,
        ...(instance ?? []).map(({ title }) => title),
      ]),
    ).to.have.deep.members([
      ['MG', '51440002', undefined, undefined],
      ['SR', undefined, 'Compte rendu'],
      ['CT', undefined, undefined, undefined, undefined],
    ]);
    expect(series.find(({ modality }) => modality.code === 'CT')?.description).to.equal('Numérotée');
    expect(['Mammographie', 'Autre chose']).to.include(description);
    // Only the first header of a series speaks for it.
    expect(identifier?.map(({ value }) => value)).to.deep.equal([oidUri(STUDY)]);
  });

  describe('of which an instance cannot be read', () => {
    /** Stored words that no reader can have written, by how far they come. */
    const unreadable: Readonly<Record<string, string>> = {
      'are no JSON': '{"00100010":{"vr":"PN","Value":[{"Alphabetic":"Durand^Lise',
      'hold no list of values': '{"00080060":{"vr":"CS","Value":5},"00420010":{"vr":"ST","Value":5}}',
      'are no data set': 'null',
    };
    for (const [name, metadata] of Object.entries(unreadable)) {
      it(`puts it aside and derives the others: words that ${name}`, async () => {
        const imaging = await openImaging();
        const [left, right, report, numbered, unnumbered, other] = INSTANCES;
        for (const one of [left, report, numbered]) if (one !== undefined) await imaging.receive(one, metadata);
        for (const one of [right, unnumbered, other]) if (one !== undefined) await imaging.receive(one);
        await imaging.maintain();
        const { resource } = await imaging.study();
        const kept = (resource.series ?? []).flatMap(({ instance = [] }) => instance.map(({ uid }) => uid));
        const uidsOf = (...names: string[]) => names.map((one) => hostileUids(one).sopInstanceUID);
        expect(kept).to.have.members(uidsOf('right', 'unnumbered', 'other'));
        const aside = await imaging.aside();
        expect(aside.map(({ sopInstanceUID }) => sopInstanceUID)).to.have.members(uidsOf('left', 'report', 'numbered'));
        expect(aside.map(({ reason }) => reason)).to.deep.equal(aside.map(() => 'unreadable'));
        expect(imaging.told()).to.have.length(3);
        expect(imaging.told().join())
          .to.match(/^unreadable: (Syntax|Type)Error at /)
          .and.not.include('Durand');
        await imaging.close();
      });
    }

    it('says so in an event that the patient can read', async () => {
      const imaging = await openImaging();
      const [only] = INSTANCES;
      if (only === undefined) throw new Error('no instance');
      await imaging.receive(only, '');
      await imaging.maintain();
      const [event, ...others] = await eventually(async () => {
        const events = await imaging.events();
        return events.length === 0 ? undefined : events;
      });
      expect(others).to.deep.equal([]);
      expect(event?.event).to.include({ outcome: '8', outcomeDesc: 'quarantined: unreadable' });
      expect(event?.persons).to.have.length(1);
      expect(JSON.stringify(event)).to.include(hostileUids(only.name).sopInstanceUID);
      expect(JSON.stringify(event)).to.match(/"reference":"Patient\/[^"]+"/);
      await imaging.close();
    });

    it('derives nothing when no other is there, and keeps what is sent again once, by two servers too', async () => {
      const imaging = await openImaging();
      const [only] = INSTANCES;
      if (only === undefined) throw new Error('no instance');
      for (let time = 0; time < 2; time += 1) {
        await imaging.receive(only, '');
        await Promise.all([imaging.maintain(), imaging.maintain()]);
      }
      expect(await imaging.studies()).to.deep.equal([]);
      const aside = await imaging.aside();
      expect(aside).to.have.length(1);
      expect(await imaging.blobNames()).to.deep.equal(aside.map(({ blob }) => blob.name));
      expect(await imaging.storedBlobs()).to.deep.equal(await imaging.blobNames());
      await imaging.receive(only);
      await imaging.maintain();
      expect((await imaging.study()).resource.numberOfInstances).to.equal(1);
      await imaging.close();
    });
  });
});
