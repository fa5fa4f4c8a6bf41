/**
 * From what a token, an assertion or an association proves to who asks: a professional, a patient, an establishment.
 */
import type { Patient, Practitioner, PractitionerRole } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { systemGrant, type SystemGrant } from '../../access/grant.ts';
import { purposeOf } from '../../access/purpose.ts';
import type { Requester, Role } from '../../access/requester.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { findAll, findById } from '../study/study-content.ts';

/** What was proved. `account` is `Patient/id` or `Practitioner/id`, `organization` is `Organization/id`. */
export type ProvedIdentity = {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly account?: string;
  readonly organization?: string;
  readonly authTime?: number;
  readonly tokenId?: string;
  /** Claimed purpose of use; without one the usual purpose of the subject. */
  readonly purpose?: string;
};

type Deps = { readonly records: RecordStore; readonly clock: Clock };

/** An account that a person signs in to. */
export type Account = { readonly reference: string; readonly display: string };

/** Roles whose coding says that the professional reads images. */
const RADIOLOGIST_CODES = new Set(['G15_10/SM44', 'SM44', 'SM28']);

/**
 * Resolves a requester.
 * @throws {Fault} login - the account is not in the directory any more
 * @throws {Fault} forbidden - the claimed purpose is not one that exams are shared for
 */
export function resolveRequester({ records, clock }: Deps) {
  return async (proved: ProvedIdentity): Promise<Requester> => {
    const grant = systemGrant('resolve-identity', clock.now());
    if (proved.account?.startsWith('Patient/') === true) return await patientOf(records, grant, proved, proved.account);
    if (proved.account !== undefined) return await practitionerOf(records, grant, proved, proved.account);
    if (proved.organization === undefined) throw new Fault('login', 'The token names nobody');
    return {
      kind: 'establishment',
      organization: proved.organization,
      display: proved.clientId,
      ...commonOf(proved, 'TREAT'),
    };
  };
}

/** Finds the account of an identifier: the Patient or Practitioner that bears it. */
export function findAccount({ records, clock }: Deps) {
  return async (kind: 'patient' | 'practitioner', system: string, value: string): Promise<Account | undefined> => {
    const grant = systemGrant('resolve-identity', clock.now());
    const type = kind === 'patient' ? 'Patient' : 'Practitioner';
    const named: Criterion = { kind: 'token', param: 'identifier', values: [{ system, code: value }] };
    const [first] = (await findAll<Patient | Practitioner>(records, grant, type, [named])).toSorted((a, b) =>
      a.row.id < b.row.id ? -1 : 1,
    );
    if (first === undefined) return undefined;
    const [name] = first.resource.name ?? [];
    return {
      reference: `${type}/${first.row.id}`,
      display: [...(name?.prefix ?? []), ...(name?.given ?? []), name?.family ?? ''].join(' ').trim(),
    };
  };
}

function commonOf(proved: ProvedIdentity, usual: string) {
  const { clientId, scopes, authTime, tokenId, purpose = usual } = proved;
  return {
    clientId,
    scopes,
    purpose: purposeOf(purpose),
    ...(authTime === undefined ? {} : { authTime }),
    ...(tokenId === undefined ? {} : { tokenId }),
  };
}

async function patientOf(
  records: RecordStore,
  grant: SystemGrant,
  proved: ProvedIdentity,
  account: string,
): Promise<Requester> {
  const found = await findById<Patient>(records, grant, 'Patient', account.slice('Patient/'.length));
  if (found?.row.person === undefined) throw gone();
  const { accountOff } = await records.stateOf(grant, found.row.person);
  if (accountOff) throw gone();
  return {
    kind: 'patient',
    patient: account,
    person: found.row.person,
    display: 'patient',
    ...commonOf(proved, 'PATRQT'),
  };
}

async function practitionerOf(
  records: RecordStore,
  grant: SystemGrant,
  proved: ProvedIdentity,
  account: string,
): Promise<Requester> {
  const found = await findById<Practitioner>(records, grant, 'Practitioner', account.slice('Practitioner/'.length));
  if (found === undefined || found.resource.active === false) throw gone();
  const [name] = found.resource.name ?? [];
  const display = [...(name?.prefix ?? []), ...(name?.given ?? []), name?.family ?? ''].join(' ').trim();
  return {
    kind: 'practitioner',
    practitioner: account,
    display,
    roles: await rolesOf(records, grant, account),
    ...commonOf(proved, 'TREAT'),
  };
}

async function rolesOf(records: RecordStore, grant: SystemGrant, practitioner: string): Promise<Role[]> {
  const own: Criterion = { kind: 'reference', param: 'practitioner', values: [practitioner] };
  const found = await findAll<PractitionerRole>(records, grant, 'PractitionerRole', [own]);
  return found.flatMap(({ resource }) => {
    if (resource.active === false || resource.organization?.reference === undefined) return [];
    return [{ organization: resource.organization.reference, radiologist: isRadiologist(resource) }];
  });
}

function isRadiologist({ code = [], specialty = [] }: PractitionerRole): boolean {
  return [...code, ...specialty].some(({ coding = [] }) =>
    coding.some(({ code }) => code !== undefined && RADIOLOGIST_CODES.has(code)),
  );
}

function gone(): Fault {
  return new Fault('login', 'The account is not known any more');
}
