/** OHIF as it is installed: which package, which of its files, and where a folder keeps them. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../profiles/fault.ts';

/** The one version that is installed and served. */
export const OHIF = Object.freeze({
  name: '@ohif/app',
  version: '3.12.10',
  /** Of the tarball that npm publishes. @see W3C Subresource Integrity */
  integrity: 'sha512-0kuF66Mq9c9dMD++bUsTjMrJpXJwaZhz9B4uS244DawAjSkTwIYFU93pxPuRUQixaRi7QAHlF3Fe1qudBlZrmA==',
});

/**
 * The worker that decodes compressed frames: its codecs write functions while they start (Emscripten's embind), of
 * names that they bring along.
 */
export const OHIF_DECODER = '1927.bundle.be67b3aafe238ca9f191.js';

/** Where its files are served. The bundles hold this address, so that it is written into them at the installation. */
export const OHIF_ROOT = `/ohif/${OHIF.version}/`;

/** What a browser may be sent in: as it is, or as it was compressed at the installation. */
export const ENCODINGS = { identity: '', br: '.br', gzip: '.gz' } as const;

/** A form of a file, by its name in HTTP. */
export type Encoding = keyof typeof ENCODINGS;

/** One file: its path below {@link OHIF_ROOT}, and the bytes of each form that there is. */
export type OhifFile = { readonly path: string; readonly bytes: Readonly<Partial<Record<Encoding, number>>> };

/** What is installed. `folder` is absolute, and holds each form under the path of its file with its ending. */
export type InstalledOhif = {
  readonly folder: string;
  /** The script that starts it. */
  readonly script: string;
  readonly files: readonly OhifFile[];
};

/** The list of the files, written last. */
export const OHIF_LIST = 'files.json';

const SERVED = [
  /^[\w-]+\.bundle\.[0-9a-f]{20}\.js$/,
  /^(?:\d+|app\.bundle)\.css$/,
  /^[0-9a-f]{20}\.(?:wasm|woff2)$/,
  /^assets\/images\/[\w-]+\.png$/,
];
const SCRIPT = /^app\.bundle\.[0-9a-f]{20}\.js$/;

/**
 * Whether a file of its `dist` is served: bundles, styles, codecs, the font, and the pictures of the tools. The ONNX
 * runtime, source maps, service workers, pages and the microscopy viewer are left out.
 */
export function isServed(path: string): boolean {
  return SERVED.some((names) => names.test(path));
}

/** The folder of this version below the one that the configuration names. */
export function folderOfVersion(folder: string): string {
  return join(folder, OHIF.version);
}

/**
 * Finds what is installed; undefined when nothing is, or another version.
 * @throws {Fault} invalid - the installation is not whole
 */
export async function findOhif(ohifDir: string): Promise<InstalledOhif | undefined> {
  const folder = folderOfVersion(ohifDir);
  const list = await readFile(join(folder, OHIF_LIST), 'utf8').catch(() => undefined);
  if (list === undefined) return undefined;
  try {
    const files = JSON.parse(list) as readonly OhifFile[];
    for (const { path, bytes } of files) await checkFile(folder, path, bytes);
    const script = files.find(({ path }) => SCRIPT.test(path))?.path;
    if (script !== undefined) return { folder, script, files };
  } catch (cause) {
    throw broken(folder, cause);
  }
  throw broken(folder);
}

async function checkFile(folder: string, path: string, bytes: OhifFile['bytes']): Promise<void> {
  if (!isServed(path)) throw new Error(`${path} is not served`);
  for (const [encoding, length] of Object.entries(bytes) as [Encoding, number][]) {
    const { size } = await stat(join(folder, `${path}${ENCODINGS[encoding]}`));
    if (size !== length) throw new Error(`${path} has ${size} bytes`);
  }
}

function broken(folder: string, cause?: unknown): Fault {
  const text = `OHIF in ${folder} is not whole: remove that folder, then npm run ohif installs it again`;
  return new Fault('invalid', text, { cause });
}
