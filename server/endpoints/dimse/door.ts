/** The DIMSE door as the region makes it: who may call, and where instances go. Runs on the intake thread. */
import { toFault } from '../../../profiles/fault.ts';
import { isAmong } from '../../config/address-range.ts';
import type { RegionAeTitle } from '../../config/region-model.ts';
import type { Sender } from '../../flows/intake/receive-association.ts';
import type { FinishedInstance, receiveBytes } from '../../flows/intake/receive-bytes.ts';
import { sentFault, type Asking, type Telling } from '../../threads/thread-talk.ts';
import type { FilingCalls } from './intake-calls.ts';
import type {
  AssociationHook,
  Caller,
  IdentifyPeer,
  IncomingInstance,
  StoreHandler,
  StoreSession,
} from './store-handler.ts';

/** What the door is given; `ask` and `tell` reach the main thread, which files what was unfiled. */
export type DimseDoorDeps = {
  /** Who may call now. */
  readonly aeTitles: () => readonly RegionAeTitle[];
  readonly receiveBytes: ReturnType<typeof receiveBytes>;
  readonly ask: Asking<FilingCalls>;
  readonly tell: Telling<FilingCalls>;
};

/** Makes the hooks of the listener. */
export function dimseDoor(deps: DimseDoorDeps): {
  identifyPeer: IdentifyPeer;
  store: StoreHandler;
  onAssociation: AssociationHook;
} {
  return {
    identifyPeer: (caller) => {
      const known = deps.aeTitles().find((entry) => isCaller(entry, caller));
      return known === undefined ? undefined : { aeTitle: known.aeTitle, organization: known.organization };
    },
    store: (incoming) => sessionOf(deps, incoming),
    onAssociation: async (event, info) => await deps.ask('association', { event, info }),
  };
}

/** What is refused while it comes is recorded before the sender hears of it. */
function sessionOf({ receiveBytes, ask, tell }: DimseDoorDeps, incoming: IncomingInstance): StoreSession {
  const sender: Sender = { associationId: incoming.associationId, peer: incoming.peer };
  const receiving = receiveBytes(incoming);
  const refused = async (error: unknown): Promise<never> => {
    await ask('refused', { sender, fault: sentFault(toFault(error)) });
    throw error;
  };
  return {
    write: (chunk) => {
      try {
        return receiving.write(chunk)?.catch(refused);
      } catch (error) {
        return refused(error);
      }
    },
    finish: async () => await fileFinished({ ask, tell }, sender, await receiving.finish().catch(refused)),
    abort: async () => await receiving.abort(),
  };
}

/** The main thread makes its plan while the disk works. */
async function fileFinished(
  { ask, tell }: Pick<DimseDoorDeps, 'ask' | 'tell'>,
  sender: Sender,
  { unfiled, durable }: FinishedInstance,
): Promise<void> {
  const blob = unfiled.row.blob.name;
  const filed = ask('file', { sender, unfiled });
  void durable.then(
    () => tell('durable', { blob }),
    (error: unknown) => tell('durable', { blob, fault: sentFault(toFault(error)) }),
  );
  await filed;
}

function isCaller(
  { aeTitle, addresses, certificates }: RegionAeTitle,
  { callingAE, address, certificate }: Caller,
): boolean {
  if (aeTitle !== callingAE || !isAmong(addresses, plainAddress(address))) return false;
  return certificates === undefined || certificates.map(digitsOf).includes(digitsOf(certificate?.fingerprint256 ?? ''));
}

/** A fingerprint without colons, in one case. */
function digitsOf(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}

/** IPv4 in the clothes of IPv6 is IPv4. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:/, '');
}
