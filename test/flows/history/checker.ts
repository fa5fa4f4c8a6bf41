/**
 * Checks a history: no read that began after an answer shows what that answer forbade, none misses what it gave, and a
 * running answer ends. It knows nothing of the product, and of two requests at one time it takes either order.
 */
import type { Bounds, Change, History, Needs, Read, Stream, Times } from './history.ts';

/** What is wrong with a history, in words; nothing of a right one. */
export function faultsOf(history: History, bounds: Bounds): readonly string[] {
  const registers = new Registers(history);
  return history.events.flatMap((event) => {
    if (event.kind === 'read') return faultsOfRead(registers, event);
    return event.kind === 'stream' ? faultsOfStream(registers, event, bounds) : [];
  });
}

function faultsOfRead(registers: Registers, read: Read): readonly string[] {
  const { name, needs, saw, begin, end } = read;
  const where = `${name}, from ${begin.toFixed(1)} to ${end.toFixed(1)}`;
  if (saw === 'shown' && !registers.mayHold(needs, read))
    return [`${where}: shown, and forbidden before it began (${registers.tell(needs, read)})`];
  // It was asked again by nobody, and showed nothing: how many may be is bounded where the history is played.
  if (saw === 'busy') return [];
  return saw !== 'shown' && registers.holds(needs, read) ? [`${where}: ${saw}, and given before it began`] : [];
}

/** Streams that ran when it became sure that whoever took them sees nothing. */
export function forbiddenStreams(history: History): readonly Stream[] {
  const registers = new Registers(history);
  return history.events.filter((event): event is Stream => {
    if (event.kind !== 'stream' || event.saw === 'hidden') return false;
    return (registers.forbiddenSince(event.needs, event.end) ?? -Infinity) > event.begin;
  });
}

function faultsOfStream(registers: Registers, stream: Stream, bounds: Bounds): readonly string[] {
  if (stream.saw !== 'shown' && registers.holds(stream.needs, stream))
    return [`${stream.name}, from ${stream.begin.toFixed(1)}: ${stream.saw}, and nothing forbade it`];
  const since = registers.forbiddenSince(stream.needs, stream.end);
  if (since === undefined) return [];
  const late = stream.chunks.filter(({ at }) => at > Math.max(since, stream.begin) + bounds.decidesWithinMs);
  const bytes = late.reduce((sum, chunk) => sum + chunk.bytes, 0);
  const where = `${stream.name}, forbidden since ${since.toFixed(1)}`;
  return bytes > bounds.bufferBytes ? [`${where}: ${bytes} bytes came later than ${bounds.decidesWithinMs} ms`] : [];
}

type Write = Times & {
  readonly value: boolean;
  readonly isDone: boolean;
  readonly where: Needs;
  readonly name: string;
};

type Effect = 'sure' | 'possible' | 'none';

/** Nothing is before it. */
const AT_FIRST = { begin: -Infinity, end: -Infinity, isDone: true, where: [], name: 'at first' };

class Registers {
  readonly #writes = new Map<string, Write[]>();
  readonly #first: readonly string[];
  readonly #effects = new Map<Write, Effect>();

  constructor({ holds, events }: History) {
    this.#first = holds;
    for (const event of events) if (event.kind === 'change' && event.outcome !== 'refused') this.#add(event);
  }

  /** Whether what is needed may be so at some moment of a request. */
  mayHold(needs: Needs, during: Times): boolean {
    return needs.every((some) => some.some((one) => this.#mayBe(one, true, during)));
  }

  /** Whether it is so whatever the order of what was at one time. */
  holds(needs: Needs, during: Times): boolean {
    return needs.every((some) => some.some((one) => !this.#mayBe(one, false, during)));
  }

  #mayBe(register: string, value: boolean, during: Times): boolean {
    return this.#found(register, during).some((write) => write.value === value);
  }

  /** Since when it is sure that somebody sees nothing, up to a moment; undefined when it is not. */
  forbiddenSince(needs: Needs, until: number): number | undefined {
    const since = needs.map((some) => {
      const each = some.map((register) => this.#offSince(register, until));
      return each.includes(undefined) ? undefined : Math.max(...(each as number[]));
    });
    const known = since.filter((one) => one !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** The last changes of what is needed, for people who look for the fault. */
  tell(needs: Needs, during: Times): string {
    return needs
      .flat()
      .map((register) => `${register}: ${this.#found(register, during).map(tellWrite).join(' or ')}`)
      .join('; ');
  }

  #add({ sets, begin, end, outcome, name, where = [] }: Change): void {
    for (const { register, value } of sets) {
      const isDone = outcome === 'done';
      const write = { begin, end: isDone ? end : Infinity, value, isDone, where, name };
      this.#writes.set(register, [...(this.#writes.get(register) ?? []), write]);
    }
  }

  /** The writes whose value a request may find: those that no other one followed surely before it began. */
  #found(register: string, { begin, end }: Times): readonly Write[] {
    const all = [{ ...AT_FIRST, value: this.#first.includes(register) }, ...(this.#writes.get(register) ?? [])];
    const sure = all.filter((write) => write.end <= begin && this.#effectOf(write) === 'sure');
    const last = sure.reduce((latest, write) => Math.max(latest, write.begin), -Infinity);
    return all.filter((write) => write.begin <= end && write.end >= last && this.#effectOf(write) !== 'none');
  }

  /** Whether a write changed anything, where it can only when something else is so. */
  #effectOf(write: Write): Effect {
    const { isDone, where } = write;
    if (where.length === 0) return isDone ? 'sure' : 'possible';
    const known = this.#effects.get(write);
    if (known !== undefined) return known;
    const effect = isDone && this.holds(where, write) ? 'sure' : this.mayHold(where, write) ? 'possible' : 'none';
    this.#effects.set(write, effect);
    return effect;
  }

  #offSince(register: string, until: number): number | undefined {
    const ends = [AT_FIRST.end, ...(this.#writes.get(register) ?? []).map(({ end }) => end)];
    const sure = ends.filter((at) => at <= until && !this.#mayBe(register, true, { begin: at, end: until }));
    return sure.length === 0 ? undefined : Math.min(...sure);
  }
}

function tellWrite({ name, value, begin, end }: Write): string {
  return `${value ? 'on' : 'off'} by ${name} (${begin.toFixed(1)} to ${end.toFixed(1)})`;
}
