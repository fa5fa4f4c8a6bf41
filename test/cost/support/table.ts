/** The table. */
import type { Cost } from './tally.ts';

/** What is counted of a request. */
export type Counts = Omit<Cost, 'texts'>;

/**
 * What it may cost, and at most of the log: log bytes are not compared where what is new splits pages of some index
 * nearly each time.
 */
export type Allowed = Omit<Counts, 'logBytes'> & Partial<Counts>;

const withoutLog = (statements: number, rows: number, messages: number, syncs: number): Allowed => ({
  statements,
  rows,
  messages,
  syncs,
});

const cost = (statements: number, rows: number, messages: number, syncs: number, logPages: number): Counts => ({
  statements,
  rows,
  messages,
  syncs,
  // A page of SQLite and its header in the log. @see https://www.sqlite.org/fileformat2.html section 4.1
  logBytes: logPages * (4_096 + 24),
});

/**
 * What each kind of request may cost, by store: on MongoDB the log is that of its server. The exams that lists show
 * are of two identities of one patient: who the later one is by itself is looked up, and she reads the event, too. A
 * feed that joins is counted with the jobs that settle both persons, which look whether a restriction is to follow, and
 * whether a desk is to be asked about what came in meanwhile; a
 * withdrawal with the notice of it and the job that mails it, which share pages of the log or do not (57 to 61 were
 * seen); a patient acts as the identity that she signed in as, which is looked up, and a Consent is found by its
 * category. On MongoDB a list asks for the rows
 * of each principal of the reader: a professional is four, two of them by the role (itself, and the members of its
 * organization). An event is found by the organization, too, and by each exam that it shows: one statement more for
 * each on SQLite. There each transaction in which a professional reads finds who bars them, once: a page of the
 * viewer has five such.
 */
export const COSTS: Readonly<Record<'SQLite' | 'MongoDB', Readonly<Record<string, Allowed>>>> = {
  SQLite: {
    'FHIR read': cost(20, 3, 2, 1, 4),
    'FHIR search of a patient': cost(30, 10, 2, 1, 4),
    'FHIR page of 20': cost(28, 8, 2, 1, 4),
    'ITI-18 FindDocuments': cost(49, 53, 2, 1, 4),
    'QIDO-RS list': cost(31, 13, 2, 1, 4),
    'WADO-RS rendered, kept': cost(4, 2, 0, 0, 0),
    'viewer page': cost(44, 28, 2, 1, 4),
    'C-STORE': cost(17, 7, 6, 2, 10),
    // One of it asks whether she was erased, one what was deleted under the id.
    'ITI-104 feed': withoutLog(84, 20, 3, 2),
    'ITI-104 feed, an update': withoutLog(100, 39, 3, 2),
    'ITI-104 feed that joins': withoutLog(165, 53, 9, 2),
    withdrawal: cost(148, 74, 10, 3, 72),
  },
  MongoDB: {
    'FHIR read': cost(7, 5, 0, 0, 0),
    'FHIR search of a patient': cost(10, 10, 0, 0, 0),
    'FHIR page of 20': cost(11, 8, 0, 0, 0),
    'ITI-18 FindDocuments': cost(18, 35, 0, 0, 0),
    'QIDO-RS list': cost(15, 12, 0, 0, 0),
    'WADO-RS rendered, kept': cost(8, 7, 0, 0, 0),
    'viewer page': cost(32, 29, 0, 0, 0),
    'C-STORE': cost(16, 8, 3, 1, 0),
    // One of it asks whether she was erased, one what was deleted under the id.
    'ITI-104 feed': withoutLog(29, 8, 0, 0),
    'ITI-104 feed, an update': withoutLog(33, 30, 0, 0),
    'ITI-104 feed that joins': withoutLog(70, 36, 0, 0),
    withdrawal: cost(66, 40, 0, 0, 0),
  },
};
