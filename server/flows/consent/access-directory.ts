/** The directory behind the principals of rights, read as the patient herself reads it. */
import type { Organization, Practitioner, PractitionerRole, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { REGION_ROLES } from '../../../profiles/region-role.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { Principal } from '../../access/right.ts';
import type { PageEnd, SearchPage } from '../../ports/record-store.ts';
import { readOn, type GuardDeps, type Reading } from '../guard.ts';

/** Rows of the directory that are read for one list. */
const MOST_ROWS = 5_000;
const PAGE = 500;
const IDS_AT_ONCE = 100;

/** What of the directory a list is made of. */
export type Directory = {
  readonly practitioners: ReadonlyMap<string, Practitioner>;
  readonly roles: readonly PractitionerRole[];
  /** Of an organization whose members hold a right, or a part of one (`Organization/id`): itself and those above it. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
  readonly organizations: ReadonlyMap<string, Organization>;
};

/** Reads what is behind some principals, and who holds an office. */
export async function directoryFor(
  deps: GuardDeps,
  reading: Reading,
  principals: readonly Principal[],
): Promise<Directory> {
  const all = new Set(principals.map((one) => one.slice(one.indexOf(':') + 1)));
  const ofType = (type: string): readonly string[] => [...all].filter((one) => one.startsWith(`${type}/`));
  const persons = ofType('Practitioner');
  const ofParts = principals.some((one) => one.startsWith('m:'))
    ? await find<Organization>(deps, reading, 'Organization', [])
    : [];
  const parts = partsOf(principals, ofParts);
  const organizations = [...new Set([...ofType('Organization'), ...parts.keys()])];
  const offices = REGION_ROLES.map((code) => ({ system: CODE_SYSTEM.regionRole, code }));
  const roles = [
    ...(await named<PractitionerRole>(deps, reading, 'PractitionerRole', ofType('PractitionerRole'))).values(),
    ...(await rolesBy(deps, reading, 'organization', organizations)),
    ...(await rolesBy(deps, reading, 'practitioner', persons)),
    ...(await find<PractitionerRole>(deps, reading, 'PractitionerRole', [
      { kind: 'token', param: 'role', values: offices },
    ])),
  ];
  const known = [...new Map(roles.map((role) => [role.id, role])).values()];
  const holders = new Set([...persons, ...known.flatMap(({ practitioner }) => practitioner?.reference ?? [])]);
  const places = new Set([...organizations, ...known.flatMap(({ organization }) => organization?.reference ?? [])]);
  return {
    roles: known,
    parts,
    practitioners: await named<Practitioner>(deps, reading, 'Practitioner', [...holders]),
    organizations: await named<Organization>(deps, reading, 'Organization', [...places]),
  };
}

/** Roles by those whom they refer to. */
async function rolesBy(
  deps: GuardDeps,
  reading: Reading,
  param: 'organization' | 'practitioner',
  references: readonly string[],
): Promise<readonly PractitionerRole[]> {
  const found: PractitionerRole[] = [];
  for (let at = 0; at < references.length; at += IDS_AT_ONCE) {
    const values = references.slice(at, at + IDS_AT_ONCE);
    const where = [{ kind: 'reference', param, values }] as const;
    found.push(...(await find<PractitionerRole>(deps, reading, 'PractitionerRole', where)));
  }
  return found;
}

/** Organizations that are, or are part of, one whose members hold a right: by `Organization/id`, those above it. */
function partsOf(
  principals: readonly Principal[],
  organizations: readonly Organization[],
): ReadonlyMap<string, readonly string[]> {
  const above = new Map(organizations.map(({ id, partOf }) => [`Organization/${id}`, partOf?.reference]));
  const holding = new Set(principals.flatMap((one) => (one.startsWith('m:') ? [one.slice(2)] : [])));
  const within = [...above.keys()].map((reference) => [reference, chainOf(reference, above)] as const);
  return new Map(within.filter(([, chain]) => chain.some((one) => holding.has(one))));
}

/** An organization and those that it is a part of, the directory's circles cut. */
function chainOf(reference: string, above: ReadonlyMap<string, string | undefined>): readonly string[] {
  const chain: string[] = [];
  for (let one: string | undefined = reference; one !== undefined && !chain.includes(one); one = above.get(one))
    chain.push(one);
  return chain;
}

/** Rows that she sees, of the directory or of hers, by their references. */
export async function named<T extends Resource>(
  deps: GuardDeps,
  reading: Reading,
  type: StoredType,
  references: readonly string[],
): Promise<ReadonlyMap<string, T>> {
  const all = new Map<string, T>();
  for (let at = 0; at < references.length; at += IDS_AT_ONCE) {
    const some = references.slice(at, at + IDS_AT_ONCE);
    const values = some.map((reference) => reference.slice(reference.indexOf('/') + 1));
    for (const one of await find<T>(deps, reading, type, [{ kind: 'id', values }])) all.set(`${type}/${one.id}`, one);
  }
  return all;
}

/** Rows that she sees: her Consents, or those of the directory. */
export async function find<T extends Resource>(
  deps: GuardDeps,
  reading: Reading,
  type: StoredType,
  where: readonly Criterion[],
): Promise<readonly T[]> {
  const found: T[] = [];
  const query = { type, where, count: PAGE, total: 'none', include: [] } as const;
  let next: PageEnd | undefined;
  do {
    const after: { readonly after?: PageEnd } = next === undefined ? {} : { after: next };
    const page: SearchPage = await readOn(deps, reading, { kind: 'search', query, ...after }, ({ rows }) => ({
      rows,
      entities: [],
    }));
    found.push(...page.rows.map(({ json }) => JSON.parse(json) as T));
    next = page.next;
  } while (next !== undefined && found.length < MOST_ROWS);
  return found;
}
