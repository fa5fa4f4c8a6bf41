import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Consent } from '@medplum/fhirtypes';
import { demoConsent } from '../../../fixtures/consent.ts';
import { buildConsentChange } from '../../../profiles/consent/privacy-consent.ts';
import { isSharingChoice, readSharingChoice } from '../../../profiles/consent/sharing-choice.ts';
import { faultOf } from '../../support/thrown-fault.ts';
import { TESTDATA } from '../../support/testdata.ts';

const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const NOW = Date.UTC(2026, 0, 20);
const patient = 'Patient/p';

/** A Consent without actor. */
function consentOf(
  type: 'permit' | 'deny',
  provision: Consent['provision'] = {},
  more: Partial<Consent> = {},
): Consent {
  const { provision: _, policy: __, ...frame } = demoConsent(patient);
  return { ...frame, policy: [{ uri: 'https://example.org/notice' }], provision: { type, ...provision }, ...more };
}

const purposes = (...codes: readonly string[]) => ({
  purpose: codes.map((code) => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code })),
});

describe('A Consent without actor (IHE PCF 1.1, Consent Basic)', () => {
  it('withdraws, or consents to share; what the operations write is read as that, too', () => {
    expect(readSharingChoice(consentOf('deny'), NOW)).to.equal('withdraw');
    expect(readSharingChoice(consentOf('permit'), NOW)).to.equal('reconsent');
    for (const change of ['withdraw', 'reconsent'] as const)
      expect(readSharingChoice(buildConsentChange({ id: 'c', patient, change, now: NOW }), NOW)).to.equal(change);
  });

  it('R-34 opposes where its rule is OPTOUT; one of OPTIN consents', () => {
    const rule = (code: string) => ({ policyRule: { coding: [{ system: ACT_CODE, code }] } });
    expect(readSharingChoice(consentOf('deny', {}, rule('OPTOUT')), NOW)).to.equal('oppose');
    expect(readSharingChoice(consentOf('permit', {}, rule('OPTIN')), NOW)).to.equal('reconsent');
    for (const [type, code] of [
      ['permit', 'OPTOUT'],
      ['deny', 'OPTIN'],
    ] as const)
      expect(faultOf(() => readSharingChoice(consentOf(type, {}, rule(code)), NOW)).kind).to.equal('not-supported');
  });

  it('is refused where it would not be enforced as it stands', () => {
    const refused: readonly Consent[] = [
      consentOf('deny', {}, { status: 'proposed' }),
      consentOf('deny', {}, { scope: { coding: [] } }),
      consentOf('deny', {}, { implicitRules: 'urn:x' }),
      consentOf('deny', {}, { policy: [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-basic-normal' }] }),
      consentOf('permit', {}, { policy: [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-deny' }] }),
      consentOf('deny', {}, { policyRule: { coding: [{ system: 'urn:x', code: 'x' }] } }),
      consentOf('deny', purposes('HRESCH')),
      consentOf('permit', purposes('HOPERAT')),
      consentOf('deny', { period: { end: '2027-01-01' } }),
      consentOf('deny', { period: { start: '2026-01-21' } }),
      { ...consentOf('deny'), provision: {} },
    ];
    for (const consent of refused) {
      const fault = faultOf(() => readSharingChoice(consent, NOW));
      expect(fault.kind, JSON.stringify(consent)).to.equal('not-supported');
    }
    expect(readSharingChoice(consentOf('deny', { period: { start: '2026-01-19' } }), NOW)).to.equal('withdraw');
  });

  it('B12 begins with the day of the region, where it is said without a time', () => {
    const consent = consentOf('deny', { period: { start: '2026-07-01' } });
    const morning = Date.parse('2026-07-01T00:30:00+02:00');
    expect(readSharingChoice(consent, morning, 'Europe/Paris')).to.equal('withdraw');
    expect(faultOf(() => readSharingChoice(consent, morning)).kind).to.equal('not-supported');
  });

  it('R-36 denies for payment as well as for treatment, and permits for treatment alone', () => {
    expect(readSharingChoice(consentOf('deny', purposes('TREAT', 'HPAYMT', 'HOPERAT')), NOW)).to.equal('withdraw');
    const fault = faultOf(() => readSharingChoice(consentOf('permit', purposes('TREAT', 'HPAYMT')), NOW));
    expect(fault.kind).to.equal('forbidden');
  });

  it('is no choice of sharing where it names somebody or narrows what it says', () => {
    expect(isSharingChoice(demoConsent(patient))).to.equal(false);
    expect(isSharingChoice({ ...demoConsent(patient), provision: undefined } as unknown as Consent)).to.equal(false);
    for (const narrowed of [
      { data: [{ meaning: 'instance' as const, reference: { reference: 'ImagingStudy/1' } }] },
      { dataPeriod: { start: '2020-01-01' } },
      { securityLabel: [{ code: 'R' }] },
      { provision: [{ type: 'permit' as const }] },
    ])
      expect(isSharingChoice(consentOf('deny', narrowed)), JSON.stringify(narrowed)).to.equal(false);
    expect(isSharingChoice(consentOf('deny'))).to.equal(true);
  });

  it('reads the published example that rejects; the one that permits payment is refused', function published() {
    const folder = join(TESTDATA, 'ihe', 'pcf');
    if (!existsSync(folder)) return this.skip();
    const example = (name: string): Consent =>
      JSON.parse(readFileSync(`${folder}/Consent-ex-consent-basic-${name}.json`, 'utf8')) as Consent;
    expect(readSharingChoice(example('reject'), NOW)).to.equal('withdraw');
    expect(faultOf(() => readSharingChoice(example('treat'), NOW)).kind).to.equal('forbidden');
  });
});
