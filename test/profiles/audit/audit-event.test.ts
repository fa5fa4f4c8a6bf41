import { expect } from 'chai';
import { buildAuditEvent } from '../../../profiles/audit/audit-event.ts';
import { furtherEvent } from '../../../profiles/audit/further-event.ts';
import type { PassageFacts } from '../../../profiles/audit/facts.ts';
import type { PassageKind } from '../../../profiles/audit/shapes.ts';

const BALP = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';
const OAUTH = `${BALP}OAUTHaccessTokenUse.Minimal`;
const user = { reference: 'Practitioner/d1', display: 'Dr Anne Martin', purpose: 'TREAT', tokenId: 't1' };

type Told = Partial<PassageFacts> & { readonly isOfNobody?: true };

function eventOf(kind: PassageKind, { isOfNobody, ...facts }: Told = {}) {
  return buildAuditEvent({
    id: 'e1',
    kind,
    recorded: '2026-11-30T08:00:00.000Z',
    outcome: '0',
    requestId: '8f1c',
    server: 'https://passerelle.example:8443/fhir',
    client: { id: 'app', address: '192.0.2.7' },
    user,
    ...(isOfNobody === true ? {} : { patient: 'Patient/p1' }),
    entities: [{ what: { reference: 'DocumentReference/r1' } }],
    ...facts,
  });
}

function rolesOf(kind: PassageKind, facts?: Told): readonly unknown[] {
  return eventOf(kind, facts).agent.map(({ type }) => type?.coding?.[0]?.code);
}

function claimsOf(kind: PassageKind, facts?: Told): readonly string[] {
  return eventOf(kind, facts).meta?.profile ?? [];
}

describe('AuditEvents (BALP)', () => {
  it('have whoever asks or sends as source, and whoever gets data as destination', () => {
    for (const kind of ['search', 'iti-67', 'iti-78', 'iti-83', 'iti-119', 'iti-18', 'qido', 'invoke-display'] as const)
      expect(rolesOf(kind), kind).to.deep.equal(['110153', '110152', 'IRCP']);
    for (const kind of ['create', 'update', 'patch', 'transaction', 'c-store', 'stow'] as const)
      expect(rolesOf(kind), kind).to.deep.equal(['110153', '110152', 'AUT']);
    for (const kind of ['read', 'vread', 'iti-68', 'iti-43', 'rad-69', 'wado', 'view-study'] as const)
      expect(rolesOf(kind), kind).to.deep.equal(['110152', '110153', 'IRCP']);
  });

  it('have a delete done by an application and a custodian', () => {
    expect(rolesOf('delete')).to.deep.equal(['110150', 'custodian', 'AUT']);
  });

  it('tell what a patient and an establishment are to what they send', () => {
    const by = (reference: string): unknown => rolesOf('create', { user: { ...user, reference } })[2];
    expect([by('Patient/p1'), by('Organization/o1')]).to.deep.equal(['INF', 'CST']);
  });

  it('name for whom an authorization was asked and by what it was given', () => {
    const consent = { consent: 'Consent/c1', entities: [{ detail: { change: 'withdraw' } }] };
    expect(rolesOf('withdraw', consent)).to.deep.equal(['110150', 'authserver', 'IRCP', 'PROV']);
    const { entity = [], source } = eventOf('withdraw', consent);
    expect(entity.map(({ type }) => type?.code)).to.deep.equal(['1', 'Consent']);
    expect(entity[1]?.detail).to.deep.equal([
      { type: 'change', valueString: 'withdraw' },
      { type: 'XrequestId', valueString: '8f1c' },
    ]);
    expect(eventOf('withdraw', consent).agent[1]?.who).to.deep.equal(source.observer);
  });

  it('name the host of the server and the address of the client', () => {
    const addresses = (server: string) => eventOf('read', { server }).agent.map(({ network }) => network);
    expect(addresses('https://passerelle.example:8443/fhir')).to.deep.equal([
      { address: '192.0.2.7', type: '2' },
      { address: 'passerelle.example', type: '1' },
      undefined,
    ]);
    expect(addresses('http://127.0.0.1:3000/fhir')[1]).to.deep.equal({ address: '127.0.0.1', type: '2' });
    expect(addresses('http://[::1]:3000/fhir')[1]).to.deep.equal({ address: '[::1]', type: '2' });
    expect(addresses('PASSERELLE')[1]).to.equal(undefined);
  });

  it('name what a professional is, and for which organizations, each once', () => {
    const doctor = { system: 'urn:x', code: '10', display: 'Médecin' };
    const roles = [
      { organization: 'Organization/o1', institution: 'Hôpital', profession: doctor },
      { organization: 'Organization/o1', institution: 'Hôpital', profession: doctor },
      { organization: 'Organization/o2' },
    ];
    const [, , person, ...organizations] = eventOf('read', { user: { ...user, roles } }).agent;
    expect([person?.name, person?.role]).to.deep.equal(['Dr Anne Martin', [{ coding: [doctor] }]]);
    expect(organizations.map(({ who, requestor }) => [who, requestor])).to.deep.equal([
      [{ reference: 'Organization/o1', display: 'Hôpital' }, false],
      [{ reference: 'Organization/o2' }, false],
    ]);
    const [, , patient, ...others] = eventOf('read', { user: { ...user, reference: 'Patient/p1' } }).agent;
    expect([patient?.name, patient?.role, others]).to.deep.equal([undefined, undefined, []]);
  });

  it('tell an assertion by its ID, its issuer and whom it names, and a token by its jti', () => {
    const assertion = { issuer: 'https://idp.example', nameId: '00B99' };
    const [, , asserted] = eventOf('iti-18', { user: { ...user, assertion } }).agent;
    expect(asserted?.policy).to.deep.equal(['t1']);
    expect(asserted?.who?.identifier).to.deep.equal({ system: 'https://idp.example', value: '00B99' });
    expect(asserted?.type?.coding?.[1]?.code).to.equal('UserSamlAgent');
    const [, , tokened] = eventOf('iti-18').agent;
    expect(tokened?.policy).to.deep.equal(['urn:ietf:params:oauth:jti:t1']);
    expect([tokened?.who?.identifier, tokened?.type?.coding?.[1]?.code]).to.deep.equal([undefined, 'UserOauthAgent']);
  });

  it('claim the pattern of their interaction, of a patient or of none', () => {
    for (const [kind, pattern] of [
      ['read', 'Read'],
      ['vread', 'Read'],
      ['search', 'Query'],
      ['iti-83', 'Query'],
      ['create', 'Create'],
      ['update', 'Update'],
      ['patch', 'Update'],
      ['delete', 'Delete'],
    ] as const) {
      expect(claimsOf(kind), kind).to.deep.equal([`${BALP}Patient${pattern}`, OAUTH]);
      expect(claimsOf(kind, { isOfNobody: true }), kind).to.deep.equal([`${BALP}${pattern}`, OAUTH]);
    }
    expect(claimsOf('iti-67')[0]).to.match(/IHE\.MHD\.FindDocumentReferences\.Audit\.Responder$/);
    expect(claimsOf('iti-68')[0]).to.match(/IHE\.MHD\.RetrieveDocument\.Audit\.Responder$/);
    expect(claimsOf('iti-78')[0]).to.match(/IHE\.PDQm\.Query\.Audit\.Supplier$/);
    expect(claimsOf('iti-119')[0]).to.match(/IHE\.PDQm\.Match\.Audit\.Supplier$/);
    expect(claimsOf('withdraw', { consent: 'Consent/c1' })[0]).to.equal(`${BALP}AuthZconsent`);
    expect(claimsOf('iti-18')).to.deep.equal([OAUTH]);
  });

  it('claim no pattern that they lack something of', () => {
    expect(claimsOf('read', { outcome: '4' })).to.deep.equal([]);
    expect(claimsOf('read', { client: { id: 'app' } })).to.deep.equal([OAUTH]);
    expect(claimsOf('read', { server: 'PASSERELLE' })).to.deep.equal([OAUTH]);
    expect(claimsOf('create', { entities: [{}, {}] })).to.deep.equal([OAUTH]);
    expect(claimsOf('withdraw')).to.deep.equal([OAUTH]);
  });

  it('claim as much when they tell more of a passage later', () => {
    const beginning = eventOf('view-study');
    const facts = { id: 'e2', recorded: beginning.recorded ?? '', detail: { pages: '2' }, isErased: false };
    const further = furtherEvent({ ...beginning, meta: { ...beginning.meta, versionId: '1' } }, facts);
    expect(further.meta).to.deep.equal({ profile: [OAUTH] });
  });
});
