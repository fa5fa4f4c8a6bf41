/** Who hears of the erasure of a record, and what testifies of it (GDPR 19, R-60). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { IDENTIFIER_SYSTEM } from '../../../../profiles/codes.ts';
import { recipientDigest } from '../../../../profiles/consent/erasure-recipient.ts';
import { openErasureKey, verifyErasureCertificate } from '../../../../server/clients/erasure-key/erasure-key.ts';
import { eraseRecord } from '../../../../server/flows/erase/erase-record.ts';
import type { JobRun } from '../../../../server/flows/jobs/job-runner.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import type { Mailer } from '../../../../server/ports/mailer.ts';
import { anINS, domainOf } from '../../../flows/identity/people.ts';
import { runCommand } from '../../../support/command.ts';
import { errorOf } from '../../../support/faults.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { SYSTEM } from '../../../support/plans.ts';
import { openSession } from '../identity/session.ts';
import { asked, mailerOf, openErasing, patientsOf, recordOf, type Erasing } from './her-record.ts';

const CARDIOLOGY = 'Organization/demo-cardiology';
const GOES_ON: JobRun = { goOn: async () => undefined };

for (const { name, missing, open } of EACH_STORE) {
  describe(`Who hears of an erasure, on ${name}`, function () {
    this.timeout(120_000);
    let erasing: Erasing;
    let world: Erasing['world'];
    let folder: Erasing['folder'];
    let deps: Erasing['deps'];
    let found: Erasing['found'];
    let mails: Erasing['mails'];
    let keys: Erasing['keys'];

    before(async function () {
      if (missing() !== undefined) this.skip();
      erasing = await openErasing(open);
      ({ world, folder, deps, found, mails, keys } = erasing);
    });
    after(async () => await erasing?.close());

    it('GDPR 19 tells her once by mail, and the establishments that were given data without her name', async () => {
      const session = openSession(world);
      const texts = await recordOf(session);
      const task = await asked(session);
      const before = mails.mails.length;
      await eraseRecord(deps)({ subject: task, attempts: 1 }, GOES_ON);
      const [mail, ...more] = mails.mails.slice(before);
      expect([mail?.envelope, more]).to.deep.equal([[texts.mail], []]);
      expect(mail?.text)
        .to.include(task)
        .and.to.match(/^Bonjour,\n\nVotre dossier partagé est effacé, comme cela a été demandé/)
        .and.to.include('vos prochains examens ne seront pas partagés');
      for (const what of ['name', 'INS', 'IPP', 'report text'] as const) expect(mail?.text).to.not.include(texts[what]);
      const told = await recipientsOf(task);
      const { strasbourg, nancy } = ESTABLISHMENTS;
      expect([...told.keys()]).to.include.members([strasbourg.organization, nancy.organization, CARDIOLOGY]);
      const numbers = [
        { system: domainOf('strasbourg'), value: texts.IPP },
        { system: anINS().system ?? '', value: texts.INS },
        { system: IDENTIFIER_SYSTEM.matricule, value: texts.matricule },
      ];
      const digestsIn = ({ organization }: { readonly organization: string }) => {
        const { id = '', input = [] } = told.get(organization) ?? expect.fail(`Nothing for ${organization}`);
        return numbers.map((one) => input.some(({ valueString }) => valueString === recipientDigest(id, one)));
      };
      expect(digestsIn(strasbourg), 'its own, and what is vouched for').to.deep.equal([true, true, false]);
      expect(digestsIn(nancy)).to.deep.equal([false, true, false]);
      const text = JSON.stringify([...told.values()]);
      for (const canary of Object.values(texts)) expect(text).to.not.include(canary);
    });

    /** The Tasks of who is told of a request, by `Organization/id`. */
    async function recipientsOf(task: string): Promise<ReadonlyMap<string, Task>> {
      const query = { type: 'Task', where: [], count: 1_000, total: 'none', include: [] } as const;
      const { rows } = await world.stores.records.peek(SYSTEM, { kind: 'search', query });
      const all = rows.map((row) => openedResource<Task>(row));
      const told = all.filter(({ basedOn }) => basedOn?.[0]?.reference === `Task/${task}`);
      return new Map(told.map((one) => [one.owner?.reference ?? '', one]));
    }

    it('a mail server that is out of reach keeps the erasure waiting for a while, and not for ever', async () => {
      const session = openSession(world);
      const texts = await recordOf(session);
      const task = await asked(session);
      const mailer = mailerOf({ ...mails, port: 1 });
      const fault = await errorOf(eraseRecord({ ...deps, mailer })({ subject: task, attempts: 4 }, GOES_ON));
      expect(fault).to.have.property('kind', 'transient');
      expect(await found({ mail: texts.mail })).to.deep.equal(['mail']);
      await eraseRecord({ ...deps, mailer })({ subject: task, attempts: 5 }, GOES_ON);
      expect(await found(texts)).to.deep.equal([]);
      expect(JSON.parse(await verifyErasureCertificate(await certificateOf(task), join(keys, 'key.pub')))).to.include({
        isTold: false,
      });
    });

    it('a server that another went on for meanwhile writes nothing more of it', async () => {
      const session = openSession(world);
      await recordOf(session);
      const task = await asked(session);
      const send: Mailer['send'] = async () => {
        await eraseRecord({ ...deps, mailer: undefined })({ subject: task, attempts: 1 }, GOES_ON);
        return 'sent';
      };
      const slow = { ...deps, mailer: { ...mailerOf(mails), send } };
      await eraseRecord(slow)({ subject: task, attempts: 1 }, GOES_ON);
      expect((await erasing.taskOf(task)).meta?.versionId, 'begun and ended once').to.equal('3');
      const kept = await world.stores.records.claimed(SYSTEM, claimKey.erasingRecord(task));
      expect(kept, 'what was known of her').to.equal(undefined);
    });

    async function certificateOf(task: string): Promise<string> {
      const { output = [] } = await erasing.taskOf(task);
      return output[0]?.valueString ?? expect.fail('No certificate');
    }

    it('leaves a certificate that a command verifies without a server, and that names nobody', async () => {
      const session = openSession(world);
      const texts = await recordOf(session);
      const patients = await patientsOf(session);
      const task = await asked(session);
      await eraseRecord(deps)({ subject: task, attempts: 1 }, GOES_ON);
      const certificate = await certificateOf(task);
      const file = join(keys, 'certificate');
      await writeFile(file, `${certificate}\n`);
      const run = async (...args: readonly string[]) =>
        await runCommand('erase', ['verify', file, ...args], { dataDir: folder });
      const { code, stdout, stderr } = await run('--key', join(keys, 'key.pub'));
      expect([code, stderr]).to.deep.equal([0, '']);
      const content = JSON.parse(stdout.replace(/^whole: /, '')) as Record<string, unknown>;
      expect(content).to.include({ iss: 'https://passerelle.test', request: `Task/${task}`, isTold: true });
      expect(content['counts']).to.include({
        ImagingStudy: 1,
        // One was kept aside.
        instances: 2,
        DiagnosticReport: 1,
        Person: 2,
        Patient: 1,
      });
      const { sequence, hash } = content['head'] as { readonly sequence: number; readonly hash: string };
      expect(await world.stores.trail.hashAt(sequence)).to.equal(hash);
      for (const canary of [...Object.values(texts), ...patients]) expect(stdout).to.not.include(canary);
      await openErasureKey(join(keys, 'other'));
      expect((await run('--key', join(keys, 'other.pub'))).code).to.equal(2);
      const [head = '', payload = '', signature = ''] = certificate.split('.');
      const changed = Buffer.from(payload, 'base64url').toString().replace('"instances":2', '"instances":3');
      await writeFile(file, [head, Buffer.from(changed).toString('base64url'), signature].join('.'));
      const tampered = await run('--key', join(keys, 'key.pub'));
      expect([tampered.code, tampered.stdout]).to.deep.equal([2, '']);
      expect(tampered.stderr).to.include('does not verify');
    });
  });
}
