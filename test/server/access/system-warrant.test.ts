import { expect } from 'chai';
import { systemWarrant, type SystemWriteReason } from '../../../server/access/system-warrant.ts';
import { termsOf } from '../../../server/access/warrant.ts';

describe('What the server writes on its own account', () => {
  const WRITES: Readonly<Record<SystemWriteReason, readonly [types: readonly string[], event: string, of: object]>> = {
    'load-region': [
      ['Device', 'Endpoint', 'HealthcareService', 'Location', 'Organization', 'Practitioner', 'PractitionerRole'],
      'own',
      { persons: [] },
    ],
    'maintain-study': [['Binary', 'DocumentReference', 'ImagingStudy'], 'asking', { study: '1.2' }],
    'list-kept-aside': [['Task', 'quarantined'], 'asking', { study: '1.2' }],
    'file-joined': [['instance', 'quarantined'], 'own', { study: '1.2' }],
    'put-aside': [['instance', 'quarantined'], 'own', { study: '1.2' }],
    'erase-study': [
      [
        'Binary',
        'DiagnosticReport',
        'DocumentReference',
        'ImagingStudy',
        'Provenance',
        'Task',
        'instance',
        'quarantined',
      ],
      'asking',
      { study: '1.2' },
    ],
    'end-shipment': [[], 'own', { persons: [] }],
    'ask-for-work': [[], 'own', { persons: [] }],
  };

  for (const [reason, [types, event, whose]] of Object.entries(WRITES))
    it(`${reason}: ${types.join(', ') || 'no rows'}`, () => {
      const { act, reaches, bases } = termsOf(systemWarrant(reason as SystemWriteReason, '1.2'));
      const [reach, ...others] = reaches;
      expect([act, bases, others]).to.deep.equal([reason, [], []]);
      expect([[...(reach?.types ?? [])].sort(), reach?.event, reach?.whose]).to.deep.equal([types, event, whose]);
    });
});
