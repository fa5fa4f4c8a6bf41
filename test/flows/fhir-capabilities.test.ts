/** The CapabilityStatement as a promise: what it announces is served, and what it does not announce is refused. */
import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { VISIBILITY } from '../../profiles/types/visibility.ts';
import { loadDefinitions } from '../../server/runtime/definitions.ts';
import { expectOutcome, fhirCaller, resourcesOf, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { personCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';

/** A value of each kind of search parameter. */
const VALUE: Readonly<Record<string, string>> = {
  token: 'a',
  reference: 'Patient/1',
  date: '2026',
  string: 'a',
  uri: 'urn:a',
};
const STRICTLY = { prefer: 'handling=strict' };
const ABSENT = '11111111-1111-4111-8111-111111111111';

describe('CapabilityStatement (FHIR R4 http.html#capabilities)', () => {
  let region: Demonstration;
  let statement: CapabilityStatement;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
    statement = (await fhirCaller(region.server.url).get('metadata')).json<CapabilityStatement>();
  });
  after(async () => await region?.server.stop());

  function announced(): CapabilityStatementRestResource[] {
    return statement.rest?.[0]?.resource ?? [];
  }
  function codesOf({ interaction = [] }: CapabilityStatementRestResource): string[] {
    return interaction.map(({ code }) => code);
  }

  it('is a valid resource, served without a token and to any origin', async () => {
    const answer = await fhirCaller(region.server.url).get('metadata', { origin: 'https://app.example' });
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('access-control-allow-origin')).to.equal('*');
    const { validate } = await loadDefinitions();
    expect(() => validate(answer.json())).to.not.throw();
    expect(statement).to.include({ fhirVersion: '4.0.1', kind: 'instance' });
  });

  it('answers 406 when another format than JSON is asked for', async () => {
    expectOutcome(
      await fhirCaller(region.server.url).get('metadata', { accept: 'application/fhir+xml' }),
      406,
      'not-supported',
    );
    expectOutcome(await fhirCaller(region.server.url).get('metadata?_format=xml'), 406, 'not-supported');
  });

  it('serves each read and vread that it announces', async () => {
    for (const resource of announced()) {
      const codes = codesOf(resource);
      expect(codes, resource.type).to.include('read');
      const answer = await region.patient.get(`${resource.type}/${ABSENT}`);
      expectOutcome(answer, 404, 'not-found');
      const vread = await region.patient.get(`${resource.type}/${ABSENT}/_history/1`);
      expectOutcome(
        vread,
        codes.includes('vread') ? 404 : 405,
        codes.includes('vread') ? 'not-found' : 'not-supported',
      );
    }
  });

  it('serves each search, and each search parameter, alone and strictly', async () => {
    let parameters = 0;
    for (const resource of announced().filter((one) => codesOf(one).includes('search-type'))) {
      for (const { name, type } of resource.searchParam ?? []) {
        const answer = await region.patient.get(`${resource.type}?${name}=${encodeURIComponent(VALUE[type] ?? 'a')}`, {
          prefer: 'handling=strict',
        });
        expect(answer.status, `${resource.type}?${name}: ${answer.text}`).to.equal(200);
        parameters += 1;
      }
      for (const include of resource.searchInclude ?? []) {
        const answer = await region.patient.get(`${resource.type}?_include=${include}`, { prefer: 'handling=strict' });
        expect(answer.status, `${include}: ${answer.text}`).to.equal(200);
      }
      // At most 20 at a time.
      for (const revinclude of resource.searchRevInclude ?? []) {
        const answer = await region.patient.get(`${resource.type}?_revinclude=${revinclude}`, STRICTLY);
        expect(answer.status, `${revinclude}: ${answer.text}`).to.equal(200);
        const [source, reference] = revinclude.split(':');
        const has = await region.patient.get(`${resource.type}?_has:${source}:${reference}:_id=1`, STRICTLY);
        expect(has.status, `_has:${revinclude}: ${has.text}`).to.equal(200);
      }
      const posted = await region.patient.send('POST', `${resource.type}/_search`, '', {
        'content-type': 'application/x-www-form-urlencoded',
      });
      expect(posted.status, resource.type).to.equal(200);
    }
    expect(parameters).to.be.greaterThan(60);
  });

  it('sorts by each search parameter that it announces, both directions, strictly', async () => {
    for (const { type, documentation } of announced().filter((one) => codesOf(one).includes('search-type'))) {
      const [, announcedSorts = '', own = ''] =
        /^_sort by (.*); without it by -(.*)\.$/.exec(documentation ?? '') ?? [];
      const sorts = announcedSorts.split(', ');
      expect(sorts, type).to.include.members(['_id', '_lastUpdated', own]);
      for (const sort of sorts) {
        const answer = await region.patient.get(`${type}?_sort=-${sort},${own}`, { prefer: 'handling=strict' });
        expect(answer.status, `${type}?_sort=-${sort}: ${answer.text}`).to.equal(200);
      }
    }
    expectOutcome(await region.patient.get('Patient?_sort=colour', { prefer: 'handling=strict' }), 400, 'invalid');
    const lenient = await region.patient.get('Patient?_sort=colour');
    expect(lenient.text).to.include('Search parameter _sort was ignored');
    expect(lenient.json<import('@medplum/fhirtypes').Bundle>().link?.[0]?.url).to.not.include('_sort');
  });

  it('announces each include that is served', async () => {
    const including = announced().filter((one) => codesOf(one).includes('search-type') && one.type !== 'AuditEvent');
    for (const { type, searchParam = [], searchInclude = [], searchRevInclude = [] } of including) {
      const references = searchParam.flatMap((parameter) =>
        parameter.type === 'reference' ? [`${type}:${parameter.name}`] : [],
      );
      expect(searchInclude, type).to.deep.equal(references);
      const referring = including.flatMap((source) =>
        (source.searchParam ?? [])
          .filter((parameter) => parameter.type === 'reference')
          .map(({ name }) => `${source.type}:${name}`),
      );
      expect(referring, type).to.include.members(searchRevInclude);
    }
    const ofStudies = announced().find(({ type }) => type === 'ImagingStudy')?.searchRevInclude;
    expect(ofStudies).to.include.members(['DiagnosticReport:imaging-study', 'DocumentReference:related']);
    expect(announced().find(({ type }) => type === 'AuditEvent')?.searchRevInclude).to.equal(undefined);
    // An event is joined to no other row.
    expectOutcome(
      await region.patient.get('AuditEvent?_include=AuditEvent:patient', { prefer: 'handling=strict' }),
      400,
      'invalid',
    );
    const lenient = await region.patient.get('AuditEvent?_include=AuditEvent:patient');
    expect(lenient.text).to.include('Search parameter _include was ignored');
  });

  it('refuses a search that it does not announce', async () => {
    const unsearched = announced().filter((one) => !codesOf(one).includes('search-type'));
    for (const { type } of unsearched) {
      expectOutcome(await region.patient.get(type), 405, 'not-supported');
      expectOutcome(
        await region.patient.send('POST', `${type}/_search`, '', {
          'content-type': 'application/x-www-form-urlencoded',
        }),
        405,
      );
    }
    expectOutcome(await region.patient.get('ImagingStudy?instance=1', { prefer: 'handling=strict' }), 400, 'invalid');
  });

  it('serves each write that it announces: the body is read, and refused for what it is', async () => {
    for (const resource of announced()) {
      const codes = codesOf(resource);
      const type: string = resource.type;
      const body = { resourceType: type, nothing: 1 };
      const created = await region.strasbourg.send('POST', type, body);
      if (codes.includes('create')) expectOutcome(created, 400, 'invalid');
      else expectOutcome(created, 405, 'not-supported');
      const updated = await region.strasbourg.send('PUT', `${resource.type}?identifier=urn:a|1`, body);
      if (resource.conditionalUpdate === true) expectOutcome(updated, 400, 'invalid');
      else expectOutcome(updated, 405, 'not-supported');
      const byId = await region.strasbourg.send('PUT', `${type}/nothing`, body);
      if (codes.includes('update')) expectOutcome(byId, 400, 'invalid');
      else expectOutcome(byId, 405, 'not-supported');
      const byPatch = { 'content-type': 'application/json-patch+json' };
      const patched = await region.strasbourg.send('PATCH', `${type}/nothing`, '[]', byPatch);
      if (codes.includes('patch')) expectOutcome(patched, 400, 'invalid');
      else expectOutcome(patched, 405, 'not-supported');
      const deleted = await region.strasbourg.send('DELETE', `${type}/nothing`);
      if (codes.includes('delete')) expect(deleted.status).to.equal(204);
      else expectOutcome(deleted, 405, 'not-supported');
      const deletedBy = await region.strasbourg.send('DELETE', `${type}?identifier=urn:a|1`);
      if (resource.conditionalDelete === 'single') expect(deletedBy.status).to.equal(204);
      else expectOutcome(deletedBy, 405, 'not-supported');
      const conditional = await region.strasbourg.send('POST', type, body, { 'if-none-exist': 'identifier=urn:a|1' });
      if (resource.conditionalCreate === true || codes.includes('create')) expectOutcome(conditional, 400, 'invalid');
      else expectOutcome(conditional, 405, 'not-supported');
      expect(resource.updateCreate, type).to.equal(codes.includes('update'));
    }
    expect(statement.patchFormat).to.deep.equal(['application/json-patch+json']);
    expect(statement.rest?.[0]?.interaction).to.deep.equal([{ code: 'transaction' }, { code: 'batch' }]);
    expectOutcome(await region.strasbourg.send('POST', '', { resourceType: 'Bundle', nothing: 1 }), 400, 'invalid');
  });

  it('serves each operation that it announces, and no other', async () => {
    const names: string[] = [];
    const desk = await personCaller(region.server, 'demo-region-desk');
    const callers: Readonly<Record<string, FhirCaller>> = {
      'break-glass': region.declared,
      decide: await personCaller(region.server, 'demo-region-dpo'),
      join: desk,
      portability: region.patient,
      'presence-code': region.patient,
      'redeem-presence-code': region.declared,
      'access-history': region.patient,
      share: region.patient,
      'revoke-share': region.patient,
      'who-can-access': region.patient,
      separate: desk,
      'set-account': desk,
    };
    for (const { type, operation = [] } of announced()) {
      for (const { name } of operation) {
        const caller = callers[name] ?? region.strasbourg;
        const body = { resourceType: 'Parameters', parameter: [{ name: 'nothing', valueString: 'a' }] };
        const one = type === 'Patient' ? '' : '/nothing';
        const answer = await caller.send('POST', `${type}${one}/$${name}`, body);
        // Nobody of the demonstration is of its support: test/flows/support-access.test.ts.
        if (name === 'support-access') expectOutcome(answer, 403, 'forbidden');
        else expectOutcome(answer, 400, 'invalid');
        names.push(name);
      }
    }
    expect(names.sort()).to.deep.equal([
      'access-history',
      'break-glass',
      'cancel-erasure',
      'data-subject-request',
      'decide',
      'discard',
      'ihe-pix',
      'join',
      'match',
      'move',
      'portability',
      'presence-code',
      'reconsent',
      'redeem-presence-code',
      'refile',
      'release',
      'request-erasure',
      'revoke-share',
      'separate',
      'set-account',
      'set-confidentiality',
      'set-confidentiality',
      'share',
      'share',
      'support-access',
      'who-can-access',
      'withdraw',
    ]);
    const unknown = ['Patient/$everything', 'ImagingStudy/$meta', '$export', 'Task/1/$move'];
    for (const path of [...unknown, 'Task/$discard', 'Patient/1/$withdraw', 'Task/1/release']) {
      expect((await region.strasbourg.send('POST', path, { resourceType: 'Parameters' })).status, path).to.be.oneOf([
        404, 405, 501,
      ]);
    }
  });

  it('refuses every other interaction as not served, with an OperationOutcome', async () => {
    const id = region.patients.helene;
    const others: [string, string, unknown?][] = [
      ['DELETE', `Patient/${id}`],
      ['DELETE', 'Patient?active=true'],
      ['PUT', `ImagingStudy/${id}`, { resourceType: 'ImagingStudy', id }],
      ['PATCH', `AuditEvent/${id}`, [{ op: 'replace', path: '/active', value: false }]],
      ['DELETE', `AuditEvent/${id}`],
      ['DELETE', `DiagnosticReport/${id}`],
      ['GET', '_history'],
      ['GET', `Patient/${id}/ImagingStudy`],
      ['GET', `Patient/${id}/$everything`],
      ['GET', ''],
      ['GET', '?_type=Patient'],
      ['POST', '_search'],
      ['HEAD', 'nothing/at/all'],
      ['OPTIONS', 'Patient'],
    ];
    for (const [method, path, body] of others) {
      const answer = await region.strasbourg.send(method, path, body);
      expect(answer.status, `${method} ${path}`).to.be.oneOf([404, 405, 501]);
      if (method !== 'HEAD') expectOutcome(answer, answer.status);
      expect(answer.headers.has('allow'), `Allow of ${method} ${path}`).to.equal(answer.status === 405);
    }
  });

  it('announces no type that is not stored, and a stored type that it leaves out is not found', async () => {
    const types: readonly string[] = announced().map(({ type }) => type);
    expect(Object.keys(VISIBILITY)).to.include.members([...types]);
    for (const type of [...Object.keys(VISIBILITY).filter((name) => !types.includes(name)), 'Basic', 'Nonsense']) {
      expectOutcome(await region.strasbourg.get(type), 404, 'not-found');
      expectOutcome(await region.strasbourg.get(`${type}/${ABSENT}`), 404, 'not-found');
    }
  });

  it('names in the self link what was used of a search, and in an outcome what was not', async () => {
    const answer = await region.strasbourg.get('Patient?family=Valbr%C3%A9mont&colour=blue');
    const bundle = answer.json<import('@medplum/fhirtypes').Bundle>();
    const self = bundle.link?.find(({ relation }) => relation === 'self')?.url ?? '';
    expect([...new URL(self).searchParams]).to.deep.equal([['family', 'Valbrémont']]);
    expect(resourcesOf(bundle).map(({ resourceType }) => resourceType)).to.deep.equal(['Patient', 'OperationOutcome']);
    expect(answer.text).to.include('colour').and.not.include('blue');
  });
});
