/** The operations, declared once: who may set out to do each, and the scope that opens it. */
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { Requester, Role } from './requester.ts';
import type { ScopeAction } from './scope.ts';

/** Who asks, by what decides over operations: desks, officers and support are professionals who hold such an office. */
export type Operator = Requester['kind'] | 'desk' | 'officer' | 'support';

type Operation = {
  readonly operators: readonly Operator[];
  readonly scope: readonly [StoredType, ScopeAction];
  /** What others are told. */
  readonly refusal: string;
};

const CONSENT = {
  operators: ['patient', 'representative', 'establishment'],
  scope: ['Consent', 'c'],
  refusal: 'Consent is changed by the patient, by who represents her, or by an establishment that was told so',
} as const satisfies Operation;

/** Of who represents her an establishment looks at the mandate first, and asks then. */
const ERASURE = {
  operators: ['patient', 'establishment'],
  scope: ['Consent', 'c'],
  refusal: 'Erasure is asked for by the patient, or by an establishment, which looks at a mandate before it asks',
} as const satisfies Operation;

const ASIDE = {
  operators: ['establishment', 'desk'],
  scope: ['Task', 'u'],
  refusal: 'What is kept aside is cleared up by establishments and desks only',
} as const satisfies Operation;

const JUDGEMENT = {
  operators: ['desk'],
  scope: ['Patient', 'u'],
  refusal: 'Only a desk says who is who',
} as const satisfies Operation;

/** By FHIR name. */
export const OPERATIONS = {
  'break-glass': {
    operators: ['practitioner'],
    scope: ['Patient', 'r'],
    refusal: 'Only a health professional may declare an emergency',
  },
  withdraw: CONSENT,
  // A desk of what is on paper.
  reconsent: { ...CONSENT, operators: [...CONSENT.operators, 'desk'] },
  'who-can-access': {
    operators: ['patient', 'representative'],
    scope: ['Consent', 'r'],
    refusal: 'Who may open a record is told to its patient, and to who represents her, only',
  },
  'access-history': {
    operators: ['patient', 'representative'],
    scope: ['AuditEvent', 's'],
    refusal: 'Who looked at a record is told to its patient, and to who represents her, only',
  },
  'set-confidentiality': {
    operators: ['patient', 'establishment', 'practitioner'],
    scope: ['Consent', 'c'],
    refusal: 'The confidentiality of an item is said by its patient, or by its author',
  },
  'presence-code': {
    operators: ['patient', 'representative'],
    scope: ['Consent', 'c'],
    refusal: 'A presence code is made by the patient, or who represents her, only',
  },
  'redeem-presence-code': {
    operators: ['practitioner'],
    scope: ['Patient', 'r'],
    refusal: 'A presence code is redeemed by a health professional only',
  },
  'support-access': {
    operators: ['support'],
    scope: ['Patient', 'r'],
    refusal: 'What a ticket needs is asked for by the support of the region only',
  },
  share: {
    operators: ['patient'],
    scope: ['Consent', 'c'],
    refusal: 'An item is shared by its patient only',
  },
  'revoke-share': {
    operators: ['patient'],
    scope: ['Consent', 'u'],
    refusal: 'A share is ended by its patient only',
  },
  'request-erasure': ERASURE,
  'cancel-erasure': ERASURE,
  portability: {
    operators: ['patient'],
    scope: ['ImagingStudy', 'r'],
    refusal: 'A record is given to its patient only',
  },
  'data-subject-request': {
    ...ERASURE,
    refusal: 'A patient asks about her own data, or an establishment that was told so',
  },
  'set-account': {
    operators: ['patient', 'desk'],
    scope: ['Consent', 'c'],
    refusal: 'An account is turned off and on by its patient, or by a desk that she asks',
  },
  discard: ASIDE,
  release: ASIDE,
  refile: { ...ASIDE, operators: ['establishment'], refusal: 'What is kept aside is filed again by who sent it only' },
  move: {
    operators: ['establishment', 'desk'],
    scope: ['ImagingStudy', 'u'],
    refusal: 'An exam is moved by its establishment or a desk only',
  },
  decide: {
    operators: ['officer', 'desk'],
    scope: ['Task', 'u'],
    refusal: 'Emergencies and requests about data are decided by data protection officers, names by desks',
  },
  join: JUDGEMENT,
  separate: JUDGEMENT,
} as const satisfies Record<string, Operation>;

/** The name of an operation. */
export type OperationName = keyof typeof OPERATIONS;

/** Operations on the consent of a person, the erasure of her record, what she asks about her data, and emergencies. */
export type RecordOperation =
  | 'break-glass'
  | 'withdraw'
  | 'reconsent'
  | 'request-erasure'
  | 'cancel-erasure'
  | 'data-subject-request'
  | 'portability';

/** Operations by which somebody else sees something for a time. */
export type GivingOperation = 'presence-code' | 'redeem-presence-code' | 'support-access' | 'share' | 'revoke-share';

/** Operations on exams, and on what is kept aside of them. */
export type ExamOperation = Exclude<
  OperationName,
  | RecordOperation
  | JudgementOperation
  | GivingOperation
  | 'decide'
  | 'set-confidentiality'
  | 'set-account'
  | 'who-can-access'
  | 'access-history'
>;

/** Operations on identities. */
export type JudgementOperation = 'join' | 'separate';

/** What a requester is to operations. */
export function operatorsOf(requester: Requester): readonly Operator[] {
  if (requester.kind !== 'practitioner') return [requester.kind];
  const offices = requester.roles.flatMap((role) => role.offices);
  const holds = (end: string): boolean => offices.some((office) => office.endsWith(end));
  return [
    requester.kind,
    ...(holds('-desk') ? (['desk'] as const) : []),
    ...(offices.includes('support') ? (['support'] as const) : []),
    ...(holds('-dpo') ? (['officer'] as const) : []),
  ];
}

/** Who holds an office alone sees no content by being of an organization (access.md C7). */
export function caresThere({ offices, profession }: Role): boolean {
  return offices.length === 0 || profession !== undefined;
}
