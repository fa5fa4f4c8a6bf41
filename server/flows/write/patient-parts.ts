/**
 * A Patient as its establishment feeds it: by its identifier there (PIXm ITI-104), or by the id of that identity. What
 * is written is the identity; which person it is, and what her Patient says, follows.
 */
import type { Patient, Person, Resource } from '@medplum/fhirtypes';
import { identityContentOf, type IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import { checkNationalNumbers } from '../../../profiles/identity/national-numbers.ts';
import { Fault } from '../../../profiles/fault.ts';
import { isReservedSystem } from '../../../profiles/reserved-systems.ts';
import type { Requester } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import { identityAt, standingIdentity } from '../identity/identities.ts';
import { newIdentity, toKnownPatient } from '../identity/persons.ts';
import { placeIdentity } from '../identity/place-identity.ts';
import { refuseSuppressed } from '../erase/known-again/suppression.ts';
import { isSaid, saidAnew } from '../identity/said-anew.ts';
import type { WriteAct } from './act.ts';
import type { ActParts, Placed, Work, Written } from './work.ts';

type Identity = { readonly system: string; readonly value: string };

/** The steps of a type whose rows are persons. They are not deleted. */
export const PATIENT_HOOK = {
  keptAs: 'Person',
  opened: saidPatient,
  match: matchIdentity,
  find: findRetried,
  parts: patientParts,
  remove: refuseRemoval,
} as const;

/** The establishment that writes. @throws {Fault} forbidden - somebody else does */
export function organizationOf(requester: Requester): string {
  if (requester.kind !== 'establishment') throw new Fault('forbidden', 'Only an establishment writes this');
  return requester.organization;
}

/** The Patient as its source said it: what a patch changes. */
function saidPatient(row: InternalRow): Patient {
  return identityContentOf(openedResource<Person>(row)).said;
}

/**
 * Finds the identity of the establishment's own identifier, the one condition that is served.
 * @throws {Fault} required - the Patient has no such identifier
 * @throws {Fault} not-supported - another condition
 */
async function matchIdentity(work: Work, act: WriteAct, condition: URLSearchParams): Promise<InternalRow | undefined> {
  const system = systemOf(work);
  const pairs = [...condition];
  const [name, text = ''] = pairs[0] ?? [];
  const value = text.startsWith(`${system}|`) ? text.slice(system.length + 1) : '';
  if (pairs.length === 1 && name === 'identifier' && value === '') refuseForeign(work, text);
  const sent = 'resource' in act ? identityOf(act.resource, system).value : value;
  if (pairs.length !== 1 || name !== 'identifier' || value === '' || value !== sent)
    throw new Fault(
      'not-supported',
      'The condition of a Patient is the establishment’s own identifier of that Patient',
      {
        expression: 'Bundle.entry.request',
      },
    );
  return await rowOf(work, { system, value });
}

/** @throws {Fault} business-rule - the condition names an identifier of another’s domain, or of nobody’s */
function refuseForeign({ deps: { region } }: Work, text: string): void {
  const [system = ''] = text.split('|');
  const isNobodys = isReservedSystem(system) || system === region.affinityDomain.ownSystem;
  if (isNobodys || region.sourcesOf(system).length > 0)
    throw new Fault('business-rule', 'An establishment asserts identifiers of its own domain only', {
      expression: 'Patient.identifier',
    });
}

/**
 * The identity that a POST made when its transaction was sent before: it says what is sent.
 * @throws {Fault} conflict - POST of a Patient that stands
 */
async function findRetried(work: Work, resource: Resource): Promise<InternalRow | undefined> {
  const standing = await rowOf(work, identityOf(resource, systemOf(work)));
  if (standing === undefined) return undefined;
  const content = identityContentOf(openedResource<Person>(standing));
  const source = organizationOf(work.visit.requester);
  const said = cleaned(resource as Patient, content.id);
  if (work.isTransaction && isSaid(content, { said, source })) return standing;
  throw new Fault('conflict', 'A Patient with this identifier stands already');
}

async function refuseRemoval(): Promise<never> {
  throw new Fault('not-supported', 'A Patient is not deleted');
}

function systemOf({ deps, visit }: Work): string {
  return deps.region.domainOf(organizationOf(visit.requester)).patientIdSystem;
}

async function rowOf({ deps, reading }: Work, { system, value }: Identity): Promise<InternalRow | undefined> {
  const patient = await claimOf(deps.records, reading, claimKey.identity(system, value));
  if (patient === undefined) return undefined;
  return await rowById(deps.records, reading, 'Person', patient.slice('Patient/'.length));
}

function identityOf(resource: Resource, system: string): Identity {
  const { identifier } = resource as Patient;
  const value = identifier?.find((one) => one.system === system)?.value;
  if (value === undefined || value === '')
    throw new Fault('required', 'The Patient has no identifier of the establishment’s own system', {
      expression: 'Patient.identifier',
    });
  return { system, value };
}

/**
 * Works out the parts of a Patient.
 * @throws {Fault} conflict - another Patient has the identifier, or the Patient had another one
 * @throws {Fault} invalid - a national number that cannot be one
 */
async function patientParts(work: Work, { placed, resource }: Written): Promise<ActParts> {
  const { deps, visit, now } = work;
  const own = identityOf(resource, systemOf(work));
  checkNationalNumbers(resource as Patient);
  if (placed.act.id !== undefined) await requireIdentity(work, placed, own);
  const standing = placed.standing === undefined ? undefined : standingIdentity(placed.standing);
  const said = cleaned(resource as Patient, placed.id);
  const source = organizationOf(visit.requester);
  const replaced = await replacementOf(work, said);
  const content =
    standing === undefined
      ? newIdentity({ id: placed.id, own, source, fromImage: false, said, ...replaced }, now)
      : saidAnew(standing.content, { said, source, ...replaced }, now);
  const { person, present, touched, reached, reviewed, parts } = await placeIdentity(deps, { content, standing }, now);
  if (person === content.home && saysAnew(content, standing?.content)) await refuseSuppressed(deps, content, now);
  const version = placed.standing?.version ?? 1;
  const known = toKnownPatient({ content, person, present, version });
  return { subject: present, person, touched, reached, reviewed, known, parts };
}

/** Whether numbers or traits are said that were not: of somebody who was erased they may come one after the other. */
function saysAnew({ said }: IdentityContent, standing: IdentityContent | undefined): boolean {
  const whoIs = ({ identifier, name, birthDate, gender }: Patient): string =>
    JSON.stringify([identifier, name, birthDate, gender]);
  return standing === undefined || whoIs(said) !== whoIs(standing.said);
}

/**
 * The identity that a merge names: another of the same source, which takes over what is filed under this one. The next
 * update without it undoes the merge. @see IHE PIXm ITI-104, 2:3.104.4.1.3.2
 * @throws {Fault} business-rule - the link names no other identity of the establishment, or one that was merged into
 *   this one, or the Patient is still active
 */
async function replacementOf(
  work: Work,
  { id, active, link = [] }: Patient,
): Promise<{ readonly replacedBy?: string }> {
  const { deps, reading, visit } = work;
  const [replacing, ...others] = link.filter(({ type }) => type === 'replaced-by');
  if (replacing === undefined) return {};
  const refusal = new Fault(
    'business-rule',
    'A merge names one other Patient of the establishment, and sets active to false',
    {
      expression: 'Patient.link',
    },
  );
  if (active !== false || others.length > 0) throw refusal;
  const { reference = '', identifier } = replacing.other;
  const named =
    identifier?.system === undefined || identifier.value === undefined
      ? reference
      : await claimOf(deps.records, reading, claimKey.identity(identifier.system, identifier.value));
  const other = named === undefined ? undefined : await identityAt(deps.records, reading, named);
  const isOwn = other?.content.sources.includes(organizationOf(visit.requester)) === true;
  if (other === undefined || !isOwn || (await leadsTo(work, other.content, id))) throw refusal;
  return { replacedBy: other.content.id };
}

/** Merges one after the other, which are followed. */
const MOST_MERGES = 20;

/** Whether an identity is one (id), or was merged into it: no Patient would be left of identities in a circle. */
async function leadsTo({ deps, reading }: Work, from: IdentityContent, id: string | undefined): Promise<boolean> {
  let at: IdentityContent | undefined = from;
  for (let merges = 0; at !== undefined && merges < MOST_MERGES; merges += 1) {
    if (at.id === id) return true;
    const { replacedBy }: IdentityContent = at;
    if (replacedBy === undefined) return false;
    at = (await identityAt(deps.records, reading, replacedBy))?.content;
  }
  return at !== undefined;
}

/** An id is not looked up by the identity, so the two are compared. */
async function requireIdentity(
  { deps, reading }: Work,
  { id, standing }: Placed,
  { system, value }: Identity,
): Promise<void> {
  const held = await claimOf(deps.records, reading, claimKey.identity(system, value));
  if (held === (standing === undefined ? undefined : `Patient/${id}`)) return;
  throw new Fault('conflict', 'Another Patient has this identifier, or the Patient had another one', {
    expression: 'Patient.identifier',
  });
}

/** Labels are not the sender's to set on a Patient, nor is an extension of ours. */
function cleaned(resource: Patient, id: string): Patient {
  const { meta, extension = [], ...rest } = resource;
  const kept = extension.filter(({ url }) => !url.startsWith('urn:passerelle:'));
  return {
    ...rest,
    ...(kept.length === 0 ? {} : { extension: kept }),
    id,
    ...(meta?.profile === undefined ? {} : { meta: { profile: meta.profile } }),
  };
}
