/** What is taken over of earlier servers, in this order: documents of reports are of whom a person is. */
import { adoptIdentities, type AdoptDeps } from '../identity/adopt-identities.ts';
import { adoptReports } from '../study/adopt-reports.ts';
import { adoptGrounds } from '../ground/settle-ground.ts';
import { adoptLabels } from './adopt-labels.ts';
import { Upgrade, type UpgradeDeps } from './upgrade.ts';

/** Makes the upgrade of a store. */
export function upgradeRecords(deps: AdoptDeps & UpgradeDeps): Upgrade {
  return new Upgrade(deps, [...adoptIdentities(deps), adoptReports(deps), ...adoptLabels(deps), ...adoptGrounds(deps)]);
}
