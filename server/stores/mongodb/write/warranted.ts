/** What the warrant of a plan rests on and reaches, looked up in the transaction of the plan. */
import type { ClientSession } from 'mongodb';
import type { PersonKey } from '../../../access/requester.ts';
import { OPEN_STATE, type PatientState } from '../../../access/decide.ts';
import type { HeldRight } from '../../../access/basis.ts';
import type { WarrantTerms } from '../../../access/warrant.ts';
import type { CommitPlan, InstanceRow } from '../../../ports/commit-plan.ts';
import { requireWarranted, warrantedKeys, type StandingOwner, type WarrantedKeys } from '../../warranted.ts';
import type { Collections } from '../collections.ts';
import type { RowDocument } from '../documents.ts';
import { tokenKeyOf } from '../tokens.ts';
import { toState } from './acl-rows.ts';

/**
 * Checks a plan against its warrant. What is read of a person stays so until the plan is committed, as every write that
 * concerns her counts on her document.
 * @throws {Fault} as requireWarranted
 */
export async function requireWarrant(
  collections: Collections,
  terms: WarrantTerms,
  plan: CommitPlan,
  session: ClientSession,
): Promise<void> {
  const keys = warrantedKeys(terms, plan);
  const tokens = await readTokens(collections, keys, session);
  const rows = await readRows(collections, terms, keys, session);
  const accounts = await readAccounts(collections, keys, session);
  const accountPersons = keys.accounts.flatMap((key) => accounts.get(key)?.person ?? []);
  const states = await readStates(collections, [...new Set([...keys.persons, ...accountPersons])], session);
  const rights = await readHeldRights(collections, keys, session);
  const instances = await readErased(collections, keys, session);
  requireWarranted(terms, plan, {
    tokenExpiry: ({ model, id }) => tokens.get(tokenKeyOf(model, id)),
    account: (reference) => accounts.get(reference),
    stateOf: (person) => states.get(person) ?? OPEN_STATE,
    rightsTo: (person, item) => rights.get(`${person} ${item}`) ?? [],
    row: (key) => rows.get(key),
    instance: (sopInstanceUID) => instances.get(sopInstanceUID),
  });
}

async function readTokens(
  { tokens }: Collections,
  { tokens: asked }: WarrantedKeys,
  session: ClientSession,
): Promise<ReadonlyMap<string, number | undefined>> {
  if (asked.length === 0) return new Map();
  const keys = asked.map(({ model, id }) => tokenKeyOf(model, id));
  const found = await tokens.find({ _id: { $in: keys } }, { session }).toArray();
  return new Map(found.map(({ _id, expiresAt }) => [_id, expiresAt]));
}

/** Only a warrant that is bound to a study asks what rows say of themselves. */
async function readRows(
  { standing }: Collections,
  { reaches }: WarrantTerms,
  { rows: keys }: WarrantedKeys,
  session: ClientSession,
): Promise<ReadonlyMap<string, StandingOwner>> {
  if (keys.length === 0) return new Map();
  const isOfStudy = reaches.some(({ whose }) => 'study' in whose);
  const projection = { person: 1, parent: 1, ...(isOfStudy ? { tok: 1 } : {}) };
  const found = await standing
    .find({ _id: { $in: [...keys] }, gone: { $exists: false } }, { session, projection, batchSize: keys.length + 1 })
    .toArray();
  return new Map(found.map((row) => [row._id, toOwner(row)]));
}

function toOwner({ person, parent, tok }: Pick<RowDocument, 'person' | 'parent' | 'tok'>): StandingOwner {
  const names = (value: string): boolean => tok.some((key) => (JSON.parse(key) as readonly unknown[])[2] === value);
  return { person, parent, names };
}

type Account = { readonly person: PersonKey | undefined; readonly isActive: boolean };

async function readAccounts(
  { standing }: Collections,
  { accounts: keys }: WarrantedKeys,
  session: ClientSession,
): Promise<ReadonlyMap<string, Account>> {
  if (keys.length === 0) return new Map();
  const projection = { person: 1, json: 1 };
  const found = await standing
    .find({ _id: { $in: [...keys] }, gone: { $exists: false } }, { session, projection })
    .toArray();
  return new Map(found.map(({ _id, person, json }) => [_id, { person, isActive: !hasEnded(json) }]));
}

function hasEnded(json: string): boolean {
  return (JSON.parse(json) as { readonly active?: boolean }).active === false;
}

async function readStates(
  { persons }: Collections,
  keys: readonly PersonKey[],
  session: ClientSession,
): Promise<ReadonlyMap<PersonKey, PatientState>> {
  if (keys.length === 0) return new Map();
  const found = await persons.find({ _id: { $in: [...keys] } }, { session }).toArray();
  return new Map(found.map((person) => [person._id, toState(person)]));
}

async function readHeldRights(
  { rights }: Collections,
  { rights: asked }: WarrantedKeys,
  session: ClientSession,
): Promise<ReadonlyMap<string, readonly HeldRight[]>> {
  if (asked.length === 0) return new Map();
  const found = await rights.find({ $or: asked.map(({ person, item }) => ({ person, item })) }, { session }).toArray();
  return Map.groupBy(found, ({ person, item }) => `${person} ${item}`);
}

async function readErased(
  { instances }: Collections,
  { instances: uids }: WarrantedKeys,
  session: ClientSession,
): Promise<ReadonlyMap<string, Pick<InstanceRow, 'studyInstanceUID' | 'person'>>> {
  if (uids.length === 0) return new Map();
  const projection = { studyInstanceUID: 1, person: 1 };
  const found = await instances.find({ _id: { $in: [...uids] } }, { session, projection }).toArray();
  return new Map(found.map(({ _id, studyInstanceUID, person }) => [_id, { studyInstanceUID, person }]));
}
