/**
 * Every published sample file through the senders of the field: DCMTK, pynetdicom, Orthanc, and its raw bytes. What a
 * sender makes of a file is its own affair (DCMTK and Orthanc write sequences with lengths, count group lengths anew,
 * drop trailing padding, make odd values even; all but raw bytes deflate anew, and write implicit as explicit little
 * endian if they like). So a reference SCP takes the same files beside: what it was sent comes back from the server
 * through WADO-RS, byte by byte. A table of files and senders is printed at the end.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { parseFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import { allInstances, quarantinedCount, type StandingInstance } from '../hostile/kill/data-folder.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { establishmentCaller, personCaller } from '../support/demonstration.ts';
import { eventually, fhirCaller } from '../support/clients/fhir-caller.ts';
import { PYTHON } from '../support/peers/python-peers.ts';
import { writeRegion } from '../support/region.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { partsOf, readReply, type Reply } from './support/door.ts';
import { EXCEPTIONS, KEPT_ASIDE, STORED_THOUGH_BROKEN } from './support/peers/expected.ts';
import { startReference, type SentInstance } from './support/peers/reference.ts';
import { sampleFiles, writeSamples, type SampleFile } from './support/peers/sample-files.ts';
import { SENDERS, type Sender } from './support/peers/senders.ts';
import type { Verdict } from './support/peers/sending.ts';
import { openTrail, requestIdOf, type TrailEvent } from './support/trail.ts';

const AE_TITLE = 'PEER';
const WHOLE = 'multipart/related; type="application/dicom"; transfer-syntax=*';
const MARKS = { same: '=', rewritten: '≈', notSent: '·', aside: 'aside' } as const;
const ASIDE = Object.keys(KEPT_ASIDE);
const WHY_ASIDE = 'quarantined: foreign-issuer';

describe('Sample files through senders of the field (PS3.4 B, PS3.18 10.4)', function () {
  this.timeout(120_000);
  let folder: string;
  let files: readonly SampleFile[];
  /** Marks by file and sender. */
  const marks = new Map<string, string>();

  before(async function prepare() {
    files = sampleFiles();
    if (files.length === 0) this.skip();
    if (!hasProgram(PYTHON)) this.skip();
    folder = await mkdtemp(join(tmpdir(), 'passerelle-peers-'));
    await mkdir(join(folder, 'files'));
    await writeSamples(join(folder, 'files'), files);
    await writeRegion(join(folder, 'region.json'), [
      { aeTitle: AE_TITLE, organization: 'Organization/demo-strasbourg', addresses: ['127.0.0.1'] },
    ]);
  });
  after(async () => {
    if (folder === undefined) return;
    await rm(folder, { recursive: true, force: true });
    process.stdout.write(tableOf(files, marks));
  });

  for (const sender of SENDERS) {
    describe(sender.name, () => {
      let server: TestServer;
      let delivery: Delivery;

      before(async function deliver() {
        if (!sender.isInstalled()) this.skip();
        const dataDir = join(folder, `data of ${sender.name}`);
        server = await startServer({
          dataDir,
          env: { REGION: join(folder, 'region.json'), STUDY_QUIET_SECONDS: '3600' },
        });
        delivery = await deliverAll(sender, files, folder, server);
      });
      after(async () => await server?.stop());

      it('delivers every readable file; what is refused or not sent is so for its reason', () => {
        for (const { name } of files) {
          const verdict = delivery.verdicts.get(name);
          const refusal = EXCEPTIONS[name]?.by[sender.name];
          if (refusal === undefined) expect(verdict, name).to.include({ status: 0 });
          else if ('notSent' in refusal)
            expect(verdict && 'notSent' in verdict ? verdict.notSent : JSON.stringify(verdict), name).to.match(
              refusal.notSent,
            );
          else {
            expect(verdict, name).to.include({ status: refusal.status });
            expect(verdict && 'comment' in verdict ? verdict.comment : '', name).to.match(refusal.comment);
          }
          if (refusal !== undefined)
            marks.set(
              `${name}|${sender.name}`,
              'notSent' in refusal ? MARKS.notSent : refusal.status.toString(16).toUpperCase(),
            );
        }
        const broken = files.filter(({ name }) => name.startsWith('broken_')).map(({ name }) => name);
        expect(Object.keys({ ...EXCEPTIONS, ...STORED_THOUGH_BROKEN })).to.include.members(broken);
        expect(quarantinedCount(server.dataDir)).to.equal(ASIDE.length);
        for (const name of ASIDE) marks.set(`${name}|${sender.name}`, MARKS.aside);
      });

      it('gets each back through WADO-RS as it was sent, in the transfer syntax of its context', async () => {
        const { token } = await establishmentCaller(server, 'strasbourg');
        const stood = allInstances(server.dataDir);
        const delivered = files.filter(({ name }) => isStored(delivery.verdicts.get(name)) && !ASIDE.includes(name));
        expect(stood.map(({ sopInstanceUID }) => sopInstanceUID)).to.have.members(
          delivered.map(({ sopInstanceUID }) => sopInstanceUID),
        );
        for (const file of delivered) {
          const sent = await delivery.sentOf(file);
          const place = stood.find(({ sopInstanceUID }) => sopInstanceUID === file.sopInstanceUID);
          // A study is shown within a second of its first instance.
          const [part, ...others] = partsOf(
            await eventually(
              async () =>
                await retrieve(server, token, place).then((reply) => (reply.status === 404 ? undefined : reply)),
            ),
          );
          const content = part?.content ?? Buffer.alloc(0);
          const { dataSetOffset, ...meta } = parseFileMeta(content);
          expect(others, file.name).to.deep.equal([]);
          expect(
            content.subarray(dataSetOffset).equals(sent.dataSet),
            `${file.name}: the data set is the one that was sent`,
          ).to.equal(true);
          expect(meta, file.name).to.include({
            transferSyntaxUID: sent.transferSyntaxUID,
            sopClassUID: sent.sopClassUID,
            sopInstanceUID: file.sopInstanceUID,
            sourceAETitle: AE_TITLE,
          });
          expect(content.subarray(0, 128).equals(Buffer.alloc(128)), 'preamble').to.equal(true);
          marks.set(
            `${file.name}|${sender.name}`,
            sent.dataSet.equals(file.bytes.subarray(file.dataSetOffset)) ? MARKS.same : MARKS.rewritten,
          );
        }
      });

      it('is in the trail: studies as they begin and end with their counts, refusals, what is aside', async () => {
        const studies = countBy(allInstances(server.dataDir).map(({ studyInstanceUID }) => studyInstanceUID));
        const closed = new Map<string, number>();
        const requests = new Set<string>();
        for (const [study, count] of studies) {
          const events = await eventsOfStudy(server, study, (all) => sum(all.map(storedOf)) === count);
          expect(events[0]?.event, study).to.include({ outcome: '0' });
          for (const { event } of events) {
            expect(event.agent.map(({ who }) => who?.reference)).to.include('Organization/demo-strasbourg');
            requests.add(requestIdOf(event) ?? '');
          }
          closed.set(study, sum(events.map(storedOf)));
        }
        expect(closed).to.deep.equal(studies);
        for (const { sopInstanceUID = '' } of files.filter(({ name }) => ASIDE.includes(name))) {
          const [told] = await eventsOf(server, sopInstanceUID);
          expect([told?.event.outcomeDesc, told?.persons]).to.deep.equal([WHY_ASIDE, []]);
        }
        if (sender.name === 'raw bytes') return;
        const refusals = statusesOf(delivery.verdicts).filter(([, status]) => status !== undefined && status !== 0);
        const told = (await Promise.all([...requests].map(async (request) => await eventsOf(server, request))))
          .flat()
          .filter(({ event }) => event.outcome !== '0' && event.outcomeDesc !== WHY_ASIDE);
        expect(told.map(({ event, persons }) => [event.outcome, persons])).to.deep.equal(refusals.map(() => ['4', []]));
      });

      it('may send them all again: success, and nothing is doubled', async () => {
        const before = allInstances(server.dataDir);
        const again = await sender.send(await sendingOf(files, folder, server.dimse));
        expect(statusesOf(again)).to.deep.equal(statusesOf(delivery.verdicts));
        expect(allInstances(server.dataDir)).to.deep.equal(before);
        expect(quarantinedCount(server.dataDir)).to.equal(ASIDE.length);
      });

      it('sends nothing that another establishment, a stranger or nobody sees', async () => {
        const callers = [await establishmentCaller(server, 'nancy'), await personCaller(server, 'demo-stranger')];
        const [one] = allInstances(server.dataDir);
        for (const caller of callers) {
          expect((await caller.get('ImagingStudy')).json<Bundle<ImagingStudy>>().total).to.equal(0);
          expect(
            (
              await readReply(
                await fetch(`${server.url}/dicom-web/studies`, {
                  headers: { authorization: `Bearer ${caller.token}`, accept: 'application/dicom+json' },
                }),
              )
            ).body.toString(),
          ).to.equal('[]');
          expect((await retrieve(server, caller.token, one)).status).to.equal(404);
        }
        expect((await fhirCaller(server.url).get('ImagingStudy')).status).to.equal(401);
        expect(server.log()).to.not.match(/"level":"error"/);
      });
    });
  }
});

type Sent = { readonly dataSet: Buffer; readonly transferSyntaxUID: string; readonly sopClassUID: string };
type Delivery = {
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly sentOf: (file: SampleFile) => Promise<Sent>;
};

/** Sends to the server and, but for raw bytes, to the reference. */
async function deliverAll(
  sender: Sender,
  files: readonly SampleFile[],
  folder: string,
  server: TestServer,
): Promise<Delivery> {
  const verdicts = await sender.send(await sendingOf(files, folder, server.dimse));
  if (sender.name === 'raw bytes') {
    return {
      verdicts,
      sentOf: async ({ bytes, dataSetOffset, transferSyntaxUID, sopClassUID = '' }) => ({
        dataSet: bytes.subarray(dataSetOffset),
        transferSyntaxUID,
        sopClassUID,
      }),
    };
  }
  const kept = await mkdtemp(join(folder, 'reference-'));
  const reference = await startReference(kept);
  await sender.send(await sendingOf(files, folder, reference.dimse)).finally(reference.stop);
  const sentOf = async ({ sopInstanceUID = '' }: SampleFile): Promise<Sent> => ({
    ...(reference.received.get(sopInstanceUID) as SentInstance),
    dataSet: await readFile(join(kept, sopInstanceUID)),
  });
  return { verdicts, sentOf };
}

async function sendingOf(
  files: readonly SampleFile[],
  folder: string,
  to: TestServer['dimse'],
): Promise<Parameters<Sender['send']>[0]> {
  const scratch = await mkdtemp(join(folder, 'scratch-'));
  return { files, folder: join(folder, 'files'), scratch, to, aeTitle: AE_TITLE };
}

function isStored(verdict: Verdict | undefined): boolean {
  return verdict !== undefined && 'status' in verdict && verdict.status === 0;
}

/** The status of each file, by name; undefined where it is not sent. */
function statusesOf(verdicts: ReadonlyMap<string, Verdict>): readonly (readonly [string, number | undefined])[] {
  return [...verdicts]
    .map(([name, verdict]) => [name, 'status' in verdict ? verdict.status : undefined] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
}

async function retrieve(
  server: TestServer,
  token: string,
  { studyInstanceUID, seriesInstanceUID, sopInstanceUID }: StandingInstance = {
    studyInstanceUID: '1',
    seriesInstanceUID: '1',
    sopInstanceUID: '1',
  },
): Promise<Reply> {
  const path = `studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`;
  return await readReply(
    await fetch(`${server.url}/dicom-web/${path}`, { headers: { Authorization: `Bearer ${token}`, Accept: WHOLE } }),
  );
}

/** The C-STORE events of a study, when they are complete. */
async function eventsOfStudy(
  server: TestServer,
  study: string,
  isComplete: (events: readonly TrailEvent[]) => boolean,
): Promise<readonly TrailEvent[]> {
  return await eventually(async () => {
    const events = (await eventsOf(server, `urn:oid:${study}"`)).filter(
      ({ event }) => event.type.code === '110104' && event.action === 'C',
    );
    return isComplete(events) ? events : undefined;
  });
}

async function eventsOf(server: TestServer, text: string): Promise<readonly TrailEvent[]> {
  const trail = await openTrail('sqlite', server.dataDir);
  try {
    return await trail.eventsOf(text);
  } finally {
    await trail.close();
  }
}

/** How many instances an event says were stored. */
function storedOf({ event }: TrailEvent): number {
  const details = (event.entity ?? []).flatMap(({ detail = [] }) => detail);
  return sum(details.filter(({ type }) => type === 'stored').map(({ valueString = '0' }) => Number(valueString)));
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function tableOf(files: readonly SampleFile[], marks: ReadonlyMap<string, string>): string {
  const names = SENDERS.map(({ name }) => name);
  const lines = files.map(({ name }) => {
    const why = EXCEPTIONS[name]?.why ?? STORED_THOUGH_BROKEN[name] ?? KEPT_ASIDE[name];
    return (
      name.padEnd(42) + names.map((sender) => (marks.get(`${name}|${sender}`) ?? '?').padEnd(12)).join('') + (why ?? '')
    );
  });
  const legend =
    `${MARKS.same} came back as it is in the file  ${MARKS.rewritten} came back as the sender wrote ` +
    `it anew  ${MARKS.notSent} the sender does not send it  ${MARKS.aside} kept aside  ` +
    'A900, C000 the status of the refusal';
  return [
    '',
    'Sample files by sender',
    ' '.repeat(42) + names.map((name) => name.padEnd(12)).join(''),
    ...lines,
    legend,
    '',
  ].join('\n');
}
