import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { PUBLISHED_REGION_SCHEMA } from '../../../server/config/region-schema.ts';
import { parseRegion, refuseDemonstration } from '../../../server/config/region.ts';
import { regionLines } from '../../../server/flows/directory/region-lines.ts';
import { indexRegion } from '../../../server/flows/identity/region-index.ts';
import { Fault } from '../../../profiles/fault.ts';
import { aClient, aDomain, aRegion, INS, key, refusalOf } from './a-region.ts';

describe('Region file', () => {
  it('takes who publishes an application and where it is opened, which is a page over TLS', () => {
    const named = aClient({ publisher: 'Cigogne', client_uri: 'https://carnet.example/' });
    expect(parseRegion(aRegion({ clients: [named] })).clients[0]).to.include({ publisher: 'Cigogne' });
    for (const wrong of ['javascript:alert(1)', 'http://carnet.example/', 'https://a/"', 'https://'])
      expect(refusalOf(aRegion({ clients: [aClient({ client_uri: wrong })] })), wrong).to.include('client_uri');
  });

  it('fills left-out lists and takes a region for real when it does not say otherwise', () => {
    const region = parseRegion(aRegion());
    expect(region.demonstration).to.equal(false);
    expect(region.clients).to.deep.equal([]);
    expect(region.persons).to.deep.equal([]);
  });

  it('refuses an identifier domain or a qualified identifier of a reserved system', () => {
    for (const system of ['urn:dicom:uid', 'urn:ietf:rfc:3986', 'urn:passerelle:patients']) {
      const refusal = refusalOf(
        aRegion({
          identifierDomains: [aDomain({ patientIdSystem: system }), aDomain({ accessionSystem: system })],
          qualifiedIdentifiers: [INS, system],
        }),
      );
      expect(refusal).to.include('/identifierDomains/0/patientIdSystem is a reserved system');
      expect(refusal).to.include('/identifierDomains/1/accessionSystem is a reserved system');
      expect(refusal).to.include('/qualifiedIdentifiers/1 is a reserved system');
      expect(refusal).not.to.include('/qualifiedIdentifiers/0');
    }
  });

  it('refuses a file without serial, domains or their members, and says what to add', () => {
    const bare = { bundle: aRegion()['bundle'] };
    for (const member of ['serial: a whole', 'identifierDomains: a list', 'qualifiedIdentifiers: ', 'affinityDomain: '])
      expect(refusalOf(bare)).to.include(`/ needs ${member}`);
    expect(refusalOf(aRegion({ identifierDomains: [] }))).to.include('/identifierDomains ');
    const { qualifies: _, informsPatients: __, ...former } = aDomain();
    const refusal = refusalOf(aRegion({ identifierDomains: [former], affinityDomain: {} }));
    expect(refusal).to.include('/identifierDomains/0 needs qualifies: the systems of qualifiedIdentifiers');
    expect(refusal).to.include('/identifierDomains/0 needs informsPatients: the day since which');
    expect(refusal).to.include('/affinityDomain needs ownSystem: an OID');
  });

  it('takes serials that are whole numbers from 1 on, and nothing else', () => {
    expect(parseRegion(aRegion({ serial: 2026112901 })).serial).to.equal(2026112901);
    for (const serial of [0, -1, 1.5, '2', null, 2 ** 53]) expect(refusalOf(aRegion({ serial }))).to.include('/serial');
  });

  it('takes the day since which an establishment informs its patients, or false', () => {
    const informing = (informsPatients: unknown) => aRegion({ identifierDomains: [aDomain({ informsPatients })] });
    expect(parseRegion(informing(false)).identifierDomains[0]?.informsPatients).to.equal(false);
    for (const wrong of [true, null, '2026', '2026-02-30', '31.01.2026', '2026-1-1', ''])
      expect(refusalOf(informing(wrong))).to.include('/identifierDomains/0/informsPatients');
  });

  it('takes the day since which images name whom patients declared, or false; left out, names give nothing', () => {
    const attesting = (recordsPatientsWord: unknown) =>
      aRegion({ identifierDomains: [aDomain({ recordsPatientsWord })] });
    const says = (json: Record<string, unknown>, day: string) =>
      indexRegion(parseRegion(json)).recordsWord('Organization/a', day);
    const days = ['2026-01-30', '2026-01-31', '2026-02-01'];
    expect(days.map((day) => says(attesting('2026-01-31'), day))).to.deep.equal([false, true, true]);
    const line = '  images name whom patients declared: since 2026-01-31';
    expect(regionLines(parseRegion(attesting('2026-01-31')))).to.include(line);
    for (const json of [attesting(false), aRegion()]) {
      expect(says(json, '2026-02-01')).to.equal(false);
      expect(regionLines(parseRegion(json)).join('\n')).not.to.include('images name');
    }
    expect(indexRegion(parseRegion(attesting('2026-01-31'))).recordsWord('Organization/b', '2026-02-01')).to.equal(
      false,
    );
    for (const wrong of [true, null, '2026', '2026-02-30', '31.01.2026', ''])
      expect(refusalOf(attesting(wrong))).to.include('/identifierDomains/0/recordsPatientsWord');
  });

  it('lets several establishments number patients under one system, but not orders', () => {
    const other = aDomain({ organization: 'Organization/a-imaging', accessionSystem: 'urn:oid:1.2.5' });
    const region = parseRegion(aRegion({ identifierDomains: [aDomain(), other] }));
    expect(indexRegion(region).sourcesOf('urn:oid:1.2.3')).to.deep.equal(['Organization/a', 'Organization/a-imaging']);
    expect(indexRegion(region).sourcesOf('urn:oid:1.2.4')).to.deep.equal([]);
    const same = { ...other, accessionSystem: 'urn:oid:1.2.4' };
    expect(refusalOf(aRegion({ identifierDomains: [aDomain(), same] }))).to.include('/identifierDomains/1 repeats');
  });

  it('refuses what an establishment cannot qualify, and numbers of its own under a qualified system', () => {
    const refusal = refusalOf(
      aRegion({
        identifierDomains: [aDomain({ qualifies: [INS, 'urn:oid:1.9'] }), aDomain({ patientIdSystem: INS })],
        affinityDomain: { patientIdSystems: ['urn:oid:1.9'], ownSystem: 'urn:oid:1.2.3' },
      }),
    );
    expect(refusal).to.include('/identifierDomains/0/qualifies/1 is not among qualifiedIdentifiers');
    expect(refusal).to.include('/identifierDomains/1/patientIdSystem is qualified');
    expect(refusal).to.include('/affinityDomain/patientIdSystems/0 is not among qualifiedIdentifiers');
    expect(refusal).to.include('/affinityDomain/ownSystem is used by others');
    const silent = aDomain({ qualifies: [], imagesQualified: true });
    expect(refusalOf(aRegion({ identifierDomains: [silent] }))).to.include('/identifierDomains/0/imagesQualified');
  });

  it('names second readers: establishments with a domain, other than itself', () => {
    const other = aDomain({ organization: 'Organization/a-imaging', accessionSystem: 'urn:oid:1.2.5' });
    const reading = { ...other, readsFor: ['Organization/a'] };
    const index = indexRegion(parseRegion(aRegion({ identifierDomains: [aDomain(), reading] })));
    expect(index.readersFor('Organization/a')).to.deep.equal(['Organization/a', 'Organization/a-imaging']);
    expect(index.readersFor('Organization/a-imaging')).to.deep.equal(['Organization/a-imaging']);
    for (const read of ['Organization/a-imaging', 'Organization/c'])
      expect(refusalOf(aRegion({ identifierDomains: [aDomain(), { ...other, readsFor: [read] }] })), read).to.include(
        '/identifierDomains/1/readsFor/0',
      );
  });

  it('takes the certificates of an AE title as SHA-256 fingerprints, and nothing else', () => {
    const withCertificates = (certificates: unknown) =>
      aRegion({
        aeTitles: [{ aeTitle: 'CT', organization: 'Organization/a', addresses: ['192.0.2.1'], certificates }],
      });
    const [plain, colons] = ['0f'.repeat(32), Array.from({ length: 32 }, () => 'AB').join(':')];
    expect(parseRegion(withCertificates([plain, colons])).aeTitles[0]?.certificates).to.deep.equal([plain, colons]);
    for (const wrong of [[], [plain.slice(2)], [`${plain}00`], ['sha256'], 'x'])
      expect(refusalOf(withCertificates(wrong))).to.include('/aeTitles/0/certificates');
  });

  it('is frozen to its depth and independent of what was read', () => {
    const json = aRegion({ clients: [aClient()] });
    const region = parseRegion(json);
    expect(Object.isFrozen(region.clients[0]?.grant_types)).to.equal(true);
    expect(Object.isFrozen(region.bundle.entry?.[0]?.resource)).to.equal(true);
    expect(Object.isFrozen(json['clients'])).to.equal(false);
  });

  it('refuses what is not an object', () => {
    for (const json of [undefined, null, 'region', 3, []]) expect(refusalOf(json)).to.include('not valid');
  });

  it('reports every error of the shape at once, with its place', () => {
    const message = refusalOf(
      aRegion({ clients: [{}], aeTitles: [{ aeTitle: 'TOO_LONG_FOR_AN_AE_TITLE' }], colour: 'blue' }),
    );
    expect(message).to.include('/clients/0').and.to.include('/aeTitles/0/aeTitle').and.to.include('colour');
  });

  it('refuses an AE title with a backslash or an outer space (PS3.5 6.2)', () => {
    for (const aeTitle of ['A\\B', ' AB', 'AB ', '']) {
      const peer = { aeTitle, organization: 'Organization/a', addresses: ['127.0.0.1'] };
      expect(refusalOf(aRegion({ aeTitles: [peer] }))).to.include('/aeTitles/0/aeTitle');
    }
  });

  it('refuses an organization that the bundle does not hold', () => {
    const message = refusalOf(
      aRegion({
        clients: [aClient({ organization: 'Organization/b' })],
        imagingServices: [{ organization: 'Organization/a-imaging', establishment: 'Organization/c' }],
      }),
    );
    expect(message).to.include('/clients/0/organization').and.to.include('/imagingServices/0/establishment');
  });

  it('refuses a reference inside the bundle that leads nowhere', () => {
    const role = { resourceType: 'PractitionerRole', id: 'r', practitioner: { reference: 'Practitioner/nobody' } };
    const entry = [{ resource: role, request: { method: 'PUT', url: 'PractitionerRole/r' } }];
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
    expect(refusalOf(aRegion({ bundle }))).to.include('Practitioner/nobody');
  });

  it('refuses a resource that is not of the directory, and a request to another address', () => {
    const entry = [
      { resource: { resourceType: 'Patient', id: 'p' }, request: { method: 'PUT', url: 'Patient/p' } },
      {
        resource: { resourceType: 'Organization', id: 'a', name: 'A' },
        request: { method: 'PUT', url: 'Organization/b' },
      },
    ];
    const message = refusalOf(aRegion({ bundle: { resourceType: 'Bundle', type: 'transaction', entry } }));
    expect(message)
      .to.include('/bundle/entry/0 is no resource of the directory')
      .and.to.include('/bundle/entry/1/request/url');
  });

  it('takes a device of an establishment, and refuses one that names a patient, by reference or identifier', () => {
    const withDevice = (more: object): Record<string, unknown> => {
      const region = aRegion();
      const bundle = region['bundle'] as { readonly entry: readonly object[] };
      const resource = { resourceType: 'Device', id: 'ct', owner: { reference: 'Organization/a' }, ...more };
      const entry = [...bundle.entry, { resource, request: { method: 'PUT', url: 'Device/ct' } }];
      return { ...region, bundle: { ...bundle, entry } };
    };
    expect(parseRegion(withDevice({})).bundle.entry).to.have.lengthOf(3);
    for (const patient of [{ identifier: { system: 'urn:x', value: '1' } }, { reference: 'Patient/1' }]) {
      expect(refusalOf(withDevice({ patient }))).to.include('/bundle/entry/2/resource/patient names a person');
    }
  });

  it('refuses two clients, peers or persons of one name', () => {
    const peer = { aeTitle: 'CT1', organization: 'Organization/a', addresses: ['::1'] };
    const person = { login: 'anne', name: 'Anne', kind: 'patient', identifier: { system: 'urn:oid:1.2', value: '1' } };
    const message = refusalOf(
      aRegion({ clients: [aClient(), aClient()], aeTitles: [peer, peer], persons: [person, person] }),
    );
    expect(message).to.include('/clients/1').and.to.include('/aeTitles/1').and.to.include('/persons/1');
  });

  it('refuses a private key, and says nothing of its value', () => {
    const message = refusalOf(aRegion({ clients: [aClient({ jwks: { keys: [{ ...key, d: 'c2VjcmV0' }] } })] }));
    expect(message).to.include('/clients/0/jwks/keys/0 holds a private key').and.not.to.include('c2VjcmV0');
  });

  it('refuses a demonstration key in a region that is not for demonstration', () => {
    const clients = [aClient({ jwks: { keys: [{ ...key, kid: 'demonstration-1' }] } })];
    expect(refusalOf(aRegion({ clients }))).to.include('demonstration key');
    expect(parseRegion(aRegion({ clients, demonstration: true })).clients).to.have.length(1);
  });

  it('refuses a client whose grant types and authentication do not fit', () => {
    const open = aClient({ token_endpoint_auth_method: 'none' });
    const keyless = { ...aClient({ client_id: 'b' }), jwks: undefined };
    const appWithoutRedirect = aClient({ client_id: 'c', grant_types: ['authorization_code'] });
    const message = refusalOf(aRegion({ clients: [open, JSON.parse(JSON.stringify(keyless)), appWithoutRedirect] }));
    expect(message).to.include('/clients/0 uses client_credentials and must authenticate');
    expect(message).to.include('/clients/1 authenticates by private_key_jwt and needs jwks');
    expect(message).to.include('/clients/2 uses authorization_code and needs redirect_uris');
  });

  it('says in which language it writes, and where offices are mailed; an address is one and nothing else', () => {
    const contacts = [
      { office: 'region-dpo', email: 'dpo@region.example' },
      { office: 'establishment-dpo', organization: 'Organization/a', email: 'dpo@a.example' },
    ];
    const region = parseRegion(aRegion({ language: 'de', contacts }));
    expect([region.language, region.contacts]).to.deep.equal(['de', contacts]);
    expect(parseRegion(aRegion()).language).to.equal('fr');
    expect(refusalOf(aRegion({ language: 'lb' }))).to.include('/language must be one of fr, de, en');
    const wrong = refusalOf(
      aRegion({
        contacts: [
          { office: 'establishment-dpo', email: 'dpo@a.example' },
          { office: 'region-dpo', organization: 'Organization/a', email: 'dpo@region.example' },
          { office: 'region-dpo', email: 'dpo@region.example, other@region.example' },
        ],
      }),
    );
    expect(wrong).to.include('/contacts/0 needs the organization of the office');
    expect(wrong).to.include('/contacts/1/organization is for offices of establishments');
    expect(wrong).to.include('/contacts/2/email is not one e-mail address').and.not.include('other@');
    expect(refusalOf(aRegion({ contacts: [{ office: 'king', email: 'a@b.example' }] }))).to.include(
      '/contacts/0/office must be one of',
    );
  });

  it('is published as a JSON Schema, which is in step', async () => {
    const published = new URL('../../../profiles/definitions/region.schema.json', import.meta.url);
    expect(JSON.parse(await readFile(published, 'utf8'))).to.deep.equal(
      JSON.parse(JSON.stringify(PUBLISHED_REGION_SCHEMA)),
    );
    const validate = new Ajv({ strict: false, formats: { date: true } }).compile(PUBLISHED_REGION_SCHEMA);
    expect(validate(aRegion()), JSON.stringify(validate.errors)).to.equal(true);
    expect(validate({})).to.equal(false);
  });

  it('refuses a demonstration region outside development', () => {
    const region = parseRegion(aRegion({ demonstration: true }));
    expect(() => refuseDemonstration(region, false))
      .to.throw(Fault)
      .with.property('kind', 'forbidden');
    expect(() => refuseDemonstration(region, true)).not.to.throw();
    expect(() => refuseDemonstration(parseRegion(aRegion()), false)).not.to.throw();
  });
});
