/** RecordStore on SQLite: reads on this thread, writes by the writer thread, AuditEvents from their own file. */
import { setTimeout as pause } from 'node:timers/promises';
import { partCriteria } from '../../../profiles/audit/told-by-event.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { PatientState } from '../../access/decide.ts';
import {
  grantAt,
  requireGrant,
  termsOfGrant,
  type AnyGrant,
  type Grant,
  type SystemGrant,
} from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Principal, Right } from '../../access/right.ts';
import { termsOf, type Warrant } from '../../access/warrant.ts';
import { requireEvents, requirePlan, requireQuestion } from '../../ports/bounds.ts';
import type { ClaimKey } from '../../ports/claim-key.ts';
import type { CommitPlan, CommitReceipt, Precondition, Put, QuarantinedInstance } from '../../ports/commit-plan.ts';
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
  RowVersion,
  SearchPage,
  StoredAccount,
  VisibleRow,
} from '../../ports/record-store.ts';
import type { Events, Telling } from '../../ports/telling.ts';
import { asideAsked, requireBound, requireBoundQuestion } from '../granted.ts';
import { grantOfPassage, passageUnder } from '../passage.ts';
import { isOfShownVersions } from '../patient-versions.ts';
import { unstamped } from '../stamp.ts';
import { hydrateEvent } from './audit/audit-rows.ts';
import { officeOf, officeWhere } from './audit/office.ts';
import { lacksEarlier } from './audit/earlier-events.ts';
import { AccessVersion } from './access-version.ts';
import type { Database } from './database.ts';
import { storedAccount } from './read/account.ts';
import { Barring } from './read/barring.ts';
import { homesOf } from './read/homes.ts';
import { instanceOf, studyInstances, studyMetadata } from './read/instances.ts';
import { rightsOf, rightsTo, stateOf } from './rights/materialise.ts';
import type { WireCondition, WirePut } from './write/protocol.ts';
import { studyParts } from './read/parts.ts';
import { readQuarantine } from './read/quarantine.ts';
import { search } from './read/search.ts';
import { shownRows } from './read/shown-rows.ts';
import { deletedOf, readHistory, rowOrVersion } from './read/history.ts';
import { patientHistory, patientVersion } from './read/patient-versions.ts';
import { rowsAsSeen } from './read/patients.ts';
import { newestRid, visibleRow, visibleWithItem } from './read/visible.ts';
import { toWireAudit } from './audit/wire-audit.ts';
import { ofAllPatients, ofIdentities } from './audit/readers.ts';
import { eventsTelling } from './audit/telling-events.ts';
import type { Writers } from './write/writers.ts';

/** Reads are short: one that is in the way of a checkpoint has soon gone by. */
const BUSY_TRIES = 50;
const BUSY_PAUSE_MS = 100;

type ResourceQuestion = Extract<Question, { kind: 'resource' }>;

/** The adapter. */
export class SqliteRecordStore implements RecordStore {
  readonly #records: Database;
  readonly #trail: Database;
  readonly #writers: Writers;
  readonly #accessVersion: AccessVersion;
  readonly #barring: Barring;
  readonly #asked: (jobs: readonly JobRequest[]) => void;

  /** `asked` is told of the jobs of each plan. */
  constructor(records: Database, trail: Database, writers: Writers, asked: (jobs: readonly JobRequest[]) => void) {
    this.#records = records;
    this.#trail = trail;
    this.#writers = writers;
    this.#accessVersion = new AccessVersion(records, writers.commits);
    this.#barring = new Barring(records, () => this.#accessVersion.read());
    this.#asked = asked;
  }

  async commit(warrant: Warrant, plan: CommitPlan): Promise<CommitReceipt> {
    const terms = termsOf(warrant);
    requirePlan(plan);
    const { preconditions = [], puts = [], audit = [], ...rest } = plan;
    const conditions = preconditions.map(toWireCondition);
    const wire = { ...rest, preconditions: conditions, puts: puts.map(toWirePut), audit: audit.map(toWireAudit) };
    const receipt = await this.#writers.records.send('commit', { terms, plan: wire });
    this.#asked(plan.jobs ?? []);
    return receipt;
  }

  async look<Q extends Question>(
    grant: Grant,
    question: Q,
    account: Telling<AnswerTo<Q>, Events>,
  ): Promise<Audited<AnswerTo<Q>>> {
    requireGrant(grant);
    return { answer: await this.#recorded(grant, question, account), passage: passageUnder(grant) };
  }

  async follow<Q extends Question>(
    passage: Passage,
    question: Q,
    now: number,
    account?: Telling<AnswerTo<Q>>,
  ): Promise<AnswerTo<Q>> {
    const grant = grantAt(grantOfPassage(passage), now);
    return await (account === undefined ? this.#answer(grant, question) : this.#recorded(grant, question, account));
  }

  async peek<Q extends InternalQuestion>(grant: SystemGrant, question: Q): Promise<InternalAnswerTo<Q>> {
    requireBoundQuestion(grant, question);
    // The same rows: what may be done with them is what their type says.
    return (await this.#answer<Question>(grant, question)) as InternalAnswerTo<Q>;
  }

  async accountOf(grant: SystemGrant, reference: string): Promise<StoredAccount | undefined> {
    requireBound(grant, { item: reference });
    return storedAccount(this.#records, grant, reference);
  }

  accessVersion(): number {
    return this.#accessVersion.read();
  }

  async moment(): Promise<number> {
    return newestRid(this.#records);
  }

  async claimed(grant: SystemGrant, key: ClaimKey): Promise<string | undefined> {
    requireBound(grant, { item: key });
    return this.#records.get<{ value: string }>('SELECT value FROM claim WHERE key = ?', key)?.value;
  }

  async claimedAmong(grant: SystemGrant, keys: readonly ClaimKey[]): Promise<ReadonlyMap<ClaimKey, string>> {
    requireBound(grant, 'whole');
    const sql = 'SELECT c.key, c.value FROM json_each(?) j CROSS JOIN claim c ON c.key = j.value';
    const found = this.#records.all<{ key: ClaimKey; value: string }>(sql, JSON.stringify(keys));
    return new Map(found.map(({ key, value }) => [key, value]));
  }

  async instanceOf(grant: SystemGrant, sopInstanceUID: string): Promise<InternalInstance | undefined> {
    requireBound(grant, { item: sopInstanceUID });
    return instanceOf(this.#records, sopInstanceUID) as InternalInstance | undefined;
  }

  async hasInstances(grant: SystemGrant, person: PersonKey, subject: string): Promise<boolean> {
    requireBound(grant, { person });
    const sql = 'SELECT 1 FROM instance INDEXED BY instance_person WHERE person = ? AND subject = ? LIMIT 1';
    return this.#records.get(sql, person, subject) !== undefined;
  }

  async *quarantined(grant: SystemGrant): AsyncIterable<QuarantinedInstance> {
    yield* readQuarantine(this.#records, asideAsked(grant));
  }

  async rightsOf(grant: SystemGrant, person: PersonKey, item?: string): Promise<readonly Right[]> {
    requireBound(grant, { person });
    const rights = item === undefined ? rightsOf(this.#records, person) : rightsTo(this.#records, person, item);
    return rights.filter(({ to }) => to > grant.now);
  }

  async deletedOf(grant: SystemGrant, person: PersonKey): ReturnType<RecordStore['deletedOf']> {
    requireBound(grant, { person });
    return deletedOf(this.#records, person);
  }

  async shownTo(grant: SystemGrant, principals: readonly Principal[]): Promise<number> {
    requireBound(grant, 'whole');
    return shownRows(this.#records, principals, grant.now);
  }

  async stateOf(grant: SystemGrant, person: PersonKey): Promise<PatientState> {
    requireBound(grant, { person });
    return stateOf(this.#records, person);
  }

  /** Events that wait in the outbox hold what is to be forgotten, too: they are moved first. */
  async forget(): Promise<void> {
    await this.#writers.trail.send('head', undefined);
    const { records, trail } = this.#writers;
    for (const step of [
      async (from: number) => await records.send('forget', { from }),
      async (from: number) => await records.send('forgetTokens', { from }),
      async (from: number) => await trail.send('forget', { from }),
    ]) {
      let busy = 0;
      for (let from: number | undefined = 1; from !== undefined;) {
        const next: number | undefined | 'busy' = await step(from);
        if (next !== 'busy') [from, busy] = [next, 0];
        else if ((busy += 1) < BUSY_TRIES) await pause(BUSY_PAUSE_MS);
        else throw new Fault('transient', 'Readers hold on to what was erased; try again');
      }
    }
  }

  async *blobNames(grant: SystemGrant): AsyncIterable<string> {
    requireBound(grant, 'whole');
    const rows = this.#records.iterate<{ name: string }>(
      `SELECT blob_name AS name FROM instance UNION ALL SELECT blob_name FROM quarantine
       UNION ALL SELECT blob_name FROM resource WHERE blob_name IS NOT NULL
       UNION ALL SELECT blob_name FROM history WHERE blob_name IS NOT NULL`,
    );
    for (const { name } of rows) yield name;
  }

  async close(): Promise<void> {
    // The last connection moves the log into the file and removes it, if it may write: a stopped folder has no logs.
    this.#records.close();
    this.#trail.close();
    await this.#writers.close();
  }

  async #recorded<Q extends Question>(
    grant: AnyGrant,
    question: Q,
    account: Telling<AnswerTo<Q>>,
  ): Promise<AnswerTo<Q>> {
    const found = await this.#answer(grant, question);
    const events = account(found, homesOf(this.#records, found));
    requireEvents(events);
    if (events.length > 0) await this.#writers.record(events);
    return found;
  }

  async #answer<Q extends Question>(grant: AnyGrant, question: Q): Promise<AnswerTo<Q>> {
    requireQuestion(question);
    return (await this.#read(this.#barring.under(grant), question)) as AnswerTo<Q>;
  }

  async #read(grant: AnyGrant, question: Question): Promise<AnswerTo<Question>> {
    switch (question.kind) {
      case 'resource':
        return question.type === 'AuditEvent' ? await this.#event(grant, question) : this.#resource(grant, question);
      case 'search':
        return question.query.type === 'AuditEvent' ? await this.#events(grant, question) : this.#page(grant, question);
      case 'history':
        return inSnapshot(this.#records, () =>
          isOfShownVersions(grant, question)
            ? patientHistory(this.#records, grant, question)
            : readHistory(this.#records, grant, question),
        );
      case 'instances':
        return inSnapshot(this.#records, () => studyInstances(this.#records, grant, question));
      case 'metadata':
        return inSnapshot(this.#records, () => studyMetadata(this.#records, grant, question));
      case 'parts':
        return inSnapshot(this.#records, () => {
          const { included, ...parts } = studyParts(this.#records, grant, question);
          return { ...parts, included: rowsAsSeen(this.#records, grant, included) };
        });
    }
  }

  #resource(grant: AnyGrant, question: ResourceQuestion): RowVersion | undefined {
    if (question.version === undefined) {
      // One statement needs no transaction, and nearly every row that is asked for stands.
      const find = question.withItem === true ? visibleWithItem : visibleRow;
      const standing = find(this.#records, grant, question.type, question.id);
      if (standing !== undefined) return rowsAsSeen(this.#records, grant, [standing])[0];
      if (question.orDeleted !== true) return undefined;
    }
    const { version } = question;
    return inSnapshot(this.#records, () => {
      if (version !== undefined && isOfShownVersions(grant, question))
        return patientVersion(this.#records, grant, question.id, version);
      const found = rowOrVersion(this.#records, grant, question);
      return found && rowsAsSeen(this.#records, grant, [found])[0];
    });
  }

  #page(grant: AnyGrant, { query, after, skip }: Extract<Question, { kind: 'search' }>): SearchPage {
    return inSnapshot(this.#records, () => {
      const { rows, included, ...page } = search(this.#records, grant, query, after, skip);
      const asSeen = (some: SearchPage['rows']) => rowsAsSeen(this.#records, grant, some);
      return { ...page, rows: asSeen(rows), included: asSeen(included) };
    });
  }

  /** Events have one version. */
  async #event(grant: AnyGrant, { id, version = 1 }: ResourceQuestion): Promise<VisibleRow | undefined> {
    await this.#writers.trail.send('head', undefined);
    if (version !== 1) return undefined;
    const reader = { grant, office: officeOf(this.#records, grant) };
    // The event may be cut off meanwhile.
    return inSnapshot(this.#trail, () => {
      const row = visibleRow(this.#trail, ofIdentities(this.#trail, grant), 'AuditEvent', id);
      return row === undefined ? undefined : hydrateEvent(this.#trail, reader, row);
    });
  }

  /** The order for the head is answered after all events before it are in the file. */
  async #events(grant: AnyGrant, { query, after, skip }: Extract<Question, { kind: 'search' }>): Promise<SearchPage> {
    await this.#writers.trail.send('head', undefined);
    const office = officeOf(this.#records, grant);
    const { indexed, read } = partCriteria(ofAllPatients(this.#records, query.where));
    const { span } = query;
    const part = office === undefined ? { where: indexed } : await officeWhere(office, this.#trail, indexed, span);
    const reading = ofIdentities(this.#trail, grant);
    const reader = { grant, office, reading };
    const found =
      read.length === 0 ? part : { ...part, only: await eventsTelling(this.#trail, reader, { ...part, span }, read) };
    return inSnapshot(this.#trail, () => {
      // Events repeat what they need, so nothing is included.
      const page = search(this.#trail, reading, { ...query, ...found, include: [], revinclude: [] }, after, skip);
      const lacking = lacksEarlier(this.#trail, reading, query) ? { lacksEarlier: true as const } : {};
      return {
        ...page,
        ...lacking,
        rows: page.rows.flatMap((row) => hydrateEvent(this.#trail, { grant, office }, row) ?? []),
      };
    });
  }
}

/** Runs statements on one snapshot: the writer may commit between two of them. */
function inSnapshot<T>(db: Database, read: () => T): T {
  db.run('BEGIN');
  try {
    return read();
  } finally {
    db.run('COMMIT');
  }
}

function toWireCondition(condition: Precondition): WireCondition {
  return condition.kind === 'no-match' ? { ...condition, grant: termsOfGrant(condition.grant) } : condition;
}

function toWirePut({ resource, ...put }: Put): WirePut {
  return { ...put, ...unstamped(resource, put.id) };
}
