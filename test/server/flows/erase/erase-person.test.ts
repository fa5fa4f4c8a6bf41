/** N02 of smart-security.md for a person: everything that names her goes, wherever a run is cut short. */
import { readFile, rm } from 'node:fs/promises';
import type { DiagnosticReport, Patient, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../../fixtures/consent.ts';
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { STORED_TYPES, VISIBILITY } from '../../../../profiles/types/visibility.ts';
import { parseRegion } from '../../../../server/config/region.ts';
import { eraseRecord, type EraseRecordDeps } from '../../../../server/flows/erase/erase-record.ts';
import { goOnErasing } from '../../../../server/flows/erase/erase-study.ts';
import { indexRegion } from '../../../../server/flows/identity/region-index.ts';
import type { JobRun } from '../../../../server/flows/jobs/job-runner.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { anINS, domainOf, patientOf } from '../../../flows/identity/people.ts';
import { element, hostileDataSet } from '../../../hostile/dicom/raw-data-set.ts';
import { formsOf, placesWith } from '../../../support/data-folder/erasing.ts';
import { EACH_STORE, type OpenedStore } from '../../../support/peers/each-store.ts';
import { SYSTEM } from '../../../support/plans.ts';
import { doStep } from '../identity/steps.ts';
import { openSession, type Session } from '../identity/session.ts';
import { openWorld, worldFolder, type World } from '../identity/world.ts';

const ONE = { at: 'strasbourg', number: 0 } as const;
const OTHER = { at: 'nancy', number: 0 } as const;
const STRANGER = { at: 'strasbourg', number: 1 } as const;
const DAY_MS = 24 * 3_600_000;
const GOES_ON: JobRun = { goOn: async () => undefined };
const CT = '1.2.840.10008.5.1.4.1.1.2';

for (const { name, missing, open } of EACH_STORE) {
  describe(`The erasure of a person, on ${name}`, function () {
    this.timeout(120_000);
    let opened: OpenedStore;
    let world: World;
    let folder: string;
    let deps: EraseRecordDeps;

    before(async function () {
      if (missing() !== undefined) this.skip();
      opened = await open();
      folder = await worldFolder();
      world = await openWorld(opened.store, folder);
      const { indexer } = await loadDefinitions();
      const file = new URL('../../../../fixtures/region/region.json', import.meta.url);
      const region = indexRegion(parseRegion(JSON.parse(await readFile(file, 'utf8'))));
      const clock = { now: () => world.now() + 31 * DAY_MS };
      deps = { ...world.stores, clock, indexer, region };
    });
    after(async () => {
      await world?.close();
      await opened?.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    /** What is looked for of her, by what it is. */
    const textsOf = (session: Session) => {
      const { run } = session;
      return {
        name: `Ormélac-${run}`,
        INS: anINS().value ?? '',
        IPP: session.localId(ONE),
        mail: `courriel.${run}@exemple.test`,
        phone: `+33 3 90 ${run}`,
        accession: `ACC-${run}`,
        'study UID': session.studyUid('hers'),
        'instance UID': uidOf(`${run}/hers/1`),
        'report text': `Compte rendu ${run} sans anomalie`,
        pixel: `PIXEL-${run}`,
        query: `QUERY-${run}`,
        justification: `Douleur thoracique, inconsciente ${run}`,
        'token of hers': `TOKEN-${run}`,
      };
    };
    type Texts = ReturnType<typeof textsOf>;

    /** Everything that doors take of a person, under two identities that a desk says are one. */
    async function recordOf(session: Session): Promise<Texts> {
      const texts = textsOf(session);
      for (const whose of [ONE, OTHER]) await fed(session, whose, texts);
      await sent(session, texts);
      await doStep(session, { does: 'join', one: ONE, other: OTHER, by: 'desk' }, async () => undefined);
      await world.rest();
      await reported(texts, (await patientsOf(session))[0] ?? '');
      const her = (await world.person((await patientsOf(session))[0] ?? '')) ?? expect.fail('Nobody signs in');
      const [patient = ''] = await patientsOf(session);
      await world.write(her, { interaction: 'create', type: 'Consent', resource: demoConsent(patient) });
      const doctor = (await world.person('Practitioner/demo-stranger')) ?? expect.fail('Nobody signs in');
      const sought = { identifier: { system: anINS().system ?? '', value: texts.INS } };
      const { justification } = texts;
      const emergency = { sought, reason: 'BTG', justification };
      await world.flows.breakGlass(
        { ...doctor, requester: { ...doctor.requester, authTime: world.now() / 1000 } },
        emergency,
      );
      await world.find(doctor, 'Patient', `identifier=${anINS().system}|${texts.INS},${anINS().system}|${texts.query}`);
      // The emergency ends.
      world.tick(DAY_MS);
      await world.rest();
      const payload = { accountId: patient, clientId: 'portal', display: texts['token of hers'] };
      await world.stores.tokens.upsert('AccessToken', session.run, { payload, expiresAt: undefined }, {});
      return texts;
    }
    async function fed(session: Session, whose: typeof ONE | typeof OTHER, texts: Texts): Promise<void> {
      const numbers = [{ ...anINS(), value: texts.INS }];
      const one = { family: texts.name, given: 'Ysoline', birthDate: '1979-05-14', gender: 'female', numbers } as const;
      const telecom: Patient['telecom'] = [
        { system: 'email', value: texts.mail },
        { system: 'phone', value: texts.phone },
      ];
      const resource = { ...patientOf(whose.at, session.localId(whose), one), telecom };
      const condition = `identifier=${domainOf(whose.at)}|${session.localId(whose)}`;
      const establishment = world.establishment(ESTABLISHMENTS[whose.at].organization);
      await world.write(establishment, { interaction: 'update', type: 'Patient', condition, resource });
    }
    async function sent(session: Session, texts: Texts): Promise<void> {
      const bytes = hostileDataSet(texts['instance UID'], {
        '00080018': element('00080018', 'UI', texts['instance UID']),
        '00080050': element('00080050', 'SH', texts.accession),
        '00100010': element('00100010', 'PN', `${texts.name}^Ysoline`),
        '00100020': element('00100020', 'LO', texts.IPP),
        '0020000D': element('0020000D', 'UI', texts['study UID']),
        '0020000E': element('0020000E', 'UI', uidOf(`${session.run}/hers/series`)),
        '7FE00010': element('7FE00010', 'OB', texts.pixel),
      });
      const { organization } = ESTABLISHMENTS.strasbourg;
      await world.send({ organization, sopClassUID: CT, sopInstanceUID: texts['instance UID'], bytes });
      await world.rest();
    }
    async function reported(texts: Texts, patient: string): Promise<void> {
      const resource: DiagnosticReport = {
        resourceType: 'DiagnosticReport',
        identifier: [{ system: 'urn:oid:2.25.7001', value: texts.accession }],
        status: 'final',
        code: { text: 'Compte rendu' },
        conclusion: texts['report text'],
        subject: { reference: patient },
        issued: '2026-01-15T10:00:00Z',
        presentedForm: [
          {
            contentType: 'application/pdf',
            data: Buffer.from(`%PDF-1.4\n${texts['report text']}\n%%EOF`).toString('base64'),
          },
        ],
      };
      const establishment = world.establishment(ESTABLISHMENTS.strasbourg.organization);
      await world.write(establishment, { interaction: 'create', type: 'DiagnosticReport', resource });
      await world.rest();
    }
    /** `Patient/id` of each identity of hers, that of Strasbourg first. */
    async function patientsOf(session: Session): Promise<readonly string[]> {
      const known = await session.known();
      return ['strasbourg/0', 'nancy/0'].flatMap((one) => known.get(one)?.patient ?? []);
    }
    /** All that stands of a person, and who she is. */
    async function rowsOf(person: string | undefined): Promise<readonly string[]> {
      const rows: string[] = [];
      for (const type of STORED_TYPES.filter((one) => VISIBILITY[one] !== 'directory' && one !== 'AuditEvent')) {
        const query = { type, where: [], count: 500, total: 'none', include: [] } as const;
        const found = await world.stores.records.peek(SYSTEM, { kind: 'search', query });
        rows.push(
          ...found.rows.filter((row) => row.person === person).map((row) => `${type} ${row.json as unknown as string}`),
        );
      }
      return rows.toSorted();
    }
    async function asked(session: Session): Promise<string> {
      const her = (await world.person((await patientsOf(session))[0] ?? '')) ?? expect.fail('Nobody signs in');
      return (await world.flows.requestErasure(her)).replace('Task/', '');
    }
    const found = async (texts: Partial<Texts>): Promise<readonly string[]> => {
      const canaries = new Map(Object.entries(texts).map(([what, text]) => [what, formsOf(text)] as const));
      const places = await placesWith(folder, opened.store, canaries);
      return [...places].filter(([, count]) => count > 0).map(([what]) => what);
    };

    it('N02 leaves no byte of her, nothing of her identities, and another’s record as it is', async () => {
      const session = openSession(world);
      const texts = await recordOf(session);
      await doStep(session, { does: 'image', of: STRANGER, study: 2, instance: 0 }, async () => undefined);
      await world.rest();
      expect(await found(texts)).to.deep.equal(Object.keys(texts));
      const known = await session.known();
      const [person, another] = ['strasbourg/0', 'strasbourg/1'].map((one) => known.get(one)?.person);
      const before = await rowsOf(another);
      expect(before.length).to.be.greaterThan(3);
      const task = await asked(session);
      await eraseRecord(deps)({ subject: task }, GOES_ON);
      expect(await found(texts)).to.deep.equal([]);
      const left = (await rowsOf(person)).map((row) => row.split(' ')[0]);
      expect(left, 'the request alone').to.deep.equal(['Task']);
      expect(await rowsOf(another)).to.deep.equal(before);
      expect((await session.known()).has('strasbourg/0')).to.equal(false);
      expect(await world.person([...known.values()][0]?.patient ?? '')).to.equal(undefined);
      await expectDone(task);
      expect(await world.stores.trail.verify(), 'N09').to.have.property('whole', true);
    });

    /** The request testifies, and says not for whom. */
    async function expectDone(task: string): Promise<void> {
      const row = await world.stores.records.peek(SYSTEM, { kind: 'resource', type: 'Task', id: task });
      const { status, for: patient, requester } = openedResource<Task>(row ?? expect.fail('No request'));
      expect([status, patient, requester]).to.deep.equal(['completed', undefined, undefined]);
    }

    /** Runs it until it dies after so many changes; answers whether it came to its end. */
    async function runsUntil(changes: number, session: Session, task: string): Promise<boolean> {
      const isDone = await eraseRecord(dyingAfter(deps, changes))({ subject: task }, GOES_ON).then(
        () => true,
        (error: unknown) => {
          if (error !== DEATH) throw error;
          return false;
        },
      );
      // A study that is hidden is gone on with by a job of its own.
      await goOnErasing(deps)(session.studyUid('hers'), GOES_ON);
      return isDone;
    }

    // One who is erased for each death takes long on MongoDB: of one the deaths come later and later.
    const eachDeath = name === 'SQLite' ? it : (): void => undefined;
    eachDeath('goes on wherever a server dies: after each thing that it does', async () => {
      let changes = 1;
      for (let isDone = false; !isDone; changes += 1) {
        const session = openSession(world);
        const texts = await recordOf(session);
        const task = await asked(session);
        isDone = await runsUntil(changes, session, task);
        if (!isDone) await eraseRecord(deps)({ subject: task }, GOES_ON);
        await world.stores.records.forget();
        expect(await found(texts), `dead after ${changes} changes`).to.deep.equal([]);
        await expectDone(task);
      }
      expect(changes).to.be.greaterThan(20);
      expect(await world.stores.trail.verify()).to.have.property('whole', true);
    });

    it('goes on whenever it dies, again and again', async () => {
      const session = openSession(world);
      const texts = await recordOf(session);
      const task = await asked(session);
      let deaths = 0;
      while (!(await runsUntil(deaths + 1, session, task))) deaths += 1;
      expect(deaths).to.be.greaterThan(3);
      expect(await found(texts)).to.deep.equal([]);
      await expectDone(task);
    });
  });
}

const DEATH = new Error('The server dies');

/** What changes stores dies after so many changes. */
function dyingAfter(deps: EraseRecordDeps, changes: number): EraseRecordDeps {
  let left = changes;
  const dies = async <T>(done: Promise<T>): Promise<T> => {
    const result = await done;
    left -= 1;
    if (left === 0) throw DEATH;
    return result;
  };
  const mortal = <T extends object>(whole: T, ...names: readonly (keyof T)[]): T =>
    new Proxy(whole, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
        return names.includes(name as keyof T)
          ? async (...args: unknown[]) => await dies(Promise.resolve(call(...args)))
          : call;
      },
    });
  return {
    ...deps,
    records: mortal(deps.records, 'commit', 'forget'),
    images: mortal(deps.images, 'remove'),
    trail: mortal(deps.trail, 'eraseEntities', 'erasePerson'),
    tokens: mortal(deps.tokens, 'destroy'),
  };
}
