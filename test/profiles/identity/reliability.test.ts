import { expect } from 'chai';
import type { Coding, Extension, Patient } from '@medplum/fhirtypes';
import { IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { readReliability, type Reliability } from '../../../profiles/identity/reliability.ts';

const FR = 'https://hl7.fr/ig/fhir/core/CodeSystem';
const STATUS = `${FR}/fr-core-cs-identity-status`;
const COMMENT = `${FR}/fr-core-cs-identity-status-comment`;
const FORMER = [`${FR}/fr-core-cs-v2-0445`, `${FR}/fr-core-v2-0445`];
const INS = { system: IDENTIFIER_SYSTEM.insNir, value: '268046799900163' };

function reliability(status: Coding | undefined, comments: readonly Coding[] = [], lastUpdated?: string): Extension {
  return {
    url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability',
    extension: [
      ...(lastUpdated === undefined ? [] : [{ url: 'lastUpdated', valueDateTime: lastUpdated }]),
      ...(status === undefined ? [] : [{ url: 'identityStatus', valueCoding: status }]),
      ...comments.map((coding) => ({ url: 'comment', valueCodeableConcept: { coding: [coding] } })),
    ],
  };
}

function read(extension: readonly Extension[], identifier: Patient['identifier'] = [INS]): Reliability {
  return readReliability({ resourceType: 'Patient', extension: [...extension], identifier });
}

describe('Reliability of an identity (FR Core fr-core-identity-reliability)', () => {
  const table: readonly [system: string, code: string, status: Reliability['status']][] = [
    [STATUS, 'QUAL', 'qualified'],
    [STATUS, 'VALI', 'validated'],
    [STATUS, 'RECUP', 'retrieved'],
    [STATUS, 'PROV', 'provisional'],
    [STATUS, 'VIDE', 'provisional'],
    [STATUS, 'qual', 'provisional'],
    ['https://example.org/status', 'QUAL', 'provisional'],
    ...FORMER.flatMap((system): [string, string, Reliability['status']][] => [
      [system, 'VALI', 'qualified'],
      [system, 'QUAL', 'provisional'],
      [system, 'PROV', 'provisional'],
    ]),
  ];
  for (const [system, code, status] of table) {
    it(`${code} of ${system} beside an INS is ${status}`, () => {
      expect(read([reliability({ system, code })]).status).to.equal(status);
    });
  }

  it('VALI of the former table is qualified beside a current INS of the right form alone', () => {
    const statusBeside = (identifier: Patient['identifier']): string =>
      read([reliability({ system: FORMER[0] ?? '', code: 'VALI' })], identifier).status;
    expect(statusBeside([{ ...INS, use: 'old' }])).to.equal('validated');
    expect(statusBeside([{ ...INS, value: '268046799900164' }])).to.equal('validated');
    expect(statusBeside([{ system: IDENTIFIER_SYSTEM.matricule, value: '1983020900199' }])).to.equal('validated');
    expect(statusBeside([{ system: IDENTIFIER_SYSTEM.insNia, value: INS.value, use: 'temp' }])).to.equal('qualified');
  });

  it('says nothing without the extension, and no more than provisional with one that cannot be read', () => {
    expect(read([]).status).to.equal('unsaid');
    expect(read([reliability(undefined)]).status).to.equal('provisional');
    expect(read([reliability({ code: 'QUAL' })]).status).to.equal('provisional');
  });

  it('of several takes the one that was updated last, and the least where that is not said', () => {
    const [prov, qual] = ['PROV', 'QUAL'].map((code) => ({ system: STATUS, code }));
    const doubtful = [{ system: COMMENT, code: 'DOUT' }];
    const history = [
      reliability(prov, doubtful, '2024-05-01T10:00:00+02:00'),
      reliability(qual, [], '2025-01-15T09:30:00+01:00'),
    ];
    expect(read(history)).to.deep.include({ status: 'qualified', isBarred: false });
    expect(read(history.toReversed())).to.deep.include({ status: 'qualified', isBarred: false });
    expect(read([reliability(prov, doubtful), reliability(qual)])).to.deep.include({
      status: 'provisional',
      isBarred: true,
    });
    const two = { url: 'identityStatus', valueCoding: prov };
    const both = reliability(qual);
    expect(read([{ ...both, extension: [...(both.extension ?? []), two] as Extension[] }]).status).to.equal(
      'provisional',
    );
  });

  for (const code of ['DOUT', 'FICT', 'USUR', 'COLP', 'COLV', 'DPOT', 'DOUB', 'DOUA', 'DESA', 'INVA', 'ANOM', 'CACH']) {
    it(`${code} bars every automatic join, whatever the status`, () => {
      const said = read([reliability({ system: STATUS, code: 'QUAL' }, [{ system: COMMENT, code }])]);
      expect(said.isBarred).to.equal(true);
      expect(said.isConcealed).to.equal(code === 'ANOM' || code === 'CACH');
      expect(read([reliability({ system: FORMER[1] ?? '', code })])).to.deep.include({ isBarred: true });
    });
  }

  it('reads further codes with their system, and a homonym beside a status', () => {
    const further = (system: string, code: string): Reliability =>
      read([reliability({ system: STATUS, code: 'QUAL' }, [{ system, code }])]);
    expect(further('https://example.org/comments', 'DOUT').isBarred).to.equal(false);
    for (const code of ['FILI', 'IDVER', 'RECD', 'IDRA']) expect(further(COMMENT, code).isBarred, code).to.equal(false);
    for (const code of ['HOMD', 'HOMA'])
      expect(further(COMMENT, code)).to.deep.equal({
        status: 'qualified',
        isBarred: false,
        isConcealed: false,
        isHomonym: true,
      });
  });
});
