/** An establishment sends instances in one request (STOW-RS): each as it would by C-STORE, with one event a study. */
import { Fault, toFault } from '../../../profiles/fault.ts';
import type { EstablishmentRequester } from '../../access/requester.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import { refusalAbout } from '../audit/event-records.ts';
import { eventRecord, refusalsRecorded, type Visit } from '../guard.ts';
import type { FiledInstance } from './file-instance.ts';
import { openShipment, type Shipment, type ShipmentDeps } from './open-shipment.ts';
import { requireScope } from '../../access/scope.ts';
import type { AnnouncedInstance, FinishedInstance, Receiving, receiveBytes } from './receive-bytes.ts';

/** An instance of a request: what its file says it is. */
export type SentInstance = Omit<AnnouncedInstance, 'peer'>;

/** What became of one instance. */
export type SentOutcome = { readonly received: FiledInstance } | { readonly refused: Fault };

/** Instances on their way; `ended` comes last, before the request is answered. */
export type StowShipment = {
  /** Takes the bytes of a data set. They are read to their end unless the instance is refused before. */
  store(instance: SentInstance, dataSet: AsyncIterable<Uint8Array>): Promise<SentOutcome>;
  /** Notes that what was to be an instance is none. */
  refused(fault: Fault): void;
  ended(): Promise<void>;
};

/** What the flow needs. */
export type ReceiveStowRequestDeps = ShipmentDeps & {
  readonly receiveBytes: ReturnType<typeof receiveBytes>;
  readonly maxInstanceBytes: number;
};

/**
 * Opens the shipment of a request.
 * @throws {Fault} forbidden - not an establishment, or its scopes do not allow it
 */
export function receiveStowRequest(deps: ReceiveStowRequestDeps) {
  return async (visit: Visit): Promise<StowShipment> =>
    await refusalsRecorded(deps, visit, 'stow', async () => {
      const { organization } = establishmentOf(visit);
      requireScope(visit.requester, 'ImagingStudy', 'c');
      const shipment = openShipment(deps, visit, { beginning: 'stow-begin', end: 'stow' });
      const refusals: AuditRecord[] = [];
      const refuse = (fault: Fault): void => {
        refusals.push(eventRecord(deps.clock, visit, 'stow', refusalAbout(fault)));
      };
      return {
        store: async (instance, dataSet) => {
          const finished = await receiveAll(
            deps.receiveBytes({ ...instance, peer: { organization } }),
            bounded(dataSet, deps.maxInstanceBytes),
          );
          if (finished instanceof Fault) {
            refuse(finished);
            return { refused: finished };
          }
          return await outcomeOf(shipment, finished);
        },
        refused: refuse,
        ended: async () => {
          await shipment.ended();
          if (refusals.length > 0) await deps.trail.record(refusals);
        },
      };
    });
}

/** Takes all bytes, or gives the Fault that ended it too early. */
async function receiveAll(receiving: Receiving, dataSet: AsyncIterable<Uint8Array>): Promise<FinishedInstance | Fault> {
  try {
    for await (const chunk of dataSet) await receiving.write(chunk);
  } catch (error) {
    await receiving.abort();
    return toFault(error);
  }
  return await receiving.finish().catch(toFault);
}

/** The shipment records its own refusals. */
async function outcomeOf(shipment: Shipment, finished: FinishedInstance): Promise<SentOutcome> {
  return await shipment.file(finished).then(
    (received) => ({ received }),
    (error: unknown) => ({ refused: toFault(error) }),
  );
}

async function* bounded(dataSet: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of dataSet) {
    length += chunk.length;
    if (length > maxBytes) throw new Fault('too-long', `An instance has at most ${maxBytes} bytes`);
    yield chunk;
  }
}

function establishmentOf({ requester }: Visit): EstablishmentRequester {
  if (requester.kind === 'establishment') return requester;
  throw new Fault('forbidden', 'Instances are taken from the systems of establishments only');
}
