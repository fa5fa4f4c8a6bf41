/** How many records a region file would show and hide, to whom. */
import type { Resource } from '@medplum/fhirtypes';
import { principalsOfProfessional, systemGrant } from '../../access/grant.ts';
import { principal, type Principal } from '../../access/right.ts';
import type { Region } from '../../config/region-model.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { referenceOf, type DirectoryChange } from './directory-changes.ts';
import { professionalsOf, type Professional } from './professionals.ts';

/** What changes for one reader: a professional (`Practitioner/id`) or a client (`client id`). Records are counted. */
export type Weight = {
  readonly who: string;
  readonly name: string | undefined;
  /** Whether the reader has access before and after. */
  readonly before: boolean;
  readonly after: boolean;
  readonly shown: number;
  readonly hidden: number;
};

type Reader = { readonly name: string | undefined; readonly principals: readonly Principal[] };

/**
 * Compares what readers see, professionals of a directory and clients of a former file, with what they will when a
 * region file is loaded, which changes the directory so; readers for whom nothing changes are left out. Without a
 * former file its clients are taken for the same.
 */
export function weighRegion({ records, clock }: { readonly records: RecordStore; readonly clock: Clock }) {
  return async (
    directory: readonly Resource[],
    changes: readonly DirectoryChange[],
    former: Pick<Region, 'clients'> | undefined,
    region: Region,
  ): Promise<readonly Weight[]> => {
    const now = clock.now();
    const grant = systemGrant('load-region', 'whole', now);
    const count = async (principals: readonly Principal[]): Promise<number> => await records.shownTo(grant, principals);
    const before = readersOf(directory, former ?? region, now);
    const present = new Map(directory.map((resource) => [referenceOf(resource), resource]));
    for (const { reference, resource } of changes) present.set(reference, resource);
    const after = readersOf([...present.values()], region, now);
    const weights: Weight[] = [];
    for (const who of new Set([...before.keys(), ...after.keys()])) {
      const weight = await weigh(count, who, before.get(who), after.get(who));
      if (weight !== undefined) weights.push(weight);
    }
    return weights;
  };
}

async function weigh(
  count: (principals: readonly Principal[]) => Promise<number>,
  who: string,
  before: Reader | undefined,
  after: Reader | undefined,
): Promise<Weight | undefined> {
  const [had, has] = [before?.principals ?? [], after?.principals ?? []];
  if (had.length === has.length && had.every((name) => has.includes(name))) return undefined;
  const together = await count([...new Set([...had, ...has])]);
  return {
    who,
    name: after?.name ?? before?.name,
    before: before !== undefined,
    after: after !== undefined,
    shown: together - (await count(had)),
    hidden: together - (await count(has)),
  };
}

function readersOf(
  directory: readonly Resource[],
  { clients }: Pick<Region, 'clients'>,
  now: number,
): ReadonlyMap<string, Reader> {
  const people = [...professionalsOf(directory, now).values()].map(
    (professional) => [professional.reference, readerOf(professional)] as const,
  );
  const systems = clients.flatMap(({ client_id, name, organization }) =>
    organization === undefined
      ? []
      : [[`client ${client_id}`, { name, principals: [principal.establishment(organization)] }] as const],
  );
  return new Map([...people, ...systems]);
}

function readerOf({ reference, name, roles }: Professional): Reader {
  return { name, principals: [...new Set(principalsOfProfessional(reference, roles))] };
}
