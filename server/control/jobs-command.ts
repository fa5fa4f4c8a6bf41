/** The server's side of `npm run jobs`. */
import { Fault } from '../../profiles/fault.ts';
import type { dropJob, listJobs, ListedJob, replayJobs } from '../flows/jobs/operate-jobs.ts';
import { textOf } from './arguments.ts';
import type { ControlCommand } from './door.ts';

/** What the command needs. */
export type JobsCommandDeps = {
  readonly list: ReturnType<typeof listJobs>;
  readonly replay: ReturnType<typeof replayJobs>;
  readonly drop: ReturnType<typeof dropJob>;
};

/** What is told while jobs are listed. */
export type JobsProgress = readonly ListedJob[];

/** What is answered: how many jobs were changed. */
export type JobsAnswer = { readonly changed: number };

/** Jobs a line of progress: it stays far below what a line may have. */
const PAGE = 100;

/**
 * Makes the command. Its arguments are the action and what it is about: `list` a kind or nothing, `replay` a kind or an
 * id, `drop` an id.
 */
export function jobsCommand({ list, replay, drop }: JobsCommandDeps): ControlCommand {
  return async (args, tell): Promise<JobsAnswer> => {
    switch (textOf(args, 'action')) {
      case 'list':
        await tellJobs(list(optional(args, 'kind')), tell);
        return { changed: 0 };
      case 'replay': {
        const kind = optional(args, 'kind');
        return { changed: await replay(kind === undefined ? { id: textOf(args, 'id') } : { kind }) };
      }
      case 'drop':
        await drop(textOf(args, 'id'));
        return { changed: 1 };
      default:
        throw new Fault('not-supported', 'Jobs can be listed, replayed and dropped');
    }
  };
}

async function tellJobs(jobs: AsyncIterable<ListedJob>, tell: (progress: JobsProgress) => void): Promise<void> {
  let page: ListedJob[] = [];
  for await (const job of jobs) {
    page.push(job);
    if (page.length < PAGE) continue;
    tell(page);
    page = [];
  }
  tell(page);
}

function optional(args: unknown, name: string): string | undefined {
  const isThere = typeof args === 'object' && args !== null && args[name as keyof typeof args] !== undefined;
  return isThere ? textOf(args, name) : undefined;
}
