/**
 * Works off the agenda: durable work that stories left for later. Work that fails stays and is tried again later;
 * several servers on one store may meet at the same work, which changes nothing the second time.
 */
import type { Clock } from '../ports/clock.ts';
import type { AgendaEntry } from '../ports/commit-plan.ts';
import type { RecordStore } from '../ports/record-store.ts';
import { joinParts } from './write/plan-parts.ts';

/** What the flow needs. `failed` is told of work that could not be done, by the kind of its key. */
export type WorkAgendaDeps = {
  readonly records: RecordStore;
  readonly clock: Clock;
  /** What is to be done for each kind of key (`kind|subject`). */
  readonly work: Readonly<Record<string, (subject: string) => Promise<void>>>;
  readonly failed: (kind: string, error: unknown) => void;
  /** Retries wait this long. */
  readonly retryMs: number;
};

const BATCH = 50;

/** Does everything that is due; returns how many entries were done. */
export function workAgenda(deps: WorkAgendaDeps) {
  return async (signal?: AbortSignal): Promise<number> => {
    let done = 0;
    for (;;) {
      const entries = await deps.records.due(deps.clock.now(), BATCH);
      for (const entry of entries) {
        if (signal?.aborted === true) return done;
        done += await workOff(deps, entry);
      }
      if (entries.length < BATCH) return done;
    }
  };
}

async function workOff(deps: WorkAgendaDeps, entry: AgendaEntry): Promise<0 | 1> {
  const [kind = '', subject = ''] = entry.key.split('|');
  try {
    await deps.work[kind]?.(subject);
    await deps.records.commit(joinParts({ done: [entry] }));
    return 1;
  } catch (error) {
    deps.failed(kind, error);
    await deps.records.commit(
      joinParts({ done: [entry], agenda: [{ key: entry.key, at: deps.clock.now() + deps.retryMs }] }),
    );
    return 0;
  }
}
