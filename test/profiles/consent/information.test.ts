/** Which Consents tell that a patient was informed, and what they must say (access.md ). */
import type { Consent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../fixtures/consent.ts';
import { oralInformation } from '../../../fixtures/information.ts';
import { isInformation, readInformation } from '../../../profiles/consent/information.ts';
import { isSharingChoice } from '../../../profiles/consent/sharing-choice.ts';
import { Fault } from '../../../profiles/fault.ts';

const NOW = Date.UTC(2026, 2, 1);
const INFORMED = oralInformation('Patient/1');

function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error instanceof Fault ? [error.kind, error.expression] : error;
  }
}

describe('The Consent by which an establishment records an information', () => {
  it('is told from others by its category, and is no choice of sharing', () => {
    expect([INFORMED, demoConsent('Patient/1')].map(isInformation)).to.deep.equal([true, false]);
    expect(isSharingChoice(INFORMED)).to.equal(false);
    expect(isSharingChoice({ ...INFORMED, category: [] })).to.equal(true);
  });

  it('is oral where a title says what was told, and written where a paper is at hand', () => {
    expect(readInformation(INFORMED, NOW)).to.deep.equal({ how: 'oral' });
    const { sourceAttachment: _, ...bare } = INFORMED;
    for (const paper of [
      { sourceAttachment: { title: 'Notice', data: 'eA==' } },
      { sourceAttachment: { url: 'https://example.org/notice' } },
      { sourceReference: { reference: 'DocumentReference/1' } },
    ])
      expect(readInformation({ ...bare, ...paper }, NOW), JSON.stringify(paper)).to.deep.equal({ how: 'written' });
  });

  it('says who informed her and when, and nothing besides', () => {
    const wrong: readonly (readonly [Partial<Consent>, string])[] = [
      [{ performer: [] }, 'Consent.performer'],
      [{ performer: [{ reference: 'Patient/1' }] }, 'Consent.performer'],
      [{ dateTime: '' }, 'Consent.dateTime'],
      [{ dateTime: '2026-03-02' }, 'Consent.dateTime'],
      [{ sourceAttachment: {} }, 'Consent.source[x]'],
      [{ status: 'proposed' }, 'Consent.status'],
      [{ provision: { type: 'deny' } }, 'Consent.provision.type'],
      [{ provision: { type: 'permit', period: { start: '2026' } } }, 'Consent.provision.period'],
      [{ provision: { type: 'permit', data: [] } }, 'Consent.provision.data'],
      [{ provision: { type: 'permit', actor: [] } }, 'Consent.provision.actor'],
    ];
    for (const [said, expression] of wrong) {
      const consent = { ...INFORMED, ...said };
      expect(
        thrownBy(() => readInformation(consent, NOW)),
        expression,
      ).to.deep.equal(['not-supported', expression]);
    }
  });
});
