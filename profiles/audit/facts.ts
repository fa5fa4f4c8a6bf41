/** The facts of which an AuditEvent tells. */
import type { Coding, Reference } from '@medplum/fhirtypes';
import type { PassageKind } from './shapes.ts';

/**
 * Something that was touched. `role` is a code of object-role: 3 report, 4 domain resource, 24 query …; `type` a code
 * of audit-entity-type, 2 by default, or a coding.
 */
export type TouchedEntity = {
  readonly what?: Reference;
  readonly type?: string | Coding;
  readonly role?: string;
  readonly query?: string;
  /** What it is, in words. */
  readonly description?: string;
  readonly detail?: Readonly<Record<string, string>>;
};

/** The facts of one passage. */
export type PassageFacts = {
  readonly id: string;
  readonly kind: PassageKind;
  /** Instant, ISO 8601. */
  readonly recorded: string;
  /** 0 success, 4 refused or the peer's fault, 8 the server's fault. */
  readonly outcome: '0' | '4' | '8';
  readonly outcomeDesc?: string;
  readonly requestId: string;
  /** Base URL or name of the door that was passed. */
  readonly server: string;
  readonly client: { readonly id: string; readonly address?: string };
  /** The person or establishment behind the client. */
  readonly user?: {
    readonly reference: string;
    readonly display: string;
    readonly purpose: string;
    /** What a professional is, and in which organizations (`Organization/id`, and its name). */
    readonly roles?: readonly {
      readonly profession?: Coding;
      readonly organization: string;
      readonly institution?: string;
    }[];
    /** jti of the token or ID of the assertion. */
    readonly tokenId?: string;
    /** Who the assertion names (NameID), and who says so; absent of a token. */
    readonly assertion?: { readonly issuer: string; readonly nameId: string };
  };
  /** `Patient/id`. */
  readonly patient?: string;
  /** Further identities of hers (`Patient/id`) whose rows were shown. */
  readonly identities?: readonly string[];
  readonly entities?: readonly TouchedEntity[];
  /** The exams that were shown beside what was touched, or by what was asked. */
  readonly exams?: readonly TouchedEntity[];
  /** The Consent that gave the right (`Consent/id`). */
  readonly consent?: string;
  /** The relation that gave the right, as shown to the patient. */
  readonly relation?: string;
};
