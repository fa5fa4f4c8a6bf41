/** Everything that a store tells of some persons, and to them: what an undo has to leave as it was. */
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { Grant } from '../../../server/access/grant.ts';
import { principal } from '../../../server/access/right.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import {
  aGrant,
  anEstablishmentGrant,
  anIdentity,
  anInstance,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  aStudyClaim,
  aStudyPut,
  aUid,
  NO_ENTRIES,
  patientOf,
  SYSTEM,
} from '../../support/plans.ts';
import { ask, search } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';

const TYPES = ['Patient', 'Person', 'DocumentReference', 'ImagingStudy', 'Communication', 'Consent', 'Binary'] as const;

/** A row of a person, filed under an identity, which it refers to. */
export function aPutOf(type: StoredType, person: PersonKey, identity = person, parts: Partial<Put> = {}): Put {
  const [id, subject] = [parts.id ?? crypto.randomUUID(), patientOf(identity)];
  const resource = { resourceType: type, id, subject: { reference: subject } } as Put['resource'];
  const index = { ...NO_ENTRIES, references: [{ param: 'patient', target: subject }] };
  return aPut({ type, id, person, subject, resource, index, ...parts });
}

/** One who has something of everything: what was deleted, former versions, parts, instances, and rights of others. */
export async function aWholePerson({ records }: Suite, person = aPersonKey()) {
  const origin = { sources: [`Organization/${person}`], services: ['Organization/imaging'] };
  const own = aPut({ type: 'Patient', id: person, person, origin });
  const document = aPutOf('DocumentReference', person, person, { origin });
  const deleted = aPutOf('DocumentReference', person, person, { origin });
  const message = aPutOf('Communication', person, person, { origin });
  const part = aPutOf('Binary', person, person, { parent: `DocumentReference/${document.id}` });
  const studyInstanceUID = aUid();
  const study = { ...aStudyPut(studyInstanceUID, { person, origin }) };
  const instances = [anInstance({ person, studyInstanceUID })];
  // By two Consents each, of which the first is named.
  const rights = [1, 2].map(() => aRight({ person, principal: principal.practitioner('Practitioner/both') }));
  const alone = aRight({ person, principal: principal.practitioner(`Practitioner/${person}`) });
  const puts = [anIdentity(person), own, document, deleted, message, part, study];
  const claims = [aStudyClaim(studyInstanceUID, study)];
  await commitPlan(records, aPlan({ puts, rights: [...rights, alone], instances, claims }));
  await commitPlan(records, aPlan({ puts: [document], deletes: [deleted] }));
  return { person, own, document, deleted, message, part, study, studyInstanceUID };
}

/** What is told of some persons to everybody who sees something of them, and to the server. */
export async function toldOf(suite: Suite, all: readonly Awaited<ReturnType<typeof aWholePerson>>[]): Promise<unknown> {
  const persons = all.map(({ person }) => person);
  const grants = [
    aGrant('Practitioner/both'),
    aGrant('Practitioner/imaging', undefined, [{ organization: 'Organization/imaging', radiologist: true }]),
    ...persons.flatMap((person) => [
      aPatientGrant(person),
      aGrant(`Practitioner/${person}`),
      anEstablishmentGrant(`Organization/${person}`),
    ]),
  ];
  const told: unknown[] = [];
  for (const grant of grants) told.push(await toldTo(suite, grant, all));
  for (const person of persons)
    told.push([await suite.records.rightsOf(SYSTEM, person), await suite.records.stateOf(SYSTEM, person)]);
  for (const one of all) told.push(await toldToServer(suite, one));
  return told;
}

type Whole = Awaited<ReturnType<typeof aWholePerson>>;

async function toldTo({ records, trail }: Suite, grant: Grant, all: readonly Whole[]): Promise<unknown> {
  const mine = new Set(all.map(({ person }) => person));
  const told: unknown[] = [grant.principals];
  for (const type of TYPES) {
    const { rows } = await search(records, grant, aQuery(type, { count: 500 }));
    const history = await ask(records, grant, { kind: 'history', type, limit: 500 });
    told.push(rows.filter(({ person }) => person !== undefined && mine.has(person)));
    told.push(history.rows.filter(({ person }) => person !== undefined && mine.has(person)));
  }
  for (const { deleted, studyInstanceUID, part } of all) {
    const { type, id } = deleted;
    told.push(await ask(records, grant, { kind: 'resource', type, id, orDeleted: true }));
    told.push(await ask(records, grant, { kind: 'resource', type: part.type, id: part.id }));
    told.push(await ask(records, grant, { kind: 'instances', studyInstanceUID, offset: 0, limit: 5 }));
  }
  await trail.head();
  told.push((await search(records, grant, aQuery('AuditEvent', { count: 500 }))).rows.map(({ id }) => id));
  return told;
}

async function toldToServer({ records }: Suite, whole: Whole): Promise<unknown> {
  const rows = [whole.own, whole.document, whole.deleted, whole.message, whole.part, whole.study];
  const told: unknown[] = [];
  for (const { type, id } of rows) {
    told.push(await records.peek(SYSTEM, { kind: 'resource', type, id, orDeleted: true }));
    told.push(await records.peek(SYSTEM, { kind: 'resource', type, id, version: 1 }));
  }
  return told;
}
