/**
 * Work that follows a write. A job is asked for in the plan of that write (`CommitPlan.jobs`) and is durable with it,
 * runs at least once, and carries ids, never permission: who runs it decides anew what it may.
 *
 * What every adapter keeps (test/contract):
 * - one job stands for each kind and subject: asked for again it keeps its id and moves, and one that had died lives;
 * - whoever takes a job holds it by a lease, until a time and by a fencing token that rises with each taking; nobody
 *   else takes it meanwhile, and without the lease nothing of it can be settled;
 * - what is asked for while a job runs makes it run once more after that;
 * - a job that died stays until it is asked for again or erased.
 *
 * Times are epoch milliseconds of the callers' clocks. Servers on one store keep their clocks in step within seconds.
 */
import { Fault, type FaultKind } from '../../profiles/fault.ts';
import type { PersonKey } from '../access/requester.ts';

/** The closed list of kinds. */
export const JOB_KINDS = [
  'refresh-study',
  'update-study',
  'close-study',
  'settle-person',
  'end-given',
  'correct-identity',
  'erase-study',
  'erase-record',
  'purge-joined',
  'forget-erased',
  'forget-tries',
  'sweep-images',
  'cut-trail',
  'end-viewing',
  'end-consent',
  'settle-ground',
  'settle-region',
  'declare-named',
  'tell-news',
  'send-notice',
  'alert-officers',
  'mail-share',
  'reindex',
] as const;

/** One of {@link JOB_KINDS}. */
export type JobKind = (typeof JOB_KINDS)[number];

/** Where the subject says all. */
export type NoPayload = Readonly<Record<string, never>>;

/** What a job of each kind carries beside its subject: ids and counts. */
export type JobPayloads = {
  /** Brings what is derived from a study up to date. Its subject is the Study Instance UID, as of the next three. */
  readonly 'refresh-study': NoPayload;
  /** The same while more comes: a job of its own, so that it puts off nothing that a `refresh-study` is to do. */
  readonly 'update-study': NoPayload;
  /** Publishes a study that has been quiet for a while. */
  readonly 'close-study': NoPayload;
  /** Files what a join made hers, keeps aside what a separation took from her. Its subject is the person's key. */
  readonly 'settle-person': NoPayload;
  /**
   * Ends what was given while two persons were one by a mistake, and tells what was opened meanwhile. Its subject is
   * the id of the Task that tells it.
   */
  readonly 'end-given': {
    /** Who both were, and who left; the same where an exam alone was hers by a mistake. */
    readonly from: PersonKey;
    readonly to: PersonKey;
    /** Epoch milliseconds. */
    readonly since: number;
    readonly until: number;
    /** Identities (ids) that bear a number no more by which somebody may have been meant. */
    readonly unnumbered?: readonly string[];
    /** `ImagingStudy/id` of that exam. */
    readonly item?: string;
  };
  /** Makes what was derived under an identity say her as its source does. Its subject is the identity's id. */
  readonly 'correct-identity': NoPayload;
  /** Goes on with an erasure that whoever began it has not ended. */
  readonly 'erase-study': NoPayload;
  /** Erases what is of a record, when the day of a request to erase it has come. Its subject is the Task's id. */
  readonly 'erase-record': NoPayload;
  /**
   * Erases what came under an identity before it was joined to an opposed person, when a desk has confirmed the join,
   * or separates it. Its subject is the Task's id.
   */
  readonly 'purge-joined': NoPayload;
  /** Lets the store forget what was erased. Its subject is random. */
  readonly 'forget-erased': NoPayload;
  /** Forgets presence codes tried in vain. Its subject is who tried (`Practitioner/id`), or the digest of a number. */
  readonly 'forget-tries': NoPayload;
  /** Removes blobs that nothing refers to, and asks for itself again. Its subject is `images`. */
  readonly 'sweep-images': NoPayload;
  /** Cuts off events whose time is over, and asks for itself again. Its subject is `trail`. */
  readonly 'cut-trail': NoPayload;
  /** Records the end of a viewing. Its subject is the id of the AuditEvent of its beginning. */
  readonly 'end-viewing': {
    /** What was asked for, in the words of the event. */
    readonly part: string;
    /** Requests after the first. */
    readonly further: number;
    /** When it ended. */
    readonly ended: number;
    /** Who may read the event. */
    readonly persons?: readonly PersonKey[];
    /** The same, as earlier servers asked. */
    readonly person?: PersonKey;
  };
  /**
   * Brings items to whether their establishment informed the patient, and to the restrictions that were granted. Its
   * subject is the identity (`Patient/id`) that they are filed under, or the Task (`Task/id`) of whose person they are.
   */
  readonly 'settle-ground': NoPayload;
  /** The same of every establishment of which the region file says something else. Its subject is `region`. */
  readonly 'settle-region': NoPayload;
  /**
   * Declares whom the images of a study name as correspondents. Its subject is the Study Instance UID, or `waiting`:
   * then it looks whether the directory knows by now whom Consents name that wait.
   */
  readonly 'declare-named': NoPayload;
  /** Ends a Consent that permits somebody something when its period is over. Its subject is the Consent's id. */
  readonly 'end-consent': {
    /** The time zone (IANA) of bare days of its period; UTC when absent. */
    readonly zone?: string;
  };
  /**
   * Tells a patient what an exam, a report or a declaration brought. Its subject is that (`Type/id`), with `/readers`
   * behind it where she is told of who reads her record by it alone, or `/majority` where by age alone.
   */
  readonly 'tell-news': NoPayload;
  /** Mails what a patient is told. Its subject is the id of the Communication. */
  readonly 'send-notice': NoPayload;
  /** Mails officers that a Task waits for them. Its subject is the id of the Task. */
  readonly 'alert-officers': NoPayload;
  /** Mails whoever a share is for that it was given, or has ended. Its subject is the id of the Consent. */
  readonly 'mail-share': NoPayload;
  /** Indexes rows anew that an earlier definition of the index was used for. Its subject is their type. */
  readonly reindex: NoPayload;
};

/**
 * What a plan asks for. Asked for again, kind and subject stand, and the rest is as it was asked last but the id, and
 * but the event where none comes with it.
 */
export type JobRequest<K extends JobKind = JobKind> = {
  [Kind in K]: {
    /** Random UUID: whatever the job does is done once for each id. That of another job is refused (conflict). */
    readonly id: string;
    readonly kind: Kind;
    readonly subject: string;
    readonly payload: JobPayloads[Kind];
    /** When it may run. */
    readonly at: number;
    /** Id of the AuditEvent of the passage that asked for it, where it has one. */
    readonly event?: string;
  };
}[K];

/** Which job: one stands for each kind and subject. */
export type JobKey = { readonly kind: JobKind; readonly subject: string };

/** Why a job failed last: a Fault; `hung`: no sign of life came; `lost`: nobody who took it came back. */
export type JobError = FaultKind | 'hung' | 'lost';

/** A job as it stands. */
export type StandingJob<K extends JobKind = JobKind> = JobRequest<K> & {
  /** `running`: somebody holds its lease. */
  readonly state: 'waiting' | 'running' | 'dead';
  /** When it was asked for first. */
  readonly askedAt: number;
  /** How often it was taken since it was asked for or succeeded last. */
  readonly attempts: number;
  readonly error: JobError | undefined;
};

/** The lease on a job that was taken, and how the job stood then. */
export type JobLease = JobKey &
  Pick<StandingJob, 'id' | 'at' | 'attempts' | 'error'> & {
    /** Fencing token. */
    readonly token: number;
    /** How often it was asked for while somebody held it. */
    readonly asked: number;
  };

/** A job that was taken. */
export type TakenJob<K extends JobKind = JobKind> = StandingJob<K> & JobLease;

/** What became of a job that was taken. What was asked for meanwhile is kept: time and, after `dead`, a new life. */
export type JobOutcome =
  | { readonly end: 'done' }
  /** Done, and to be done again at a time. */
  | { readonly end: 'again'; readonly at: number }
  | { readonly end: 'failed'; readonly at: number; readonly error: JobError }
  | { readonly end: 'dead'; readonly error: JobError }
  /** Given back as it was taken: the attempt does not count. */
  | { readonly end: 'returned' };

/** What an outcome makes of a job that nobody asked for meanwhile; one that was is not dead and keeps its time. */
export type SettledJob = Pick<StandingJob, 'at' | 'attempts' | 'error'> & { readonly isDead: boolean };

/** Works out how a job stands that is not removed, for every store in the same way. */
export function settled({ at, attempts, error }: JobLease, outcome: JobOutcome): SettledJob {
  switch (outcome.end) {
    case 'done':
      return { at, attempts: 0, error: undefined, isDead: false };
    case 'again':
      return { at: outcome.at, attempts: 0, error: undefined, isDead: false };
    case 'failed':
      return { at: outcome.at, attempts, error: outcome.error, isDead: false };
    case 'dead':
      return { at, attempts, error: outcome.error, isDead: true };
    case 'returned':
      return { at, attempts: attempts - 1, error, isDead: false };
  }
}

/** The order in which jobs that were taken together are answered. */
export function earliestFirst(
  one: Pick<StandingJob, 'at' | 'subject'>,
  other: Pick<StandingJob, 'at' | 'subject'>,
): number {
  if (one.at !== other.at) return one.at - other.at;
  return one.subject < other.subject ? -1 : Number(one.subject > other.subject);
}

/** How many jobs of a kind there are. */
export type JobCounts = {
  readonly kind: JobKind;
  /** Due, and taken by nobody. */
  readonly waiting: number;
  readonly running: number;
  /** To run at a time that has not come. */
  readonly later: number;
  readonly dead: number;
  /** The time of the one that has been waiting longest. */
  readonly oldest: number | undefined;
};

/** Which jobs to list: of any kind, state and id when left out; those after a key, at most `limit`. */
export type JobsAsked = {
  readonly kind?: JobKind;
  readonly id?: string;
  readonly isDead?: true;
  readonly after?: JobKey;
  readonly limit: number;
};

/** The port. */
export interface JobQueue {
  /** Kinds of which a job can be taken: a question that is cheap when there is none. */
  due(now: number): Promise<readonly JobKind[]>;

  /**
   * Takes jobs of a kind that are due, at most `limit`: those that could be taken first. Answers them by their times,
   * then by subject.
   * @throws {Fault} invalid - the limit is none (bounds.ts)
   */
  take<K extends JobKind>(
    kind: K,
    wanted: { readonly now: number; readonly leaseMs: number; readonly limit: number },
  ): Promise<readonly TakenJob<K>[]>;

  /** Makes a lease last until a time. Resolves false, and changes nothing, when it has been lost. */
  extend(lease: JobLease, now: number, until: number): Promise<boolean>;

  /** Says what became of a job. Resolves false, and changes nothing, when its lease has been lost. */
  settle(lease: JobLease, now: number, outcome: JobOutcome): Promise<boolean>;

  /** Counts of every kind, in the order of {@link JOB_KINDS}. */
  counts(now: number): Promise<readonly JobCounts[]>;

  /**
   * Jobs by kind, then subject.
   * @throws {Fault} invalid - the limit is none (bounds.ts)
   */
  list(asked: JobsAsked, now: number): Promise<readonly StandingJob[]>;

  /** Calls back after each commit of this process that asked for jobs. */
  onAsked(listener: (jobs: readonly JobRequest[]) => void): void;
}

/** The largest subject and payload (as JSON), in characters. */
export const JOB_LIMITS = { subject: 200, payload: 2_000 } as const;

/**
 * A payload as JSON.
 * @throws {Fault} too-long - it or the subject is larger than {@link JOB_LIMITS}
 */
export function payloadText({ kind, subject, payload }: JobRequest): string {
  const text = JSON.stringify(payload);
  if (subject.length > JOB_LIMITS.subject || text.length > JOB_LIMITS.payload)
    throw new Fault('too-long', `A job of kind ${kind} carries ids alone`);
  return text;
}
