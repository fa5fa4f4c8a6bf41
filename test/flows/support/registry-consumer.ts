/** A Document Consumer that asks the registry, and what it reads of the answers. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION, STORED_QUERY } from '../../../ihe/codes.ts';
import { adhocQuery, hasSchemas, schemaErrors, type QuerySlots } from '../../support/clients/xds.ts';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';
import type { Reply } from './door.ts';
import { envelopeOf, post, responseOf, select } from './soap.ts';

const PATIENT_ID = 'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427';
const UNIQUE_ID = 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab';

/** An answer; `requestId` is the MessageID that was sent. */
export type RegistryReply = { readonly reply: Reply; readonly requestId: string };

/** What is asked; the slots are those of the stored query. */
export type RegistryQuestion = {
  readonly query: keyof typeof STORED_QUERY;
  readonly slots: QuerySlots;
  readonly returnType?: 'LeafClass' | 'ObjectRef';
};

/** Asks; every answer is valid by the schemas where they are installed. */
export async function askRegistry(
  url: string,
  { token }: Pick<FhirCaller, 'token'>,
  { query, slots, returnType = 'LeafClass' }: RegistryQuestion,
): Promise<RegistryReply> {
  const requestId = `urn:uuid:${randomUUID()}`;
  const body = adhocQuery(slots, STORED_QUERY[query], returnType);
  const message = { path: '/xds/registry', action: ACTION.registryStoredQuery, body };
  const reply = await post({ url, token, requestId }, message);
  if (hasSchemas()) expect(schemaErrors(envelopeOf(reply) ?? '')).to.equal('');
  return { reply, requestId };
}

/** Expects a Success and gives the answer on. */
export function succeeded(answer: RegistryReply): RegistryReply {
  expect(responseOf(answer.reply)).to.deep.equal({ http: 200, status: 'Success', errors: [] });
  return answer;
}

/** The entries of an answer: entryUUID, uniqueId, patientId (CX), sourcePatientId, and the end of the status. */
export function entriesOf({ reply }: RegistryReply) {
  const of = (xpath: string, attribute?: string): string[] => select(reply, `//rim:ExtrinsicObject${xpath}`, attribute);
  const identifier = (scheme: string): string[] =>
    of(`/rim:ExternalIdentifier[@identificationScheme="${scheme}"]`, 'value');
  const [uniqueIds, patientIds] = [identifier(UNIQUE_ID), identifier(PATIENT_ID)];
  const sources = of('/rim:Slot[@name="sourcePatientId"]//rim:Value');
  const statuses = of('', 'status').map((status) => status.split(':').at(-1));
  return of('', 'id').map((entryUUID, at) => ({
    entryUUID,
    uniqueId: uniqueIds[at] ?? '',
    patientId: patientIds[at] ?? '',
    sourcePatientId: sources[at] ?? '',
    status: statuses[at] ?? '',
  }));
}

/** The associations of an answer. */
export function associationsOf({ reply }: RegistryReply) {
  const of = (attribute: string): string[] => select(reply, '//rim:Association', attribute);
  const [types, sources, targets] = [of('associationType'), of('sourceObject'), of('targetObject')];
  return of('id').map((id, at) => ({
    id,
    type: types[at]?.split(':').at(-1) ?? '',
    source: sources[at] ?? '',
    target: targets[at] ?? '',
  }));
}

/** Writes a list of literals. */
export function listOf(values: readonly string[]): string {
  return `(${values.map((value) => `'${value.replaceAll("'", "''")}'`).join(',')})`;
}
