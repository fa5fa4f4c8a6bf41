/** The record store on MongoDB. */
import type { ClientSession } from 'mongodb';
import { requireGrant, type AnyGrant, type Grant, type SystemGrant } from '../../access/grant.ts';
import type { PatientState } from '../../access/decide.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Principal, Right } from '../../access/right.ts';
import { termsOf, type Warrant } from '../../access/warrant.ts';
import { requireEvents, requireQuestion } from '../../ports/bounds.ts';
import type { ClaimKey } from '../../ports/claim-key.ts';
import type { CommitPlan, CommitReceipt, QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { JobRequest } from '../../ports/job-queue.ts';
import type {
  AnswerTo,
  Audited,
  InternalAnswerTo,
  InternalInstance,
  InternalQuestion,
  Passage,
  Question,
  RecordStore,
  StoredAccount,
} from '../../ports/record-store.ts';
import type { Events, Telling } from '../../ports/telling.ts';
import { asideAsked, requireBound, requireBoundQuestion } from '../granted.ts';
import { grantOfPassage, passageUnder } from '../passage.ts';
import { insertAudit } from './audit/audit.ts';
import type { Collections } from './collections.ts';
import { commitPlan } from './write/commit.ts';
import { asStore } from './errors.ts';
import { readAccount } from './read/account.ts';
import { homesOf } from './read/homes.ts';
import { readInstance } from './read/instances.ts';
import { deletedOf } from './read/history.ts';
import { readQuarantine } from './read/quarantine.ts';
import { readRights, readState } from './write/persons.ts';
import { answer, listBlobNames } from './read/read.ts';
import { readerOf } from './read/reader.ts';
import { shownRows } from './read/shown-rows.ts';
import { inTransaction } from './transaction.ts';
import type { Turns } from './write/turns.ts';

/** The record store over one connection. */
export class MongoRecordStore implements RecordStore {
  readonly #collections: Collections;
  readonly #close: () => Promise<void>;
  readonly #turns: Turns;
  readonly #asked: (jobs: readonly JobRequest[]) => void;

  /** `asked` is told of the jobs of each plan. */
  constructor(
    collections: Collections,
    turns: Turns,
    asked: (jobs: readonly JobRequest[]) => void,
    close: () => Promise<void>,
  ) {
    this.#collections = collections;
    this.#turns = turns;
    this.#asked = asked;
    this.#close = close;
  }

  async commit(warrant: Warrant, plan: CommitPlan): Promise<CommitReceipt> {
    const receipt = await commitPlan(this.#collections, this.#turns, termsOf(warrant), plan);
    this.#asked(plan.jobs ?? []);
    return receipt;
  }

  async look<Q extends Question>(
    grant: Grant,
    question: Q,
    account: Telling<AnswerTo<Q>, Events>,
  ): Promise<Audited<AnswerTo<Q>>> {
    requireGrant(grant);
    return { answer: await this.#recorded(grant, question, grant.now, account), passage: passageUnder(grant) };
  }

  async follow<Q extends Question>(
    passage: Passage,
    question: Q,
    now: number,
    account?: Telling<AnswerTo<Q>>,
  ): Promise<AnswerTo<Q>> {
    const grant = grantOfPassage(passage);
    return await (account === undefined
      ? this.#read(grant, question, now)
      : this.#recorded(grant, question, now, account));
  }

  async peek<Q extends InternalQuestion>(grant: SystemGrant, question: Q): Promise<InternalAnswerTo<Q>> {
    requireBoundQuestion(grant, question);
    // The same rows: what may be done with them is what their type says.
    return (await this.#read<Question>(grant, question, grant.now)) as InternalAnswerTo<Q>;
  }

  async accountOf(grant: SystemGrant, reference: string): Promise<StoredAccount | undefined> {
    requireBound(grant, { item: reference });
    return await asStore(() => readAccount(this.#collections, grant, reference));
  }

  /** Other processes write, too: nothing is kept. */
  accessVersion(): undefined {
    return undefined;
  }

  /** Two plans that expect no match conflict (write/matches.ts). */
  async moment(): Promise<number> {
    return 0;
  }

  async claimed(grant: SystemGrant, key: ClaimKey): Promise<string | undefined> {
    requireBound(grant, { item: key });
    return (await asStore(() => this.#collections.claims.findOne({ _id: key })))?.value;
  }

  async claimedAmong(grant: SystemGrant, keys: readonly ClaimKey[]): Promise<ReadonlyMap<ClaimKey, string>> {
    requireBound(grant, 'whole');
    const found = await asStore(() => this.#collections.claims.find({ _id: { $in: [...keys] } }).toArray());
    return new Map(found.map(({ _id, value }) => [_id as ClaimKey, value]));
  }

  async instanceOf(grant: SystemGrant, sopInstanceUID: string): Promise<InternalInstance | undefined> {
    requireBound(grant, { item: sopInstanceUID });
    const found = await asStore(() => readInstance(this.#collections, sopInstanceUID));
    return found as InternalInstance | undefined;
  }

  async hasInstances(grant: SystemGrant, person: PersonKey, subject: string): Promise<boolean> {
    requireBound(grant, { person });
    const projection = { _id: 1 } as const;
    const found = await asStore(() => this.#collections.instances.findOne({ person, subject }, { projection }));
    return found !== null;
  }

  quarantined(grant: SystemGrant): AsyncIterable<QuarantinedInstance> {
    return readQuarantine(this.#collections, asideAsked(grant));
  }

  async deletedOf(grant: SystemGrant, person: PersonKey): ReturnType<RecordStore['deletedOf']> {
    requireBound(grant, { person });
    return await asStore(() => deletedOf(this.#collections, person));
  }

  async rightsOf(grant: SystemGrant, person: PersonKey, item?: string): Promise<readonly Right[]> {
    requireBound(grant, { person });
    return await asStore(() => readRights(this.#collections, person, grant.now, item));
  }

  async shownTo(grant: SystemGrant, principals: readonly Principal[]): Promise<number> {
    requireBound(grant, 'whole');
    return await asStore(() => shownRows(this.#collections, principals, grant.now));
  }

  async stateOf(grant: SystemGrant, person: PersonKey): Promise<PatientState> {
    requireBound(grant, { person });
    return await asStore(() => readState(this.#collections, person));
  }

  /**
   * The server overwrites and compacts its files on its own; its oplog keeps what it kept for as long as it is set to.
   */
  async forget(): Promise<void> {}

  blobNames(grant: SystemGrant): AsyncIterable<string> {
    requireBound(grant, 'whole');
    return listBlobNames(this.#collections);
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async #recorded<Q extends Question>(
    grant: Grant,
    question: Q,
    now: number,
    account: Telling<AnswerTo<Q>>,
  ): Promise<AnswerTo<Q>> {
    requireQuestion(question);
    const collections = this.#collections;
    return await inTransaction(collections, async (session, attempt) => {
      const found = await answer(await readerOf({ collections, session, grant, now }), question);
      const events = account(found, await homesOf({ collections, session }, found));
      requireEvents(events);
      if (events.length > 0) await insertAudit(collections, events, { session, attempt });
      return found;
    });
  }

  async #read<Q extends Question>(grant: AnyGrant, question: Q, now: number): Promise<AnswerTo<Q>> {
    requireQuestion(question);
    const collections = this.#collections;
    const work = async (session: ClientSession): Promise<AnswerTo<Q>> =>
      await answer(await readerOf({ collections, session, grant, now }), question);
    return await inTransaction(collections, work, noResult);
  }
}

/** A read changes nothing: when its commit is unknown, it is read again. */
async function noResult(): Promise<undefined> {
  return undefined;
}
