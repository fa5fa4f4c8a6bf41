/** The keys of claims: every kind of unique name that a plan can take, written here and nowhere else. */

import type { PersonKey } from '../access/requester.ts';

declare const written: unique symbol;

/** A key that {@link claimKey} wrote. */
export type ClaimKey = string & { readonly [written]: 'key' };

function write(kind: string, ...parts: readonly string[]): ClaimKey {
  return [kind, ...parts].join('|') as ClaimKey;
}

/** What the keys of some claims begin with. */
export type ClaimStem = string & { readonly [written]: 'stem' };

/** Writes the key of each kind of claim; what is said of a claim is what its value tells. */
export const claimKey = {
  /** The Patient (`Patient/id`) whose study this is, by Study Instance UID; or that it is being erased. */
  study: (studyInstanceUID: string): ClaimKey => write('study', studyInstanceUID),
  /** The establishment (`Organization/id`) that a study comes from: the first that sent an instance of it. */
  studySource: (studyInstanceUID: string): ClaimKey => write('study-source', studyInstanceUID),
  /** That some instance of a study was imported from a former archive, whether or not it stood already. */
  imported: (studyInstanceUID: string): ClaimKey => write('imported', studyInstanceUID),
  /** What became of the names of correspondents in the images of a study, as JSON (flows/named/looked-at.ts). */
  named: (studyInstanceUID: string): ClaimKey => write('named', studyInstanceUID),
  /**
   * The id of the one ImagingStudy of a study. What is below a study is found by this claim alone, in stores and
   * flows: an identifier is only what a sender says.
   */
  imagingStudy: (studyInstanceUID: string): ClaimKey => write('imaging-study', studyInstanceUID),
  /** What the erasure of a study has to know to its end, as JSON. */
  erasing: (studyInstanceUID: string): ClaimKey => write('erasing', studyInstanceUID),
  /** What the erasure of a record has to know to its end, as JSON, by the id of the Task that asks for it. */
  erasingRecord: (task: string): ClaimKey => write('erasing-record', task),
  /** The studies (UIDs), as JSON, that go with the record of a person: until none of their images is left. */
  erasingStudies: (person: string): ClaimKey => write('erasing-studies', person),
  /** Names of the bytes, as JSON, whose rows were erased last of a person, or of a study (UID) by an operator. */
  erasedBytes: (of: string): ClaimKey => write('erased-bytes', of),
  /** Names, as JSON, of what is gone of a person, until the trail tells nothing of it either. */
  erasedNames: (person: string): ClaimKey => write('erased-names', person),
  /** How much was erased for a Task (by id), as JSON: by type, and `instances`. */
  taken: (task: string): ClaimKey => write('taken', task),
  /** To which identities (ids), as JSON, one was joined that take nothing, until what came in by then is looked for. */
  joinedToClosed: (identity: string): ClaimKey => write('joined-to-closed', identity),
  /** The id of the Task by which a desk confirms that what came under an identity (id) is purged. */
  joinedPurge: (identity: string): ClaimKey => write('joined-purge', identity),
  /** What is known of a number of somebody who was erased, as JSON, by a keyed digest of it. */
  suppressed: (digest: string): ClaimKey => write('suppressed', digest),
  /** That what the list of erasures tells by an entry (id) was carried out here. */
  followed: (entry: string): ClaimKey => write('followed', entry),
  /** The entry (id) that was carried out last of those of the list of erasures: a list without it is older. */
  lastFollowed: (): ClaimKey => write('last-followed', 'records'),
  /** The thumbprint of the key under which the first person was erased. */
  erasureKey: (): ClaimKey => write('erasure-key', 'records'),
  /** The Patient (`Patient/id`) that an identity is, by system and value of its source. */
  identity: (system: string, value: string): ClaimKey => write('identity', system, value),
  /** The identity (id) that bears a qualified number, the first of those that do. */
  qualified: (system: string, value: string): ClaimKey => write('qualified', system, value),
  /** How far what earlier servers wrote is taken over, as JSON (flows/upgrade/upgrade-mark.ts). */
  upgraded: (): ClaimKey => write('upgraded', 'records'),
  /** Since when (epoch milliseconds) an identity (id) is one person with older ones. */
  joined: (identity: string): ClaimKey => write('joined', identity),
  /** The id of the report that an establishment (`Organization/id`) gave this identifier. */
  report: (organization: string, system: string, value: string): ClaimKey =>
    write('report', organization, system, value),
  /**
   * The id of the Task of the instances of a study that are kept aside: of one source (`Organization/id`), for one
   * reason, of one identity (`Patient/id`) where it is known.
   */
  keptAside: (studyInstanceUID: string, source: string, reason: string, subject: string | undefined): ClaimKey =>
    write('kept-aside', studyInstanceUID, source, reason, subject ?? ''),
  /** The id of the Task of two identities that a desk looks at, by their ids, the later one first. */
  identityReview: (one: string, other: string): ClaimKey => write('identity-review', one, other),
  /** The id of the DocumentReference of a report, by id of the DiagnosticReport. */
  reportDocument: (reportId: string): ClaimKey => write('report-document', reportId),
  /** The id of the DocumentReference of a manifest, by SOP Instance UID. */
  manifest: (sopInstanceUID: string): ClaimKey => write('manifest', sopInstanceUID),
  /**
   * The id of the Consent by which somebody (`Organization/id`, `Patient/id`) declares some actors for a Patient
   * (`Patient/id`), by a digest of their references; it may have ended.
   */
  declaration: (patient: string, source: string, actors: string): ClaimKey =>
    write('declaration', patient, source, actors),
  /**
   * The id of the Consent that tells that an establishment (`Organization/id`) informed a Patient (`Patient/id`, the
   * identity by which it knows her). It goes when that Consent ends.
   */
  informed: (organization: string, patient: string): ClaimKey => write('informed', patient, organization),
  /** What each establishment said of informing when the states of items were last brought to it, as JSON. */
  grounds: (): ClaimKey => write('grounds', 'region'),
  /** The last change of whether the record of a person is shared: any two of them conflict. */
  sharing: (person: PersonKey): ClaimKey => write('sharing', person),
  /** The last change of who is in a CareTeam (id), or of which Consents name it: any two of them conflict. */
  team: (careTeam: string): ClaimKey => write('team', careTeam),
  /** The code that an identity (`Patient/id`) last made for a professional to redeem, as JSON, without the code. */
  presenceCode: (patient: string): ClaimKey => write('presence-code', patient),
  /**
   * When codes were tried in vain lately, as JSON: by a professional (`Practitioner/id`), or for somebody, by a keyed
   * digest of the number that was named.
   */
  presenceTries: (of: string): ClaimKey => write('presence-tries', of),
  /** The last emergency that a professional (`Practitioner/id`) declared: they are counted, so any two conflict. */
  emergency: (practitioner: string): ClaimKey => write('emergency', practitioner),
  /** The review (Task id) by which a professional (`Practitioner/id`) declares no more emergencies. */
  suspended: (practitioner: string): ClaimKey => write('suspended', practitioner),
  /** For how many years the audit trail keeps events: the most that a server said (flows/audit/kept-years.ts). */
  keptYears: (): ClaimKey => write('kept-years', 'trail'),
  /** Which region file the directory is written from (flows/identity/region-mark.ts). */
  region: (): ClaimKey => write('region', 'file'),
} as const;

/** Writes what the keys of several claims begin with: up to the end of a part, so that none of another is meant. */
export const claimStem = {
  /** Of every declaration for a Patient (`Patient/id`). */
  declarationsOf: (patient: string): ClaimStem => stem('declaration', patient),
  /** Of what establishments recorded of informing a Patient (`Patient/id`). */
  informedOf: (patient: string): ClaimStem => stem('informed', patient),
  /** Of the Tasks of an identity (id) that a desk looks at beside others. */
  reviewsOf: (identity: string): ClaimStem => stem('identity-review', identity),
} as const;

function stem(kind: string, ...parts: readonly string[]): ClaimStem {
  return `${[kind, ...parts].join('|')}|` as ClaimStem;
}

/** The first text after all that begin with a stem. */
export function afterStem(begin: ClaimStem): string {
  return `${begin.slice(0, -1)}}`;
}
