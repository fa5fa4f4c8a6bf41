/** Reads what strace wrote with `-f -yy`: each call with the lines on which it began and ended. */

/**
 * A system call on a file or socket, `openat` where it makes a file. `target` is the path, or `TCP:[…]`; `data` the
 * beginning of what was written, as escaped.
 */
export type SystemCall = {
  readonly name: string;
  readonly target: string;
  readonly data: string;
  readonly start: number;
  readonly end: number;
};

const BEGUN = /^(\d+) +(\w+)\(\d+<(.*?)(?:<[^>]*>)?>(.*)$/;
/** A file that is made has no descriptor yet: it is told by its path. */
const MADE = /^(\d+) +(openat)\([^"]*"([^"]*)", [^)]*O_CREAT(.*)$/;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>/;

/** Parses a whole trace; a call that did not end is left out. */
export function parseTrace(text: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const open = new Map<string, Omit<SystemCall, 'end'>>();
  for (const [at, line] of text.split('\n').entries()) {
    const [, resumedThread] = RESUMED.exec(line) ?? [];
    const [, thread = '', name = '', target = '', rest = ''] = BEGUN.exec(line) ?? MADE.exec(line) ?? [];
    if (resumedThread !== undefined) {
      const call = open.get(resumedThread);
      open.delete(resumedThread);
      if (call !== undefined) calls.push({ ...call, end: at });
    } else if (name !== '') {
      const call = { name, target, data: /"((?:[^"\\]|\\.)*)"/.exec(rest)?.[1] ?? '', start: at };
      if (line.endsWith('<unfinished ...>')) open.set(thread, call);
      else calls.push({ ...call, end: at });
    }
  }
  return calls.toSorted((one, other) => one.start - other.start);
}
