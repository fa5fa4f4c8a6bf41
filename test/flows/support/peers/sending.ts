/** What a sender is given, and what it says. */
import type { TestServer } from '../../../support/server.ts';
import type { SampleFile } from './sample-files.ts';

/** What became of a file: the status of the answer and its comment, or what the sender says, that did not send it. */
export type Verdict = { readonly status: number; readonly comment?: string } | { readonly notSent: string };

/** Where the files are, and where they go. `scratch` is a folder for what the sender needs. */
export type Sending = {
  readonly files: readonly SampleFile[];
  readonly folder: string;
  readonly scratch: string;
  readonly to: TestServer['dimse'];
  readonly aeTitle: string;
};
