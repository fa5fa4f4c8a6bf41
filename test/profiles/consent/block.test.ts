/** The shape of a Consent that blocks (IHE PCF 1.1, Consent Basic with a deny), as sent and as stored. */
import { expect } from 'chai';
import type { Consent } from '@medplum/fhirtypes';
import { demoConsent } from '../../../fixtures/consent.ts';
import { blockOf, isBlock, readBlock } from '../../../profiles/consent/block.ts';
import { permitOf, readDeclaration } from '../../../profiles/consent/declaration.ts';
import { isSharingChoice } from '../../../profiles/consent/sharing-choice.ts';
import { faultOf } from '../../support/thrown-fault.ts';

const { provision = {}, ...rest } = demoConsent('Patient/p');
const aBlock = (parts: Partial<Consent> = {}, said: Partial<Consent['provision']> = {}): Consent => ({
  ...rest,
  provision: { ...provision, type: 'deny', ...said },
  ...parts,
});

describe('A Consent that blocks', () => {
  it('names whom it is against, and when; it permits nobody and is no choice of sharing', () => {
    const period = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
    const block = aBlock({}, { period });
    const { actors, from, to } = readBlock(block);
    expect(actors.map(({ reference }) => reference)).to.deep.equal(['Practitioner/demo-declared']);
    expect([from, to]).to.deep.equal([Date.parse(period.start), Date.parse(period.end) + 1_000]);
    expect(blockOf(block)).to.deep.equal({ actors, from, to });
    expect([isBlock(block), isSharingChoice(block), permitOf(block)]).to.deep.equal([true, false, undefined]);
    expect(() => readDeclaration(block)).to.throw('must be permit');
  });

  it('that has ended, or has no such time, closes nothing', () => {
    for (const status of ['inactive', 'entered-in-error', 'proposed'] as const)
      expect(blockOf(aBlock({ status })), status).to.equal(undefined);
    expect(blockOf(aBlock({}, { period: { start: '2026-13-01' } }))).to.equal(undefined);
    expect(blockOf(demoConsent('Patient/p'))).to.equal(undefined);
    expect(blockOf(aBlock({}, { actor: [] }))).to.equal(undefined);
  });

  it('is of all data, for every purpose, by a policy that goes with it', () => {
    const payment = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HPAYMT' };
    const [actor] = provision.actor ?? [];
    if (actor === undefined) throw new Error('Nobody is named');
    const faults: readonly (readonly [Consent, string])[] = [
      [demoConsent('Patient/p'), 'Consent.provision.type'],
      [aBlock({ status: 'draft' }), 'Consent.status'],
      [aBlock({ policyRule: { coding: [{ code: 'OPTOUT' }] } }), 'Consent.policyRule'],
      [aBlock({ policy: [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-all-normal' }] }), 'Consent.policy'],
      [aBlock({}, { purpose: [payment] }), 'Consent.provision.purpose'],
      [aBlock({}, { dataPeriod: { start: '2026' } }), 'Consent.provision.dataPeriod'],
      [aBlock({}, { provision: [{ type: 'permit' }] }), 'Consent.provision.provision'],
      [
        aBlock({}, { actor: [{ ...actor, reference: { reference: 'Device/d' } }] }),
        'Consent.provision.actor[0].reference',
      ],
    ];
    for (const [consent, expression] of faults)
      expect(
        faultOf(() => readBlock(consent)),
        expression,
      ).to.include({ kind: 'not-supported', expression });
    for (const uri of ['https://profiles.ihe.net/ITI/PCF/Policy-deny', 'urn:ours'])
      expect(readBlock(aBlock({ policy: [{ uri }] }, { purpose: [] })).actors).to.have.length(1);
  });
});
