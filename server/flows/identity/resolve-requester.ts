/**
 * From what a token, an assertion or an association proves to who asks: a professional, a patient, an establishment.
 */
import type { Patient, Practitioner, PractitionerRole } from '@medplum/fhirtypes';
import { birthdayOf } from '../../../profiles/consent/representation.ts';
import { Fault } from '../../../profiles/fault.ts';
import { traitsAgree, type Traits } from '../../../profiles/identity/traits.ts';
import { formsOfNumber } from '../../../profiles/professional-numbers.ts';
import { numberToken } from '../../../profiles/search/criterion.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { systemGrant, systemReading } from '../../access/grant.ts';
import { purposeOf } from '../../access/purpose.ts';
import type { AssertedName, Requester, StoredTokenKey } from '../../access/requester.ts';
import { FOREVER } from '../../access/right.ts';
import type { Account } from '../../ports/account-directory.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Clock } from '../../ports/clock.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { RecordStore, StoredAccount } from '../../ports/record-store.ts';
import { displayNameOf } from '../directory/directory-changes.ts';
import { claimOf, findAll } from '../internal-reads.ts';
import { heldRoles, isOutsideCare, mayAct, nextTurn, type Directory } from './held-roles.ts';
import { identitiesNamed, identityAt, readAs, type StandingIdentity } from './identities.ts';
import type { RegionIndex } from './region-index.ts';
import { representativeAt, representativeStands } from '../care/representatives.ts';
import type { Representative, RepresentativeDeps } from '../care/representatives.ts';

/**
 * What was proved. `account` is `Patient/id`, `Practitioner/id` or `RelatedPerson/id`, `organization` is
 * `Organization/id`.
 */
export type ProvedIdentity = {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly account?: string;
  readonly organization?: string;
  readonly authTime?: number;
  readonly tokenId?: string;
  /** Whom the assertion names; absent of a token. */
  readonly assertion?: AssertedName;
  /** The access token, as the token store knows it. */
  readonly accessToken?: StoredTokenKey;
  /** Claimed purpose of use; without one the usual purpose of the subject. */
  readonly purpose?: string;
};

type Deps = { readonly records: RecordStore; readonly clock: Clock };

type AccountDeps = Deps & Pick<RepresentativeDeps, 'timeZone'>;

/** A requester, and until when it may be kept (epoch milliseconds): time alone makes another of who has roles. */
export type Resolved = { readonly requester: Requester; readonly until: number };

/**
 * Resolves a requester.
 * @throws {Fault} login - the account is not in the directory any more, or holds none of its roles any more
 * @throws {Fault} forbidden - the claimed purpose is not one that exams are shared for
 */
export function resolveRequester({ records, clock, region, timeZone }: AccountDeps & { readonly region: Directory }) {
  const representative = representativeAt({ records, clock, timeZone });
  return async (proved: ProvedIdentity): Promise<Resolved> => {
    if (proved.account?.startsWith('RelatedPerson/') === true)
      return representativeOf(await representative(proved.account), proved, proved.account, { region, timeZone });
    if (proved.account !== undefined) {
      const now = clock.now();
      const account = await records.accountOf(
        systemGrant('resolve-identity', { item: proved.account }, now),
        proved.account,
      );
      if (account === undefined) throw gone();
      return proved.account.startsWith('Patient/')
        ? { requester: patientOf(account, proved, proved.account), until: FOREVER }
        : practitionerOf(account, proved, proved.account, { now, region });
    }
    if (proved.organization === undefined) throw new Fault('login', 'The token names nobody');
    const { organization } = proved;
    const display = region.nameOf(organization) ?? proved.clientId;
    const requester = { kind: 'establishment', organization, display } as const;
    return { requester: { ...requester, ...commonOf(proved, 'TREAT') }, until: FOREVER };
  };
}

/**
 * Finds the account of an identifier: the Practitioner that bears it, in whatever form, and may sign in, or the one
 * person whom it names, as the identity that bore it first, so that she stays the same whoever joins her. A number that
 * two persons bear signs in the only one with whose identities the traits agree that are vouched for, or nobody.
 */
export function findAccount({ records, clock, timeZone, region }: AccountDeps & { readonly region: RegionIndex }) {
  const stands = accountStands({ records, clock, timeZone });
  return async (
    kind: 'patient' | 'practitioner',
    system: string,
    value: string,
    traits?: Traits,
  ): Promise<Account | undefined> => {
    const now = clock.now();
    if (kind === 'practitioner') return await practitionerNamed({ records, clock, timeZone }, { system, value }, now);
    const all = await identitiesNamed({ records, region }, { system, value }, now);
    const named = ofOnePerson(region, all, traits);
    const [first, ...others] = named;
    if (first === undefined) return undefined;
    const holder =
      others.length === 0
        ? first.content.id
        : await claimOf(records, systemReading('resolve-identity', now), claimKey.qualified(system, value));
    const { content } = named.find(({ content: { id } }) => id === holder) ?? first;
    const reference = `Patient/${content.id}`;
    return (await stands(reference)) ? { reference, display: displayOf(content.said) } : undefined;
  };
}

/** Those of the only person, or of the only one with whom the traits agree. */
function ofOnePerson(
  region: RegionIndex,
  named: readonly StandingIdentity[],
  traits: Traits | undefined,
): readonly StandingIdentity[] {
  const isOne = (some: readonly StandingIdentity[]): boolean => new Set(some.map(({ person }) => person)).size === 1;
  if (isOne(named) || traits === undefined) return isOne(named) ? named : [];
  const agreeing = named.filter(({ content }) =>
    traitsAgree(readAs(region, content).traits, traits, { ignoresSex: false }),
  );
  return isOne(agreeing) ? agreeing : [];
}

async function practitionerNamed(
  deps: AccountDeps,
  { system, value }: { readonly system: string; readonly value: string },
  now: number,
): Promise<Account | undefined> {
  const grant = systemGrant('resolve-directory', 'whole', now);
  const values = formsOfNumber({ system, value }).map(numberToken);
  const named: Criterion = { kind: 'token', param: 'identifier', values };
  const found = await findAll<Practitioner>(deps.records, grant, 'Practitioner', [named]);
  const stands = accountStands(deps);
  for (const { row, resource } of found.toSorted((a, b) => (a.row.id < b.row.id ? -1 : 1))) {
    const reference = `Practitioner/${row.id}`;
    if (await stands(reference)) return { reference, display: displayOf(resource) };
  }
  return undefined;
}

/** Whether an account may still be signed in to, and its tokens be renewed. */
export function accountStands({ records, clock, timeZone }: AccountDeps) {
  const stands = representativeStands({ records, clock, timeZone });
  return async (reference: string): Promise<boolean> => {
    if (reference.startsWith('RelatedPerson/')) return await stands(reference);
    const now = clock.now();
    const stored = await records.accountOf(systemGrant('resolve-identity', { item: reference }, now), reference);
    if (stored === undefined) return false;
    if (reference.startsWith('Patient/')) return !stored.isOff;
    const roles = stored.roles.map((role) => openedResource<PractitionerRole>(role));
    return mayAct(openedResource<Practitioner>(stored.row), roles, now);
  };
}

/** The resource of an account: a patient signs in as an identity, and is one Patient with others at present. */
export function accountResource({ records, clock }: Deps) {
  return async (reference: string): Promise<string> => {
    if (!reference.startsWith('Patient/')) return reference;
    const reading = systemReading('resolve-identity', clock.now());
    return (await identityAt(records, reading, reference))?.present ?? reference;
  };
}

/** Of whom an account is: the Patient that she is at present, or whom she represents; undefined of a professional. */
export function accountPatient({ records, clock, timeZone }: AccountDeps) {
  const representative = representativeAt({ records, clock, timeZone });
  const resource = accountResource({ records, clock });
  return async (reference: string): Promise<string | undefined> => {
    if (reference.startsWith('RelatedPerson/')) return (await representative(reference))?.present;
    return reference.startsWith('Patient/') ? await resource(reference) : undefined;
  };
}

function displayOf({ name: [name] = [] }: Patient | Practitioner): string {
  return [...(name?.prefix ?? []), ...(name?.given ?? []), name?.family ?? ''].join(' ').trim();
}

function commonOf(proved: ProvedIdentity, usual: string) {
  const { clientId, scopes, authTime, tokenId, assertion, accessToken, purpose = usual } = proved;
  return {
    clientId,
    scopes,
    purpose: purposeOf(purpose),
    ...(authTime === undefined ? {} : { authTime }),
    ...(tokenId === undefined ? {} : { tokenId }),
    ...(assertion === undefined ? {} : { assertion }),
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

/** It is not kept: of the patient's age, her birth date and the row nothing tells when they change. */
function representativeOf(
  found: Representative | undefined,
  proved: ProvedIdentity,
  account: string,
  { region, timeZone }: { readonly region: Directory; readonly timeZone: string },
): Resolved {
  if (found === undefined) throw gone();
  const { related, person, patient, until, of } = found;
  const display = displayNameOf(related) ?? '';
  const requester = { kind: 'representative', related: account, patient, person, until, display } as const;
  const { reachPrivateBelowAge: age } = region.representatives;
  const ofChildUntil = age === undefined ? undefined : birthdayOf(of.birthDate, age, timeZone);
  const ofChild = ofChildUntil === undefined ? {} : { ofChildUntil };
  return { requester: { ...requester, ...ofChild, ...commonOf(proved, 'FAMRQT') }, until: 0 };
}

function practitionerOf(
  stored: StoredAccount,
  proved: ProvedIdentity,
  account: string,
  { now, region }: { readonly now: number; readonly region: Directory },
): Resolved {
  const practitioner = openedResource<Practitioner>(stored.row);
  const roles = stored.roles.map((role) => openedResource<PractitionerRole>(role));
  if (!mayAct(practitioner, roles, now)) throw gone();
  const [{ prefix = [], given = [], family = '' } = {}] = practitioner.name ?? [];
  const requester: Requester = {
    kind: 'practitioner',
    practitioner: account,
    display: [...prefix, ...given, family].join(' ').trim(),
    roles: heldRoles(roles, now, region),
    ...(isOutsideCare(roles, now, region) ? { isOutsideCare: true } : {}),
    breakGlass: region.breakGlass,
    ...commonOf(proved, 'TREAT'),
  };
  return { requester, until: nextTurn(roles, now) };
}

function gone(): Fault {
  return new Fault('login', 'The account is not known any more');
}
