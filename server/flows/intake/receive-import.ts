/**
 * An operator imports the former archive of an establishment: its files are filed as if it had sent them, under events
 * of their own kind, and mark their studies as imported. An import of any length is cut into shipments.
 */
import { randomUUID } from 'node:crypto';
import type { Fault } from '../../../profiles/fault.ts';
import type { EstablishmentRequester } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { InstanceRow } from '../../ports/commit-plan.ts';
import type { Visit } from '../guard.ts';
import type { FiledInstance } from './file-instance.ts';
import { openShipment, type Shipment, type ShipmentDeps, type ShipmentKinds } from './open-shipment.ts';
import type { UnfiledInstance } from './receive-bytes.ts';

/** An import under way. Several instances may be filed at a time; `ended` comes last. */
export type Import = {
  /** Files an instance whose bytes are durable. A refusal is recorded. */
  file(unfiled: UnfiledInstance): Promise<FiledInstance['outcome']>;
  /** Records that a file was refused before it could be filed. */
  refused(fault: Fault): Promise<void>;
  /** Records what was imported, when all that is being filed is. */
  ended(): Promise<void>;
};

/** A shipment remembers its studies until it ends. */
const FILES_A_SHIPMENT = 5_000;

const KINDS: ShipmentKinds = {
  beginning: 'import-begin',
  end: 'import',
  marks: ({ studyInstanceUID }: InstanceRow) => [{ key: claimKey.imported(studyInstanceUID), value: 'true' }],
};

/** Opens an import for an establishment (`Organization/id`). */
export function receiveImport(deps: ShipmentDeps) {
  return (organization: string): Import => {
    const visit = visitOf(organization);
    const open = (): Leg => ({
      shipment: openShipment(deps, visit, KINDS),
      files: 0,
      running: new Set(),
      begun: new Set(),
      beginning: new Map(),
    });
    let leg = open();
    return {
      file: async (unfiled) => {
        if (leg.files === FILES_A_SHIPMENT) {
          const full = leg;
          leg = open();
          await end(full);
        }
        return (await within(leg, unfiled)).outcome;
      },
      refused: async (fault) => await leg.shipment.refused(fault),
      ended: async () => await end(leg),
    };
  };
}

/** A shipment, how many files it has, those that are being filed, the studies that it has begun and those it begins. */
type Leg = {
  readonly shipment: Shipment;
  files: number;
  readonly running: Set<Promise<unknown>>;
  readonly begun: Set<string>;
  readonly beginning: Map<string, Promise<unknown>>;
};

/** What is imported is durable before it is handed over, which may be to another process. */
const DURABLE = Promise.resolve();

async function within(leg: Leg, unfiled: UnfiledInstance): Promise<FiledInstance> {
  leg.files += 1;
  const filing = inTurn(
    leg,
    unfiled.row.studyInstanceUID,
    async () => await leg.shipment.file({ unfiled, durable: DURABLE }),
  );
  leg.running.add(filing);
  try {
    return await filing;
  } finally {
    leg.running.delete(filing);
  }
}

/** One instance of a study begins it, with an event that is durable before the others come. */
async function inTurn<T>({ begun, beginning }: Leg, study: string, file: () => Promise<T>): Promise<T> {
  while (!begun.has(study)) {
    const first = beginning.get(study);
    if (first === undefined) {
      const filing = file().finally(() => beginning.delete(study));
      beginning.set(study, filing);
      const filed = await filing;
      begun.add(study);
      return filed;
    }
    await first.catch(() => undefined);
  }
  return await file();
}

async function end({ shipment, running }: Leg): Promise<void> {
  await Promise.allSettled(running);
  await shipment.ended();
}

function visitOf(organization: string): Visit {
  const requester: EstablishmentRequester = {
    kind: 'establishment',
    organization,
    clientId: 'import',
    scopes: [],
    purpose: 'TREAT',
    display: 'import',
  };
  return { requester, requestId: randomUUID(), server: 'import' };
}
