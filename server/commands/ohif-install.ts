/** The steps of `npm run ohif`: fetch, verify, unpack what is served. All of it is there in the end, or nothing. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, createGunzip, gzip } from 'node:zlib';
import { Fault } from '../../profiles/fault.ts';
import {
  ENCODINGS,
  folderOfVersion,
  isServed,
  OHIF,
  OHIF_LIST,
  OHIF_ROOT,
  type Encoding,
  type OhifFile,
} from '../runtime/ohif-package.ts';
import { tarEntries } from './tar-entries.ts';
import { codeOf } from './walk-files.ts';

/** What is asked for. */
export type Installation = {
  /** Absolute; the version gets a folder of its own below it. */
  readonly folder: string;
  /** The tarball, where it was fetched before; without it npm fetches it. */
  readonly archive: string | undefined;
  /** Of the tarball, as `sha512-` and base64. */
  readonly integrity: string;
  readonly signal: AbortSignal;
  /** Told of each step, and of the bytes of the tarball that are worked through. */
  readonly told: (step: 'fetch' | 'verify' | 'unpack', done: number, total: number) => void;
};

/** What is unpacked before it is whole; a run that was killed leaves one, and the next takes it away. */
const UNFINISHED = '.unfinished-';
const MOST_BYTES = 32 * 1024 * 1024;
/** Pictures and fonts are compressed as they are. */
const COMPRESSED = /\.(?:js|css|wasm)$/;
const IN_ARCHIVE = 'package/dist/';
const LICENSE = 'package/LICENSE';

/**
 * Installs OHIF, and gives the number of files; 0 when it is there already.
 * @throws {Fault} transient - npm could not fetch it, or the signal fired
 * @throws {Fault} invalid - the tarball is another than the one that is pinned, or cannot be read
 * @throws {Fault} no-store - the folder cannot be written
 */
export async function installOhif(asked: Installation): Promise<number> {
  try {
    return await install(asked, folderOfVersion(asked.folder));
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('no-store', `OHIF cannot be written to ${asked.folder} (${codeOf(cause)})`, { cause });
  }
}

async function install(asked: Installation, target: string): Promise<number> {
  if (await exists(join(target, OHIF_LIST))) return 0;
  await mkdir(asked.folder, { recursive: true });
  await removeUnfinished(asked.folder);
  const unfinished = await mkdtemp(join(asked.folder, UNFINISHED));
  try {
    const archive = asked.archive ?? (await fetchArchive(unfinished, asked));
    await verify(archive, asked);
    const made = join(unfinished, OHIF.version);
    const files = await unpack(archive, made, asked);
    await writeFile(join(made, OHIF_LIST), JSON.stringify(files));
    // One that is not whole is in the way of none.
    await rm(target, { recursive: true, force: true });
    await rename(made, target);
    return files.length;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name.startsWith(UNFINISHED)) await rm(join(folder, name), { recursive: true, force: true });
}

/** npm knows the registry of this machine, its proxy and its credentials. */
async function fetchArchive(folder: string, { signal, told }: Installation): Promise<string> {
  told('fetch', 0, 0);
  const ofNpm = process.env['npm_execpath'];
  const [program, first] = ofNpm === undefined ? ['npm', []] : [process.execPath, [ofNpm]];
  const args = ['pack', `${OHIF.name}@${OHIF.version}`, '--pack-destination', folder];
  try {
    await promisify(execFile)(program, [...first, ...args], { signal });
  } catch (cause) {
    throwIfEnded(signal);
    throw new Fault('transient', `npm could not fetch ${OHIF.name}@${OHIF.version}: ${reasonOf(cause)}`, { cause });
  }
  const [name] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  if (name === undefined) throw new Fault('transient', `npm fetched no ${OHIF.name}@${OHIF.version}`);
  return join(folder, name);
}

/** What npm says of its failure: the lines that are not about its own log. */
function reasonOf(error: unknown): string {
  const { stderr = '' } = error as { readonly stderr?: string };
  const lines = stderr.split('\n').flatMap((line) => /^npm (?:error|ERR!) (.+)$/.exec(line)?.[1] ?? []);
  const told = lines.filter((line) => !/log of this run|^\s*\S+\.log$/.test(line)).slice(0, 4);
  return told.length > 0 ? told.join('; ') : String(error instanceof Error ? error.message : error);
}

async function verify(archive: string, { integrity, signal, told }: Installation): Promise<void> {
  const hash = createHash('sha512');
  try {
    for await (const chunk of createReadStream(archive)) {
      throwIfEnded(signal);
      hash.update(chunk as Buffer);
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('invalid', `${archive} cannot be read (${codeOf(cause)})`, { cause });
  }
  told('verify', 0, 0);
  if (`sha512-${hash.digest('base64')}` !== integrity)
    throw new Fault('invalid', `This is not ${OHIF.name}@${OHIF.version} as it was published: nothing was installed`);
}

async function unpack(archive: string, folder: string, { signal, told }: Installation): Promise<readonly OhifFile[]> {
  const { size } = await stat(archive);
  const packed = createReadStream(archive);
  const isWanted = (name: string): boolean => name === LICENSE || isServed(pathOf(name));
  const files: OhifFile[] = [];
  for await (const { name, content } of tarEntries(unzipped(packed), isWanted, MOST_BYTES)) {
    throwIfEnded(signal);
    told('unpack', packed.bytesRead, size);
    if (content === undefined) continue;
    if (name === LICENSE) await write(folder, 'LICENSE', content);
    else files.push(await keep(folder, pathOf(name), content));
  }
  told('unpack', size, size);
  return files;
}

async function* unzipped(packed: ReadStream): AsyncGenerator<Uint8Array> {
  try {
    yield* packed.pipe(createGunzip()) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw new Fault('invalid', `The tarball cannot be unpacked (${codeOf(cause)})`, { cause });
  } finally {
    packed.destroy();
  }
}

function pathOf(name: string): string {
  return name.startsWith(IN_ARCHIVE) ? name.slice(IN_ARCHIVE.length) : '';
}

/** Writes every form of a file. */
async function keep(folder: string, path: string, packed: Buffer): Promise<OhifFile> {
  const content = placed(path, packed);
  const forms: Partial<Record<Encoding, Buffer>> = COMPRESSED.test(path)
    ? { identity: content, br: await toBrotli(content), gzip: await promisify(gzip)(content, { level: 9 }) }
    : { identity: content };
  const bytes: Partial<Record<Encoding, number>> = {};
  for (const [encoding, form] of Object.entries(forms) as [Encoding, Buffer][]) {
    await write(folder, `${path}${ENCODINGS[encoding]}`, form);
    bytes[encoding] = form.length;
  }
  return { path, bytes };
}

/** OHIF is built to lie at the root of a host: it is told where it lies instead. */
function placed(path: string, content: Buffer): Buffer {
  if (path.endsWith('.js'))
    return Buffer.from(
      content.toString('utf8').replaceAll('__webpack_require__.p = "/";', `__webpack_require__.p = "${OHIF_ROOT}";`),
    );
  if (path.endsWith('.css')) return Buffer.from(content.toString('utf8').replaceAll('url(/', `url(${OHIF_ROOT}`));
  return content;
}

/** 9 is four fifths smaller in a tenth of the time of 10 and 11. */
async function toBrotli(content: Buffer): Promise<Buffer> {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 9,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  return await promisify(brotliCompress)(content, { params });
}

async function write(folder: string, path: string, content: Buffer): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function throwIfEnded(signal: AbortSignal): void {
  if (signal.aborted) throw new Fault('transient', 'Interrupted: nothing was installed');
}
