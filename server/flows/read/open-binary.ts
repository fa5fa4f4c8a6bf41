/** A requester opens a document by its Binary: ITI-68. The bytes are streamed from the image store, decided anew. */
import type { Readable } from 'node:stream';
import type { Binary } from '@medplum/fhirtypes';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import { decidedStream, decidingAgain } from '../decided-stream.ts';
import { foundNothing, further, guarded, NOTHING, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
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
      const told = (row: VisibleRow | undefined): VisibleRow | undefined =>
        row?.blob === undefined || !isTold(visit, row) ? undefined : row;
      const { answer, passage } = await guarded(deps, visit, 'iti-68', question, (row) =>
        told(row) === undefined || row === undefined
          ? NOTHING
          : { rows: [row], entities: [{ what: { reference: `Binary/${id}` }, role: '3' }] },
      );
      const decideAgain = decidingAgain(deps.clock, async () => {
        if (told(await further(deps, passage, question)) === undefined) throw new Fault('not-found', ABSENT);
      });
      const { body, ...opened } = await openDocument(deps.images, told(answer));
      return { ...opened, body: decidedStream(body, decideAgain) };
    });
}

const ABSENT = 'No such resource';

/** Opens the bytes of a visible Binary row. */
async function openDocument(images: ImageStore, row: VisibleRow | undefined): Promise<OpenedDocument> {
  if (row?.blob === undefined) throw foundNothing(ABSENT);
  const { contentType = MEDIA_TYPE.octets } = JSON.parse(row.json) as Binary;
  return { contentType, size: row.blob.size, body: await images.open(row.blob.name), row };
}
