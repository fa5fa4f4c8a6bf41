/** Everything that a store tells of some persons, and to them: what an undo has to leave as it was. */
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { Grant } from '../../../server/access/grant.ts';
import { principal } from '../../../server/access/right.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import {
  aGrant,
  anEstablishmentGrant,
  anAudit,
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
  NOW,
  patientOf,
  SYSTEM,
} from '../../support/plans.ts';
import { search } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';

/** No row. */
const NOTHING = { kind: 'resource', type: 'Endpoint', id: 'none' } as const;

const TYPES = ['Patient', 'Person', 'DocumentReference', 'ImagingStudy', 'Communication', 'Consent', 'Binary'] as const;

/** A row of a person, filed under an identity, which it refers to. */
export function aPutOf(type: StoredType, person: PersonKey, identity = person, parts: Partial<Put> = {}): Put {
  const [id, subject] = [parts.id ?? crypto.randomUUID(), patientOf(identity)];
  const resource = { resourceType: type, id, subject: { reference: subject } } as Put['resource'];
  const index = { ...NO_ENTRIES, references: [{ param: 'patient', target: subject }] };
  return aPut({ type, id, person, subject, resource, index, ...parts });
}

/**
 * One who has something of everything: what was deleted, former versions, parts, instances, and rights of others, of
 * which a professional and an imaging service may be `shared`.
 */
export async function aWholePerson({ records }: Suite, shared: string) {
  const person = aPersonKey();
  const origin = { sources: [`Organization/${person}`], services: [`Organization/${shared}`] };
  const own = aPut({ type: 'Patient', id: person, person, origin });
  const document = aPutOf('DocumentReference', person, person, { origin });
  const deleted = aPutOf('DocumentReference', person, person, { origin });
  const message = aPutOf('Communication', person, person, { origin });
  const part = aPutOf('Binary', person, person, { parent: `DocumentReference/${document.id}` });
  const studyInstanceUID = aUid();
  const study = { ...aStudyPut(studyInstanceUID, { person, origin }) };
  const instances = [anInstance({ person, studyInstanceUID })];
  // By two Consents each, of which the first is named.
  const rights = [1, 2].map(() => aRight({ person, principal: principal.practitioner(`Practitioner/${shared}`) }));
  const puts = [anIdentity(person), own, document, deleted, message, part, study];
  const claims = [aStudyClaim(studyInstanceUID, study)];
  await commitPlan(records, aPlan({ puts, rights, instances, claims }));
  await commitPlan(records, aPlan({ puts: [document], deletes: [deleted] }));
  return { person, shared, own, document, deleted, message, part, study, studyInstanceUID };
}

/** What is told of some persons to everybody who sees something of them, and to the server. */
export async function toldOf(suite: Suite, all: readonly Awaited<ReturnType<typeof aWholePerson>>[]): Promise<unknown> {
  const persons = all.map(({ person }) => person);
  const { shared } = all[0] ?? { shared: '' };
  const grants = [
    aGrant(`Practitioner/${shared}`),
    aGrant('Practitioner/imaging', NOW, [
      {
        reference: 'PractitionerRole/1',
        organization: `Organization/${shared}`,
        within: [],
        radiologist: true,
        offices: [],
      },
    ]),
    ...persons.flatMap((person) => [aPatientGrant(person), anEstablishmentGrant(`Organization/${person}`)]),
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
  // One event, and the rest without: what is told is the same.
  const { passage } = await records.look(grant, NOTHING, () => [anAudit()]);
  const told: unknown[] = [grant.principals];
  for (const type of TYPES)
    told.push(await records.follow(passage, { kind: 'search', query: aQuery(type, { count: 500 }) }, NOW));
  told.push(await records.follow(passage, { kind: 'history', type: 'DocumentReference', limit: 500 }, NOW));
  for (const { deleted, studyInstanceUID, part } of all) {
    const { type, id } = deleted;
    told.push(await records.follow(passage, { kind: 'resource', type, id, orDeleted: true }, NOW));
    told.push(await records.follow(passage, { kind: 'resource', type: part.type, id: part.id }, NOW));
    told.push(await records.follow(passage, { kind: 'instances', studyInstanceUID, offset: 0, limit: 5 }, NOW));
  }
  await trail.head();
  const { rows } = await search(records, grant, aQuery('AuditEvent', { count: 500 }));
  return [...told, rows.map(({ id }) => id)];
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
