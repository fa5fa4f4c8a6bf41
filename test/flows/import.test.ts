/** The former archive of an establishment is imported, into a running server and into one that is stopped. */
import { chown, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AuditEvent, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { IMPORTED_TAG } from '../../profiles/codes.ts';
import { lockDataFolder } from '../../server/stores/sqlite/lock.ts';
import { runCommand, startCommand, type CommandPlace } from '../support/command.ts';
import { byStudyUid, establishmentCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startMongoPeer, whyNoMongoPeer } from '../support/peers/mongodb-peer.ts';
import { orphanFiles } from '../support/data-folder/orphan-files.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openTrail } from './support/trail.ts';

type Store = { readonly store: string; remove(): Promise<void> };

const STORES = [
  {
    name: 'SQLite',
    missing: () => undefined,
    open: async (): Promise<Store> => ({ store: 'sqlite', remove: async () => undefined }),
  },
  { name: 'MongoDB', missing: whyNoMongoPeer, open: openMongo },
] as const;

const STRASBOURG = ['--organization', 'demo-strasbourg'];

for (const { name, missing, open } of STORES) {
  describe(`Import of a former archive: ${name}`, function () {
    this.timeout(120_000);
    let store: Store;
    let folder: string;
    let place: CommandPlace;
    let server: TestServer;
    let strasbourg: FhirCaller;

    before(async function () {
      if (missing() !== undefined) this.skip();
      store = await open();
      folder = await mkdtemp(join(tmpdir(), 'passerelle-archive-'));
      const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-'));
      place = { dataDir, store: store.store };
      await start();
    });
    after(async () => {
      await server?.stop();
      await store?.remove();
      for (const path of [folder, place?.dataDir])
        if (path !== undefined) await rm(path, { recursive: true, force: true });
    });

    async function start(): Promise<void> {
      server = await startServer({ dataDir: place.dataDir, store: store.store });
      strasbourg = await establishmentCaller(server, 'strasbourg');
    }

    async function archive(archiveName: string, ...studies: readonly DemoStudy[]): Promise<string> {
      for (const study of studies) await writeStudy(join(folder, archiveName, study.key.replaceAll('/', '-')), study);
      return join(folder, archiveName);
    }

    async function published(
      study: DemoStudy,
      isRight: (found: ImagingStudy) => boolean = () => true,
    ): Promise<ImagingStudy> {
      return await eventually(async () =>
        (await strasbourg.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`)).find(
          (found) => found.numberOfInstances === study.instanceCount && isRight(found),
        ),
      );
    }

    it('into a running server: exams are marked as imported, and the trail says that they were', async () => {
      const study = aStudy({ key: `import/${name}/running`, series: 2 });
      const { code, stdout } = await runCommand('import', [await archive('running', study), ...STRASBOURG], place);
      expect([code, stdout]).to.deep.equal([0, stdout.match(/^6 imported in \d+\.\d s\n$/)?.[0]]);
      expect(
        (await published(study, isMarked)).series?.map(({ numberOfInstances }) => numberOfInstances),
      ).to.deep.equal([3, 3]);
      const events = await eventually(async () => await importsOf(place, study, 2));
      expect(events.map(({ type, subtype, action }) => [type.code, subtype?.[0]?.code, action])).to.deep.equal([
        ['110102', '110107', 'E'],
        ['110107', '110104', 'C'],
      ]);
      expect(
        events.map(({ agent }) => agent.some(({ who }) => who?.reference === 'Organization/demo-strasbourg')),
      ).to.deep.equal([true, true]);
      const details = events[1]?.entity?.flatMap(({ detail = [] }) =>
        detail.map(({ type, valueString }) => [type, valueString]),
      );
      expect(details).to.deep.include.members([
        ['stored', '6'],
        ['already', '0'],
      ]);
    });

    it('a second time: nothing is doubled, and what is done is passed over', async () => {
      const study = aStudy({ key: `import/${name}/twice` });
      const path = await archive('twice', study);
      await runCommand('import', [path, ...STRASBOURG], place);
      const before = await published(study, isMarked);
      expect((await runCommand('import', [path, ...STRASBOURG], place)).stdout).to.match(
        /^3 done by an earlier run in/,
      );
      expect((await runCommand('import', [path, '--organization', 'DEMO_MODALITY', '--again'], place)).stdout).to.match(
        /^3 stood already in/,
      );
      expect((await published(study)).meta?.versionId).to.equal(before.meta?.versionId);
    });

    it('marks a study whether it was imported before a modality sent it, or after, and no other', async () => {
      const [first, second, never] = ['before', 'after', 'never'].map((when) =>
        aStudy({ key: `import/${name}/${when}` }),
      ) as [DemoStudy, DemoStudy, DemoStudy];
      for (const study of [second, never]) expect(await sendStudy(server, study)).to.deep.equal([0, 0, 0]);
      expect((await published(second)).meta?.tag).to.equal(undefined);
      const { stdout } = await runCommand('import', [await archive('order', first, second), ...STRASBOURG], place);
      expect(stdout).to.match(/^3 imported, 3 stood already in/);
      expect(await sendStudy(server, first)).to.deep.equal([0, 0, 0]);
      await published(first, isMarked);
      await published(second, isMarked);
      expect((await published(never)).meta?.tag).to.equal(undefined);
    });

    it('leaves no mark on an exam that is erased and sent again', async () => {
      const study = aStudy({ key: `import/${name}/erased` });
      await runCommand('import', [await archive('erased', study), ...STRASBOURG], place);
      await published(study, isMarked);
      expect((await runCommand('erase', [study.studyInstanceUID, '--yes'], place)).code).to.equal(0);
      expect(await sendStudy(server, study)).to.deep.equal([0, 0, 0]);
      expect((await published(study)).meta?.tag).to.equal(undefined);
    });

    it('into the data of a stopped server, which publishes the exams when it starts', async () => {
      const study = aStudy({ key: `import/${name}/stopped` });
      await server.stop();
      const { code, stdout } = await runCommand(
        'import',
        [await archive('stopped', study), '--organization', 'centre hospitalier universitaire de l’Ill-aux-Cygnes'],
        place,
      );
      expect([code, stdout]).to.deep.equal([
        0,
        stdout.match(/^3 imported in \d+\.\d s\nThe exams are published as soon as a server runs\.\n$/)?.[0],
      ]);
      await start();
      await published(study, isMarked);
    });

    it('that is killed goes on where it was, and nothing is doubled', async () => {
      const study = aStudy({ key: `import/${name}/killed`, instances: 100, series: 3 });
      const path = await archive('killed', study);
      const { child, ended } = startCommand('import', [path, ...STRASBOURG], place);
      await eventually(async () => ((await journalled(place)) > 40 ? true : undefined));
      child.kill('SIGKILL');
      await ended;
      const { code, stdout } = await runCommand('import', [path, ...STRASBOURG], place);
      const [, imported = '0', already = '0', done = '0'] =
        /^(?:(\d+) imported, )?(?:(\d+) stood already, )?(\d+) done by an earlier run in/.exec(stdout) ?? [];
      expect(code, stdout).to.equal(0);
      expect(Number(imported) + Number(already) + Number(done)).to.equal(300);
      expect(Number(done)).to.be.greaterThan(0);
      expect((await published(study, isMarked)).numberOfInstances).to.equal(300);
    });

    it('that is interrupted finishes what is under way, and reports', async () => {
      const study = aStudy({ key: `import/${name}/interrupted`, instances: 300 });
      const path = await archive('interrupted', study);
      const before = await journalled(place);
      const { child, ended } = startCommand('import', [path, ...STRASBOURG], place);
      await eventually(async () => ((await journalled(place)) > before ? true : undefined));
      child.kill('SIGINT');
      const { code, stdout, stderr } = await ended;
      const imported = Number(/^(\d+) imported in/.exec(stdout)?.[1]);
      if (imported < 300)
        expect([code, stderr.includes('The import was interrupted: start it again to go on')]).to.deep.equal([2, true]);
      expect((await journalled(place)) - before).to.equal(imported);
    });

    it('ends when the server does, and can be started again', async () => {
      const study = aStudy({ key: `import/${name}/ended`, instances: 300 });
      const path = await archive('ended', study);
      const before = await journalled(place);
      const { ended } = startCommand('import', [path, ...STRASBOURG], place);
      await eventually(async () => ((await journalled(place)) > before ? true : undefined));
      await server.kill();
      const { code, stderr } = await ended;
      if (code !== 0)
        expect([code, stderr]).to.deep.equal([
          2,
          stderr.match(/[\s\S]*The server has ended: start the import again when it runs\n$/)?.[0],
        ]);
      await start();
      const again = await runCommand('import', [path, ...STRASBOURG], place);
      expect(again.code, again.stdout).to.equal(0);
      await published(study, isMarked);
    });
  });
}

describe('Import of files that are none, and what cannot be imported', function () {
  this.timeout(60_000);
  let folder: string;
  let server: TestServer;
  let place: CommandPlace;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-archive-'));
    server = await startServer();
    place = { dataDir: server.dataDir };
  });
  after(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('names each with its reason, in text and as JSON, and imports the others', async () => {
    const study = aStudy({ key: 'import/bad' });
    await writeStudy(folder, study);
    const [first] = [...study.instances()];
    const bytes = Buffer.from(first?.bytes ?? []);
    await writeFile(join(folder, 'cut.dcm'), bytes.subarray(0, -100));
    await writeFile(join(folder, 'head-only.dcm'), bytes.subarray(0, 200));
    await writeFile(join(folder, 'note.txt'), 'no image');
    await writeFile(join(folder, 'empty'), '');
    await mkdir(join(folder, 'nothing'));
    await symlink('/etc', join(folder, 'outside'));
    const report = join(server.dataDir, 'report.json');
    const { code, stdout, stderr } = await runCommand('import', [folder, ...STRASBOURG, '--report', report], place);
    expect(code, stderr).to.equal(1);
    expect(stdout)
      .to.match(/^refused:\n/)
      .and.match(/\n3 imported, 2 refused, 3 skipped in \d+\.\d s\n$/);
    for (const [file, reason] of [
      ['cut.dcm', 'The data set ends inside its pixel data'],
      ['head-only.dcm', 'The file meta information is cut short'],
      ['note.txt', 'not a DICOM file'],
      ['empty', 'not a DICOM file'],
      ['outside', 'a symbolic link is not followed'],
    ] as const)
      expect(stdout).to.include(`  ${join(folder, file)}: ${reason}`);
    const { files, counts } = JSON.parse(await readFile(report, 'utf8')) as {
      files: { path: string; fate: string }[];
      counts: object;
    };
    expect(files.map(({ path, fate }) => [path.slice(folder.length + 1), fate]).toSorted()).to.deep.equal([
      ['cut.dcm', 'refused'],
      ['empty', 'skipped'],
      ['head-only.dcm', 'refused'],
      ['note.txt', 'skipped'],
      ['outside', 'skipped'],
    ]);
    expect(counts).to.deep.equal({ stored: 3, refused: 2, skipped: 3 });
    expect(server.log()).to.not.include(folder).and.not.include(PATIENTS.helene.familyName);
    expect(await orphanFiles(server.dataDir)).to.deep.equal([]);
  });

  it('does not take the data folder for an archive', async () => {
    const { code, stdout } = await runCommand('import', [server.dataDir, ...STRASBOURG], place);
    expect([code, stdout.includes('it is the data folder of the server')]).to.deep.equal([0, true]);
  });

  it('keeps no name of a file or folder in the data folder', async () => {
    const patient = join(folder, 'VALBREMONT^HELENE');
    await writeStudy(patient, aStudy({ key: 'import/names' }));
    expect((await runCommand('import', [patient, ...STRASBOURG], place)).code).to.equal(0);
    for (const entry of await readdir(server.dataDir, { withFileTypes: true })) {
      if (entry.isFile())
        expect((await readFile(join(server.dataDir, entry.name))).includes('VALBREMONT^HELENE'), entry.name).to.equal(
          false,
        );
    }
  });

  it('refuses what it cannot do, and says what is missing', async () => {
    const refusals: readonly (readonly [args: readonly string[], place: CommandPlace, text: string])[] = [
      [[], place, 'Usage'],
      [[folder], place, 'Usage'],
      [[folder, ...STRASBOURG, '--what'], place, 'Usage'],
      [[folder, '--organization', 'nowhere'], place, 'demo-luxembourg  Hôpital Sainte-Mélusine'],
      [[folder, '--organization', 'demo-practice'], place, 'No establishment of the region is called demo-practice'],
      [[join(folder, 'absent'), ...STRASBOURG], place, 'cannot be read (ENOENT)'],
      [[join(folder, 'note.txt'), ...STRASBOURG], place, 'is not a folder'],
      [[folder, ...STRASBOURG, '--report', join(folder, 'note.txt')], place, 'cannot be made (EEXIST)'],
      [[folder, ...STRASBOURG], { dataDir: join(folder, 'no-data') }, 'There is no data folder'],
      [
        [folder, ...STRASBOURG],
        { dataDir: join(folder, 'no-data'), env: { DEVELOPMENT: '0' } },
        'PASSERELLE_REGION is required',
      ],
    ];
    const results = await Promise.all(refusals.map(async ([args, at]) => await runCommand('import', args, at)));
    results.forEach(({ code, stderr }, at) => {
      expect(code, stderr).to.equal(2);
      expect(stderr).to.include(refusals[at]?.[2]);
    });
  });

  it('refuses a data folder of another account, whose server could not read what it writes', async () => {
    const isRoot = process.getuid?.() === 0;
    const dataDir = isRoot ? await mkdtemp(join(tmpdir(), 'passerelle-')) : '/';
    if (isRoot) await chown(dataDir, 1, 1);
    const { code, stderr } = await runCommand('import', [folder, ...STRASBOURG], { dataDir });
    expect([code, stderr.includes('run the command under it')]).to.deep.equal([2, true]);
    if (isRoot) await rm(dataDir, { recursive: true });
  });

  it('refuses a data folder that something else works on', async () => {
    const locked = await mkdtemp(join(tmpdir(), 'passerelle-'));
    const unlock = lockDataFolder(locked);
    try {
      const { code, stderr } = await runCommand('import', [folder, ...STRASBOURG], { dataDir: locked });
      expect([code, stderr.includes('Another server is running on this data folder')]).to.deep.equal([2, true]);
    } finally {
      unlock();
      await rm(locked, { recursive: true, force: true });
    }
  });
});

async function writeStudy(folder: string, study: DemoStudy): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { sopInstanceUID, bytes } of study.instances())
    await writeFile(join(folder, `${sopInstanceUID}.dcm`), bytes);
}

function isMarked({ meta }: ImagingStudy): boolean {
  return (meta?.tag ?? []).some(({ system, code }) => system === IMPORTED_TAG.system && code === IMPORTED_TAG.code);
}

/** How many files the journal has. */
async function journalled({ dataDir }: CommandPlace): Promise<number> {
  const journal = new DatabaseSync(join(dataDir, 'import-journal.sqlite'), { readOnly: true, timeout: 5_000 });
  try {
    return (journal.prepare('SELECT count(*) AS count FROM done').get() as { count: number }).count;
  } finally {
    journal.close();
  }
}

/** The events of imports of a study, in their order; undefined while there are fewer than `count`. */
async function importsOf(
  { dataDir, store = 'sqlite' }: CommandPlace,
  study: DemoStudy,
  count: number,
): Promise<AuditEvent[] | undefined> {
  const trail = await openTrail(store, dataDir);
  try {
    const events = (await trail.eventsNaming(study.studyInstanceUID)).map(({ event }) => event).filter(isImport);
    return events.length < count ? undefined : events.toSorted((a, b) => a.recorded.localeCompare(b.recorded));
  } finally {
    await trail.close();
  }
}

function isImport({ agent }: AuditEvent): boolean {
  return agent.some(
    ({ name, who }) => name === 'import' || who?.display === 'import' || who?.identifier?.value === 'import',
  );
}

async function openMongo(): Promise<Store> {
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('There is no MongoDB peer');
  const store = peer.freshUri();
  return { store, remove: async () => await peer.stop(store) };
}
