/** Sends the files of a folder: associations that carry what is to be sent next, opened anew when they break. */
import { setTimeout as pause } from 'node:timers/promises';
import { Fault, toFault } from '../../profiles/fault.ts';
import { MAX_CONTEXTS, type StoreTarget } from '../clients/store-scu/association-request.ts';
import { StoreAssociation, type StorageContext, type StoreAnswer } from '../clients/store-scu/store-association.ts';
import { isWarning, statusText } from '../clients/store-scu/status-text.ts';
import { dataSetOf, readHead, type DicomFileHead } from './dicom-file.ts';
import type { FileReport } from './file-report.ts';
import type { LeftOut, WalkedFile } from './walk-files.ts';

const ODD_LENGTH = '; its data set has an odd number of bytes, which PS3.8 annex E forbids';

/** A file to send. */
export type OutgoingFile = DicomFileHead & Pick<WalkedFile, 'path' | 'name' | 'size'>;

/** What a sender needs; `told` is called when something more was told to the report. */
export type SenderDeps = {
  readonly target: StoreTarget;
  readonly report: FileReport;
  readonly signal: AbortSignal;
  readonly told: () => void;
};

/** So many files are looked at before an association is asked for, so that it carries all of them. */
const FILES_A_BATCH = 32;
const MOST_TRIES = 4;
const FIRST_PAUSE_MS = 500;

/** Gathers what was walked in batches of files to send; what is none is told to the report. */
export async function* batchesOf(
  walked: AsyncIterable<WalkedFile | LeftOut>,
  { report, told }: Pick<SenderDeps, 'report' | 'told'>,
): AsyncGenerator<OutgoingFile[], void> {
  let batch: OutgoingFile[] = [];
  for await (const one of walked) {
    const head = one.kind === 'file' ? await readHead(one.path) : one;
    if ('kind' in head) {
      report.name(head.kind, one.name, head.reason);
      told();
    } else if (one.kind === 'file') batch.push({ ...head, path: one.path, name: one.name, size: one.size });
    if (batch.length < FILES_A_BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** One association at a time to a peer. */
export class Sender {
  readonly #deps: SenderDeps;
  #association: StoreAssociation | undefined;
  /** Contexts to ask for, those that were needed last at the end. */
  #contexts: StorageContext[] = [];

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /**
   * Sends files. What becomes of each is told to the report.
   * @throws {Fault} transient, forbidden - the peer cannot be reached, again and again, or takes no association from us
   */
  async send(batch: readonly OutgoingFile[]): Promise<void> {
    this.#wish(batch);
    for (const file of batch) {
      if (this.#deps.signal.aborted) return;
      await this.#sendOne(file);
      this.#deps.told();
    }
  }

  /** Ends the association. */
  async close(): Promise<void> {
    await this.#association?.release();
    this.#association = undefined;
  }

  /** The contexts of a batch come last, where those that do not fit are taken from. */
  #wish(batch: readonly OutgoingFile[]): void {
    const contexts = new Map<string, StorageContext>();
    for (const { sopClassUID, transferSyntaxUID } of [...this.#contexts, ...batch.map(({ meta }) => meta)]) {
      const key = `${sopClassUID} ${transferSyntaxUID}`;
      contexts.delete(key);
      contexts.set(key, { sopClassUID, transferSyntaxUID });
    }
    this.#contexts = [...contexts.values()].slice(-MAX_CONTEXTS);
  }

  async #sendOne(file: OutgoingFile): Promise<void> {
    const { report } = this.#deps;
    for (let tries = 1; ; tries += 1) {
      const association = await this.#openFor(file.meta);
      if (!association.accepts(file.meta))
        return report.name(
          'refused',
          file.name,
          `the peer takes no SOP class ${file.meta.sopClassUID} in transfer syntax ${file.meta.transferSyntaxUID}`,
        );
      try {
        return this.#tell(file, await association.store(file.meta, dataSetOf(file.path, file.dataSetOffset)));
      } catch (error) {
        this.#association = undefined;
        const fault = toFault(error);
        if (fault.kind === 'exception') throw error;
        if (fault.kind !== 'transient') return report.name('unreadable', file.name, fault.message);
        if (tries === MOST_TRIES || isOdd(file))
          return report.name(
            'refused',
            file.name,
            `the association broke${tries === 1 ? '' : ` ${tries} times`}: ` +
              `${fault.message}${isOdd(file) ? ODD_LENGTH : ''}`,
          );
        await this.#pause(tries);
      }
    }
  }

  #tell({ name }: OutgoingFile, { status, errorComment }: StoreAnswer): void {
    const { report } = this.#deps;
    if (status === 0) report.count('sent');
    else report.name(isWarning(status) ? 'warning' : 'refused', name, statusText(status, errorComment));
  }

  /** The association that stands, or a new one when it was not asked for the context. */
  async #openFor(context: StorageContext): Promise<StoreAssociation> {
    if (this.#association?.offers(context) === true) return this.#association;
    await this.close();
    for (let tries = 1; ; tries += 1) {
      try {
        return (this.#association = await StoreAssociation.open(this.#deps.target, this.#contexts));
      } catch (error) {
        if (toFault(error).kind !== 'transient' || tries === MOST_TRIES) throw error;
        await this.#pause(tries);
      }
    }
  }

  async #pause(tries: number): Promise<void> {
    await pause(FIRST_PAUSE_MS * 2 ** (tries - 1), undefined, { signal: this.#deps.signal }).catch((cause: unknown) => {
      throw new Fault('transient', 'Interrupted', { cause });
    });
  }
}

function isOdd({ size, dataSetOffset }: OutgoingFile): boolean {
  return (size - dataSetOffset) % 2 === 1;
}
