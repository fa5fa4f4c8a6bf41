/** A requester opens documents by their uniqueId: ITI-43. Each document is one passage with one event. */
import type { Readable } from 'node:stream';
import type { Binary, DocumentReference } from '@medplum/fhirtypes';
import { uniqueIdOf } from '../../../ihe/ebxml/document-entry.ts';
import { toUniqueIdToken } from '../../../ihe/ebxml/unique-id.ts';
import type { TouchedEntity } from '../../../profiles/audit/facts.ts';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { Passage, VisibleRow } from '../../ports/record-store.ts';
import { decidedStream, decidingAgain } from '../decided-stream.ts';
import { foundNothing, further, guarded, NOTHING, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { requireScope } from '../../access/scope.ts';

/** A document that may be opened. `open` asks again whether it still may, and so do its bytes as they are read. */
export type RetrievableDocument = { readonly contentType: string; readonly open: () => Promise<Readable> };

/** What the flow needs. */
export type RetrieveDocumentSetDeps = GuardDeps & { readonly images: ImageStore };

/** One document has the uniqueId; others may merely be identified by the same value. */
const CANDIDATES = 10;
const ABSENT = 'No such document';

/**
 * Finds a document and its content.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - no such document, or none that the requester may see
 */
export function retrieveDocumentOfSet(deps: RetrieveDocumentSetDeps) {
  return async (visit: Visit, uniqueId: string): Promise<RetrievableDocument> =>
    await refusalsRecorded(deps, visit, 'iti-43', async () => {
      requireScope(visit.requester, 'DocumentReference', 'r');
      requireScope(visit.requester, 'Binary', 'r');
      const { answer, passage } = await guarded(deps, visit, 'iti-43', questionOf(uniqueId), ({ rows }) => {
        const row = rows.find((one) => isNamed(one, uniqueId));
        return row === undefined ? NOTHING : { rows: [row], entities: [entityOf(row)] };
      });
      const binaryId = binaryIdOf(answer.rows.find((one) => isNamed(one, uniqueId)));
      const { contentType } = await readContent(deps, passage, binaryId);
      const open = async (): Promise<Readable> => {
        const { blobName } = await readContent(deps, passage, binaryId);
        const decideAgain = decidingAgain(deps.clock, async () => void (await readContent(deps, passage, binaryId)));
        return decidedStream(await deps.images.open(blobName), decideAgain);
      };
      return { contentType, open };
    });
}

function questionOf(uniqueId: string): { readonly kind: 'search'; readonly query: SearchQuery } {
  const where = [{ kind: 'token', param: 'identifier', values: [toUniqueIdToken(uniqueId)] } as const];
  return { kind: 'search', query: { type: 'DocumentReference', where, count: CANDIDATES, total: 'none', include: [] } };
}

function isNamed(row: VisibleRow, uniqueId: string): boolean {
  const document = documentOf(row);
  return document.masterIdentifier?.value !== undefined && uniqueIdOf(document) === uniqueId;
}

function documentOf({ json }: VisibleRow): DocumentReference {
  return JSON.parse(json) as DocumentReference;
}

function entityOf(row: VisibleRow): TouchedEntity {
  const { masterIdentifier } = documentOf(row);
  const identifier = masterIdentifier === undefined ? {} : { identifier: masterIdentifier };
  return { what: { reference: `DocumentReference/${row.id}`, ...identifier }, role: '3' };
}

function binaryIdOf(row: VisibleRow | undefined): string {
  const url = row === undefined ? undefined : documentOf(row).content[0]?.attachment.url;
  const id = /(?:^|\/)Binary\/([A-Za-z0-9.-]{1,64})$/.exec(url ?? '')?.[1];
  if (id === undefined) throw foundNothing(ABSENT);
  return id;
}

async function readContent(
  deps: GuardDeps,
  passage: Passage,
  id: string,
): Promise<{ contentType: string; blobName: string }> {
  const row = await further(deps, passage, { kind: 'resource', type: 'Binary', id });
  if (row?.blob === undefined) throw new Fault('not-found', ABSENT);
  const { contentType = MEDIA_TYPE.octets } = JSON.parse(row.json) as Binary;
  return { contentType, blobName: row.blob.name };
}
