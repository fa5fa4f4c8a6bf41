/** How many items a region file would share and hide by what it says of informing patients. */
import type { Region } from '../../config/region-model.ts';
import { systemGrant, systemReading } from '../../access/grant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { indexRegion } from '../identity/region-index.ts';
import { pagesOfAll } from '../internal-reads.ts';
import { groundOfItem, GROUNDED } from './settle-ground.ts';

/** Of one establishment (`Organization/id`): exams, reports and whatever else it filed. */
export type GroundWeight = { readonly organization: string; readonly shown: number; readonly hidden: number };

/**
 * Counts them, of establishments that say something else than in the former file; without one, of all. It looks at
 * every item. `timeZone` is where days begin (a name of the IANA database).
 */
export function weighGrounds({
  records,
  clock,
  timeZone,
}: {
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly timeZone: string;
}) {
  return async (former: Region | undefined, file: Region): Promise<readonly GroundWeight[]> => {
    const region = indexRegion(file, timeZone);
    const changing = changingIn(former, file);
    const weights = new Map<string, { shown: number; hidden: number }>();
    if (changing.length === 0) return [];
    const reading = systemReading('settle-ground', clock.now());
    for (const type of GROUNDED)
      for await (const page of pagesOfAll(records, systemGrant('settle-ground', 'whole', clock.now()), type))
        for (const found of page) {
          const judged = await groundOfItem({ records, clock, region }, reading, found, changing);
          if (judged === undefined || judged.isShared === judged.wasShared) continue;
          const weight = weights.get(judged.organization) ?? { shown: 0, hidden: 0 };
          weight[judged.isShared ? 'shown' : 'hidden'] += 1;
          weights.set(judged.organization, weight);
        }
    return [...weights].map(([organization, weight]) => ({ organization, ...weight }));
  };
}

function changingIn(former: Region | undefined, { identifierDomains }: Region): readonly string[] {
  const said = new Map(former?.identifierDomains.map((domain) => [domain.organization, domain.informsPatients]));
  return identifierDomains
    .filter(({ organization, informsPatients }) => said.get(organization) !== informsPatients)
    .map(({ organization }) => organization);
}
