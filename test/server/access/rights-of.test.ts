import type { Consent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../fixtures/consent.ts';
import { buildConsentChange, buildEmergencyConsent } from '../../../profiles/consent/privacy-consent.ts';
import { buildSupportConsent, buildSupportTask } from '../../../profiles/consent/giving/support.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../../profiles/types/visibility.ts';
import { personKey } from '../../../server/access/requester.ts';
import {
  movedRight,
  NO_ORIGIN,
  originAfter,
  rightsGivenBy,
  rightsLeftBy,
  type GivingRow,
} from '../../../server/access/rights-of.ts';
import { consentOf, examIn, FOREVER, itemIn } from '../../../server/access/right.ts';

const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const ROLE_CODE = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';
const person = personKey('p');
const filed = { sources: ['Organization/a'], services: ['Organization/s'] };

function aRow(type: StoredType, parts: Partial<GivingRow> = {}): GivingRow {
  const content = (): object => ({ resourceType: type, id: '1' });
  return { type, id: '1', person, origin: filed, masks: [], content, ...parts };
}

const saying = (consent: object): Partial<GivingRow> => ({ origin: NO_ORIGIN, content: () => consent });

/** What a row gives, each right as `relation principal scope`. */
const told = (row: GivingRow): readonly string[] =>
  rightsGivenBy(row).map(
    ({ relation, principal, scope }) =>
      `${relation} ${principal} ${scope === 'record' ? scope : (itemIn(scope) ?? `exam ${examIn(scope)}`)}`,
  );

/** What rows of each class give, but those of the types whose writing has a hook of its own. */
const BY_CLASS = {
  directory: [],
  part: [],
  patient: ['author o:Organization/a #/1'],
  item: ['author o:Organization/a #/1', 'imaging-service r:Organization/s record'],
  own: ['named o:Organization/a #/1'],
} as const;

describe('The rights that a row gives', () => {
  for (const type of STORED_TYPES) {
    const { class: visibility, hooks, names } = fhirType(type);
    if (hooks?.write === 'identity' || hooks?.write === 'rights' || names !== undefined) continue;
    it(`${type}: ${visibility}`, () => {
      expect(told(aRow(type))).to.deep.equal(BY_CLASS[visibility].map((text) => text.replace('#', type)));
      expect(told(aRow(type, { origin: NO_ORIGIN }))).to.deep.equal([]);
      expect(told({ ...aRow(type), person: undefined })).to.deep.equal([]);
    });
  }

  const careTeam = {
    status: 'active',
    category: [{ coding: [{ system: 'urn:passerelle:CodeSystem:record-circle', code: 'circle' }] }],
    participant: ['Practitioner/x', 'PractitionerRole/y', 'Organization/z', 'Patient/1', undefined].map(
      (reference) => ({
        member: { reference },
      }),
    ),
  };

  it('a CareTeam that the patient filed: those whom it takes close to the record, and of another’s nobody', () => {
    const row = (source: string) =>
      aRow('CareTeam', { origin: { sources: [source], services: [] }, content: () => careTeam });
    expect(told(row('Patient/1'))).to.deep.equal([
      'author pat:p CareTeam/1',
      'circle p:Practitioner/x record',
      'circle ro:PractitionerRole/y record',
      'circle m:Organization/z record',
    ]);
    expect(told(row('Organization/a'))).to.deep.equal(['author o:Organization/a CareTeam/1']);
  });

  it('a stay: the people of its establishment, and of one whose row does not say them nobody', () => {
    const period = { start: '2026-01-05', end: '2026-01-07' };
    const content = () => ({ status: 'finished', class: { system: ACT_CODE, code: 'IMP' }, period });
    const stay = { organization: 'Organization/b', graceDays: 2 };
    const row = aRow('Encounter', { origin: { ...filed, services: [], stay, zone: 'Europe/Paris' }, content });
    expect(told(row)).to.deep.equal(['author o:Organization/a Encounter/1', 'stay m:Organization/b record']);
    const [, { from, to } = { from: 0, to: 0 }] = rightsGivenBy(row);
    expect([from, to].map((at) => new Date(at).toISOString())).to.deep.equal([
      '2026-01-04T23:00:00.000Z',
      '2026-01-09T23:00:00.000Z',
    ]);
    expect(told(aRow('Encounter', { content }))).to.not.include('stay m:Organization/b record');
  });

  it('a RelatedPerson who represents the patient: herself, where its sender may say so', () => {
    const relationship = [{ coding: [{ system: ROLE_CODE, code: 'PRN' }] }];
    const content = () => ({ relationship, period: { end: '2026-01-07' } });
    const row = aRow('RelatedPerson', { origin: { ...filed, services: [], represents: true, zone: 'UTC' }, content });
    const author = 'author o:Organization/a RelatedPerson/1';
    const hers = ['record', 'RelatedPerson/1'].map((scope) => `representative rp:RelatedPerson/1 ${scope}`);
    const ofChild = 'representative-of-child rpc:RelatedPerson/1 record';
    expect(told(row)).to.deep.equal([author, ...hers, ofChild]);
    expect(rightsGivenBy(row).map(({ to }) => to)).to.include(Date.parse('2026-01-08T00:00:00Z'));
    expect(told(aRow('RelatedPerson', { content }))).to.deep.equal([author]);
    const ended = () => ({ ...content(), active: false });
    expect(told({ ...row, content: ended })).to.deep.equal([author]);
    const named = (...codes: readonly string[]) => {
      const coding = codes.map((code) => ({ system: ROLE_CODE, code }));
      return told({ ...row, content: () => ({ ...content(), relationship: [{ coding }] }) });
    };
    expect(named('POWATT'), 'a mandate is of an adult').to.deep.equal([author, ...hers]);
    for (const codes of [['GUARD'], ['HPOWATT', 'MTH']]) expect(named(...codes)).to.include(ofChild);
  });

  it('a Patient: her own to the record, her source’s to it alone', () => {
    expect(told(aRow('Patient'))).to.deep.equal(['author o:Organization/a Patient/1', 'self pat:p record']);
  });

  it('a notice: the patient sees it, nobody else', () => {
    expect(told(aRow('Communication', { origin: NO_ORIGIN }))).to.deep.equal(['named pat:p Communication/1']);
  });

  it('what the patient filed herself is hers once, whatever it says', () => {
    const origin = { sources: ['Patient/1'], services: [] };
    expect(told(aRow('ServiceRequest', { origin }))).to.deep.equal(['author pat:p ServiceRequest/1']);
    expect(told(aRow('Consent', { origin }))).to.deep.equal(['named pat:p Consent/1']);
  });

  it('a declaration: the record to each actor that it names, for its period', () => {
    const period = { start: '2026-03-01', end: '2026-03-02' };
    const { provision, ...declared } = demoConsent('Patient/1');
    const actor = [
      'Practitioner/a',
      'PractitionerRole/b',
      'Organization/d',
      'Practitioner/a',
      'Patient/c',
      undefined,
    ].map((reference) => ({
      role: {},
      reference: reference === undefined ? {} : { reference },
    }));
    const consent = { ...declared, provision: { ...provision, period, actor } };
    const rights = rightsGivenBy(aRow('Consent', saying(consent))).filter(({ relation }) => relation !== 'named');
    const [from, to] = [Date.UTC(2026, 2, 1), Date.UTC(2026, 2, 3)];
    const id = (who: string): string => `declared|${who}|record|p|${from}|${to}`;
    const said = { person, relation: 'declared', scope: 'record', from, to, giver: 'Consent/1' };
    expect(rights).to.deep.equal([
      { ...said, id: id('p:Practitioner/a'), principal: 'p:Practitioner/a' },
      { ...said, id: id('ro:PractitionerRole/b'), principal: 'ro:PractitionerRole/b' },
      { ...said, id: id('m:Organization/d'), principal: 'm:Organization/d' },
    ]);
    expect(rights.map(consentOf)).to.deep.equal(['Consent/1', 'Consent/1', 'Consent/1']);
  });

  it('a declaration of a team: what it gives to those in it, as its row says, in the time of both', () => {
    const { provision, ...declared } = demoConsent('Patient/1');
    const members = [
      { reference: 'Practitioner/a', from: 0, to: FOREVER },
      { reference: 'PractitionerRole/b', from: Date.UTC(2026, 2, 2), to: FOREVER },
      { reference: 'Organization/d', from: 0, to: Date.UTC(2026, 2, 1) },
      { reference: 'CareTeam/u', from: 0, to: FOREVER },
    ];
    const naming = (team: string, type: 'permit' | 'deny' = 'permit') => {
      const period = { start: '2026-03-01', end: '2026-03-02' };
      const actor = [{ role: {}, reference: { reference: team } }];
      const content = () => ({ ...declared, provision: { ...provision, type, period, actor } });
      const origin = { ...NO_ORIGIN, team: { team: 'CareTeam/t', members } };
      return rightsGivenBy(aRow('Consent', { origin, content })).filter(({ relation }) => relation !== 'named');
    };
    const [start, end] = [Date.UTC(2026, 2, 1), Date.UTC(2026, 2, 3)];
    const given = naming('CareTeam/t').map(({ principal, from, to }) => [principal, from, to]);
    expect(given).to.deep.equal([
      ['p:Practitioner/a', start, end],
      ['ro:PractitionerRole/b', Date.UTC(2026, 2, 2), end],
    ]);
    expect(naming('CareTeam/t').map(consentOf)).to.deep.equal(['Consent/1', 'Consent/1']);
    expect(naming('CareTeam/u'), 'another team').to.deep.equal([]);
    expect(naming('CareTeam/t', 'deny'), 'a team is not barred').to.deep.equal([]);
  });

  it('what a put says of a team takes the place of that alone', () => {
    const origin = { ...filed, zone: 'UTC', team: { team: 'CareTeam/t', members: [] } };
    const team = { team: 'CareTeam/t', members: [{ reference: 'Practitioner/a', from: 0, to: 1 }] };
    expect(originAfter({ team }, origin)).to.deep.equal({ ...origin, team });
    expect(originAfter({ team, origin: filed }, origin)).to.deep.equal({ ...filed, team });
    expect(originAfter({}, origin)).to.deep.equal(origin);
  });

  it('B12 a declaration of bare days: by the zone that its row has kept, else by UTC', () => {
    const { provision, ...declared } = demoConsent('Patient/1');
    const period = { start: '2026-07-01', end: '2026-07-10' };
    const content = (): object => ({ ...declared, provision: { ...provision, period } });
    const [right, former] = [{ ...NO_ORIGIN, zone: 'Europe/Paris' }, NO_ORIGIN].map((origin) =>
      rightsGivenBy(aRow('Consent', { origin, content })).at(-1),
    );
    const [from, to] = [Date.UTC(2026, 5, 30, 22), Date.UTC(2026, 6, 10, 22)];
    expect(right).to.include({ from, to, id: `declared|p:Practitioner/demo-declared|record|p|${from}|${to}` });
    expect(former).to.include({ from: Date.UTC(2026, 6, 1), to: Date.UTC(2026, 6, 11) });
  });

  it('a declaration without a period: for ever', () => {
    const { provision, ...declared } = demoConsent('Patient/1');
    const { period: _period, ...unlimited } = provision ?? {};
    const rights = rightsGivenBy(aRow('Consent', saying({ ...declared, provision: unlimited })));
    expect(rights.at(-1)).to.include({ relation: 'declared', from: 0, to: FOREVER });
  });

  it('an emergency: the record to one professional, up to the moment that it says', () => {
    const [from, to] = [1_000, 5_000];
    const facts = { id: '1', patient: 'Patient/1', practitioner: 'Practitioner/a', from, to };
    const [named, right] = rightsGivenBy(aRow('Consent', saying(buildEmergencyConsent(facts))));
    expect(named?.relation).to.equal('named');
    expect(right).to.deep.include({
      relation: 'break-glass',
      principal: 'bg:Practitioner/a',
      scope: 'record',
      from,
      to,
    });
  });

  it('an emergency that does more: what every one does, too; a declaration with such words no more than any', () => {
    const facts = { id: '1', patient: 'Patient/1', practitioner: 'Practitioner/a', from: 1_000, to: 5_000 };
    const of = (consent: object): readonly string[] => told(aRow('Consent', saying(consent))).slice(1);
    const every = 'break-glass bg:Practitioner/a record';
    const [confidential, past] = (['reachesConfidential', 'passesBlocks'] as const).map((beyond) =>
      buildEmergencyConsent({ ...facts, beyond }),
    );
    expect(of(confidential ?? {})).to.deep.equal([every, 'break-glass-confidential bgc:Practitioner/a record']);
    expect(of(past ?? {})).to.deep.equal([every, 'break-glass-past-block bgp:Practitioner/a record']);
    const both = { ...past, provision: { ...past?.provision, ...confidential?.provision } };
    expect(of(both), 'past a block normal items alone').to.deep.equal(of(past ?? {}));
    const purpose = [{ code: 'TREAT' }];
    expect(of({ ...both, provision: { ...both.provision, purpose } })).to.deep.equal([
      'declared p:Practitioner/a record',
    ]);
    const exam = 'ImagingStudy/s';
    const one = buildEmergencyConsent({ ...facts, exam, beyond: 'reachesConfidential' });
    expect(of(one).at(-1)).to.equal(`break-glass-confidential bgc:Practitioner/a exam ${exam}`);
  });

  it('a declaration or an emergency of one exam: that exam alone, and of data that is not read nothing', () => {
    const [from, to] = [1_000, 5_000];
    const facts = { id: '1', patient: 'Patient/1', practitioner: 'Practitioner/a', from, to };
    const emergency = buildEmergencyConsent({ ...facts, exam: 'ImagingStudy/s' });
    expect(told(aRow('Consent', saying(emergency)))).to.include('break-glass bg:Practitioner/a exam ImagingStudy/s');
    const { provision, ...declared } = demoConsent('Patient/1');
    const of = (...data: NonNullable<NonNullable<Consent['provision']>['data']>) =>
      told(aRow('Consent', saying({ ...declared, provision: { ...provision, data } }))).slice(1);
    const study = { meaning: 'related', reference: { reference: 'ImagingStudy/s' } } as const;
    expect(of(study)).to.deep.equal(['declared p:Practitioner/demo-declared exam ImagingStudy/s']);
    const visit = { meaning: 'instance', reference: { reference: 'Encounter/e' } } as const;
    expect(of(study, visit, study)).to.deep.equal(
      ['ImagingStudy/s', 'Encounter/e'].map((item) => `declared p:Practitioner/demo-declared exam ${item}`),
    );
    expect(of(study, { ...visit, meaning: 'related' })).to.deep.equal([]);
    const ofTime = (dataPeriod: object, data?: object) =>
      rightsGivenBy(aRow('Consent', saying({ ...declared, provision: { ...provision, dataPeriod, ...data } }))).slice(
        1,
      );
    const scopes = ofTime({ start: '1970', end: '1970' }).map(({ scope }) => scope);
    expect(scopes).to.deep.equal([{ dataPeriod: { lo: 0, hi: 365 * 86_400_000 } }]);
    for (const dataPeriod of [{}, { start: '2022-02-30' }]) expect(ofTime(dataPeriod)).to.deep.equal([]);
    expect(ofTime({ start: '1970' }, { data: [study] })).to.deep.equal([]);
    expect(of({ ...study, meaning: 'authoredby' })).to.deep.equal([]);
    expect(of({ ...study, reference: { reference: 'Consent/c' } })).to.deep.equal([]);
    const [one, other] = ['s', 't'].map((exam) => {
      const content = buildEmergencyConsent({ ...facts, exam: `ImagingStudy/${exam}` });
      return rightsGivenBy(aRow('Consent', saying(content))).at(-1)?.id;
    });
    expect(one).to.not.equal(other);
  });

  it('a ticket of support that was confirmed: normal items to who asked, while she is of the support', () => {
    const [now, until] = [1_000, 5_000];
    const facts = { id: '1', patient: 'Patient/1', practitioner: 'Practitioner/a', now, until };
    const ticket = { ...facts, ticket: 'INC-1', reason: 'Affichage' };
    const of = (item?: string) => {
      const task = buildSupportTask({ ...ticket, item });
      const consent = buildSupportConsent(task, { ...facts, officer: 'Practitioner/b' });
      return told(aRow('Consent', saying(consent))).slice(1);
    };
    expect(of()).to.deep.equal(['support su:Practitioner/a record']);
    expect(of('DiagnosticReport/r')).to.deep.equal(['support su:Practitioner/a exam DiagnosticReport/r']);
  });

  it('a Consent that ended, names nobody, or has no real dates: nobody but whom it names', () => {
    const declared: Consent = demoConsent('Patient/1');
    const facts = { id: '1', patient: 'Patient/1', now: 0 } as const;
    const consents: readonly Consent[] = [
      { ...declared, status: 'inactive' },
      { ...declared, status: 'entered-in-error' },
      { ...declared, provision: { ...declared.provision, period: { end: '2026-02-30' } } },
      buildConsentChange({ ...facts, change: 'withdraw' }),
      buildConsentChange({ ...facts, change: 'reconsent' }),
    ];
    for (const consent of consents)
      expect(told(aRow('Consent', saying(consent))), consent.status).to.deep.equal(['named pat:p Consent/1']);
  });

  it('of an item whose processing is restricted are its officers’, too, to it and to the Patient', () => {
    const offices = ['region-dpo', 'establishment-dpo|Organization/a'];
    const officers = offices.flatMap((office) => [`dpo of:${office} List/1`, `dpo of:${office} record`]);
    const rights = told(aRow('List', { masks: ['restricted'] }));
    expect(rights.filter((right) => right.startsWith('dpo'))).to.deep.equal(officers);
    const hers = { sources: ['Patient/1'], services: [] };
    expect(told(aRow('List', { masks: ['restricted'], origin: hers })).join()).not.to.include('dpo');
  });

  it('of an item that is not shared are its service’s to it and to the Patient, where it has one author', () => {
    const masks = ['unshared'] as const;
    const author = 'author o:Organization/a ImagingStudy/1';
    const own = ['own-service r:Organization/s ImagingStudy/1', 'own-service r:Organization/s record'];
    expect(told(aRow('ImagingStudy', { masks }))).to.deep.equal([author, ...own]);
    const shown = { sources: ['Organization/a'], services: [], ownServices: ['Organization/s'] };
    expect(told(aRow('ImagingStudy', { masks, origin: shown }))).to.deep.equal([author, ...own]);
    expect(told(aRow('ImagingStudy', { origin: shown }))).to.deep.equal([author]);
    const several = { ...filed, sources: ['Organization/a', 'Organization/b'] };
    expect(told(aRow('ImagingStudy', { masks, origin: several })).join()).not.to.include('own-service');
    const stay = { ...filed, stay: { organization: 'Organization/w', graceDays: 0 } };
    const content = (): object => ({
      status: 'finished',
      class: { system: ACT_CODE, code: 'IMP' },
      period: { start: '2026-01-01', end: '2026-01-02' },
    });
    expect(told(aRow('Encounter', { origin: stay, content })).join()).to.include('stay m:');
    expect(told(aRow('Encounter', { masks, origin: stay, content })).join()).not.to.include('stay m:');
  });

  it('a Consent that denies: the bars of whom it is against, for its period', () => {
    const { provision, ...declared } = demoConsent('Patient/1');
    const [first] = provision?.actor ?? [];
    const actor = ['Practitioner/a', 'PractitionerRole/b', 'Organization/c'].map((reference) => ({
      ...first,
      reference: { reference },
    }));
    const period = { end: '2026-02-28T00:00:00Z' };
    const consent = { ...declared, provision: { ...provision, type: 'deny' as const, actor, period } };
    const to = Date.parse(period.end) + 1_000;
    expect(told(aRow('Consent', saying(consent)))).to.deep.equal([
      'named pat:p Consent/1',
      ...['p:Practitioner/a', 'ro:PractitionerRole/b', 'm:Organization/c'].map((holder) => `block ${holder} record`),
    ]);
    const given = rightsGivenBy(aRow('Consent', saying(consent)));
    expect(given.filter(({ relation }) => relation === 'block').map((right) => [right.from, right.to])).to.deep.equal([
      [0, to],
      [0, to],
      [0, to],
    ]);
  });
});

describe('The rights of a row that is deleted', () => {
  it('are those to itself: what it gave of the record ends', () => {
    const relations = rightsLeftBy(rightsGivenBy(aRow('ImagingStudy'))).map(({ relation }) => relation);
    expect(relations).to.deep.equal(['author']);
    expect(rightsLeftBy(rightsGivenBy(aRow('Patient'))).map(({ relation }) => relation)).to.deep.equal(['author']);
  });
});

describe('The rights of a person who is joined to another', () => {
  it('are those that her rows give under the other key', () => {
    const to = personKey('q');
    for (const row of [aRow('Patient'), aRow('ImagingStudy'), aRow('Consent', { origin: { ...filed } })]) {
      const joined = rightsGivenBy(row).map((right) => movedRight(right, person, to));
      expect(joined).to.deep.equal(rightsGivenBy({ ...row, person: to }));
    }
  });
});
