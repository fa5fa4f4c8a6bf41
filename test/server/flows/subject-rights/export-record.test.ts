/** An export that runs: what is read for it, and what ends it (access.md 5, streams; GDPR 20). */
import { Readable } from 'node:stream';
import type { DocumentReference, Narrative, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { progressOf } from '../../../../profiles/consent/record-export.ts';
import { decidedStream } from '../../../../server/flows/decided-stream.ts';
import { beginExport, cancelExport, exportState } from '../../../../server/flows/subject-rights/begin-export.ts';
import { exportRecord, type ExportPart } from '../../../../server/flows/subject-rights/export-record.ts';
import { zipArchive } from '../../../../server/endpoints/http/zip-archive.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { Put } from '../../../../server/ports/commit-plan.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import { aPlan, NOW, SYSTEM } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { CLINIC, openClinic, type Clinic, type ClinicStudy } from '../../endpoints/clinic.ts';
import { watchImages, type ImageCounts } from '../../endpoints/dicomweb/watched-images.ts';

const MEGABYTE = 1024 * 1024;
const SERIES = 12;
/** Two pages of resources, and more. */
const LINES = 110;
/** One of the first page, behind what is on its way when some were read. */
const HIDDEN = 40;

describe('A running export (access.md 5, streams)', function () {
  this.timeout(30_000);
  let clinic: Clinic;
  let study: ClinicStudy;
  let counts: ImageCounts;
  let later = 0;
  let id = '';
  let open: (part?: ExportPart) => Promise<Readable>;
  let deps: Parameters<typeof exportRecord>[0];

  beforeEach(async () => {
    clinic = await openClinic();
    later = 0;
    const { now } = clinic.guard.clock;
    clinic.guard.clock.now = () => now() + later;
    const { indexer } = await loadDefinitions();
    const watched = watchImages(clinic.images);
    counts = watched.counts;
    deps = { ...clinic.guard, indexer, images: watched.images };
    study = await clinic.addStudy({
      started: '2026-02-20T10:00:00Z',
      modality: 'CT',
      accession: 'ACC-9',
      description: 'Large',
      series: [Array<string>(SERIES).fill(DICOM_UID.explicitLittleEndian)],
      instanceBytes: MEGABYTE,
    });
    id = await beginExport(deps)(visit());
    open = async (part = {}) => {
      const { files, decideAgain } = await exportRecord(deps)(visit(), id, part);
      return decidedStream(Readable.from(zipArchive(files, new Date()), { objectMode: false }), decideAgain);
    };
  });
  afterEach(async () => await clinic.close());

  const visit = () => clinic.visitOf('anne', 'fhir');
  const taskOf = async (): Promise<Task> => {
    const row = await clinic.stores.records.peek(SYSTEM, { kind: 'resource', type: 'Task', id });
    return row === undefined ? expect.fail('no Task') : openedResource<Task>(row);
  };
  /** Reads until the exam is being sent, does something, and reads on: how many bytes came after it, and the end. */
  const interrupted = async (
    act: () => Promise<void>,
    { from, part }: { readonly from: number; readonly part?: ExportPart } = { from: 2 * MEGABYTE },
  ): Promise<{ readonly after: number; readonly fault: unknown; readonly text: string }> => {
    let [before, after, text] = [0, 0, ''];
    let done = false;
    try {
      for await (const chunk of await open(part ?? { exam: study.resource.id })) {
        text += (chunk as Buffer).toString('latin1');
        if (done) after += (chunk as Buffer).length;
        else before += (chunk as Buffer).length;
        if (before < from || done) continue;
        done = true;
        await act();
        later += 1_000;
      }
      return { after, fault: undefined, text };
    } catch (error) {
      return { after, fault: error, text };
    }
  };
  const switched = async (change: object): Promise<void> =>
    void (await commitPlan(clinic.stores.records, aPlan({ states: [{ person: clinic.anne.person, change }] })));

  it('gives every byte however long it takes, and reads no file before its turn', async () => {
    const stream = await open({ exam: study.resource.id });
    let taken = 0;
    for await (const chunk of stream) {
      later += 200;
      taken += (chunk as Buffer).length;
      expect(counts.opened - counts.closed).to.be.at.most(1);
      expect(counts.opened).to.be.at.most(Math.floor(taken / MEGABYTE) + 1);
    }
    expect(counts.opened).to.equal(SERIES);
    expect(taken).to.be.within(SERIES * MEGABYTE, SERIES * (MEGABYTE + 8_192));
  });

  for (const [name, act] of [
    ['it is cancelled', async () => await cancelExport(deps)(visit(), id)],
    ['the erasure of the record is asked for', async () => await switched({ erasurePending: true })],
    ['the account is turned off', async () => await switched({ accountOff: true })],
  ] as const)
    it(`ends in an error, a piece or two later, when ${name}`, async () => {
      const { after, fault } = await interrupted(act);
      expect(fault).to.have.property('kind', 'not-found');
      expect(after).to.be.lessThan(MEGABYTE / 4);
    });

  /** Files a report of four megabytes, as a document, and answers what hides it from her. */
  const filedDocument = async (): Promise<() => Promise<void>> => {
    const { indexer } = deps;
    const writer = await clinic.images.create();
    await writer.write(Buffer.alloc(4 * MEGABYTE, 'report '));
    const blob = await writer.finish();
    const facts = {
      person: clinic.anne.person,
      subject: `Patient/${clinic.anne.resource.id}`,
      origin: filedBy(CLINIC),
      released: true,
    };
    const binary = { resourceType: 'Binary', id: 'large', contentType: 'application/pdf' } as const;
    const document: DocumentReference = {
      resourceType: 'DocumentReference',
      id: 'large',
      status: 'current',
      content: [
        { attachment: { url: 'https://passerelle.example/fhir/Binary/large', contentType: 'application/pdf' } },
      ],
    };
    const put = putOf(indexer, document, clinic.guard.clock.now(), facts);
    const bytes = putOf(indexer, binary, NOW, { ...facts, parent: 'DocumentReference/large', blob });
    await commitPlan(clinic.stores.records, aPlan({ puts: [put, bytes] }));
    return async () =>
      void (await commitPlan(clinic.stores.records, aPlan({ puts: [{ ...put, masks: ['patient'] }] })));
  };

  it('ends in an error, some pieces later, when a document that is being sent is hidden from her', async () => {
    const hide = await filedDocument();
    const { after, fault } = await interrupted(hide, { from: MEGABYTE, part: {} });
    expect(fault).to.have.property('kind', 'not-found');
    expect(after).to.be.lessThan(MEGABYTE);
  });

  it('leaves out a document that is hidden from her before its first byte, and sends what follows', async () => {
    const hide = await filedDocument();
    const { images } = deps;
    const open: typeof images.open = async (name) => {
      if (counts.opened === 0) await hide();
      later += 1_000;
      return await images.open(name);
    };
    deps = { ...deps, images: new Proxy(images, { get: (_, name) => (name === 'open' ? open : bound(images, name)) }) };
    const { fault, text } = await interrupted(async () => undefined, { from: Infinity, part: {} });
    expect(fault).to.equal(undefined);
    expect(text).to.not.include('REPORTS/large.pdf');
    expect(text).to.include('MANIFEST.TXT');
    expect(counts.opened).to.be.greaterThan(SERIES);
    expect(counts.opened - counts.closed).to.equal(0);
  });

  /** Files as many documents as two pages of lines have, and more. */
  const filedLines = async (): Promise<readonly Put[]> => {
    const { indexer } = deps;
    const facts = {
      person: clinic.anne.person,
      subject: `Patient/${clinic.anne.resource.id}`,
      origin: filedBy(CLINIC),
    };
    const puts = Array.from({ length: LINES }, (_, at) => {
      const id = `d${String(at).padStart(3, '0')}`;
      const text: Narrative = {
        status: 'generated',
        div: `<div xmlns="http://www.w3.org/1999/xhtml">${id.repeat(5_000)}</div>`,
      };
      const document: DocumentReference = {
        resourceType: 'DocumentReference',
        id,
        status: 'current',
        text,
        content: [],
      };
      return putOf(indexer, document, NOW - at, { ...facts, released: true });
    });
    for (const put of puts) await commitPlan(clinic.stores.records, aPlan({ puts: [put] }));
    return puts;
  };

  it('leaves out of the lines what is hidden from her while they are sent, and keeps each other', async () => {
    const puts = await filedLines();
    const hidden = puts[HIDDEN];
    if (hidden === undefined) throw new Error('Nothing was filed');
    const { text } = await interrupted(
      async () => void (await commitPlan(clinic.stores.records, aPlan({ puts: [{ ...hidden, masks: ['patient'] }] }))),
      { from: MEGABYTE / 8, part: {} },
    );
    const told = puts.map(({ id }) => text.split(`"id":"${id}"`).length - 1);
    expect(told).to.deep.equal(puts.map((put) => (put === hidden ? 0 : 1)));
  });

  it('has each line once, whose row is changed and sorted elsewhere while they are sent', async () => {
    const puts = await filedLines();
    const [first, last] = [puts[0], puts.at(-1)];
    if (first === undefined || last === undefined) throw new Error('Nothing was filed');
    // What was sent comes behind what is to come, and what is to come before what was sent.
    const elsewhere = [
      { ...first, sort: last.sort - 1_000 },
      { ...last, sort: first.sort + 1_000 },
    ];
    const { text, fault } = await interrupted(
      async () => void (await commitPlan(clinic.stores.records, aPlan({ puts: elsewhere }))),
      { from: MEGABYTE / 8, part: {} },
    );
    expect(fault).to.equal(undefined);
    expect(puts.map(({ id }) => text.split(`"id":"${id}"`).length - 1)).to.deep.equal(puts.map(() => 1));
  });

  it('goes on while the record is withdrawn from others: it is hers', async () => {
    const { fault } = await interrupted(async () => await clinic.withdraw());
    expect(fault).to.equal(undefined);
  });

  it('tells how far it is: being sent, which exam was the last, and where to go on', async () => {
    const state = async () => await exportState(deps)(visit(), id);
    const before = await state();
    expect([before.sent, before.isBeingSent, before.isWhole]).to.deep.equal([0, false, false]);
    // The latest comes first: the reader leaves when it was sent whole.
    let taken = 0;
    for await (const chunk of await open()) {
      taken += (chunk as Buffer).length;
      if (taken > SERIES * MEGABYTE && progressOf(await taskOf()).last !== undefined) break;
    }
    const during = await state();
    expect([during.sent, during.last, during.isBeingSent]).to.deep.equal([
      1,
      `ImagingStudy/${study.resource.id}`,
      true,
    ]);
    later += 61_000;
    expect((await state()).isBeingSent, 'nothing was heard of it').to.equal(false);
    for await (const _ of await open({ exam: study.resource.id })) continue;
    expect((await state()).sent, 'an exam fetched again').to.equal(1);
    for await (const _ of await open({ after: study.resource.id })) continue;
    const after = await state();
    expect([after.sent, after.isWhole]).to.deep.equal([after.exams, true]);
  });

  const partAfter = (exam = ''): ExportPart => ({ after: exam.replace('ImagingStudy/', '') });

  it('ends with the exam that reaches the most of a ZIP, and what is left is fetched next', async () => {
    deps = { ...deps, mostInstances: SERIES };
    for await (const _ of await open()) continue;
    const state = await exportState(deps)(visit(), id);
    expect([state.sent, state.isWhole]).to.deep.equal([1, false]);
    for (let { rest } = state; rest !== undefined;) {
      for await (const _ of await open(partAfter(rest))) continue;
      ({ rest } = await exportState(deps)(visit(), id));
    }
    const whole = await exportState(deps)(visit(), id);
    expect([whole.sent, whole.isWhole]).to.deep.equal([whole.exams, true]);
  });

  it('goes on from a ZIP that ended, not from exams of one that broke off: they may not have arrived', async () => {
    const state = async () => await exportState(deps)(visit(), id);
    // She leaves when the first exam, of one instance, was sent whole.
    const broken = async (part: ExportPart): Promise<void> => {
      for await (const _ of await open(part)) if (progressOf(await taskOf()).sent > 0) break;
    };
    await broken({});
    const first = await state();
    expect([first.last, first.rest]).to.deep.equal([`ImagingStudy/${study.resource.id}`, undefined]);
    deps = { ...deps, mostInstances: SERIES };
    for await (const _ of await open()) continue;
    const { rest } = await state();
    expect(rest).to.equal(`ImagingStudy/${study.resource.id}`);
    deps = { ...deps, mostInstances: SERIES * 2 };
    let taken = 0;
    for await (const chunk of await open(partAfter(rest))) {
      taken += (chunk as Buffer).length;
      if (progressOf(await taskOf()).sent > 1) break;
    }
    expect(taken).to.be.greaterThan(0);
    const again = await state();
    expect(again.last).to.not.equal(rest);
    expect(again.rest, 'that one is fetched again').to.equal(rest);
    for await (const _ of await open(partAfter(rest))) continue;
    const whole = await state();
    expect([whole.sent, whole.isWhole]).to.deep.equal([whole.exams, true]);
  });

  it('is over after seven days', async () => {
    later += 7 * 86_400_000;
    const fault = await open().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(fault).to.have.property('kind', 'not-found');
  });
});

function bound(one: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(one, name);
  return typeof member === 'function' ? (member.bind(one) as unknown) : member;
}
