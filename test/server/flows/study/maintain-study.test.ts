/**
 * What is derived from a study, whatever the order in which its instances came and how often it was derived meanwhile.
 */
import type { DocumentReference, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { DICOM_UID, oidUri } from '../../../../profiles/codes.ts';
import { type Found } from '../../../../server/flows/internal-reads.ts';
import {
  element,
  hostileDataSet,
  hostileUids,
  sequence,
  type RawElements,
} from '../../../hostile/dicom/raw-data-set.ts';
import { eventually } from '../../../support/clients/fhir-caller.ts';
import { aPersonKey } from '../../../support/plans.ts';
import { openImaging, STUDY, type Sent } from './imaging.ts';

const CLASS = {
  ct: `${DICOM_UID.storageClassPrefix}2`,
  mammogram: `${DICOM_UID.storageClassPrefix}1.2`,
  report: `${DICOM_UID.storageClassPrefix}88.11`,
};
function sent(name: string, series: string, sopClassUID: string, changes: RawElements): Sent {
  const bytes = hostileDataSet(name, {
    '00080016': element('00080016', 'UI', sopClassUID),
    '0020000D': element('0020000D', 'UI', STUDY),
    '0020000E': element('0020000E', 'UI', uidOf(series)),
    ...changes,
  });
  return { name, sopClassUID, bytes };
}

/** The addresses of viewers within a resource. */
function viewers({ contained = [] }: ImagingStudy | DocumentReference): (string | undefined)[] {
  return contained.flatMap((one) => (one.resourceType === 'Endpoint' ? [one.address] : []));
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
