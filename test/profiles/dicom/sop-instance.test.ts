/** What a data set says it is, from its beginning (PS3.3 C.12.1). */
import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { DICOM_UID } from '../../../profiles/codes.ts';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { sopInstanceIn } from '../../../profiles/dicom/sop-instance.ts';

const [first] = [...aStudy({ key: 'sop-instance' }).instances()];
const file = first?.bytes ?? new Uint8Array();
const { dataSetOffset, sopClassUID, sopInstanceUID } = parseFileMeta(file);
const dataSet = file.subarray(dataSetOffset);
const { explicitLittleEndian, deflatedExplicitLittleEndian } = DICOM_UID;

describe('SOP class and instance of a data set', () => {
  it('are read from a prefix, deflated or not', () => {
    expect(sopInstanceIn(dataSet.subarray(0, 1_000), explicitLittleEndian)).to.deep.equal({
      sopClassUID,
      sopInstanceUID,
    });
    expect(sopInstanceIn(deflateRawSync(dataSet), deflatedExplicitLittleEndian)).to.deep.equal({
      sopClassUID,
      sopInstanceUID,
    });
  });

  it('are unknown when the prefix ends before, or is no data set', () => {
    expect(sopInstanceIn(dataSet.subarray(0, 20), explicitLittleEndian)).to.equal(undefined);
    expect(sopInstanceIn(new Uint8Array(), explicitLittleEndian)).to.equal(undefined);
    expect(sopInstanceIn(Buffer.from('no deflate stream'), deflatedExplicitLittleEndian)).to.equal(undefined);
    expect(sopInstanceIn(dataSet, '1.2.3')).to.deep.equal({ sopClassUID, sopInstanceUID });
  });
});
