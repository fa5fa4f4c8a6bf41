/**
 * Who holds each relation of the matrix, and the row that gives it. A relation that is new in `server/access/right.ts`
 * does not compile here without a holder: say how its people sign in, and which row makes them what they are.
 */
import type { Encounter } from '@medplum/fhirtypes';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { CODE_SYSTEM, oidUri } from '../../../profiles/codes.ts';
import type { EmergencyRelation } from '../../../profiles/consent/emergency.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import { BLOCK, principal, RELATIONS } from '../../../server/access/right.ts';
import type { Principal, Relation, Right } from '../../../server/access/right.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import { aGiver, aPut, aRight, NO_ENTRIES } from '../../support/plans.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;

/** The organizations of the region whose people are neither of the author nor of an imaging service. */
const PRACTICE = 'Organization/demo-practice';
const WARD = 'Organization/demo-cardiology';

/** Whose a record is, and the label that everything of the exam bears. */
export type Subject = {
  /** That of its case, from 0 on. */
  readonly number: number;
  readonly person: PersonKey;
  readonly patient: string;
  readonly label: Pick<Put, 'level' | 'masks'>;
};

/** Somebody who asks. */
export type Holder = {
  /**
   * How they sign in: as the patient of the exam or who represents her, as the software of an establishment, or as a
   * professional who works in an organization, there as a radiologist or not, or holds an office.
   */
  readonly signsIn:
    | { readonly as: 'patient' | 'representative' }
    | { readonly as: 'client'; readonly client: string }
    | {
        readonly as: 'professional';
        readonly organization: string;
        readonly isRadiologist?: true;
        readonly office?: 'region-dpo' | 'support';
      };
  /** Rows that give the relation to the record of a person; none where the rows of the exam do. */
  readonly giving: (subject: Subject) => readonly Put[];
};

/**
 * Whoever has the link of a share has no door yet: test/contract/shares.contract.ts. Who represents a child represents
 * her by the other relation, too, and patients of the matrix are of age: test/flows/private-items-of-children.test.ts.
 */
export type AskingRelation = Exclude<Relation, 'share' | 'representative-of-child'>;

/** The relations whose holders ask at doors. */
export const ASKING_RELATIONS = RELATIONS.filter(
  (relation): relation is AskingRelation => relation !== 'share' && relation !== 'representative-of-child',
);

/** The holders, by relation. */
export const HOLDERS: Readonly<Record<AskingRelation, Holder>> = {
  self: { signsIn: { as: 'patient' }, giving: () => [] },
  author: { signsIn: { as: 'client', client: strasbourg.clientId }, giving: () => [] },
  representative: {
    signsIn: { as: 'representative' },
    giving: ({ person, number }) => [guardian(person, number)],
  },
  'own-service': {
    signsIn: { as: 'professional', organization: strasbourg.service, isRadiologist: true },
    giving: () => [],
  },
  referent: ofPractice('referent'),
  circle: ofPractice('circle'),
  assistant: ofPractice('assistant'),
  declared: ofPractice('declared'),
  'imaging-service': {
    signsIn: { as: 'professional', organization: nancy.service, isRadiologist: true },
    giving: ({ person }) => [giver('imaging-service', person, principal.radiologists(nancy.service))],
  },
  stay: {
    signsIn: { as: 'professional', organization: WARD },
    // The stay of the builders is on at their own moment; this one is when the server runs.
    giving: ({ person }) => [
      { ...giver('stay', person, principal.members(WARD)), resource: stayFrom(Date.now() - 3_600_000) },
    ],
  },
  presence: ofPractice('presence'),
  'break-glass': emergency('break-glass'),
  'break-glass-confidential': emergency('break-glass-confidential'),
  // Whom she blocks, so that nothing else shows anything.
  'break-glass-past-block': emergency('break-glass-past-block', ({ person }) => [
    giver(BLOCK, person, principal.practitioner(practitionerOf('break-glass-past-block'))),
  ]),
  support: {
    signsIn: { as: 'professional', organization: PRACTICE, office: 'support' },
    giving: ({ person }) => [giver('support', person, principal.support(practitionerOf('support')))],
  },
  dpo: { signsIn: { as: 'professional', organization: PRACTICE, office: 'region-dpo' }, giving: () => [] },
  named: {
    signsIn: { as: 'professional', organization: PRACTICE },
    giving: ({ person, patient, label }) => [
      aPut({
        ...label,
        type: 'Task',
        id: taskOf(patient),
        person,
        subject: `Patient/${patient}`,
        released: false,
        origin: { sources: [practitionerOf('named')], services: [] },
        resource: {
          resourceType: 'Task',
          id: taskOf(patient),
          status: 'requested',
          intent: 'order',
          for: { reference: `Patient/${patient}` },
        } as Put['resource'],
      }),
    ],
  },
};

/** Whom an exam of the matrix comes from. */
export const AUTHOR = strasbourg;

/** The Practitioner (`Practitioner/id`) of the matrix that holds a relation. */
export function practitionerOf(relation: Relation): string {
  return `Practitioner/${loginOf(relation)}`;
}

/** The login of that professional. */
export function loginOf(relation: Relation): string {
  return `matrix-${relation}`;
}

/** The id of the Task of a patient (id) that names the holder of `named`. */
export function taskOf(patient: string): string {
  return `task-${patient}`;
}

/** The identifier by which a patient of the matrix, by number from 0 on, is known at the author's. */
export function numberOf(at: number): { readonly system: string; readonly value: string } {
  return { system: oidUri(AUTHOR.patientIdDomain), value: `81${String(at).padStart(8, '0')}` };
}

/** The identifier of who represents a patient of the matrix. */
export function guardianNumberOf(at: number): { readonly system: string; readonly value: string } {
  const { system, value } = numberOf(at);
  return { system, value: `R${value}` };
}

/** A guardian of an adult, found by the number. */
function guardian(person: PersonKey, number: number): Put {
  const identifier = guardianNumberOf(number);
  const holder = principal.representative(`RelatedPerson/guardian-${number}`);
  const put = giver('representative', person, holder);
  const resource = { ...put.resource, identifier: [identifier], period: { start: '2020-01-01' } } as Put['resource'];
  return { ...put, resource, index: { ...NO_ENTRIES, tokens: [{ param: 'identifier', ...identifier }] } };
}

function stayFrom(start: number): Encounter {
  const kind = { system: CODE_SYSTEM.actCode, code: 'IMP' };
  return {
    resourceType: 'Encounter',
    status: 'in-progress',
    class: kind,
    period: { start: new Date(start).toISOString() },
  };
}

/** Whom a row of hers names: a doctor of the practice. */
function ofPractice(relation: Relation): Holder {
  return {
    signsIn: { as: 'professional', organization: PRACTICE },
    giving: ({ person }) => [giver(relation, person, principal.practitioner(practitionerOf(relation)))],
  };
}

/** Who declared an emergency in a region that lets it do all that may be let. */
function emergency(relation: EmergencyRelation, others: Holder['giving'] = () => []): Holder {
  return {
    signsIn: { as: 'professional', organization: PRACTICE },
    giving: (subject) => [
      giver(relation, subject.person, principal.breakGlass(practitionerOf(relation), relation)),
      ...others(subject),
    ],
  };
}

function giver(relation: Right['relation'], person: PersonKey, holder: Principal): Put {
  return aGiver(aRight({ person, principal: holder, relation }));
}
