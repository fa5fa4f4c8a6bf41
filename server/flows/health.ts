/** What the server tells of its health: checks by name, in the terms of draft-inadarei-api-health-check section 4. */

/** One check: `warn` is for people to act on, while the server goes on; `fail` lets nobody send it requests. */
export type Check = {
  readonly status: 'pass' | 'warn' | 'fail';
  readonly observedValue?: number;
  readonly observedUnit?: string;
  /** What is the matter; nothing of a patient. */
  readonly output?: string;
};

/** Checks by `component:measurement`. */
export type Checks = Readonly<Record<string, Check>>;
