import { expect } from 'chai';
import type { Consent } from '@medplum/fhirtypes';
import { buildConsentChange, buildEmergencyConsent } from '../../../profiles/consent/privacy-consent.ts';
import { buildShareConsent } from '../../../profiles/consent/giving/share.ts';
import { recordedBy, sharingOf } from '../../../profiles/consent/sharing.ts';
import { demoConsent } from '../../../fixtures/consent.ts';

const NOW = Date.UTC(2026, 0, 5);
const patient = 'Patient/p';

function said(change: 'withdraw' | 'reconsent', at: number, organization?: string): Consent & { readonly id: string } {
  const by = organization === undefined ? {} : { organization };
  return buildConsentChange({ id: `${change}-${at}`, patient, change, now: NOW + at, ...by });
}

const idsOf = (consents: readonly Consent[]): readonly string[] => consents.map(({ id = '' }) => id);

describe('Whether a record is shared, told from its Consents (access.md C10)', () => {
  it('is while no withdrawal stands; declarations, emergencies and shares say nothing of it', () => {
    const emergency = { id: 'e', patient, practitioner: 'Practitioner/1', from: NOW, to: NOW + 1 };
    const [declared, opened] = [demoConsent(patient), buildEmergencyConsent(emergency)];
    const terms = { email: 'ami@example.org', reason: 'avis', download: false };
    const shared = buildShareConsent({ id: 's', patient, item: 'ImagingStudy/1', from: NOW, to: NOW + 1, ...terms });
    const none = { denials: [], permits: [], tickets: [], shares: [] };
    expect(sharingOf([declared, opened])).to.deep.equal({ ...none, emergencies: [opened] });
    expect(sharingOf([shared])).to.deep.equal({ ...none, emergencies: [], shares: [shared] });
    expect(sharingOf([{ ...shared, status: 'inactive' }])).to.deep.equal({ ...none, emergencies: [] });
    expect(sharingOf([{ ...opened, status: 'inactive' }])).to.deep.equal({ ...none, emergencies: [] });
  });

  it('is not while one of several withdrawals stands, whoever spoke and whatever was ended', () => {
    const [hers, theirs] = [said('withdraw', 1), said('withdraw', 2, 'Organization/a')];
    expect(idsOf(sharingOf([hers, theirs]).denials)).to.deep.equal(['withdraw-1', 'withdraw-2']);
    expect(idsOf(sharingOf([{ ...hers, status: 'inactive' }, theirs]).denials)).to.deep.equal(['withdraw-2']);
    expect([recordedBy(hers), recordedBy(theirs)]).to.deep.equal([undefined, 'Organization/a']);
  });

  it('is when all were ended; a consent that waits for another’s end ends nothing', () => {
    const waiting = { ...said('reconsent', 3), status: 'proposed' } as const;
    expect(idsOf(sharingOf([said('withdraw', 2, 'Organization/a'), waiting]).denials)).to.deep.equal(['withdraw-2']);
    expect(idsOf(sharingOf([waiting]).permits)).to.deep.equal(['reconsent-3']);
  });

  it('takes withdrawals that earlier servers left active behind a consent for ended', () => {
    const [former, permit, later] = [said('withdraw', 1), said('reconsent', 2), said('withdraw', 3)];
    expect(idsOf(sharingOf([former, permit]).denials)).to.deep.equal([]);
    expect(idsOf(sharingOf([former, permit, later]).denials)).to.deep.equal(['withdraw-3']);
    expect(idsOf(sharingOf([permit, said('withdraw', 2)]).denials), 'at the same moment').to.deep.equal(['withdraw-2']);
  });

  it('is not where the consent was said under another identity, which may have been joined since', () => {
    const [denial, permit] = [said('withdraw', 1), said('reconsent', 2)];
    const others = { ...permit, patient: { reference: 'Patient/q' } };
    expect(idsOf(sharingOf([denial, others]).denials)).to.deep.equal(['withdraw-1']);
  });
});
