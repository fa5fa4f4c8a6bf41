/**
 * What the product says of one FHIR type, in one place: the shape of the files of this folder. Everything that needs
 * a table of types reads it off these files, so a further type is one further file (README.md).
 */
import type { ParameterDefinition } from './search-parameter.ts';

/**
 * How a row of the type becomes visible:
 * - `directory`: to any token of a client that may read the type;
 * - `patient`: a person's demographics, under a live right to the record or to the row itself;
 * - `item`: clinical content with a confidentiality label and rights of its own;
 * - `part`: as the item it belongs to;
 * - `own`: to the principals that it names: who filed it and, by `names`, the patient.
 */
export type Visibility = 'directory' | 'patient' | 'item' | 'part' | 'own';

/** Interactions by FHIR name. @see https://hl7.org/fhir/R4/valueset-type-restful-interaction.html */
export type Interaction =
  'read' | 'vread' | 'update' | 'patch' | 'delete' | 'history-instance' | 'history-type' | 'create' | 'search-type';

/** What most types serve: their resources, former versions included. */
export const READ_AND_SEARCH = [
  'read',
  'vread',
  'history-instance',
  'history-type',
  'search-type',
] as const satisfies readonly Interaction[];

/**
 * Who may write a row:
 * - `region`: the region file alone, at start;
 * - `source`: an establishment, of a person whose Patient it feeds; of the Patient itself, its own identity;
 * - `source-or-patient`: the patient of her own record, too;
 * - `derived`: the server, from what others sent;
 * - `server`: the server, of what it did itself.
 */
export type Writers = 'region' | 'source' | 'source-or-patient' | 'derived' | 'server';

/**
 * When the patient may see a row that is about her:
 * - `at-once`;
 * - `with-report`: when a validated report tells of it, which the flow that writes it finds out;
 * - a list: while its `status` is one of these.
 */
export type Release = 'at-once' | 'with-report' | readonly string[];

/**
 * What a write of the type does that other types do not. A flow in server/flows implements each, under this name:
 * - `identity`: a Patient is found by the identifier of its establishment, and identities join;
 * - `documents`: the forms of a report are kept as Binary and published as a DocumentReference;
 * - `rights`: a declaration gives rights, and takes them back when it ends;
 * - `circle`: the patient takes people close to her record;
 * - `stay`: a stay shows the record to the people of its establishment;
 * - `representative`: who represents the patient before the law sees her record, and speaks for her.
 */
export type WriteHook = 'identity' | 'documents' | 'rights' | 'circle' | 'stay' | 'representative';

/** What a read of the type answers instead of the resource: `bytes`, those that belong to the row. */
export type ReadHook = 'bytes';

/**
 * What goes with an erased study:
 * - `imaging-study`: the resource that is the study;
 * - `manifests`: the documents that list its images, with their bytes;
 * - `reports`: those of the study alone, with their document and bytes; one of other studies, too, forgets this one;
 * - `tasks`: work about the study.
 */
export type StudyErasure = 'imaging-study' | 'manifests' | 'reports' | 'tasks';

/** An operation by its name and the canonical URL of its OperationDefinition. */
export type DefinedOperation = { readonly name: string; readonly definition: string };

/** A professional, whoever has a role, whoever has one in an organization; and those of a team of the patient. */
export type ActorKind = 'person' | 'role' | 'members' | 'team';

/**
 * Which elements (paths below the type) say what an exam was called and when it was, the first that says something;
 * `modality` where nothing calls it.
 */
export type ExamElements = {
  readonly kind: 'exam' | 'report' | 'document';
  readonly words: readonly string[];
  readonly started: readonly string[];
  readonly modality?: string;
};

/** One type. Members that name elements give paths without the type: `subject`, `participant.actor`. */
export type FhirType = {
  readonly class: Visibility;
  /** Of class `own`: whom each row names beside who filed it: the patient that it is about. */
  readonly names?: 'patient';
  /** Whom a patient lets see her record who names one in a Consent. */
  readonly actor?: ActorKind;
  /** The element that says whose the row is: the first reference to a Patient in it. None: rows are of nobody. */
  readonly subject?: string;
  /** `own`: the label in `meta.security` counts. `normal`: no sender can raise it. */
  readonly label: 'own' | 'normal';
  /** Of `normal`: rows that tell of an item that may be hidden from who represents the patient. */
  readonly hidesFromRepresentatives?: (resource: object) => boolean;
  readonly release: Release;
  /** `service`: before that, whom the patient declared does not see a row either: it is the imaging service's. */
  readonly unreleased?: 'service';
  /** What is told of a row whose `status` is entered-in-error, and what it is found by: these elements alone. */
  readonly toldInError?: readonly string[];
  /**
   * What a row is part of that somebody may be let see alone, an exam or a report: the element whose references name
   * it, and the search parameter by which it is found.
   */
  readonly partOf?: { readonly element: string; readonly param: string };
  /** A Consent may be to rows alone that it names: by these meanings of `provision.data`. */
  readonly consentedBy?: readonly ('instance' | 'related')[];
  /**
   * Of what time rows are, where somebody may be let see those of a time alone: the search parameter that says it, and
   * the elements that it reads, dates or Periods. The first that a row has counts; rows of other types are of no time.
   */
  readonly dated?: readonly { readonly param: string; readonly elements: readonly string[] }[];
  /** Rows are exams, or what was written of them: the list of accesses names each by what these elements say. */
  readonly exam?: ExamElements;
  readonly writers: Writers;
  /**
   * A row that an establishment filed shows that the patient was there, so that it may declare her correspondents:
   * in these statuses, and of a type that names an element where the row has it.
   */
  readonly attends?: { readonly statuses: readonly string[]; readonly element?: string };
  /** What the FHIR door serves. With none of them the type is stored and answered 404. */
  readonly interactions: readonly Interaction[];
  /** Writes that may name their row by a condition: `create` by If-None-Exist, the others by their address. */
  readonly conditional?: readonly ('create' | 'update' | 'delete')[];
  /** Operations on the type: the names of those of this product, and those that a profile defines. */
  readonly operations?: readonly (string | DefinedOperation)[];
  /** Search parameters; `_id` and `_lastUpdated`, which every type has, not repeated. */
  readonly parameters: readonly ParameterDefinition[];
  /** Further spellings of search parameters, and the codes that they mean. */
  readonly otherSpellings?: Readonly<Record<string, string>>;
  /**
   * The order of lists, latest first: the search parameter that a client names, and the elements that give the
   * moment (the first that is there; without any it is the moment of the write).
   */
  readonly sort: { readonly by: string; readonly elements: readonly string[] };
  /** Rows are joined to no other row: by chains, `_has`, `_include` or `_revinclude`. */
  readonly standsApart?: true;
  /** What a search of the type is in the audit trail, where a profile has a name for it. */
  readonly searchedAs?: 'iti-67' | 'iti-78';
  /** What a scope opens, in French, as the consent page goes on after "lire". */
  readonly words: string;
  /**
   * Of a type that the region file writes: what a row says from the moment on when the file holds it no more. It stays,
   * so that records keep the names of whom they refer to.
   */
  readonly ended?: Readonly<Record<string, unknown>>;
  /** What goes with a study that is erased; `kept` is for what tells of no study. */
  readonly erasedWithStudy: StudyErasure | 'kept' | 'with-its-item';
  readonly hooks?: { readonly write?: WriteHook; readonly read?: ReadHook };
};
