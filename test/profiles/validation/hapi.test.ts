import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent, Consent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { GUIDES, startHapiValidator, whyNoHapi, type HapiValidator } from '../../support/peers/hapi-validator.ts';
import { EVENTS } from './produced-events.ts';
import { buildersInSources, namesIn, PRODUCED } from './produced.ts';

type Judged = AuditEvent | Consent;

function examples(): readonly { readonly name: string; readonly resource: Judged }[] {
  return GUIDES.flatMap((guide) =>
    readdirSync(guide)
      .filter((name) => /^(?:AuditEvent|Consent)-/.test(name))
      .map((name) => ({ name, resource: JSON.parse(readFileSync(join(guide, name), 'utf8')) as Judged })),
  );
}

/** A copy in which what every profile of its type demands is gone, and R4 demands nothing of it. */
function broken(resource: Judged): object {
  if (resource.resourceType === 'AuditEvent') return { ...resource, agent: [{ requestor: false }] };
  const { dateTime: _, ...rest } = resource;
  return rest;
}

function unprofiled(resource: object): object {
  return { ...resource, meta: undefined };
}

describe('HAPI validator', function () {
  this.timeout(120_000);
  let hapi: HapiValidator | undefined;

  before(function () {
    if (whyNoHapi() !== undefined) this.skip();
    hapi = startHapiValidator();
  });

  after(async () => await hapi?.stop());

  const errorsOf = async (resource: object): Promise<readonly string[]> => (await hapi?.errorsOf(resource)) ?? ['none'];

  it('finds nothing wrong in the examples of BALP, MHD, PCF and PDQm', async () => {
    const found = [];
    for (const { name, resource } of examples()) found.push(...(await errorsOf(resource)).map((at) => `${name} ${at}`));
    expect(found).to.deep.equal([]);
    expect(examples()).to.have.length.greaterThan(80);
  });

  it('finds what a profile demands missing in a copy of each, which R4 alone accepts', async () => {
    const [taken, refused] = [[] as string[], [] as string[]];
    for (const { name, resource } of examples().filter((one) => one.resource.meta?.profile !== undefined)) {
      if ((await errorsOf(broken(resource))).length === 0) taken.push(name);
      if ((await errorsOf(unprofiled(broken(resource)))).length > 0) refused.push(name);
    }
    expect(taken).to.deep.equal([]);
    expect(refused).to.deep.equal([]);
  });

  it('refuses a profile that it does not know, and what R4 refuses', async () => {
    const { resource } = examples()[0] ?? {};
    expect(await errorsOf({ ...resource, meta: { profile: ['urn:unknown'] } })).to.not.be.empty;
    expect(await errorsOf({ resourceType: 'Task', status: 'requested' })).to.not.be.empty;
  });

  it('is given something of everything that builds a Task, a Communication, a Consent or a Provenance', () => {
    expect(namesIn(PRODUCED.map(({ builder }) => builder))).to.deep.equal(buildersInSources());
  });

  for (const { builder, of, resource, profiles = [] } of PRODUCED) {
    it(`finds nothing wrong in what ${builder} makes${of === undefined ? '' : ` of ${of}`}`, async () => {
      expect(resource.meta?.profile ?? []).to.deep.equal(profiles);
      expect(await errorsOf(resource)).to.deep.equal([]);
    });
  }

  it('finds nothing wrong in an AuditEvent of any kind of passage, by anybody', async () => {
    const found = [];
    for (const { name, event } of EVENTS) found.push(...(await errorsOf(event)).map((error) => `${name} ${error}`));
    expect(found).to.deep.equal([]);
  });
});
