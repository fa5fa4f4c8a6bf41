/** What a store is told to record of an answer that it gives. */
import type { PersonKey } from '../access/requester.ts';
import type { AuditRecord } from './commit-plan.ts';

/** Who identities (`Patient/id`) of an answer are by themselves: those that are other persons at present. */
export type Homes = ReadonlyMap<string, PersonKey>;

/** At least one event. */
export type Events = readonly [AuditRecord, ...AuditRecord[]];

/** Tells the events of an answer. It is pure: an adapter may call it again when it retries. */
export type Telling<Answer, Told = readonly AuditRecord[]> = (answer: Answer, homes: Homes) => Told;
