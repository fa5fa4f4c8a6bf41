/** Who said what of a label: no sender speaks for others, nor says a state that the server keeps. */
import { expect } from 'chai';
import type { Coding, DiagnosticReport, Observation } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import { labelOf, maskCoding } from '../../profiles/confidentiality.ts';
import { keepingSaid, keepingStates, masksOfReports, withState } from '../../profiles/said-label.ts';

const RESTRICTED: Coding = { system: CODE_SYSTEM.itemState, code: 'restricted' };
const MASKED = maskCoding('patient');
const code = { text: 'x' };

describe('A state of an item that a sender says', () => {
  const report: DiagnosticReport = {
    resourceType: 'DiagnosticReport',
    status: 'final',
    code,
    meta: { security: [MASKED, RESTRICTED] },
  };

  it('is not taken of a report, nor brought to its exam, and what it says else stands', () => {
    expect(labelOf(keepingSaid(report, undefined).meta).masks).to.deep.equal(['patient']);
    expect(masksOfReports([report])).to.deep.equal(['patient']);
  });

  it('is not taken of any other item, with a mark of the server or without', () => {
    const observation: Observation = { resourceType: 'Observation', status: 'final', code };
    const marked = withState(observation, 'restricted', true);
    for (const sent of [{ ...observation, meta: { security: [MASKED, RESTRICTED] } }, marked]) {
      const kept = keepingStates(sent, undefined);
      expect(labelOf(kept.meta).masks, JSON.stringify(kept)).to.not.include('restricted');
    }
  });

  it('stays as the server keeps it, whatever is sent', () => {
    const standing = withState({ ...report, meta: {} }, 'unshared', true);
    expect(labelOf(keepingSaid(report, standing).meta).masks).to.have.members(['patient', 'unshared']);
    expect(labelOf(keepingStates(report, standing).meta).masks).to.have.members(['patient', 'unshared']);
  });
});
