/** A requester opens a document by its Binary: ITI-68. The bytes are streamed from the image store. */
import type { Readable } from 'node:stream';
import type { Binary } from '@medplum/fhirtypes';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import { foundNothing, guarded, NOTHING, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { isTold } from './told-report.ts';
import { requireScope } from '../../access/scope.ts';

/** A document's bytes and what they are. `size` is in bytes. */
export type OpenedDocument = {
  readonly contentType: string;
  readonly size: number;
  readonly body: Readable;
  readonly row: VisibleRow;
};

/** What the flow needs. */
export type OpenBinaryDeps = GuardDeps & { readonly images: ImageStore };

/**
 * Opens the content of a Binary.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - no such Binary, or none that the requester may see
 */
export function openBinary(deps: OpenBinaryDeps) {
  return async (visit: Visit, id: string): Promise<OpenedDocument> =>
    await refusalsRecorded(deps, visit, 'iti-68', async () => {
      requireScope(visit.requester, 'Binary', 'r');
      const question = { kind: 'resource', type: 'Binary', id } as const;
      const { answer } = await guarded(deps, visit, 'iti-68', question, (row) =>
        row?.blob === undefined || !isTold(visit, row)
          ? NOTHING
          : { rows: [row], entities: [{ what: { reference: `Binary/${id}` }, role: '3' }] },
      );
      return await openDocument(deps.images, answer !== undefined && isTold(visit, answer) ? answer : undefined);
    });
}

/** Opens the bytes of a visible Binary row. */
async function openDocument(images: ImageStore, row: VisibleRow | undefined): Promise<OpenedDocument> {
  if (row?.blob === undefined) throw foundNothing('No such resource');
  const { contentType = MEDIA_TYPE.octets } = JSON.parse(row.json) as Binary;
  return { contentType, size: row.blob.size, body: await images.open(row.blob.name), row };
}
