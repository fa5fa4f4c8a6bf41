/**
 * What is derived from a study, whatever the order in which its instances came and how often it was derived meanwhile.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { DICOM_UID, oidUri } from '../../../../profiles/codes.ts';
import { systemGrant } from '../../../../server/access/grant.ts';
import { maintainStudy } from '../../../../server/flows/study/maintain-study.ts';
import { receiveInstance } from '../../../../server/flows/intake/receive-instance.ts';
import type { RegionIndex } from '../../../../server/flows/identity/region-index.ts';
import { findAll, type Found } from '../../../../server/flows/study/study-content.ts';
import { takeInstance } from '../../../../server/flows/intake/take-instance.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openFileImages } from '../../../../server/stores/files/image-store.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import {
  element,
  hostileDataSet,
  hostileUids,
  sequence,
  type RawElements,
} from '../../../hostile/dicom/raw-data-set.ts';
import { NOW } from '../../../support/plans.ts';

const CLINIC = 'Organization/clinic';
const STUDY = uidOf('maintained');
const CLASS = {
  ct: `${DICOM_UID.storageClassPrefix}2`,
  mammogram: `${DICOM_UID.storageClassPrefix}1.2`,
  report: `${DICOM_UID.storageClassPrefix}88.11`,
};
const REGION: RegionIndex = {
  domainOf: () => ({ patientIdSystem: 'urn:oid:1.2.3.4', accessionSystem: 'urn:oid:1.2.3.7' }),
  servicesOf: () => [],
  qualifiedSystems: [],
  establishments: [],
};

type Sent = { readonly name: string; readonly sopClassUID: string; readonly bytes: Buffer };

function sent(name: string, series: string, sopClassUID: string, changes: RawElements): Sent {
  const bytes = hostileDataSet(name, {
    '00080016': element('00080016', 'UI', sopClassUID),
    '0020000D': element('0020000D', 'UI', STUDY),
    '0020000E': element('0020000E', 'UI', uidOf(series)),
    ...changes,
  });
  return { name, sopClassUID, bytes };
}

const is = (tag: string, value: string) => ({ [tag]: element(tag, 'IS', value) });
const cs = (tag: string, value: string) => ({ [tag]: element(tag, 'CS', value) });
const lo = (tag: string, value: string) => ({ [tag]: element(tag, 'LO', value) });
const NO_NUMBER = { '00200013': Buffer.alloc(0) };

/** Numbers that repeat or are missing, series that contradict each other, sides and titles of single instances. */
const INSTANCES: readonly Sent[] = [
  sent('left', 'mammograms', CLASS.mammogram, {
    ...is('00200011', '2'),
    ...is('00200013', '1'),
    ...cs('00200062', 'L'),
    ...cs('00080060', 'MG'),
    ...lo('00081030', 'Mammographie'),
  }),
  sent('right', 'mammograms', CLASS.mammogram, {
    ...is('00200011', '2'),
    ...is('00200013', '1'),
    ...cs('00200062', 'R'),
    ...cs('00080060', 'MG'),
    ...lo('00081030', 'Autre chose'),
  }),
  sent('report', 'reports', CLASS.report, {
    ...NO_NUMBER,
    ...cs('00080060', 'SR'),
    '0040A043': sequence('0040A043', [
      Buffer.concat([
        element('00080100', 'SH', '18748-4'),
        element('00080102', 'SH', 'LN'),
        element('00080104', 'LO', 'Compte rendu'),
      ]),
    ]),
  }),
  sent('numbered', 'slices', CLASS.ct, {
    ...is('00200011', '2'),
    ...is('00200013', '7'),
    ...lo('0008103E', 'Numérotée'),
  }),
  sent('unnumbered', 'slices', CLASS.ct, { ...is('00200011', '2'), ...NO_NUMBER, ...lo('0008103E', 'Sans numéro') }),
  sent('other', 'slices', CLASS.ct, {
    ...is('00200011', '3'),
    ...is('00200013', '8'),
    '00080050': element('00080050', 'SH', 'ACC-8'),
  }),
];

describe('Maintenance of a study', function () {
  this.timeout(60_000);

  async function openImaging() {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-maintained-'));
    const { records, trail, close } = await openSqliteStores({ dataDir });
    const images = await openFileImages({ dataDir });
    const { indexer, validate } = await loadDefinitions();
    const deps = { records, trail, images, indexer, clock: { now: () => NOW }, region: REGION };
    const take = takeInstance({ images, patientIdSystemOf: () => 'urn:oid:1.2.3.4' });
    const receive = receiveInstance({ ...deps, quietPeriodMs: 60_000 });
    const maintain = maintainStudy({
      ...deps,
      timeZone: 'Europe/Paris',
      repositoryUniqueId: '1.2',
      retrieveAETitle: 'A',
      publicUrl: () => 'http://localhost',
      endpoint: 'Endpoint/wado',
    });
    const where = [{ kind: 'token', param: 'identifier', values: [{ code: oidUri(STUDY) }] }] as const;
    return {
      maintain: async () => await maintain(STUDY, false),
      receive: async ({ name, sopClassUID, bytes }: Sent) => {
        const taking = take({
          peer: { organization: CLINIC },
          sopClassUID,
          sopInstanceUID: hostileUids(name).sopInstanceUID,
          transferSyntaxUID: DICOM_UID.explicitLittleEndian,
        });
        await taking.write(bytes);
        await receive(await taking.finish(), { accepted: () => [], quarantined: () => [] });
      },
      study: async (): Promise<Found<ImagingStudy>> => {
        const [found] = await findAll<ImagingStudy>(records, systemGrant('maintain-study', NOW), 'ImagingStudy', where);
        if (found === undefined) throw new Error('The study has no ImagingStudy');
        validate(found.resource);
        return found;
      },
      close: async () => {
        await close();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  }

  /** The derived study without what is drawn by lot or counted: its id, its patient's, its version. */
  function contentOf({ resource }: Found<ImagingStudy>): string {
    return JSON.stringify({ ...resource, id: '', meta: resource.meta?.security, subject: {} });
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
});
