/** The label of an item: what its codings say, and the number that stores keep. */
import { expect } from 'chai';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import {
  codingsOf,
  covers,
  decodeLabel,
  encodeLabel,
  labelOf,
  LEVELS,
  MASKS,
  stricter,
  type Label,
} from '../../profiles/confidentiality.ts';

const FRENCH = 'urn:oid:1.2.250.1.213.1.1.4.13';

/** Every label there is. */
const ALL: readonly Label[] = LEVELS.flatMap((level) =>
  Array.from({ length: 2 ** MASKS.length }, (_, bits) => ({
    level,
    masks: MASKS.filter((_, at) => ((bits >> at) & 1) === 1),
  })),
);

describe('The label of an item', () => {
  const read = (...security: readonly { readonly system?: string; readonly code: string }[]): Label =>
    labelOf({ security: [...security] });

  it('is normal without a coding, and where the code is below normal', () => {
    const normal = { level: 'N', masks: [] };
    expect(labelOf(undefined)).to.deep.equal(normal);
    for (const code of ['U', 'L', 'M', 'N'])
      expect(read({ system: CODE_SYSTEM.confidentiality, code }), code).to.deep.equal(normal);
    expect(read({ system: 'urn:other', code: 'V' })).to.deep.equal(normal);
  });

  it('is the strictest level that is said, by the URI or the OID of v3-Confidentiality', () => {
    const [system, oid] = [CODE_SYSTEM.confidentiality, 'urn:oid:2.16.840.1.113883.5.25'];
    expect(read({ system, code: 'R' }, { system, code: 'N' }).level).to.equal('R');
    expect(read({ system: oid, code: 'V' }, { system, code: 'N' }).level).to.equal('V');
  });

  it('is private where the code of confidentiality is not known', () => {
    for (const code of ['X', 'T', 'ETH', 'v', ''])
      expect(read({ system: CODE_SYSTEM.confidentiality, code }).level, code).to.equal('V');
  });

  it('masks by each French code and spelling, under whichever system it comes', () => {
    const codes = {
      MASQUE_PS: 'professionals',
      INVISIBLE_PATIENT: 'patient',
      INVISIBLE_REPRESENTANTS_LEGAUX: 'representatives',
      INVISIBLE_REP_LEGAUX: 'representatives',
      INVISIBLE_REPRENSANTS_LEGAUX: 'representatives',
    };
    for (const [code, mask] of Object.entries(codes))
      for (const coding of [{ system: FRENCH, code }, { system: CODE_SYSTEM.confidentiality, code }, { code }])
        expect(read(coding), JSON.stringify(coding)).to.deep.equal({ level: 'N', masks: [mask] });
    const several = read({ system: FRENCH, code: 'INVISIBLE_PATIENT' }, { system: FRENCH, code: 'MASQUE_PS' });
    expect(several.masks).to.deep.equal(['professionals', 'patient']);
  });

  it('is read again from its own codings and from the number that stores keep', () => {
    for (const label of ALL) {
      expect(labelOf({ security: [...codingsOf(label)] })).to.deep.equal(label);
      expect(decodeLabel(encodeLabel(label))).to.deep.equal(label);
    }
    expect(new Set(ALL.map(encodeLabel)).size).to.equal(ALL.length);
    expect(LEVELS.map((level) => encodeLabel({ level, masks: [] }))).to.deep.equal([0, 1, 2]);
  });

  it('is the strictest there is where the number is none of a label', () => {
    for (const kept of [-1, 4 * 2 ** MASKS.length, 1.5, Number.NaN])
      expect(decodeLabel(kept), `${kept}`).to.deep.equal({ level: 'V', masks: MASKS });
    expect(decodeLabel(3).level).to.equal('V');
  });

  it('covers what is laxer in both respects, and the stricter of two covers both', () => {
    for (const one of ALL)
      for (const other of ALL) {
        const both = stricter(one, other);
        expect([covers(both, one), covers(both, other)]).to.deep.equal([true, true]);
        expect(covers(one, other)).to.equal(encodeLabel(both) === encodeLabel(one));
      }
  });
});
