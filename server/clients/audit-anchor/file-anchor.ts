/** Anchors in a file: one line, put in place as a whole. */
import { readFile } from 'node:fs/promises';
import { Fault } from '../../../profiles/fault.ts';
import type { Anchor, AuditAnchor } from '../../ports/audit-anchor.ts';
import type { AnchorKey } from './anchor-key.ts';
import { readAnchor, writeAnchor } from './anchor-text.ts';
import { replaceFile } from './whole-file.ts';

const REMEDY = 'put it back from a copy, or remove it and start once with `npm start -- --accept-restored NAME REASON`';

/** The adapter. */
export class FileAnchor implements AuditAnchor {
  readonly isNew: boolean;
  readonly #path: string;
  readonly #key: Uint8Array;

  constructor(path: string, { key, isNew }: AnchorKey) {
    this.#path = path;
    this.#key = key;
    this.isNew = isNew;
  }

  async last(): Promise<Anchor | undefined> {
    const text = await readFile(this.#path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return undefined;
      throw new Fault('conflict', `The audit anchor ${this.#path} cannot be read`, { cause });
    });
    if (text === undefined) return undefined;
    const anchor = readAnchor(text, this.#key);
    if (anchor !== undefined) return anchor;
    throw new Fault(
      'conflict',
      `The audit anchor ${this.#path} is damaged, or was not made under the key of this server: ${REMEDY}`,
    );
  }

  async write(anchor: Anchor): Promise<void> {
    try {
      await replaceFile(this.#path, `${writeAnchor(anchor, this.#key)}\n`);
    } catch (cause) {
      throw new Fault('transient', `The audit anchor ${this.#path} cannot be written`, { cause });
    }
  }
}
