/**
 * Under which definitions rows are indexed that were written before versions were kept: those of the last release
 * without them. A type that is not here has come since, so of its rows without a version nothing is known. Nothing of
 * this changes any more.
 */
import type { StoredType } from '../types/visibility.ts';

/** The search parameters, with the digests of IndexDefinition, and the elements that sort lists. */
export type EarliestDefinition = {
  readonly parameters: Readonly<Record<string, string>>;
  readonly sort: string;
};

const LAST_UPDATED = { _lastUpdated: 'f2b0286c6378' } as const;

/** By type. */
export const EARLIEST_DEFINITIONS: Readonly<Partial<Record<StoredType, EarliestDefinition>>> = {
  Binary: { parameters: LAST_UPDATED, sort: '' },
  Communication: { parameters: LAST_UPDATED, sort: '' },
  Consent: {
    parameters: {
      ...LAST_UPDATED,
      actor: '54c9e37f1f07',
      date: 'f0a97850f163',
      identifier: '2a1c9bb7ace5',
      patient: '8493235b3143',
      status: '37abc079d257',
    },
    sort: '',
  },
  DiagnosticReport: {
    parameters: {
      ...LAST_UPDATED,
      'based-on': '6283ca92620b',
      category: 'abbe1eac4e3f',
      code: 'aae8ec5fcea5',
      date: '0cec0f4de977',
      identifier: 'b818488fd04d',
      'imaging-study': '1df012613efe',
      issued: 'fa06d1223b20',
      patient: 'd531cb4301d9',
      status: 'f8c32de0747c',
      subject: 'eaa1b2ca9e16',
    },
    sort: 'issued effectiveDateTime',
  },
  DocumentReference: {
    parameters: {
      ...LAST_UPDATED,
      author: '8ef55296ec9a',
      category: 'c3b92d4833ee',
      creation: 'c676a404941e',
      date: '25970d5a1fb6',
      event: '9e4ee2fb2529',
      facility: '941cc666227c',
      format: '29c313e69fe6',
      identifier: '5e7c56e0e30a',
      patient: '2fcf0c3f18c1',
      period: '1064ac3c839d',
      related: 'c9970c882476',
      'security-label': 'fc167f74f38e',
      setting: 'f7ea1a871695',
      status: '1cae52471cc8',
      subject: '680ce22a935a',
      type: '2be3f3b01822',
    },
    sort: 'date',
  },
  Endpoint: {
    parameters: {
      ...LAST_UPDATED,
      'connection-type': '74503166bee4',
      identifier: '0059d7778a8a',
      organization: '82b8f3921801',
      status: 'dc5803141e8a',
    },
    sort: '',
  },
  ImagingStudy: {
    parameters: {
      ...LAST_UPDATED,
      accession: '5d59709920cd',
      basedon: 'ad461bee1bec',
      bodysite: '8f41e7b04bd1',
      description: 'e09a9b790b92',
      'dicom-class': 'af60d258acb5',
      encounter: '95b30f258847',
      endpoint: '8657bcb27512',
      identifier: '5b3ada4dba92',
      interpreter: '388a496da3a1',
      modality: '1d8dbefb9e33',
      patient: '78c14536f6f5',
      performer: 'd95d60636fdc',
      reason: '3d40c356fad2',
      referrer: '89b1443cdae5',
      'referrer-name': '77e40aee942d',
      series: 'fe4a089a3a51',
      started: 'ab0a406ef54d',
      'started-time': 'eaae78cf26a7',
      status: '626cf72cf891',
      'study-id': 'a7b305572b2a',
      subject: '724f954a1254',
    },
    sort: 'started',
  },
  Organization: {
    parameters: {
      ...LAST_UPDATED,
      active: 'b68caa091213',
      identifier: 'd0be2e25dcae',
      name: 'fc44d96a2033',
      type: '94eabd19fddd',
    },
    sort: '',
  },
  Patient: {
    parameters: {
      ...LAST_UPDATED,
      active: '80659f592a80',
      birthdate: 'f7adaf98eb1c',
      family: '7e9fb448f301',
      gender: '0eb33d512960',
      given: '5aeb0ee1f047',
      identifier: 'eeb0ef674940',
      'identifier-value': '377824a35a59',
      name: '16eded99d88b',
    },
    sort: '',
  },
  Practitioner: {
    parameters: {
      ...LAST_UPDATED,
      active: 'e5ae7a26efa8',
      family: 'eaedc99097c3',
      given: 'c21b15f2f815',
      identifier: 'bcb22daff840',
      name: '3f0e9715a845',
    },
    sort: '',
  },
  PractitionerRole: {
    parameters: {
      ...LAST_UPDATED,
      active: 'a52a345ce0fc',
      identifier: 'f71107e08658',
      organization: '1856d9bf0d71',
      practitioner: '2de77b14063e',
      role: 'c0140ac33be3',
      specialty: 'c520f657556b',
    },
    sort: '',
  },
  Task: {
    parameters: {
      ...LAST_UPDATED,
      code: '6d4f5fea57cd',
      patient: '5b59ec6da1e5',
      status: 'f263f400478c',
    },
    sort: '',
  },
};
