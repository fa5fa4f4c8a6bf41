/** A Consent by which an establishment or the patient declares who may see the record. */
import { randomUUID } from 'node:crypto';
import type { Consent, Reference } from '@medplum/fhirtypes';
import { readDeclaration } from '../../../profiles/consent.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { SystemGrant } from '../../access/grant.ts';
import type { PersonKey, Requester } from '../../access/requester.ts';
import { principal, type Principal, type Right } from '../../access/right.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { lastingRight, putOf } from './plan-parts.ts';
import { findById } from '../study/study-content.ts';
import type { EntryParts } from './submission.ts';

type Deps = { readonly records: RecordStore; readonly indexer: Indexer };

/** Whose record a Consent is about. */
export type ConsentSubject = { readonly person: PersonKey; readonly subject: string };

/**
 * Works out the parts of a declaration: the Consent, seen by its writer and the patient, and a right for each
 * professional it names.
 * @throws {Fault} not-supported - a Consent of another shape
 * @throws {Fault} invalid - a professional who is not in the directory
 */
export async function consentParts(
  deps: Deps,
  grant: SystemGrant,
  requester: Requester,
  sent: Consent,
  about: ConsentSubject,
  now: number,
): Promise<EntryParts> {
  const { person, subject } = about;
  const declaration = readDeclaration(sent);
  const id = randomUUID();
  const reference = `Consent/${id}`;
  for (const practitioner of declaration.practitioners) await requireProfessional(deps.records, grant, practitioner);
  const resource = withSubject({ ...sent, id }, subject);
  const rights = declaration.practitioners.map((practitioner): Right => ({
    id: `declared|${practitioner}|${reference}`,
    person,
    principal: principal.practitioner(practitioner),
    relation: 'declared',
    scope: 'record',
    from: declaration.from,
    to: declaration.to,
    source: reference,
  }));
  return {
    type: 'Consent',
    id,
    person,
    subject,
    status: '201 Created',
    parts: {
      puts: [putOf(deps.indexer, resource, now, { person, subject })],
      rights: [
        ...rights,
        ...readersOf(requester, person).map((holder) => lastingRight(person, holder, 'named', { item: reference })),
      ],
    },
  };
}

/** The patient may be named by a bundle's own address or by a condition: what is kept names the Patient. */
function withSubject(consent: Consent, subject: string): Consent {
  const named = consent.patient?.reference;
  const resolved = (one: Reference): Reference => (one.reference === named ? { ...one, reference: subject } : one);
  const performer = consent.performer?.map((one) => resolved(one) as NonNullable<Consent['performer']>[number]);
  return { ...consent, patient: { reference: subject }, ...(performer === undefined ? {} : { performer }) };
}

/** A Consent is seen by the patient and by whoever wrote it. */
export function readersOf(requester: Requester, person: PersonKey): Principal[] {
  const patient = principal.patient(person);
  return requester.kind === 'establishment' ? [patient, principal.establishment(requester.organization)] : [patient];
}

async function requireProfessional(records: RecordStore, grant: SystemGrant, practitioner: string): Promise<void> {
  const found = await findById(records, grant, 'Practitioner', practitioner.replace(/^Practitioner\//, ''));
  if (found === undefined)
    throw new Fault('invalid', 'The Consent names a professional who is not in the directory', {
      expression: 'Consent.provision.actor',
    });
}
