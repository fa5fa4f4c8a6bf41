/** The columns of the table: who asks, and what the audit trail says of them. */
import { DEMO_APP } from '../../../fixtures/sign-in.ts';
import { PAGES_CLIENT_ID } from '../../../profiles/codes.ts';
import type { Door } from './door.ts';

/** Somebody who asks. `agent` is the reference in AuditEvents; that of a patient is known once she is. */
export type Person = {
  readonly name: string;
  /** How they sign in: a backend client, or a login of the region. */
  readonly client?: string;
  readonly login?: string;
  readonly agent: string | undefined;
  readonly purpose: string;
  /** The relation that shows them the exam, and whether a Consent gave it. */
  readonly relation: string;
  /** The same of the report, where it is another: who signed it is its author. */
  readonly relationToReport?: string;
  readonly isByConsent: boolean;
};

/** The OID of the French directory, and a second professional who knows nothing of the patient. */
export const SECOND_STRANGER = {
  login: 'second-stranger',
  name: 'Dr Aurèle Pontcharvet',
  kind: 'practitioner',
  identifier: { system: 'urn:oid:1.2.250.1.71.4.2.1', value: '899700990023' },
} as const;

const professional = { purpose: 'TREAT', isByConsent: false } as const;

/** The persons, in the order of the table. */
export const PEOPLE = {
  author: {
    name: 'author',
    client: 'demo-establishment',
    agent: 'Organization/demo-strasbourg',
    relation: 'author',
    ...professional,
  },
  declared: {
    name: 'declared',
    login: 'demo-declared',
    agent: 'Practitioner/demo-declared',
    relation: 'declared',
    purpose: 'TREAT',
    isByConsent: true,
  },
  radiologist: {
    name: 'radiologist',
    login: 'demo-radiologist',
    agent: 'Practitioner/demo-radiologist',
    relation: 'imaging-service',
    relationToReport: 'author',
    ...professional,
  },
  patient: {
    name: 'patient',
    login: 'demo-patient',
    agent: undefined,
    relation: 'self',
    purpose: 'PATRQT',
    isByConsent: false,
  },
  stranger: {
    name: 'stranger',
    login: 'demo-stranger',
    agent: 'Practitioner/demo-stranger',
    relation: '',
    ...professional,
  },
  emergency: {
    name: 'emergency',
    login: SECOND_STRANGER.login,
    agent: 'Practitioner/demo-radiologist-nancy',
    relation: 'break-glass',
    purpose: 'BTG',
    isByConsent: true,
  },
} as const satisfies Record<string, Person>;

/** The key of a person. */
export type PersonKey = keyof typeof PEOPLE;

/** The keys, in the order of the table. */
export const PERSON_KEYS = Object.keys(PEOPLE) as PersonKey[];

/** The client by which a person comes, to a page or to another door, as AuditEvents name it. */
export function clientOf(person: Person, isPage: boolean): string {
  return person.client ?? (isPage ? PAGES_CLIENT_ID : DEMO_APP.clientId);
}

/** Whether a person can ask at a door: pages are for who has a browser. */
export function canAsk(key: PersonKey, { isPage }: Pick<Door, 'isPage'>): boolean {
  const { client }: Person = PEOPLE[key];
  return isPage !== true || client === undefined;
}
