/** An entry of an access list. */
import type { HumanName, Identifier, PractitionerRole, Reference } from '@medplum/fhirtypes';
import type { Relation } from '../../../access/right.ts';

/** A professional; an establishment’s software, by the establishment; who represents the patient. */
export type Listed = {
  readonly resourceType: string;
  readonly id?: string;
  readonly identifier?: readonly Identifier[];
  readonly name?: string | readonly HumanName[];
};

/** Somebody who may open a record, or what she holds. Times are epoch milliseconds. */
export type Access = {
  readonly who: Listed;
  /** What people call her, or it. */
  readonly display: string;
  /** Of a professional those that count. */
  readonly roles: readonly PractitionerRole[];
  /** Where they are held, each once. */
  readonly institutions: readonly Reference[];
  /** `administrator` sees no content. */
  readonly relation: Relation | 'administrator';
  /** The record, one exam that the Consent names, what is of the time that it names, some items, or nothing. */
  readonly reach: 'record' | 'exam' | 'period' | 'items' | 'nothing';
  readonly since: number | undefined;
  readonly until: number | undefined;
  /** `Consent/id` that gives it. */
  readonly consent: string | undefined;
  /** An emergency, a presence or a ticket of support, one that is over included. */
  readonly isTemporary: boolean;
};
