/** What the server writes on its own account: a closed list of reasons, each bound to one subject. */
import { fhirType, STORED_TYPES, type StoredType } from '../../profiles/types/visibility.ts';
import { makeWarrant, type Reach, type Warrant } from './warrant.ts';

const typesWhere = (has: (type: StoredType) => boolean): readonly StoredType[] => STORED_TYPES.filter(has);

type SystemWrite = Pick<Reach, 'types' | 'event'> & {
  /** The kind of the one subject: a study by its UID, the directory, a shipment by its request, a kind of job. */
  readonly subject: 'study' | 'directory' | 'shipment' | 'job';
};

/** What is written for each reason, whether it needs an event of its own, and the kind of its subject. */
const SYSTEM_WRITES = {
  'load-region': {
    types: typesWhere((type) => fhirType(type).writers === 'region'),
    subject: 'directory',
    event: 'own',
  },
  // Whoever sent the instances or the report has left the event.
  'maintain-study': {
    types: typesWhere((type) => fhirType(type).writers === 'derived'),
    subject: 'study',
    event: 'asking',
  },
  // What cannot be read leaves its study, and its patient reads of it.
  'put-aside': { types: ['instance', 'quarantined'], subject: 'study', event: 'own' },
  // Whose study it is has become one person with whom the sender named.
  'file-joined': { types: ['instance', 'quarantined'], subject: 'study', event: 'own' },
  // Whoever sent the instances has left the event.
  'list-kept-aside': { types: ['Task', 'quarantined'], subject: 'study', event: 'asking' },
  // One event ends the erasure, when it is known how much went.
  'erase-study': {
    types: [...typesWhere((type) => fhirType(type).erasedWithStudy !== 'kept'), 'instance', 'quarantined'],
    subject: 'study',
    event: 'asking',
  },
  // Each instance had a warrant of its own: the end only counts them.
  'end-shipment': { types: [], subject: 'shipment', event: 'own' },
  // Jobs alone: what one does is written under a warrant of its own.
  'ask-for-work': { types: [], subject: 'job', event: 'own' },
} as const satisfies Record<string, SystemWrite>;

/** The closed list of reasons for which the server writes on its own account. */
export type SystemWriteReason = keyof typeof SYSTEM_WRITES;

/** Makes the warrant of the server's own work on one subject: a Study Instance UID, a kind of job … */
export function systemWarrant(reason: SystemWriteReason, subject: string): Warrant {
  const { types, event, subject: kind } = SYSTEM_WRITES[reason];
  const whose = kind === 'study' ? { study: subject } : { persons: [] };
  return makeWarrant({ act: reason, reaches: [{ types, whose, event }], bases: [] });
}
