/** What the warrant of a plan rests on and reaches, looked up in the transaction of the plan. */
import type { ClientSession } from 'mongodb';
import type { PersonKey } from '../../../access/requester.ts';
import { OPEN_STATE, type PatientState } from '../../../access/decide.ts';
import type { HeldRight } from '../../../access/basis.ts';
import type { WarrantTerms } from '../../../access/warrant.ts';
import type { CommitPlan, InstanceRow } from '../../../ports/commit-plan.ts';
import { requireWarranted, warrantedKeys, type StandingOwner, type WarrantedKeys } from '../../warranted.ts';
import type { Collections } from '../collections.ts';
import type { PersonDocument, RowDocument, StoredRow } from '../documents.ts';
import { tokenKeyOf } from '../tokens.ts';
import { toState } from './acl-rows.ts';
import { standingRow } from './row-changes.ts';

/**
 * Checks a plan against its warrant. `standing` are the rows that the plan puts and deletes, as they are before it.
 * What is read of a person stays so until the plan is committed, as every write that concerns her counts on her
 * document.
 * @throws {Fault} as requireWarranted
 */
export async function requireWarrant(
  collections: Collections,
  terms: WarrantTerms,
  plan: CommitPlan,
  standing: ReadonlyMap<string, StoredRow>,
  session: ClientSession,
): Promise<void> {
  const keys = warrantedKeys(terms, plan);
  const tokens = await readTokens(collections, keys, session);
  const erased = await readErasedRows(collections, keys, session);
  const { accounts, states } = await readAccounts(collections, keys, session);
  const rights = await readHeldRights(collections, keys, session);
  const instances = await readErased(collections, keys, session);
  const present = await readPresent(collections, plan, session);
  requireWarranted(terms, plan, {
    tokenExpiry: ({ model, id }) => tokens.get(tokenKeyOf(model, id)),
    account: (reference) => accounts.get(reference),
    stateOf: (person) => states.get(person) ?? OPEN_STATE,
    rightsTo: (person, item) => rights.get(`${person} ${item}`) ?? [],
    row: (key) => ownerOf(standingRow(standing.get(key)) ?? erased.get(key)),
    instance: (sopInstanceUID) => instances.get(sopInstanceUID),
    presentOf: (home) => present.get(home) ?? home,
  });
}

/** Who the persons are at present whose switches turn. */
async function readPresent(
  { persons }: Collections,
  { states = [] }: CommitPlan,
  session: ClientSession,
): Promise<ReadonlyMap<string, string>> {
  const homes = states.filter(({ change }) => Object.keys(change).length > 0).map(({ person }) => person);
  if (homes.length === 0) return new Map();
  const found = await persons
    .find({ _id: { $in: homes }, mergedInto: { $exists: true } }, { session, projection: { mergedInto: 1 } })
    .toArray();
  return new Map(found.map(({ _id, mergedInto = _id }) => [_id, mergedInto]));
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

/** What rows say of whose they are. */
type OwnerDocument = Pick<RowDocument, '_id' | 'person' | 'parent' | 'tok'>;

async function readErasedRows(
  { standing }: Collections,
  { erasedRows: keys }: WarrantedKeys,
  session: ClientSession,
): Promise<ReadonlyMap<string, OwnerDocument>> {
  if (keys.length === 0) return new Map();
  const projection = { person: 1, parent: 1, tok: 1 };
  const found = await standing
    .find({ _id: { $in: [...keys] }, gone: { $exists: false } }, { session, projection, batchSize: keys.length + 1 })
    .toArray();
  return new Map(found.map((row) => [row._id, row]));
}

function ownerOf(row: OwnerDocument | undefined): StandingOwner | undefined {
  if (row === undefined) return undefined;
  const { person, parent, tok } = row;
  const names = (value: string): boolean => tok.some((key) => (JSON.parse(key) as readonly unknown[])[2] === value);
  return { person, parent, names };
}

type Account = { readonly person: PersonKey | undefined; readonly isActive: boolean };
type FoundAccount = Pick<RowDocument, '_id' | 'person' | 'json'> & { readonly state: readonly PersonDocument[] };

/** Accounts with the states of their persons in one aggregation; states of others only where they are asked. */
async function readAccounts(
  { standing, persons }: Collections,
  { accounts: keys, persons: asked }: WarrantedKeys,
  session: ClientSession,
): Promise<{ accounts: ReadonlyMap<string, Account>; states: ReadonlyMap<PersonKey, PatientState> }> {
  const found =
    keys.length === 0
      ? []
      : await standing
          .aggregate<FoundAccount>(
            [
              { $match: { _id: { $in: [...keys] }, gone: { $exists: false } } },
              { $lookup: { from: persons.collectionName, localField: 'person', foreignField: '_id', as: 'state' } },
              { $project: { person: 1, json: 1, state: 1 } },
            ],
            { session },
          )
          .toArray();
  const seen = new Set(found.map(({ person }) => person));
  const others = asked.filter((person) => !seen.has(person));
  const further = others.length === 0 ? [] : await persons.find({ _id: { $in: others } }, { session }).toArray();
  return {
    accounts: new Map(found.map(({ _id, person, json }) => [_id, { person, isActive: !hasEnded(json) }])),
    states: new Map([...found.flatMap(({ state }) => state), ...further].map((one) => [one._id, toState(one)])),
  };
}

function hasEnded(json: string): boolean {
  return (JSON.parse(json) as { readonly active?: boolean }).active === false;
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
