/** AuditEvents by whoever would change them (smart-security.md M02): nobody does, by no interaction, in no Bundle. */
import { expect } from 'chai';
import type { AuditEvent, Bundle } from '@medplum/fhirtypes';
import { find } from '../flows/support/fhir.ts';
import { PERSON_KEYS, type PersonKey } from '../flows/support/people.ts';
import { callOf, openWorld, type World } from '../flows/support/world.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';

describe('M02: an AuditEvent', function () {
  this.timeout(120_000);
  let world: World;
  let event: AuditEvent;

  before(async function () {
    if (!hasProgram('storescu')) this.skip();
    world = await openWorld({ store: 'sqlite', slices: 2 });
    const [latest] = await find<AuditEvent>(callOf(world, 'patient'), 'AuditEvent?_count=1');
    if (latest === undefined) throw new Error('The patient reads no event');
    event = latest;
  });
  after(async () => await world?.close());

  async function ask(who: PersonKey, method: string, path: string, body?: object): Promise<Response> {
    const { url, token } = callOf(world, who);
    const patch = method === 'PATCH' ? 'application/json-patch+json' : 'application/fhir+json';
    return await fetch(`${url}/fhir/${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': patch },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  for (const who of PERSON_KEYS) {
    it(`is neither made, changed nor deleted by: ${who}`, async () => {
      const path = `AuditEvent/${event.id}`;
      const outcome = [{ op: 'replace', path: '/outcome', value: '8' }];
      const attempts: readonly (readonly [string, string, object?])[] = [
        ['POST', 'AuditEvent', event],
        ['PUT', path, { ...event, outcome: '8' }],
        ['PUT', `AuditEvent?_id=${event.id}`, { ...event, outcome: '8' }],
        ['PATCH', path, outcome],
        ['DELETE', path],
        ['DELETE', `AuditEvent?_id=${event.id}`],
      ];
      for (const [method, at, body] of attempts)
        expect((await ask(who, method, at, body)).status, `${method} ${at}`).to.be.oneOf([403, 404, 405]);
      for (const type of ['batch', 'transaction'] as const)
        for (const request of [
          { method: 'DELETE', url: path },
          { method: 'POST', url: 'AuditEvent' },
          { method: 'PUT', url: path },
        ]) {
          const resource = request.method === 'DELETE' ? {} : { resource: event };
          const reply = await ask(who, 'POST', '', { resourceType: 'Bundle', type, entry: [{ request, ...resource }] });
          const text = await reply.text();
          const said =
            reply.status === 200 ? (JSON.parse(text) as Bundle).entry?.[0]?.response?.status : `${reply.status}`;
          expect(Number(said?.slice(0, 3)), `${type} ${request.method}`).to.be.at.least(400);
        }
    });
  }

  it('reads afterwards as it read before', async () => {
    const [still] = await find<AuditEvent>(callOf(world, 'patient'), `AuditEvent?_id=${event.id}`);
    expect(still).to.deep.equal(event);
  });
});
