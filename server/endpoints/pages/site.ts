/** What pages say of the server that they belong to. */

/** An application that persons may sign in from. `home` is where it is opened. */
export type Application = { readonly name: string; readonly publisher?: string; readonly home?: string };

/** A person of the demonstration, with whose eyes a newcomer looks. */
export type DemonstrationPerson = {
  readonly login: string;
  readonly name: string;
  readonly kind: 'patient' | 'practitioner';
};

/** The server, as its pages know it. */
export type Site = {
  /** Where help is found: a `mailto:` or `https:` address. */
  readonly support: string | undefined;
  /** Whether everything here is invented. */
  readonly isDemonstration: boolean;
  /** None where people are real. */
  readonly persons: readonly DemonstrationPerson[];
  readonly applications: readonly Application[];
};
