/**
 * From what a token, an assertion or an association proves to who asks: a professional, a patient, an establishment.
 */
import type { Patient, Practitioner, PractitionerRole } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { regionRolesOf } from '../../../profiles/region-role.ts';
import { periodRange, type DateRange } from '../../../profiles/search/date-range.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { systemGrant } from '../../access/grant.ts';
import { purposeOf } from '../../access/purpose.ts';
import type { Requester, Role, StoredTokenKey } from '../../access/requester.ts';
import { FOREVER } from '../../access/right.ts';
import type { Clock } from '../../ports/clock.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { RecordStore, StoredAccount } from '../../ports/record-store.ts';
import { findAll } from '../internal-reads.ts';
import { identitiesNamed } from './identities.ts';
import type { RegionIndex } from './region-index.ts';

/** What was proved. `account` is `Patient/id` or `Practitioner/id`, `organization` is `Organization/id`. */
export type ProvedIdentity = {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly account?: string;
  readonly organization?: string;
  readonly authTime?: number;
  readonly tokenId?: string;
  /** The access token, as the token store knows it. */
  readonly accessToken?: StoredTokenKey;
  /** Claimed purpose of use; without one the usual purpose of the subject. */
  readonly purpose?: string;
};

type Deps = { readonly records: RecordStore; readonly clock: Clock };

/** An account that a person signs in to. */
export type Account = { readonly reference: string; readonly display: string };

/** Roles whose coding says that the professional reads images. */
const RADIOLOGIST_CODES = new Set(['G15_10/SM44', 'SM44', 'SM28']);

/** A requester, and when time alone makes another of them (epoch milliseconds): a role begins or ends. */
export type Resolved = { readonly requester: Requester; readonly until: number };

/**
 * Resolves a requester.
 * @throws {Fault} login - the account is not in the directory any more
 * @throws {Fault} forbidden - the claimed purpose is not one that exams are shared for
 */
export function resolveRequester({ records, clock }: Deps) {
  return async (proved: ProvedIdentity): Promise<Resolved> => {
    if (proved.account !== undefined) {
      const now = clock.now();
      const account = await records.accountOf(
        systemGrant('resolve-identity', { item: proved.account }, now),
        proved.account,
      );
      if (account === undefined) throw gone();
      return proved.account.startsWith('Patient/')
        ? { requester: patientOf(account, proved, proved.account), until: FOREVER }
        : practitionerOf(account, proved, proved.account, now);
    }
    if (proved.organization === undefined) throw new Fault('login', 'The token names nobody');
    const { organization } = proved;
    const requester = { kind: 'establishment', organization, display: proved.clientId } as const;
    return { requester: { ...requester, ...commonOf(proved, 'TREAT') }, until: FOREVER };
  };
}

/**
 * Finds the account of an identifier: the Practitioner that bears it, or the one person whom it names, as her oldest
 * identity that bears it. A number that two persons bear signs nobody in.
 */
export function findAccount({ records, clock, region }: Deps & { readonly region: RegionIndex }) {
  return async (kind: 'patient' | 'practitioner', system: string, value: string): Promise<Account | undefined> => {
    const now = clock.now();
    if (kind === 'practitioner') return await practitionerNamed(records, { system, value }, now);
    const named = await identitiesNamed({ records, region }, { system, value }, now);
    const [first, ...others] = named;
    if (first === undefined || others.some(({ person }) => person !== first.person)) return undefined;
    return { reference: `Patient/${first.content.id}`, display: displayOf(first.content.said) };
  };
}

async function practitionerNamed(
  records: RecordStore,
  { system, value }: { readonly system: string; readonly value: string },
  now: number,
): Promise<Account | undefined> {
  const grant = systemGrant('resolve-directory', 'whole', now);
  const named: Criterion = { kind: 'token', param: 'identifier', values: [{ system, code: value }] };
  const found = await findAll<Practitioner>(records, grant, 'Practitioner', [named]);
  const [first] = found.toSorted((a, b) => (a.row.id < b.row.id ? -1 : 1));
  return first && { reference: `Practitioner/${first.row.id}`, display: displayOf(first.resource) };
}

function displayOf({ name: [name] = [] }: Patient | Practitioner): string {
  return [...(name?.prefix ?? []), ...(name?.given ?? []), name?.family ?? ''].join(' ').trim();
}

function commonOf(proved: ProvedIdentity, usual: string) {
  const { clientId, scopes, authTime, tokenId, accessToken, purpose = usual } = proved;
  return {
    clientId,
    scopes,
    purpose: purposeOf(purpose),
    ...(authTime === undefined ? {} : { authTime }),
    ...(tokenId === undefined ? {} : { tokenId }),
    ...(accessToken === undefined ? {} : { accessToken }),
  };
}

function patientOf({ row, isOff }: StoredAccount, proved: ProvedIdentity, account: string): Requester {
  if (row.person === undefined || isOff) throw gone();
  return {
    kind: 'patient',
    patient: account,
    person: row.person,
    display: 'patient',
    ...commonOf(proved, 'PATRQT'),
  };
}

function practitionerOf(stored: StoredAccount, proved: ProvedIdentity, account: string, now: number): Resolved {
  const { active, name = [] } = openedResource<Practitioner>(stored.row);
  if (active === false) throw gone();
  const [{ prefix = [], given = [], family = '' } = {}] = name;
  const roles = stored.roles.map((role) => openedResource<PractitionerRole>(role));
  const requester: Requester = {
    kind: 'practitioner',
    practitioner: account,
    display: [...prefix, ...given, family].join(' ').trim(),
    roles: roles.flatMap((role) => (isHeld(role, now) ? heldRole(role) : [])),
    ...commonOf(proved, 'TREAT'),
  };
  const turns = roles.flatMap((role) => Object.values(periodOf(role))).filter((moment) => moment > now);
  return { requester, until: Math.min(FOREVER, ...turns) };
}

function isHeld(role: PractitionerRole, now: number): boolean {
  const { lo, hi } = periodOf(role);
  return role.active !== false && lo <= now && now < hi;
}

/** When a role is held; a period that is none holds at no time. */
function periodOf({ period }: PractitionerRole): DateRange {
  return periodRange(period?.start, period?.end) ?? { lo: FOREVER, hi: FOREVER };
}

function heldRole(role: PractitionerRole): Role[] {
  if (role.organization?.reference === undefined) return [];
  const { reference: organization } = role.organization;
  return [{ organization, radiologist: isRadiologist(role), offices: regionRolesOf(role.code) }];
}

function isRadiologist({ code = [], specialty = [] }: PractitionerRole): boolean {
  return [...code, ...specialty].some(({ coding = [] }) =>
    coding.some(({ code }) => code !== undefined && RADIOLOGIST_CODES.has(code)),
  );
}

function gone(): Fault {
  return new Fault('login', 'The account is not known any more');
}
