/** Passages: the proof of an audited read, which stores alone make and which no copy is. */
import type { Grant } from '../access/grant.ts';
import type { Passage } from '../ports/record-store.ts';

const MAKING = Symbol('making');

class AuditedPassage {
  readonly #grant: Grant;

  constructor(key: symbol, grant: Grant) {
    if (key !== MAKING) throw new TypeError('Only stores make passages');
    this.#grant = grant;
    Object.freeze(this);
  }

  static grantOf(value: object): Grant {
    if (!(#grant in value)) throw new TypeError('Only stores make passages');
    return value.#grant;
  }
}

/** Makes the passage of a read whose events are durable. */
export function passageUnder(grant: Grant): Passage {
  return new AuditedPassage(MAKING, grant) as unknown as Passage;
}

/**
 * The grant under which a passage began.
 * @throws {TypeError} no store made the passage
 */
export function grantOfPassage(passage: Passage): Grant {
  return AuditedPassage.grantOf(passage);
}
