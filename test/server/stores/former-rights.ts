/** A record as servers kept it that named rights, and what is to come of its rights. */
import type { Consent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../fixtures/consent.ts';
import { buildConsentChange, buildEmergencyConsent } from '../../../profiles/consent/privacy-consent.ts';
import { OPEN_STATE, permits } from '../../../server/access/decide.ts';
import { personKey } from '../../../server/access/requester.ts';
import { NO_ORIGIN, rightsGivenBy, type Origin } from '../../../server/access/rights-of.ts';
import { consentOf, FOREVER, isShowing, itemIn, principal, RELATIONS } from '../../../server/access/right.ts';
import type { Right, ShowingRight } from '../../../server/access/right.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import type { RecordStore } from '../../../server/ports/record-store.ts';
import { aGrant, anEstablishmentGrant, aPatientGrant, aPlan, aPut, aQuery, SYSTEM } from '../../support/plans.ts';
import { searchPages } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';

/** A right as it was named. */
export type FormerRight = Omit<Right, 'giver'> & { readonly source?: string };

const [person, gone] = [personKey('person'), personKey('person-joined')];
const [a, b, service] = ['Organization/a', 'Organization/b', 'Organization/service'];
const patient = 'Patient/1';

const declares = (
  id: string,
  practitioner: string,
  start?: string,
  status: Consent['status'] = 'active',
): Consent & { readonly id: string } => {
  const { provision, ...consent } = demoConsent(patient);
  const [recipient] = provision?.actor ?? [];
  const actor = recipient === undefined ? [] : [{ ...recipient, reference: { reference: practitioner } }];
  return {
    ...consent,
    id,
    status,
    provision: { ...provision, actor, ...(start === undefined ? {} : { period: { start } }) },
  };
};

const START = '2026-01-01';
const emergency = { id: 'e', patient, practitioner: 'Practitioner/z', from: 1_000, to: Date.UTC(2100, 0, 1) };

function row(reference: string, origin: Origin, resource?: Put['resource']): Put {
  const [type, id] = reference.split('/') as [Put['type'], string];
  return {
    ...aPut({ type, id, person, subject: patient }),
    origin,
    resource: resource ?? ({ resourceType: type, id } as Put['resource']),
  };
}

const filed = (...sources: readonly string[]): Origin => ({ sources, services: [] });
const exam = (...sources: readonly string[]): Origin => ({ sources, services: [service] });

/** The rows, with the origin that is to be found. Earlier rows come first in lists of their type. */
export const ROWS: readonly Put[] = [
  row('Patient/1', filed(a)),
  row('Patient/2', filed(b)),
  row('ImagingStudy/1', exam(a, b)),
  row('DiagnosticReport/1', exam(a)),
  row('DocumentReference/1', filed(a)),
  row('ServiceRequest/1', filed(patient)),
  row('Consent/a', filed(a), declares('a', 'Practitioner/x')),
  row('Consent/b', NO_ORIGIN, declares('b', 'Practitioner/x')),
  row('Consent/c', NO_ORIGIN, declares('c', 'Practitioner/y', START)),
  row('Consent/d', filed(a), declares('d', 'Practitioner/y', undefined, 'inactive')),
  row('Consent/e', NO_ORIGIN, buildEmergencyConsent(emergency)),
  row('Consent/w', NO_ORIGIN, buildConsentChange({ id: 'w', patient, change: 'reconsent', now: 0 })),
  row('Communication/1', NO_ORIGIN),
  row('Task/1', NO_ORIGIN),
].map((put, at) => ({ ...put, sort: at }));

const held = (
  holder: Right['principal'],
  relation: Right['relation'],
  parts: Partial<FormerRight> = {},
): FormerRight => {
  const { scope = 'record' } = parts;
  const where = itemIn(scope) ?? `record|${person}`;
  const id = `${relation}|${holder}|${where}`;
  return { id, person, principal: holder, relation, scope, from: 0, to: FOREVER, ...parts };
};
const author = (source: string, item: string): FormerRight =>
  held(principal.establishment(source), 'author', { scope: { item } });
const toPatient = (item: string): FormerRight => held(principal.patient(person), 'named', { scope: { item } });
const declared = (practitioner: string, consent: string, from = 0): FormerRight =>
  held(principal.practitioner(practitioner), 'declared', {
    id: `declared|${practitioner}|${consent}`,
    source: consent,
    from,
  });

/** The rights as they were named. Two persons were one already, each with an exam of the service. */
export const RIGHTS: readonly FormerRight[] = [
  held(principal.patient(person), 'self'),
  author(a, 'Patient/1'),
  author(b, 'Patient/2'),
  author(a, 'ImagingStudy/1'),
  author(b, 'ImagingStudy/1'),
  author(a, 'DiagnosticReport/1'),
  author(a, 'DocumentReference/1'),
  held(principal.patient(person), 'author', { scope: { item: 'ServiceRequest/1' } }),
  held(principal.radiologists(service), 'imaging-service'),
  held(principal.radiologists(service), 'imaging-service', {
    id: `imaging-service|r:${service}|record|${gone}`,
  }),
  declared('Practitioner/x', 'Consent/a'),
  declared('Practitioner/x', 'Consent/b'),
  declared('Practitioner/y', 'Consent/c', Date.parse(START)),
  held(principal.breakGlass('Practitioner/z'), 'break-glass', {
    id: 'break-glass|e',
    source: 'Consent/e',
    from: emergency.from,
    to: emergency.to,
  }),
  ...['a', 'b', 'c', 'd', 'e', 'w'].map((id) => toPatient(`Consent/${id}`)),
  ...['a', 'd'].map((id) => held(principal.establishment(a), 'named', { scope: { item: `Consent/${id}` } })),
  toPatient('Communication/1'),
];

/** The access rows of the former rights: each right and each row that it shows. */
export const ACCESS = RIGHTS.flatMap((right) =>
  ROWS.filter(({ type, id, level, masks, released }) =>
    permits(
      { ...right, giver: '' },
      { type, item: `${type}/${id}`, exams: [], dates: [], level, masks, released },
      OPEN_STATE,
    ),
  ).map((put) => ({ right, put })),
);

const NOW = Date.UTC(2026, 5, 1);
const HOLDERS = [
  ...['Practitioner/x', 'Practitioner/y', 'Practitioner/z'].map((name) => aGrant(name, NOW)),
  aGrant('Practitioner/reader', NOW, [
    { reference: 'PractitionerRole/1', organization: service, within: [], radiologist: true, offices: [] },
  ]),
  ...[a, b].map((name) => anEstablishmentGrant(name, NOW)),
  aPatientGrant(person, NOW),
];

/** Checks that the same people see the same, that rights are those that the rows give, and that they end with them. */
export async function expectDerived(records: RecordStore): Promise<void> {
  await expectRights(records, ROWS);
  // The first Consent goes; the other one still gives the right, which now cites it.
  const [first] = ROWS.filter(({ id }) => id === 'a');
  if (first === undefined) throw new Error('No Consent');
  const ended = { ...first, resource: { ...first.resource, status: 'inactive' } as Put['resource'] };
  const { origin: _origin, ...kept } = ended;
  await commitPlan(records, aPlan({ puts: [kept] }));
  await expectRights(
    records,
    ROWS.map((put) => (put === first ? ended : put)),
  );
  const exams = ['ImagingStudy', 'DiagnosticReport'] as const;
  await commitPlan(records, aPlan({ erased: [{ rows: exams.map((type) => ({ type, id: '1' })) }] }), [person]);
  await expectRights(
    records,
    ROWS.map((put) => (put === first ? ended : put)).filter(({ type }) => !exams.some((one) => one === type)),
  );
}

async function expectRights(records: RecordStore, rows: readonly Put[]): Promise<void> {
  const all = rows.flatMap(({ type, id, origin = NO_ORIGIN, masks, resource }) =>
    rightsGivenBy({ type, id, person, origin, masks, content: () => resource }),
  );
  const rights = [...Map.groupBy(all, ({ id }) => id).values()].flatMap(([right]) => right ?? []);
  expect(await records.rightsOf(SYSTEM, person)).to.have.deep.members(rights);
  for (const grant of HOLDERS) {
    for (const type of new Set(rows.map((put) => put.type))) {
      const [page] = await searchPages(records, grant, aQuery(type, { count: 100 }));
      const seen = page?.rows.map(({ id, shownBy }) => [id, shownBy?.relation, shownBy?.source]) ?? [];
      const expected = rows
        .filter((put) => put.type === type)
        .flatMap((put) => {
          const item = `${type}/${put.id}`;
          const { level, masks, released } = put;
          const facts = { type, item, exams: [], dates: [], level, masks, released };
          const shown = rights
            .filter(isShowing)
            .filter(
              (right) =>
                grant.principals.includes(right.principal) &&
                right.from <= NOW &&
                NOW < right.to &&
                permits(right, facts, OPEN_STATE),
            );
          const [right] = shown.toSorted((one, other) => order(one) - order(other));
          return right === undefined ? [] : [[put.id, right.relation, consentOf(right)]];
        });
      expect(seen, `${grant.principals.join()} ${type}`).to.have.deep.members(expected);
    }
  }
}

function order({ relation }: ShowingRight): number {
  return RELATIONS.indexOf(relation);
}
