/** N05 of smart-security.md through a server: a backup of before an erasure brings nobody back. */
import { cp, mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { openErasureKey } from '../../server/clients/erasure-key/erasure-key.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { establishmentCaller, personCaller } from '../support/demonstration.ts';
import { startServer, type TestServer } from '../support/server.ts';

describe('A data folder that is put back to before an erasure', function () {
  this.timeout(120_000);
  let root: string;
  let server: TestServer | undefined;
  before(async () => (root = await mkdtemp(join(tmpdir(), 'passerelle-restored-'))));
  after(async () => {
    await server?.stop();
    await rm(root, { recursive: true, force: true });
  });

  it('N05 shows her to nobody from the first request on, erases her, and says so in the log', async () => {
    const [dataDir, backup, anchorKey] = [join(root, 'data'), join(root, 'backup'), join(root, 'keys', 'key')];
    for (const name of ['mount', 'keys']) await mkdir(join(root, name));
    const env = { AUDIT_ANCHOR: join(root, 'mount', 'anchor'), AUDIT_ANCHOR_KEY: anchorKey };
    server = await startServer({ dataDir, env });
    const filed = await (
      await establishmentCaller(server, 'strasbourg')
    ).send('POST', 'Patient', toPatient(PATIENTS.helene, ESTABLISHMENTS.strasbourg));
    expect(filed.status, filed.text).to.equal(201);
    const id = /Patient\/([^/]+)/.exec(filed.headers.get('location') ?? '')?.[1] ?? '';
    await server.stop();
    await cp(dataDir, backup, { recursive: true });
    // She is erased after the backup was made: the list tells of it.
    const key = await openErasureKey(`${anchorKey}.erasure`);
    await key.add({ kind: 'erased', id: 'of-then', at: Date.now(), receivedAt: 0, identities: [id], numbers: [] });

    server = await startServer({ dataDir: backup, env });
    const strasbourg = await establishmentCaller(server, 'strasbourg');
    const seen = await strasbourg.send('GET', `Patient/${id}`);
    expect(seen.status, seen.text).to.be.oneOf([404, 410]);
    const officer = await personCaller(server, 'demo-region-dpo');
    await eventually(async () => {
      const { status } = (await officer.send('GET', 'Task/of-then')).json<{ readonly status?: string }>();
      return status === 'completed' ? true : undefined;
    });
    expect(server.log()).to.include('the data is older than what the list of erasures tells');
    expect(await strasbourg.send('GET', `Patient/${id}`)).to.have.property('status', seen.status);
  });
});
