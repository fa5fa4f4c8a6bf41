/** What the server writes on its own account: a closed list of reasons, each bound to one subject. */
import { fhirType, STORED_TYPES, type StoredType } from '../../profiles/types/visibility.ts';
import { WITH_IDENTITY } from './may-write.ts';
import { identityOf, personKey, type PersonKey } from './requester.ts';
import { makeWarrant, type Reach, type Warrant } from './warrant.ts';

const typesWhere = (has: (type: StoredType) => boolean): readonly StoredType[] => STORED_TYPES.filter(has);
/** What goes of a record beside its exams: all that others filed of her, and what is part of it. */
export const ERASED_TYPES = typesWhere((type) => {
  const { class: visibility, hooks, erasedWithStudy } = fhirType(type);
  if (erasedWithStudy === 'imaging-study') return false;
  return visibility === 'item' || visibility === 'part' || (visibility === 'patient' && hooks?.write !== 'identity');
});

/** What goes of a person after that: what is for those whom it names alone, and who she is. The trail stays. */
export const PERSON_TYPES = typesWhere((type) => {
  const { class: visibility, hooks } = fhirType(type);
  return (visibility === 'own' && type !== 'AuditEvent') || (visibility === 'patient' && hooks?.write === 'identity');
});

type SystemWrite = Pick<Reach, 'types' | 'event'> & {
  /** The kind of its subject: a study by its UID, the directory, a shipment by its request, a kind of job, persons. */
  readonly subject: 'study' | 'directory' | 'shipment' | 'job' | 'persons';
};

/** A declaration that waits for somebody to be known, and the Task of the desk that decides who is meant. */
const WAITING = ['Consent', 'Task'] as const;

/** What is written for each reason, whether it needs an event of its own, and the kind of its subject. */
const SYSTEM_WRITES = {
  'load-region': {
    types: typesWhere((type) => fhirType(type).writers === 'region'),
    subject: 'directory',
    event: 'own',
  },
  // Whoever sent the instances or the report has left the event. Reports are linked to the exam that they name.
  'maintain-study': {
    types: typesWhere((type) => fhirType(type).writers === 'derived' || fhirType(type).hooks?.write === 'documents'),
    subject: 'study',
    event: 'asking',
  },
  // Whoever said the identity anew has left the event.
  'correct-documents': { types: ['DocumentReference'], subject: 'persons', event: 'asking' },
  // Each reads what of hers has ended; whoever parted them has left the event of the Task.
  'end-given': { types: ['CareTeam', ...WAITING], subject: 'persons', event: 'own' },
  // Its time is over, and the Task of a ticket is done.
  'end-consent': { types: ['Consent', 'Task'], subject: 'persons', event: 'own' },
  // An establishment attests that whom its images name is whom the patient declared; or the directory knows one now.
  'declare-named': { types: WAITING, subject: 'persons', event: 'own' },
  // Whoever did what the patient is told of has left the event.
  'tell-news': { types: ['Communication'], subject: 'persons', event: 'asking' },
  'send-notice': { types: ['Communication'], subject: 'persons', event: 'asking' },
  // Whoever fetches her export has left the event.
  'note-export': { types: ['Task'], subject: 'persons', event: 'asking' },
  'tell-opened': { types: ['Task'], subject: 'persons', event: 'asking' },
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
  // Whoever asked for it has left an event, and its beginning leaves another.
  'erase-record': { types: ['Task'], subject: 'persons', event: 'own' },
  // A desk has confirmed the join that it follows, and its beginning and its end leave events.
  'purge-joined': { types: ['Communication', 'Task'], subject: 'persons', event: 'own' },
  // No desk has confirmed in time that they are one.
  'separate-unconfirmed': { types: WITH_IDENTITY, subject: 'persons', event: 'own' },
  // One event ends it, when it is known how much went.
  'erase-items': { types: ERASED_TYPES, subject: 'persons', event: 'asking' },
  'erase-person': { types: PERSON_TYPES, subject: 'persons', event: 'asking' },
  // What earlier servers knew stays as it was said.
  'adopt-identities': { types: WITH_IDENTITY, subject: 'persons', event: 'asking' },
  // What nobody may know any more of reports that nobody has validated.
  'adopt-reports': { types: ['Binary', 'DocumentReference'], subject: 'persons', event: 'asking' },
  // What bears a label that earlier servers did not read, and what shows it.
  'adopt-labels': { types: typesWhere((type) => fhirType(type).label === 'own'), subject: 'persons', event: 'asking' },
  // Whoever recorded that she was informed, or loaded the region file, has left the event.
  'settle-ground': { types: typesWhere((type) => fhirType(type).label === 'own'), subject: 'persons', event: 'asking' },
  // Each instance had a warrant of its own: the end only counts them.
  'end-shipment': { types: [], subject: 'shipment', event: 'own' },
  // Each try had a warrant of its own: what is kept of them is no row.
  'forget-tries': { types: [], subject: 'job', event: 'own' },
  // Jobs alone: what one does is written under a warrant of its own.
  'ask-for-work': { types: [], subject: 'job', event: 'own' },
  // How long the trail keeps events is no row; each cut leaves an event.
  'keep-events': { types: [], subject: 'job', event: 'own' },
} as const satisfies Record<string, SystemWrite>;

/** The closed list of reasons for which the server writes on its own account. */
export type SystemWriteReason = keyof typeof SYSTEM_WRITES;

/** Makes the warrant of the server's own work on one subject: a Study Instance UID, a kind of job …; or on persons. */
export function systemWarrant(reason: SystemWriteReason, ...subjects: readonly string[]): Warrant {
  return makeWarrant({ act: reason, reaches: [reachOf(reason, ...subjects)], bases: [] });
}

/**
 * The warrant to erase a study, and of its person the reports that name it without its UID: by a number, or as an
 * error, of which nothing is told any more.
 */
export function erasureWarrant(studyInstanceUID: string, person: PersonKey | undefined): Warrant {
  const whole = reachOf('erase-study', studyInstanceUID);
  const types = typesWhere((type) => REPORTS.includes(fhirType(type).erasedWithStudy));
  const hers: readonly Reach[] = person === undefined ? [] : [{ types, whose: { persons: [person] }, event: 'asking' }];
  return makeWarrant({ act: 'erase-study', reaches: [whole, ...hers], bases: [] });
}

/** The warrant to erase what is kept aside of a study under an identity (`Patient/id`), while that is this person. */
export function asideErasureWarrant(studyInstanceUID: string, subject: string, person: PersonKey): Warrant {
  const row = subject.replace(/^Patient\//, 'Person/');
  return makeWarrant({
    act: 'erase-study',
    reaches: [reachOf('erase-study', studyInstanceUID)],
    bases: [{ kind: 'row', row, person }],
  });
}

/** Reports, their documents and bytes. */
const REPORTS: readonly string[] = ['reports', 'manifests', 'with-its-item'];

/**
 * The warrant to make an identity of a Patient (`Patient/id`) whom an earlier server knew as this person: `home` is who
 * it is by itself. Where another server was faster, it is somebody else already.
 */
export function adoptionWarrant(patient: string, person: PersonKey, home: PersonKey): Warrant {
  const act = 'adopt-identities';
  return makeWarrant({ act, reaches: [reachOf(act, home, person)], bases: [{ kind: 'row', row: patient, person }] });
}

/** The warrant to declare whom images name, while these Patients are the persons that they were read as. */
export function namedWarrant(patients: readonly { readonly patient: string; readonly person: PersonKey }[]): Warrant {
  const act = 'declare-named';
  const bases = patients.map(({ patient, person }) => ({ kind: 'row', row: identityOf(patient), person }) as const);
  return makeWarrant({ act, reaches: [reachOf(act, ...patients.map(({ person }) => person))], bases });
}

function reachOf(reason: SystemWriteReason, ...subjects: readonly string[]): Reach {
  const { types, event, subject: kind } = SYSTEM_WRITES[reason];
  const persons = kind === 'persons' ? subjects.map(personKey) : [];
  const whose = kind === 'study' ? { study: subjects[0] ?? '' } : { persons };
  return { types, whose, event };
}
