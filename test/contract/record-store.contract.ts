/** What every RecordStore adapter keeps: the promises of server/ports/record-store.ts, told by behaviour. */
import type { OpenStores } from '../support/stores.ts';
import { accessContract } from './record-store/access.ts';
import { auditingContract } from './record-store/auditing.ts';
import { blocksContract } from './refusals/blocks.ts';
import { boundsContract } from './refusals/bounds.ts';
import { erasingContract } from './record-store/erasing.ts';
import { bindingContract } from './record-store/binding.ts';
import { forgingContract } from './record-store/forging.ts';
import { historiesContract } from './record-store/histories.ts';
import { historyContract } from './record-store/history.ts';
import { includingContract } from './record-store/including.ts';
import { instancesContract } from './record-store/instances.ts';
import { linkingContract } from './record-store/linking.ts';
import { orderingContract } from './record-store/ordering.ts';
import { pagingContract } from './record-store/paging.ts';
import { partsContract } from './record-store/parts.ts';
import { planningContract } from './record-store/planning.ts';
import { quarantineContract } from './record-store/quarantine.ts';
import { sourcesContract } from './sources.contract.ts';
import { unsharedContract } from './record-store/unshared.ts';
import { precedenceContract } from './record-store/precedence.ts';
import { shownNumbersContract } from './moves/shown-numbers.ts';
import { shownPatientsContract } from './moves/shown-patients.ts';
import { examsContract } from './exams.contract.ts';
import { sharesContract } from './shares.contract.ts';
import { searchingContract } from './record-store/searching.ts';
import { heardContract } from './moves/heard.ts';
import { joiningContract } from './moves/joining.ts';
import { leavingContract } from './moves/leaving.ts';
import { changingContract } from './record-store/changing.ts';
import { warrantingContract } from './record-store/warranting.ts';
import { useStores, type Suite } from './suite.ts';

const CONTRACTS: readonly ((suite: Suite) => void)[] = [
  planningContract,
  boundsContract,
  historyContract,
  historiesContract,
  accessContract,
  blocksContract,
  sharesContract,
  examsContract,
  forgingContract,
  bindingContract,
  warrantingContract,
  precedenceContract,
  unsharedContract,
  changingContract,
  joiningContract,
  heardContract,
  leavingContract,
  shownPatientsContract,
  shownNumbersContract,
  searchingContract,
  linkingContract,
  orderingContract,
  pagingContract,
  includingContract,
  instancesContract,
  partsContract,
  quarantineContract,
  sourcesContract,
  erasingContract,
  auditingContract,
];

/** Runs the contract of the record store on an adapter; each part on stores of its own, as others’ rows cost time. */
export function recordStoreContract(name: string, open: OpenStores): void {
  for (const contract of CONTRACTS)
    describe(`RecordStore: ${name}`, function () {
      this.timeout(120_000);
      contract(useStores(open));
    });
}
