import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Consent, ConsentProvision } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../fixtures/consent.ts';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { readDeclaration } from '../../../profiles/consent/declaration.ts';
import { RULES } from '../../../server/access/rules/table.ts';
import { faultOf } from '../../support/thrown-fault.ts';
import { TESTDATA } from '../../support/testdata.ts';

const EXAMPLES = join(TESTDATA, 'ihe', 'pcf');
const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';

function consentOf(provision: Partial<ConsentProvision>, changes: Partial<Consent> = {}): Consent {
  const consent = demoConsent('Patient/1');
  return { ...consent, ...changes, provision: { ...consent.provision, ...provision } };
}

const recipient = (reference: string, code = 'IRCP') => ({
  role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code }] },
  reference: { reference },
});
const purposes = (...codes: string[]) => codes.map((code) => ({ system: ACT_REASON, code }));

const N = { system: CODE_SYSTEM.confidentiality, code: 'N' };
const STUDY = { meaning: 'instance', reference: { reference: 'ImagingStudy/1' } } as const;

describe('Declaration of a correspondent (IHE PCF Consent Basic)', () => {
  it('names the professionals, for ever where there is no period', () => {
    expect(readDeclaration(demoConsent('Patient/1'))).to.deep.equal({
      actors: [{ kind: 'person', type: 'Practitioner', id: 'demo-declared', reference: 'Practitioner/demo-declared' }],
      from: 0,
      to: 8.64e15,
    });
  });

  it('takes several professionals, roles and organizations, once each, without purpose', () => {
    const { purpose: _purpose, ...provision } =
      consentOf({
        actor: [
          recipient('Practitioner/a'),
          recipient('PractitionerRole/b'),
          recipient('Organization/c'),
          recipient('Practitioner/a'),
        ],
      }).provision ?? {};
    expect(readDeclaration({ ...consentOf({}), provision }).actors.map(({ reference }) => reference)).to.deep.equal([
      'Practitioner/a',
      'PractitionerRole/b',
      'Organization/c',
    ]);
  });

  it('C8 is to one exam, or to other items, where it names those alone, each once', () => {
    const report = { meaning: 'instance', reference: { reference: 'DiagnosticReport/1' } } as const;
    for (const one of [STUDY, { ...STUDY, meaning: 'related' as const }, report])
      expect(readDeclaration(consentOf({ data: [one] })).exams).to.deep.equal([one.reference.reference]);
    const others = ['DocumentReference/1', 'Observation/1', 'Encounter/1'];
    const data = others.map((reference) => ({ ...STUDY, reference: { reference } }));
    expect(readDeclaration(consentOf({ data: [STUDY, ...data, STUDY] })).exams).to.deep.equal([
      'ImagingStudy/1',
      ...others,
    ]);
    const many = Array.from({ length: 21 }, (_, at) => ({ ...STUDY, reference: { reference: `Observation/${at}` } }));
    expect(readDeclaration(consentOf({ data: many.slice(1) })).exams).to.have.length(20);
    expect(faultOf(() => readDeclaration(consentOf({ data: many }))).kind).to.equal('not-supported');
  });

  it('Intermediate is to what is of a time, by the days of the zone of the region; not beside data', () => {
    const dataPeriod = { start: '2022-01-01', end: '2022-12-31' };
    expect(readDeclaration(consentOf({ dataPeriod }), 'Europe/Paris').dataPeriod).to.deep.equal({
      lo: Date.parse('2021-12-31T23:00:00Z'),
      hi: Date.parse('2022-12-31T23:00:00Z'),
    });
    expect(readDeclaration(consentOf({ dataPeriod: { start: '1970' } })).dataPeriod).to.deep.equal({
      lo: 0,
      hi: 8.64e15,
    });
    expect(faultOf(() => readDeclaration(consentOf({ dataPeriod, data: [STUDY] }))).kind).to.equal('not-supported');
    for (const none of [{ start: '2022-02-30' }, {}])
      expect(faultOf(() => readDeclaration(consentOf({ dataPeriod: none }))).kind).to.equal('invalid');
  });

  it('Advanced says N, up to which whoever is declared sees, and no other label', () => {
    expect(RULES.declared.ceiling).to.equal('N');
    expect(readDeclaration(consentOf({ securityLabel: [N] }))).to.deep.equal(readDeclaration(consentOf({})));
    const others = ['R', 'V', 'L'].map((code) => ({ ...N, code }));
    for (const label of [...others, { system: CODE_SYSTEM.actCode, code: 'PSY' }, { code: 'N' }])
      for (const securityLabel of [[label], [N, label]]) {
        const { kind, expression } = faultOf(() => readDeclaration(consentOf({ securityLabel })));
        expect([kind, expression]).to.deep.equal(['not-supported', 'Consent.provision.securityLabel']);
      }
  });

  it('is for treatment, in an emergency, too; for an emergency alone it is none', () => {
    expect(readDeclaration(consentOf({ purpose: purposes('TREAT', 'ETREAT') })).actors).to.have.length(1);
    expect(faultOf(() => readDeclaration(consentOf({ purpose: purposes('ETREAT') }))).kind).to.equal('not-supported');
  });

  it('reads the period by its precision, the end inclusive', () => {
    const { from, to } = readDeclaration(
      consentOf({ period: { start: '2026-01-10T08:00:00+01:00', end: '2026-12-31' } }),
    );
    expect([from, to]).to.deep.equal([Date.parse('2026-01-10T07:00:00Z'), Date.parse('2027-01-01T00:00:00Z')]);
  });

  it('B12 bare days of the period are those of the zone of the region', () => {
    const consent = consentOf({ period: { start: '2026-07-01', end: '2026-07-10' } });
    const { from, to } = readDeclaration(consent, 'Europe/Paris');
    expect([from, to]).to.deep.equal([Date.parse('2026-06-30T22:00:00Z'), Date.parse('2026-07-10T22:00:00Z')]);
  });

  const refused: readonly [element: string, consent: Consent][] = [
    ['Consent.status', consentOf({}, { status: 'inactive' })],
    [
      'Consent.scope',
      consentOf(
        {},
        { scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }] } },
      ),
    ],
    ['Consent.implicitRules', consentOf({}, { implicitRules: 'https://example.org/rules' })],
    ['Consent.modifierExtension', consentOf({}, { modifierExtension: [{ url: 'urn:x', valueBoolean: true }] })],
    ['Consent.policy', consentOf({}, { policy: [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-deny' }] })],
    ['Consent.provision.type', consentOf({ type: 'deny' })],
    ['Consent.provision.action', consentOf({ action: [{ coding: [{ code: 'access' }] }] })],
    ['Consent.provision.class', consentOf({ class: [{ code: 'DiagnosticReport' }] })],
    ['Consent.provision.code', consentOf({ code: [{ text: 'x' }] })],
    ['Consent.provision.data', consentOf({ data: [] })],
    ['Consent.provision.data', consentOf({ data: [STUDY, { ...STUDY, meaning: 'dependents' }] })],
    ['Consent.provision.data', consentOf({ data: [{ ...STUDY, meaning: 'dependents' }] })],
    ['Consent.provision.data', consentOf({ data: [{ ...STUDY, meaning: 'authoredby' }] })],
    ['Consent.provision.data', consentOf({ data: [{ ...STUDY, modifierExtension: [{ url: 'urn:x' }] }] })],
    ...[
      'Consent/1',
      'Patient/1',
      'ImagingStudy/1/_history/2',
      'ImagingStudy',
      'https://elsewhere.example/ImagingStudy/1',
    ].map((reference): [string, Consent] => [
      'Consent.provision.data',
      consentOf({ data: [{ ...STUDY, reference: { reference } }] }),
    ]),
    // What a report refers to is more than the report.
    [
      'Consent.provision.data',
      consentOf({ data: [{ meaning: 'related', reference: { reference: 'DiagnosticReport/1' } }] }),
    ],
    ['Consent.provision.provision', consentOf({ provision: [{ type: 'deny' }] })],
    ['Consent.provision.purpose', consentOf({ purpose: purposes('TREAT', 'BTG') })],
    ['Consent.provision.purpose', consentOf({ purpose: [{ system: 'urn:other', code: 'TREAT' }] })],
    ['Consent.provision.actor', consentOf({ actor: [] })],
    ['Consent.provision.actor', consentOf({ actor: [recipient('CareTeam/a'), recipient('CareTeam/b')] })],
    ['Consent.provision.actor[0].reference', consentOf({ actor: [recipient('Group/a')] })],
    ['Consent.provision.actor[0].role', consentOf({ actor: [recipient('Practitioner/a', 'CST')] })],
    [
      'Consent.provision.actor[1].reference',
      consentOf({ actor: [recipient('Practitioner/a'), recipient('Patient/o')] }),
    ],
    [
      'Consent.provision.actor[0].reference',
      consentOf({ actor: [recipient('https://elsewhere.example/Practitioner/a')] }),
    ],
  ];
  for (const [element, consent] of refused) {
    it(`refuses a Consent for its ${element}`, () => {
      const fault = faultOf(() => readDeclaration(consent));
      expect(fault.kind).to.equal('not-supported');
      expect(fault.expression).to.equal(element);
      expect(fault.message).to.include(element);
    });
  }

  it('refuses a Consent without provision, and a period that is none', () => {
    const { provision: _provision, ...bare } = consentOf({});
    expect(faultOf(() => readDeclaration(bare)).expression).to.equal('Consent.provision');
    expect(faultOf(() => readDeclaration(consentOf({ period: { end: '2026-02-30' } }))).kind).to.equal('invalid');
  });

  for (const code of ['HPAYMT', 'COVERAGE', 'HRESCH', 'CLINTRCH', 'HMARKT']) {
    it(`forbids the purpose ${code}, also beside treatment`, () => {
      expect(faultOf(() => readDeclaration(consentOf({ purpose: purposes('TREAT', code) }))).kind).to.equal(
        'forbidden',
      );
    });
  }

  it('refuses each published example of PCF: none declares a correspondent for treatment alone', function () {
    if (!existsSync(EXAMPLES)) return this.skip();
    const names = readdirSync(EXAMPLES).filter((name) => name.startsWith('Consent-'));
    expect(names).to.have.length.above(20);
    for (const name of names) {
      const consent = JSON.parse(readFileSync(join(EXAMPLES, name), 'utf8')) as Consent;
      expect(['not-supported', 'forbidden'], name).to.include(faultOf(() => readDeclaration(consent)).kind);
    }
  });
});
