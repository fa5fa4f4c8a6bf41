/** What pages say of the server that they belong to. */

/** An application that persons may sign in from. `home` is where it is opened. */
export type Application = { readonly name: string; readonly publisher?: string; readonly home?: string };

/** The server, as its pages know it. */
export type Site = {
  /** Where help is found: a `mailto:` or `https:` address. */
  readonly support: string | undefined;
  /** Whether everything here is invented. */
  readonly isDemonstration: boolean;
  readonly applications: readonly Application[];
};
