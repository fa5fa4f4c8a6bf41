import { expect } from 'chai';
import * as fc from 'fast-check';
import { DICOM_UID } from '../../../profiles/codes.ts';
import { formatFileMeta, parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { Fault } from '../../../profiles/fault.ts';

const META = {
  sopClassUID: '1.2.840.10008.5.1.4.1.1.2',
  sopInstanceUID: '2.25.13',
  transferSyntaxUID: DICOM_UID.explicitLittleEndian,
};

describe('DICOM File Meta Information (PS3.10 7.1)', () => {
  it('begins with 128 zeros and DICM, and is read back with the offset of the data set', () => {
    const bytes = formatFileMeta({ ...META, sourceAETitle: 'SCANNER' });
    expect(bytes.subarray(0, 128).every((byte) => byte === 0)).to.equal(true);
    const file = Buffer.concat([bytes, Buffer.from('0800600043530200', 'hex'), Buffer.from('CT')]);
    expect(parseFileMeta(file)).to.deep.equal({ ...META, sourceAETitle: 'SCANNER', dataSetOffset: bytes.length });
  });

  it('writes a group length that counts the elements behind it', () => {
    const bytes = Buffer.from(formatFileMeta(META));
    expect(bytes.readUInt32LE(140)).to.equal(bytes.length - 144);
  });

  it('does not trust the group length', () => {
    const bytes = Buffer.from(formatFileMeta(META));
    bytes.writeUInt32LE(9_999, 140);
    expect(parseFileMeta(bytes).dataSetOffset).to.equal(bytes.length);
  });

  it('round-trips any UIDs, and refuses every cut with a Fault', () => {
    const uid = fc.array(fc.nat(), { minLength: 1, maxLength: 5 }).map((parts) => `1.${parts.join('.')}`);
    fc.assert(
      fc.property(uid, uid, uid, fc.nat(), (sopClassUID, sopInstanceUID, transferSyntaxUID, cut) => {
        const meta = { sopClassUID, sopInstanceUID, transferSyntaxUID };
        const bytes = formatFileMeta(meta);
        expect(parseFileMeta(bytes)).to.deep.equal({ ...meta, dataSetOffset: bytes.length });
        try {
          parseFileMeta(bytes.subarray(0, cut % bytes.length));
        } catch (error) {
          expect(error).to.be.instanceOf(Fault);
        }
      }),
    );
  });
});
