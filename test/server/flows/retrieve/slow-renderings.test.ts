/** Pictures that take long to make: what is decided before does not hold when the picture is there. */
import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { openClinic, type Clinic } from '../../endpoints/clinic.ts';
import { ask, serveDicomweb } from '../../endpoints/dicomweb/door.ts';
import { addFile, element, freshUIDs, imageDataSet, part10, type StoredFile } from '../../endpoints/dicomweb/files.ts';

describe('WADO-RS Retrieve Rendered, of a picture that takes long (PS3.18 10.4)', function () {
  this.timeout(20_000);

  async function addImage(clinic: Clinic): Promise<StoredFile> {
    const uids = freshUIDs();
    const pixels = element(0x7fe00010, 'OW', Buffer.from([1, 0]));
    const dataSet = imageDataSet(uids, { rows: 1, columns: 1, bits: 8 }, pixels);
    return await addFile(clinic, part10(dataSet, uids.sop, DICOM_UID.explicitLittleEndian), uids);
  }

  for (const path of ['/rendered', '/frames/1/rendered', '/thumbnail', '/frames/1/thumbnail'])
    it(`sends none whose exam is withdrawn meanwhile: ${path}`, async () => {
      const clinic = await openClinic();
      const late: Clinic['renderer'] = {
        render: async (request) => {
          const picture = await clinic.renderer.render(request);
          await clinic.withdraw();
          // The clock of the clinic stands nearly still: what was decided is old now.
          clinic.guard.clock.now = () => Date.now() * 2;
          return picture;
        },
        forget: (names) => clinic.renderer.forget(names),
        close: async () => await clinic.renderer.close(),
      };
      const door = await serveDicomweb({ ...clinic, renderer: late });
      const file = await addImage(clinic);
      const response = await ask(door, `${file.instance}${path}`, 'lambert', { accept: 'image/png' });
      expect([response.status, response.headers.get('content-type')?.includes('png')]).to.deep.equal([404, false]);
      await door.close();
      await clinic.close();
    });
});
