/** The table of what was shown: one line a door; in columns the persons, and for each state a group of them. */
import type { PersonKey } from './people.ts';

/** What a cell turned out to be. */
export type Mark = '✓' | '–' | '✗' | '·';

const WIDTH = 36;

/** The marks, by state, person and door. */
export class Table {
  readonly #marks = new Map<string, Mark>();

  /** Notes a cell. */
  note(state: string, person: PersonKey, door: string, mark: Mark): void {
    this.#marks.set(`${state}|${person}|${door}`, mark);
  }

  /** Formats the table; a cell that was not reached is a question mark. */
  format(title: string, states: readonly string[], persons: readonly PersonKey[], doors: readonly string[]): string {
    const cell = (text: string): string => ` ${text.slice(0, 6).padEnd(6)}`;
    const group = states.map((state) => `|${` ${state}`.padEnd(persons.length * 7)}`).join('');
    const heads = states.map(() => `|${persons.map(cell).join('')}`).join('');
    const lines = doors.map((door) => {
      const marks = states.map(
        (state) =>
          `|${persons.map((person) => cell(`  ${this.#marks.get(`${state}|${person}|${door}`) ?? '?'}`)).join('')}`,
      );
      return door.padEnd(WIDTH) + marks.join('');
    });
    return [
      '',
      title,
      ' '.repeat(WIDTH) + group,
      ' '.repeat(WIDTH) + heads,
      ...lines,
      '✓ shown whole and unchanged  – as if it were not there  ✗ neither  · is no person, has no browser',
      '',
    ].join('\n');
  }
}
