import { expect } from 'chai';
import sharp from 'sharp';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { parseFileMeta } from '../../../../profiles/dicom/file/file-meta.ts';
import { retrieveInstances } from '../../../../server/flows/retrieve/retrieve-instances.ts';
import { retrieveRendered } from '../../../../server/flows/retrieve/retrieve-rendered.ts';
import { transcodeInstance } from '../../../../server/flows/study/transcode-instance.ts';
import { wadoRouter } from '../../../../server/endpoints/wado/router.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import { addFile, element, freshUIDs, imageDataSet, part10, type StoredFile } from '../dicomweb/files.ts';
import { serve, type ServedRouter } from '../served-router.ts';

const { explicitLittleEndian, explicitBigEndian } = DICOM_UID;

describe('WADO-URI (PS3.18 9, IHE RAD-55)', () => {
  let clinic: Clinic;
  let door: ServedRouter;
  let file: StoredFile;

  before(async () => {
    clinic = await openClinic();
    const { guard, renderer, images, identify } = clinic;
    door = await serve(
      wadoRouter({
        identify,
        retrieveInstances: retrieveInstances(guard),
        retrieveRendered: retrieveRendered({ ...guard, renderer }),
        transcode: transcodeInstance({ images, renderer }),
        images,
        baseUrl: () => 'https://passerelle.example/wado',
      }),
    );
    const uids = freshUIDs();
    const image = { rows: 2, columns: 4, bits: 8, frames: '2' };
    const pixels = element(
      0x7fe00010,
      'OB',
      Buffer.from([0, 50, 100, 255, 0, 50, 100, 255, ...Array<number>(8).fill(7)]),
    );
    file = await addFile(clinic, part10(imageDataSet(uids, image, pixels), uids.sop, explicitLittleEndian), uids);
  });

  after(async () => {
    await door.close();
    await clinic.close();
  });

  async function ask(query: string, of: StoredFile = file, token = 'lambert'): Promise<Response> {
    const object = `studyUID=${of.uids.study}&seriesUID=${of.uids.study}.1&objectUID=${of.uids.sop}`;
    return await fetch(`${door.origin}/wado?requestType=WADO&${object}${query}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
  }

  async function status(query: string, of?: StoredFile, token?: string): Promise<number> {
    const response = await ask(query, of, token);
    await response.arrayBuffer();
    return response.status;
  }

  async function shown(query: string): Promise<{ width: number; height: number; values: number[] }> {
    const response = await ask(`&contentType=image/png${query}`);
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    const { data, info } = await sharp(await response.arrayBuffer())
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, values: [...data].filter((_, at) => at % info.channels === 0) };
  }

  it('sends a picture unless the request names another type', async () => {
    expect((await ask('')).headers.get('Content-Type')).to.equal('image/jpeg');
    expect((await ask('&contentType=text/html,image/png')).headers.get('Content-Type')).to.equal('image/png');
    expect(await status('&contentType=video/mpeg')).to.equal(406);
  });

  it('sends a frame in a size, a part and a window', async () => {
    expect((await shown('&frameNumber=1')).values).to.deep.equal([0, 50, 100, 255, 0, 50, 100, 255]);
    expect((await shown('&frameNumber=1&rows=1')).height).to.equal(1);
    const part = await shown('&frameNumber=1&region=0.5,0,1,0.5');
    expect(part).to.deep.equal({ width: 2, height: 1, values: [100, 255] });
    expect((await shown('&frameNumber=1&windowCenter=51&windowWidth=102')).values.slice(0, 3)).to.deep.equal([
      0, 126, 252,
    ]);
    expect(await status('&frameNumber=3')).to.equal(404);
  });

  it('sends the file as it is stored, or in Explicit VR Little Endian', async () => {
    const uids = freshUIDs();
    const image = { rows: 1, columns: 2, bits: 16, bigEndian: true };
    const pixels = element(0x7fe00010, 'OW', Buffer.from([1, 2, 3, 4]), { bigEndian: true });
    const big = await addFile(clinic, part10(imageDataSet(uids, image, pixels), uids.sop, explicitBigEndian), uids);
    const stored = await ask('&contentType=application/dicom', big);
    expect(stored.headers.get('Content-Type')).to.equal('application/dicom');
    expect(parseFileMeta(new Uint8Array(await stored.arrayBuffer())).transferSyntaxUID).to.equal(explicitBigEndian);
    const asked = await ask(`&contentType=application/dicom&transferSyntax=${explicitLittleEndian}`, big);
    const bytes = new Uint8Array(await asked.arrayBuffer());
    expect(parseFileMeta(bytes).transferSyntaxUID).to.equal(explicitLittleEndian);
    expect([...bytes.subarray(-4)]).to.deep.equal([2, 1, 4, 3]);
    expect(await status('&contentType=application/dicom&transferSyntax=1.2.840.10008.1.2.4.50', big)).to.equal(406);
  });

  it('refuses what is missing, malformed or double, and what it does not do', async () => {
    for (const query of [
      '&rows=0',
      '&rows=1&rows=2',
      '&region=0,0,0,1',
      '&region=0,0,1',
      '&region=0,0,2,1',
      '&windowCenter=1',
      '&windowCenter=1&windowWidth=0',
      '&imageQuality=101',
      '&frameNumber=0',
      '&transferSyntax=x',
    ])
      expect(await status(query), query).to.equal(400);
    for (const query of ['&anonymize=yes', '&annotation=patient', '&presentationUID=1.2'])
      expect(await status(query), query).to.equal(501);
    const headers = { Authorization: 'Bearer lambert' };
    for (const query of ['', `?studyUID=${file.uids.study}`, '?requestType=WADO&studyUID=../x'])
      expect((await fetch(`${door.origin}/wado${query}`, { headers })).status, query).to.equal(400);
  });

  it('shows nothing to who may not see the study: hidden equals absent', async () => {
    const absent = { ...file, uids: freshUIDs() };
    for (const type of ['image/jpeg', 'application/dicom']) {
      const query = `&contentType=${type}`;
      const [hidden, unknown] = [await ask(query, file, 'stranger'), await ask(query, absent, 'stranger')];
      expect([hidden.status, unknown.status]).to.deep.equal([404, 404]);
      expect(await hidden.text()).to.equal(await unknown.text());
      expect(await status(query, file, 'weak')).to.equal(403);
      expect(await status(query, file, 'nobody-known')).to.equal(401);
    }
  });
});
