/** The table. */
import type { Cost } from './tally.ts';

/** What is counted of a request. */
export type Counts = Omit<Cost, 'texts'>;

const cost = (statements: number, rows: number, messages: number, syncs: number, logPages: number): Counts => ({
  statements,
  rows,
  messages,
  syncs,
  // A page of SQLite and its header in the log. @see https://www.sqlite.org/fileformat2.html section 4.1
  logBytes: logPages * (4_096 + 24),
});

/** What each kind of request may cost, by store: on MongoDB the log is that of its server. */
export const COSTS: Readonly<Record<'SQLite' | 'MongoDB', Readonly<Record<string, Counts>>>> = {
  SQLite: {
    'FHIR read': cost(20, 3, 2, 1, 4),
    'FHIR search of a patient': cost(25, 7, 2, 1, 4),
    'FHIR page of 20': cost(23, 7, 2, 1, 4),
    'ITI-18 FindDocuments': cost(36, 28, 2, 1, 4),
    'QIDO-RS list': cost(25, 11, 2, 1, 4),
    'WADO-RS rendered, kept': cost(4, 2, 0, 0, 0),
    'viewer page': cost(47, 31, 2, 1, 4),
    'C-STORE': cost(21, 8, 6, 2, 10),
    withdrawal: cost(102, 49, 3, 2, 30),
  },
  MongoDB: {
    'FHIR read': cost(6, 5, 0, 0, 0),
    'FHIR search of a patient': cost(7, 6, 0, 0, 0),
    'FHIR page of 20': cost(7, 7, 0, 0, 0),
    'ITI-18 FindDocuments': cost(11, 18, 0, 0, 0),
    'QIDO-RS list': cost(9, 11, 0, 0, 0),
    'WADO-RS rendered, kept': cost(7, 7, 0, 0, 0),
    'viewer page': cost(26, 31, 0, 0, 0),
    'C-STORE': cost(16, 10, 3, 1, 0),
    withdrawal: cost(34, 18, 0, 0, 0),
  },
};
