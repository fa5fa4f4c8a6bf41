import { expect } from 'chai';
import {
  adoptionWarrant,
  erasureWarrant,
  systemWarrant,
  type SystemWriteReason,
} from '../../../server/access/system-warrant.ts';
import { aPersonKey } from '../../support/plans.ts';
import { termsOf } from '../../../server/access/warrant.ts';

/** Types of rows that bear a label of their own. */
const LABELLED = [
  'Appointment',
  'CareTeam',
  'Composition',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'ImagingStudy',
  'List',
  'Observation',
  'ServiceRequest',
];

describe('What the server writes on its own account', () => {
  const WRITES: Readonly<Record<SystemWriteReason, readonly [types: readonly string[], event: string, of: object]>> = {
    'load-region': [
      ['Device', 'Endpoint', 'HealthcareService', 'Location', 'Organization', 'Practitioner', 'PractitionerRole'],
      'own',
      { persons: [] },
    ],
    'maintain-study': [['Binary', 'DiagnosticReport', 'DocumentReference', 'ImagingStudy'], 'asking', { study: '1.2' }],
    'correct-documents': [['DocumentReference'], 'asking', { persons: ['1.2'] }],
    'list-kept-aside': [['Task', 'quarantined'], 'asking', { study: '1.2' }],
    'file-joined': [['instance', 'quarantined'], 'own', { study: '1.2' }],
    'put-aside': [['instance', 'quarantined'], 'own', { study: '1.2' }],
    'adopt-identities': [['Patient', 'Person', 'Task'], 'asking', { persons: ['1.2'] }],
    'adopt-reports': [['Binary', 'DocumentReference'], 'asking', { persons: ['1.2'] }],
    'adopt-labels': [LABELLED, 'asking', { persons: ['1.2'] }],
    'settle-ground': [LABELLED, 'asking', { persons: ['1.2'] }],
    'end-given': [['CareTeam', 'Consent', 'Task'], 'own', { persons: ['1.2'] }],
    'declare-named': [['Consent', 'Task'], 'own', { persons: ['1.2'] }],
    'end-consent': [['Consent', 'Task'], 'own', { persons: ['1.2'] }],
    'erase-record': [['Task'], 'own', { persons: ['1.2'] }],
    'purge-joined': [['Communication', 'Task'], 'own', { persons: ['1.2'] }],
    'separate-unconfirmed': [['Patient', 'Person', 'Task'], 'own', { persons: ['1.2'] }],
    'note-export': [['Task'], 'asking', { persons: ['1.2'] }],
    'erase-items': [
      [
        'Appointment',
        'Binary',
        'CareTeam',
        'Composition',
        'DiagnosticReport',
        'DocumentReference',
        'Encounter',
        'List',
        'Observation',
        'Provenance',
        'RelatedPerson',
        'ServiceRequest',
      ],
      'asking',
      { persons: ['1.2'] },
    ],
    'erase-person': [['Communication', 'Consent', 'Patient', 'Person', 'Task'], 'asking', { persons: ['1.2'] }],
    'tell-news': [['Communication'], 'asking', { persons: ['1.2'] }],
    'send-notice': [['Communication'], 'asking', { persons: ['1.2'] }],
    'tell-opened': [['Task'], 'asking', { persons: ['1.2'] }],
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
    'forget-tries': [[], 'own', { persons: [] }],
    'ask-for-work': [[], 'own', { persons: [] }],
    'keep-events': [[], 'own', { persons: [] }],
  };

  for (const [reason, [types, event, whose]] of Object.entries(WRITES))
    it(`${reason}: ${types.join(', ') || 'no rows'}`, () => {
      const { act, reaches, bases } = termsOf(systemWarrant(reason as SystemWriteReason, '1.2'));
      const [reach, ...others] = reaches;
      expect([act, bases, others]).to.deep.equal([reason, [], []]);
      expect([[...(reach?.types ?? [])].sort(), reach?.event, reach?.whose]).to.deep.equal([types, event, whose]);
    });

  it('adopt-identities: of a Patient as the person that it was read as', () => {
    const [person, home] = [aPersonKey(), aPersonKey()];
    const { reaches, bases } = termsOf(adoptionWarrant('Patient/1', person, home));
    expect(reaches).to.deep.equal(termsOf(systemWarrant('adopt-identities', home, person)).reaches);
    expect(bases).to.deep.equal([{ kind: 'row', row: 'Patient/1', person }]);
  });

  it('erase-study: of the study’s person also reports that do not name its UID, with documents and bytes', () => {
    const person = aPersonKey();
    const [study, hers, ...others] = termsOf(erasureWarrant('1.2', person)).reaches;
    expect(study).to.deep.equal(termsOf(systemWarrant('erase-study', '1.2')).reaches[0]);
    expect([hers, others]).to.deep.equal([
      {
        types: ['Binary', 'DiagnosticReport', 'DocumentReference', 'Provenance'],
        whose: { persons: [person] },
        event: 'asking',
      },
      [],
    ]);
    expect(termsOf(erasureWarrant('1.2', undefined)).reaches).to.deep.equal([study]);
  });
});
