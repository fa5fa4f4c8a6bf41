/** Tarballs as npm packs OHIF, with a few small files in them. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { installOhif } from '../../server/commands/ohif-install.ts';
import { OHIF_DECODER } from '../../server/runtime/ohif-package.ts';

/** The bundle that starts it, and what it names. */
export const BUNDLE = 'app.bundle.0123456789abcdef0123.js';

/** A small OHIF: what is served of it, and what is not. */
export const SMALL_OHIF: Readonly<Record<string, string>> = {
  'package/package.json': '{}',
  'package/LICENSE': 'MIT',
  'package/dist/index.html': '<script>no</script>',
  [`package/dist/${BUNDLE}`]: `__webpack_require__.p = "/";\n${'// of the bundle\n'.repeat(2_000)}`,
  [`package/dist/${BUNDLE}.map`]: '{}',
  [`package/dist/${OHIF_DECODER}`]: '// decodes',
  'package/dist/app.bundle.css': 'a{src:url(/0123456789abcdef0123.woff2)}',
  'package/dist/0123456789abcdef0123.wasm': '\0asm',
  'package/dist/0123456789abcdef0123.woff2': 'font',
  'package/dist/assets/images/CT-Bone.png': 'picture',
  'package/dist/sw.js': 'no',
  'package/dist/ort/ort.bundle.0123456789abcdef0123.js': 'no',
  'package/dist/../../escaped.bundle.0123456789abcdef0123.js': 'no',
};

/** A tarball, and its integrity as npm states it. */
export type Archive = { readonly bytes: Buffer; readonly integrity: string };

/** Packs files by their names. */
export function archiveOf(files: Readonly<Record<string, string>>): Archive {
  const blocks = Object.entries(files).flatMap(([name, text]) => [headerOf(name, text.length), padded(text)]);
  const bytes = gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
  return { bytes, integrity: integrityOf(bytes) };
}

/** The integrity of a tarball. */
export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
}

/** Installs the small OHIF in a folder of its own; `remove` takes it away. */
export async function installSmallOhif(): Promise<{ readonly folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-ohif-'));
  const { bytes, integrity } = archiveOf(SMALL_OHIF);
  const archive = join(folder, 'archive.tgz');
  await writeFile(archive, bytes);
  await installOhif({ folder, archive, integrity, signal: new AbortController().signal, told: () => undefined });
  return { folder, remove: async () => await rm(folder, { recursive: true, force: true }) };
}

function headerOf(name: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'latin1');
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  return header;
}

function padded(text: string): Buffer {
  const block = Buffer.alloc(Math.ceil(text.length / 512) * 512);
  block.write(text, 'latin1');
  return block;
}
