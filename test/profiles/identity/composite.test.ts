import { expect } from 'chai';
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION, IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { compositePatient, type SourcePatient } from '../../../profiles/identity/composite.ts';
import { nationalNumbers } from '../../../profiles/identity/national-numbers.ts';
import {
  asSeenBy,
  ownIdentity,
  replacedPatient,
  type PatientReader,
} from '../../../profiles/identity/shown-patient.ts';

const { insNir, matricule } = IDENTIFIER_SYSTEM;
const INS = '268046799900163';
const SYSTEM = 'urn:oid:1.2.3';

const NOBODY: PatientReader = { sees: () => false, isSourceOf: () => false, isSelf: false };
const HERSELF: PatientReader = { ...NOBODY, isSelf: true };
const whoSees = (...ids: string[]): PatientReader => ({ ...NOBODY, sees: (id) => ids.includes(id) });
const sourceOf = (...ids: string[]): PatientReader => ({ ...NOBODY, isSourceOf: (id) => ids.includes(id) });

type Said = { status?: string; comment?: string; changed?: number; more?: Partial<Patient>; qualifies?: string[] };

/** What the source of an identity says: its own number of the patient, and others. */
function said(
  id: string,
  others: Identifier[],
  { status, comment, changed = 0, more, qualifies }: Said = {},
): SourcePatient {
  const codes = [
    ...(status === undefined ? [] : [{ url: 'identityStatus', system: CODE_SYSTEM.frIdentityStatus, code: status }]),
    ...(comment === undefined ? [] : [{ url: 'comment', system: CODE_SYSTEM.frIdentityStatusComment, code: comment }]),
  ].map(({ url, ...valueCoding }) => ({ url, valueCoding }));
  const { extension = [], ...parts } = more ?? {};
  const patient: Patient = {
    resourceType: 'Patient',
    ...(codes.length + extension.length > 0 && {
      extension: [
        ...(codes.length > 0 ? [{ url: EXTENSION.frIdentityReliability, extension: codes }] : []),
        ...extension,
      ],
    }),
    identifier: [{ system: `${SYSTEM}.${id}`, value: `local-${id}` }, ...others],
    name: [{ family: id }],
    managingOrganization: { reference: `Organization/${id}` },
    ...parts,
  };
  const source = { qualifies: qualifies ?? [insNir, matricule], fromImage: false };
  return { id, changed, patient, numbers: nationalNumbers(patient, source), systems: [`${SYSTEM}.${id}`] };
}

function valuesFor(members: readonly SourcePatient[], reader: PatientReader): (string | undefined)[] {
  return (asSeenBy(compositePatient('p', members), reader).identifier ?? []).map(({ value }) => value);
}

function familyOf(...members: SourcePatient[]): string | undefined {
  return asSeenBy(compositePatient('p', members), NOBODY).name?.[0]?.family;
}

const ins: Identifier = { system: insNir, value: INS, assigner: { reference: 'Organization/a' } };

describe('The Patient of a person: traits', () => {
  it('come from a qualified identity, then one whose document was seen, then others', () => {
    const all = [
      said('a', [], { status: 'PROV', changed: 9 }),
      said('b', [], { status: 'VALI', changed: 5 }),
      said('c', [ins], { status: 'QUAL', changed: 1 }),
    ];
    expect(familyOf(...all)).to.equal('c');
    expect(familyOf(...all.slice(0, 2))).to.equal('b');
    expect(familyOf(...all.slice(0, 1))).to.equal('a');
  });

  it('of sources that may not say so are not qualified', () => {
    const boast = said('a', [ins], { status: 'QUAL', changed: 9, qualifies: [] });
    expect(familyOf(boast, said('b', [ins], { status: 'QUAL' }))).to.equal('b');
    expect(familyOf(boast, said('b', [], { changed: 10 }))).to.equal('a');
  });

  it('of equals come from the one that changed later, and are never mixed', () => {
    const [early, late] = [said('a', [], { changed: 1, more: { gender: 'female' } }), said('b', [], { changed: 2 })];
    for (const members of [
      [early, late],
      [late, early],
    ]) {
      const { name, gender } = compositePatient('p', members);
      expect([name, gender]).to.deep.equal([[{ family: 'b' }], undefined]);
    }
  });

  it('of a doubtful identity come last, of a concealed one only when there is no other', () => {
    const qualified = { status: 'QUAL', changed: 9 };
    const all = [
      said('a', [ins], { ...qualified, comment: 'CACH' }),
      said('b', [ins], { ...qualified, comment: 'DOUT' }),
      said('c', []),
    ];
    expect(familyOf(...all)).to.equal('c');
    expect(familyOf(...all.slice(0, 2))).to.equal('b');
    expect(familyOf(...all.slice(0, 1))).to.equal(undefined);
  });

  it('tell nothing of the source to who sees no item of it', () => {
    const gp = { reference: '#gp' };
    const shown = said('a', [], {
      more: {
        text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">local-a</div>' },
        meta: { source: 'https://a.example.org' },
        link: [{ other: { reference: 'Patient/x' }, type: 'seealso' }],
        contained: [{ resourceType: 'Practitioner', id: 'gp' }],
        generalPractitioner: [gp],
        contact: [{ organization: { reference: 'Organization/a' } }],
        extension: [{ url: 'https://example.org/origin', valueReference: { reference: 'Organization/a' } }],
        address: [{ city: 'Ville' }],
      },
    });
    const composite = compositePatient('p', [shown]);
    expect(asSeenBy(composite, NOBODY)).to.deep.equal({
      resourceType: 'Patient',
      id: 'p',
      active: true,
      name: [{ family: 'a' }],
      address: [{ city: 'Ville' }],
    });
    for (const reader of [whoSees('a'), sourceOf('a'), HERSELF]) {
      const seen = asSeenBy(composite, reader);
      expect(seen.managingOrganization).to.deep.equal({ reference: 'Organization/a' });
      expect(seen.generalPractitioner).to.deep.equal([gp]);
      expect(seen).to.include.keys('contained', 'contact', 'extension').and.not.include.keys('text', 'meta', 'link');
    }
    expect(asSeenBy(composite, whoSees('b'))).to.deep.equal(asSeenBy(composite, NOBODY));
  });

  it('repeat no number that only its source sees', () => {
    const mail = { system: 'email' as const, value: `${INS}@patient.example.org` };
    const phone = { system: 'phone' as const, value: '0102030405' };
    const telecomOf = (status: string): unknown =>
      compositePatient('p', [said('a', [ins], { status, more: { telecom: [mail, phone] } })]).telecom;
    expect(telecomOf('PROV')).to.deep.equal([phone]);
    expect(telecomOf('QUAL')).to.deep.equal([mail, phone]);
  });
});

describe('The Patient of a person: identifiers', () => {
  const foreign = { system: `${SYSTEM}.b`, value: 'prior-of-b' };
  const all = [
    said('a', [ins, foreign], { status: 'QUAL' }),
    said(
      'b',
      [
        { system: `${SYSTEM}.b`, value: 'further-b' },
        { system: insNir, value: INS },
      ],
      { status: 'PROV' },
    ),
    said('c', [{ system: matricule, value: '19830209001' }], { comment: 'ANOM' }),
  ];

  it('qualified numbers are open, and do not tell who said them', () => {
    expect(asSeenBy(compositePatient('p', all), NOBODY).identifier).to.deep.equal([
      {
        use: 'official',
        type: { coding: [{ system: CODE_SYSTEM.frIdentifierType, code: 'INS-NIR' }] },
        system: insNir,
        value: INS,
      },
    ]);
  });

  it('local ones, the further ones too, are for who sees an item of that identity', () => {
    expect(valuesFor(all, whoSees('a'))).to.deep.equal([INS, 'local-a']);
    expect(valuesFor(all, whoSees('b'))).to.deep.equal([INS, 'local-b', 'further-b']);
    expect(valuesFor(all, whoSees('a', 'b'))).to.deep.equal([INS, 'local-a', 'local-b', 'further-b']);
  });

  it('numbers that are not qualified and those of others are for the source', () => {
    const [, b] = all;
    expect(valuesFor(all, sourceOf('a'))).to.deep.equal([INS, 'local-a', 'prior-of-b']);
    expect(valuesFor(b === undefined ? [] : [b], whoSees('b'))).to.deep.equal(['local-b', 'further-b']);
    expect(valuesFor(b === undefined ? [] : [b], sourceOf('b'))).to.deep.equal(['local-b', 'further-b', INS]);
  });

  it('a national number that is not qualified is for its source, were it what that source numbers patients by', () => {
    const named = { ...said('a', [{ system: matricule, value: '19830209001' }]), systems: [`${SYSTEM}.a`, matricule] };
    expect(valuesFor([named], whoSees('a'))).to.deep.equal(['local-a']);
    expect(valuesFor([named], sourceOf('a'))).to.deep.equal(['local-a', '19830209001']);
  });

  it('all of a concealed identity is for its source, were the reader to see items of it', () => {
    expect(valuesFor(all, whoSees('c'))).to.deep.equal([INS]);
    expect(valuesFor(all, sourceOf('c'))).to.deep.equal([INS, 'local-c', '19830209001']);
    const alone = said('c', [ins], { status: 'QUAL', comment: 'CACH', more: { birthDate: '1970-03-02' } });
    const composite = compositePatient('c', [alone]);
    expect(asSeenBy(composite, whoSees('c'))).to.deep.equal({ resourceType: 'Patient', id: 'c', active: true });
    expect(asSeenBy(composite, sourceOf('c'))).to.include({ birthDate: '1970-03-02' });
  });

  it('the person herself sees all, each once', () => {
    const values = [INS, 'local-a', 'prior-of-b', 'local-b', 'further-b', 'local-c', '19830209001'];
    expect(valuesFor(all, HERSELF)).to.have.members(values);
  });

  it('a number that one calls old is old where another is current', () => {
    const next = '1983020900199';
    const old = said('a', [{ use: 'old', system: matricule, value: '1970030200199' }]);
    const current = said('b', [{ system: matricule, value: '1970030200199' }]);
    const uses = (...members: SourcePatient[]): string[] =>
      (asSeenBy(compositePatient('p', members), NOBODY).identifier ?? []).map(({ use, value }) => `${value} ${use}`);
    expect(uses(old, current)).to.deep.equal(['1970030200199 official']);
    const both = said('c', [...(old.patient.identifier ?? []), { system: matricule, value: next }]);
    expect(uses(both, current)).to.deep.equal([`${next} official`, '1970030200199 old']);
  });

  it('a mark of ours that a source sends opens nothing', () => {
    const mark = {
      url: EXTENSION.saidBy,
      extension: [
        { url: 'identity', valueId: 'z' },
        { url: 'for-source', valueBoolean: false },
      ],
    };
    const forged = said('a', [{ ...foreign, extension: [mark] }], { comment: 'CACH', more: { extension: [mark] } });
    expect(JSON.stringify(compositePatient('p', [forged]))).to.not.include('"z"');
    expect(valuesFor([forged], whoSees('z'))).to.deep.equal([]);
    expect(asSeenBy(compositePatient('p', [forged]), whoSees('z'))).to.not.include.keys('name');
    expect(JSON.stringify(asSeenBy(compositePatient('p', [forged]), sourceOf('a')))).to.not.include(EXTENSION.saidBy);
  });
});

describe('What stands beside a composite Patient', () => {
  it('an identity goes back to its source as it was sent', () => {
    const { patient } = said('a', [ins], { status: 'QUAL' });
    const [first, ...others] = patient.identifier ?? [];
    const mark = { url: EXTENSION.saidBy, extension: [] };
    const stored: Patient = {
      ...patient,
      extension: [...(patient.extension ?? []), mark],
      identifier: [{ ...first, extension: [mark] }, ...others],
    };
    expect(ownIdentity(stored)).to.deep.equal(patient);
    expect(ownIdentity(patient)).to.deep.equal(patient);
  });

  it('a Patient that became one with another names it', () => {
    expect(replacedPatient('b', 'a')).to.deep.equal({
      resourceType: 'Patient',
      id: 'b',
      active: false,
      link: [{ other: { reference: 'Patient/a' }, type: 'replaced-by' }],
    });
  });

  it('a person is active as long as one source says so', () => {
    const ended = said('a', [], { more: { active: false } });
    expect(compositePatient('p', [ended, said('b', [])]).active).to.equal(true);
    expect(compositePatient('p', [ended]).active).to.equal(false);
  });
});
