/** The identities of a world: who each is at present, and the moves that make it so. */
import type { Criterion } from '../../../profiles/search/criterion.ts';
import { isLink } from '../../../profiles/search/criterion.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import type { Move } from '../../../server/ports/commit-plan.ts';
import { PERSONS, patientOf } from './world.ts';

/** What is wanted: an identity joins another one, or by its own name stands alone again. */
export type Wish = { readonly home: PersonKey; readonly to: PersonKey };

/** Who the identities of {@link PERSONS} are. */
export class Identities {
  readonly #present = new Map<PersonKey, PersonKey>(PERSONS.map((person) => [person, person]));

  /** The same identities after moves. */
  after(moves: readonly Move[]): Identities {
    const next = new Identities();
    for (const [home, person] of [...this.#present, ...moves.map((one) => [one.home, one.to] as const)])
      next.#present.set(home, person);
    return next;
  }

  /** The person that an identity is at present. */
  personOf(home: PersonKey): PersonKey {
    return this.#present.get(home) ?? home;
  }

  /** The identities that a person is at present: none when she is no more. */
  identitiesOf(person: PersonKey): readonly PersonKey[] {
    return PERSONS.filter((home) => this.personOf(home) === person);
  }

  /** A reference, where it is to the Patient of an identity to that of the person that it is. */
  shown(reference: string): string {
    const home = PERSONS.find((person) => patientOf(person) === reference);
    return home === undefined ? reference : patientOf(this.personOf(home));
  }

  /** A criterion on present Patients. */
  shownIn(criterion: Criterion): Criterion {
    if (isLink(criterion)) return { ...criterion, criterion: this.shownIn(criterion.criterion) };
    if (criterion.kind !== 'reference') return criterion;
    return { ...criterion, values: criterion.values.map((value) => this.shown(value)) };
  }

  /** Grants a wish: nobody stays with a person who is no more. Answers the moves, none when it is so already. */
  grant({ home, to }: Wish): readonly Move[] {
    const moves = to === home ? this.#separation(home) : this.#join(home, this.personOf(to));
    for (const move of moves) this.#present.set(move.home, move.to);
    return moves;
  }

  /** An identity that others joined leaves them as the first of them. */
  #separation(home: PersonKey): readonly Move[] {
    const from = this.personOf(home);
    if (from !== home) return [this.#move(home, home)];
    const [first, ...others] = this.identitiesOf(home).filter((other) => other !== home);
    return first === undefined ? [] : [first, ...others].map((other) => this.#move(other, first));
  }

  #join(home: PersonKey, to: PersonKey): readonly Move[] {
    const from = this.personOf(home);
    if (from === to) return [];
    const others = from === home ? this.identitiesOf(home).filter((other) => other !== home) : [];
    return [home, ...others].map((one) => this.#move(one, to));
  }

  #move(home: PersonKey, to: PersonKey): Move {
    return { identity: patientOf(home), home, from: this.personOf(home), to, patient: patientOf(to) };
  }
}
