/** Who bars a requester: asked when bars may have changed, and of people alone. */
import { grantBarred, type AnyGrant, type Grant } from '../../../access/grant.ts';
import { personKey } from '../../../access/requester.ts';
import { barrable } from '../../../access/right.ts';
import type { Database } from '../database.ts';

type Bar = { readonly person: string; readonly valid_from: number; readonly valid_to: number };

/** Holders whose bars are kept at one time: those who asked last. */
const MOST = 1_000;

/** Keeps the bars of those who read, mostly none, for as long as the number of migrations/005 stands. */
export class Barring {
  readonly #db: Database;
  readonly #version: () => number;
  readonly #kept = new Map<string, readonly Bar[]>();
  #at = 0;

  constructor(db: Database, version: () => number) {
    this.#db = db;
    this.#version = version;
  }

  /** The grant with those who bar its requester at its time. */
  under(grant: AnyGrant): AnyGrant {
    if (grant.system || grant.barredBy === 'everybody') return grant;
    const names = barrable(grant.principals);
    return names.length === 0 ? grant : barredGrant(grant, this.#barsOf(names));
  }

  #barsOf(names: readonly string[]): readonly Bar[] {
    const version = this.#version();
    if (version !== this.#at) this.#kept.clear();
    this.#at = version;
    const key = names.join(' ');
    const bars = this.#kept.get(key) ?? barsOf(this.#db, names);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, bars);
    return bars;
  }
}

/** The same, asked now: of the writer, which sees what it has not committed yet. */
export function barredAsOf(db: Database, grant: Grant): Grant {
  return grant.barredBy === 'everybody' ? grant : barredGrant(grant, barsOf(db, barrable(grant.principals)));
}

function barredGrant(grant: Grant, bars: readonly Bar[]): Grant {
  const live = bars.filter(({ valid_from: from, valid_to: to }) => from <= grant.now && grant.now < to);
  return live.length === 0 ? grant : grantBarred(grant, [...new Set(live.map(({ person }) => personKey(person)))]);
}

function barsOf(db: Database, names: readonly string[]): readonly Bar[] {
  return db.all<Bar>(BARS, JSON.stringify(names));
}

const BARS = `SELECT r.person, r.valid_from, r.valid_to FROM json_each(?) j
  CROSS JOIN access_right r INDEXED BY access_right_block ON r.principal = j.value AND r.relation = 'block'`;
