/**
 * Pictures that are asked for of images nobody honest makes, and requests for pictures nobody honest asks: a status or
 * a picture, while everybody else is served.
 */
import { expect } from 'chai';
import type { ImagingStudy } from '@medplum/fhirtypes';
import sharp from 'sharp';
import { element, encapsulated, freshUIDs } from '../server/endpoints/dicomweb/files.ts';
import { establishmentCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { costOf } from './dicom/store.ts';
import { badImages, fileOf, goodImages, type BadImage } from './rendering/bad-pictures.ts';
import { manyScans, SIDE } from './rendering/codestreams.ts';
import { descriptorsOf, expectDiscreetLog, expectNothingLeft } from './server-state.ts';
import { stow } from './stow.ts';

const GOOD = 'a good image';
const ENDLESS = 'a JPEG of 1,000 scans';
/** Decoders hold half a gigabyte at most, one in each of the few threads, and copies of the largest frame. */
const MOST_MEGABYTES = 1_200;
const MOST_PROCESSOR_MS = 4_000;

describe('Bad pictures', function () {
  this.timeout(180_000);
  const { study } = freshUIDs();
  const images: Record<string, BadImage> = {};
  let server: TestServer;
  let caller: FhirCaller;
  let atFirst: ReturnType<typeof descriptorsOf>;
  let resource: string;
  let asked = 0;

  before(async () => {
    server = await startServer({ env: { STUDY_QUIET_SECONDS: '3600' } });
    caller = await establishmentCaller(server, 'strasbourg');
    const gray = Buffer.from(Array.from({ length: SIDE * SIDE }, (_, at) => at % 251));
    const side = 4_000;
    Object.assign(images, await badImages(), await goodImages(), {
      [ENDLESS]: {
        image: { rows: side, columns: side, bits: 8 },
        transferSyntaxUID: '1.2.840.10008.1.2.4.50',
        elements: [encapsulated([], [await manyScans(side, 1_000)])],
      },
      [GOOD]: {
        image: { rows: SIDE, columns: SIDE, bits: 8, frames: '1' },
        elements: [element(0x7fe00010, 'OW', gray)],
        status: 200,
      },
    });
    const files = Object.keys(images).map((name) => fileOf(uidsOf(name), images[name] as BadImage));
    expect(await stow({ url: server.url, token: caller.token }, files)).to.deep.equal({ status: 200, reasons: [] });
    const [found] = await eventually(async () => {
      const studies = await caller.find<ImagingStudy>('ImagingStudy');
      return studies.length > 0 ? studies : undefined;
    });
    resource = `ImagingStudy/${found?.id}`;
    atFirst = descriptorsOf(server);
  });

  after(async () => await server?.stop());

  function uidsOf(name: string): { readonly study: string; readonly sop: string } {
    return { study, sop: `${study}.1.${Object.keys(images).indexOf(name) + 1}` };
  }

  async function ask(name: string, query = '', accept = 'image/jpeg'): Promise<number> {
    const { sop } = uidsOf(name);
    const instance = `${server.url}/dicom-web/studies/${study}/series/${study}.1/instances/${sop}`;
    const response = await fetch(`${instance}${query.startsWith('/') ? '' : '/rendered'}${query}`, {
      headers: { Authorization: `Bearer ${caller.token}`, Accept: accept },
    });
    const body = await response.arrayBuffer();
    if (response.status === 200) expect(body.byteLength, name).to.be.greaterThan(50);
    else expect(Buffer.from(body).toString(), name).to.include('OperationOutcome');
    return response.status;
  }

  /** A picture that is not kept yet, of the good image that is compressed in the same way. */
  async function askGood(transferSyntaxUID: string | undefined): Promise<number> {
    const all = Object.entries(images).filter(([name]) => name.startsWith(GOOD));
    const [name = GOOD] = all.find(([, image]) => image.transferSyntaxUID === transferSyntaxUID) ?? [];
    asked += 1;
    return await ask(name, `?viewport=${asked},${asked}`);
  }

  it('are a picture or a 406, in bounded memory, while a FHIR read and a good picture are answered', async () => {
    const answers: Record<string, number> = {};
    const expected: Record<string, number> = {};
    const { megabytes } = await costOf(server, async () => {
      // It holds a thread for as long as one picture may take.
      const endless = ask(ENDLESS);
      for (const [name, { status = 406 }] of Object.entries(images)) {
        if (name === ENDLESS) continue;
        const meanwhile = [caller.get(resource), askGood(undefined)] as const;
        answers[name] = await ask(name);
        expected[name] = status;
        const [read, good] = await Promise.all(meanwhile);
        expect([read.status, good], `beside ${name}`).to.deep.equal([200, 200]);
        expect(await askGood(images[name]?.transferSyntaxUID), `after ${name}`).to.equal(200);
      }
      expect(await endless, ENDLESS).to.equal(406);
    });
    expect(megabytes).to.be.lessThan(MOST_MEGABYTES);
    expect(answers).to.deep.equal(expected);
  });

  it('cost little where nothing can come of them', async () => {
    const names = [
      'a JPEG-LS cut in its scan',
      'a JPEG 2000 that disguises its size',
      'a palette in segments that stand for many of nothing',
    ];
    for (const name of names) {
      const { processorMs } = await costOf(server, async () => await ask(name));
      expect(processorMs, name).to.be.lessThan(MOST_PROCESSOR_MS);
    }
  });

  it('leave a pool whose threads all render, and no descriptor or connection', async () => {
    const statuses = await Promise.all(Array.from({ length: 24 }, async () => await askGood(undefined)));
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
    await expectNothingLeft(server, atFirst);
    expectDiscreetLog(server);
  });

  it('are refused as requests where what is asked for cannot be', async () => {
    const many = Array.from({ length: 1_001 }, (_, at) => at + 1).join(',');
    const answers: Readonly<Record<string, number>> = {
      '?viewport=0,0': 400,
      '?viewport=1000000000,1000000000': 400,
      '?viewport=1e99,1e99': 400,
      '?viewport=-5,-5': 400,
      '?viewport=8,8,60,60,5,5': 400,
      '?viewport=8,8,1000000000,0,5,5': 400,
      '?viewport=8,8,0,0,1e12,5': 400,
      '?viewport=8,8,-1,0,5,5': 400,
      '?viewport=NaN,NaN': 400,
      '?window=0,1e99,linear': 200,
      '?window=-1e99,1e-99,linear-exact': 200,
      '?window=NaN,1,linear': 400,
      '?window=1,0,sigmoid': 400,
      '?window=1,Infinity,linear': 400,
      '?quality=0': 400,
      '?quality=101': 400,
      '?quality=1e1': 200,
      '?quality=': 400,
      [`/frames/${Array(3_000).fill(1).join(',')}/rendered`]: 400,
      [`/frames/${many}/rendered`]: 413,
      '/frames/0/rendered': 400,
      '/frames/2147483648/rendered': 400,
      '/frames/999999999/rendered': 404,
      '/frames/-1/rendered': 400,
      '/frames/1,/rendered': 400,
    };
    const answered: Record<string, number> = {};
    for (const query of Object.keys(answers)) answered[query] = await ask(GOOD, query, 'image/jpeg, multipart/related');
    expect(answered).to.deep.equal(answers);
  });

  it('have sides of a bounded length by WADO-URI, where one of them follows the other', async () => {
    const name = 'a column of 65,535 pixels, which no JPEG has';
    const object = `studyUID=${study}&seriesUID=${study}.1&objectUID=${uidsOf(name).sop}`;
    const { megabytes } = await costOf(server, async () => {
      const answer = await fetch(`${server.url}/wado?requestType=WADO&${object}&columns=8192&contentType=image/png`, {
        headers: { Authorization: `Bearer ${caller.token}` },
      });
      const { width, height } = await sharp(await answer.arrayBuffer()).metadata();
      expect([answer.status, width, height]).to.deep.equal([200, 1, 8_192]);
    });
    expect(megabytes).to.be.lessThan(MOST_MEGABYTES);
  });

  it('are sent as what is accepted, or refused, however it is written', async () => {
    const answers: Readonly<Record<string, number>> = {
      '*/*': 200,
      'image/*;q=0.1': 200,
      'image/png;q=0, image/jpeg': 200,
      'image/jpeg;q=NaN, image/png': 200,
      'IMAGE/JPEG': 200,
      'text/html': 406,
      'image/jpeg;q=0': 406,
      'image/x-none': 406,
      ',,,;;;===': 406,
      '"""""""': 406,
      [`image/x;a="${'\\"'.repeat(1_500)}`]: 406,
      [`${'image/x,'.repeat(500)}image/png`]: 200,
      [`image/png;${'a=b;'.repeat(1_100)}`]: 413,
    };
    const answered: Record<string, number> = {};
    for (const accept of Object.keys(answers)) answered[accept] = await ask(GOOD, '', accept);
    expect(answered).to.deep.equal(answers);
  });
});
