/** Who asks: the authenticated subject of a passage, whatever door it came through. */
import type { BreakGlassSettings } from '../../profiles/consent/emergency.ts';
import type { RegionRole } from '../../profiles/region-role.ts';
import type { Purpose } from './purpose.ts';

/** The random key of one person, shared by all Patient resources that are that person. */
export type PersonKey = string & { readonly personKey: unique symbol };

/** The row (`Person/id`) that keeps the identity which a Patient is by itself: its sources hold a right to it. */
export function identityOf(patient: string): string {
  return patient.replace(/^Patient\//, 'Person/');
}

/** Names a person key that comes from a store or a random source. */
export function personKey(value: string): PersonKey {
  return value as PersonKey;
}

/**
 * One role of a professional (`PractitionerRole/id`): the organization (`Organization/id`) it is held in, that one and
 * all of which it is a part, whether it reads images there, and which offices of the region it gives there.
 */
export type Role = {
  readonly reference: string;
  readonly within: readonly string[];
  readonly organization: string;
  readonly radiologist: boolean;
  readonly offices: readonly RegionRole[];
  /** Of an office of data protection: the organization and all parts of it, whose events are read. */
  readonly oversees?: readonly string[];
  /** What the professional is there, as the directory says it, for the audit trail. */
  readonly profession?: Profession;
  /** The organization's name, for the audit trail. */
  readonly institution?: string;
};

/** A code of what professionals are. */
export type Profession = { readonly system?: string; readonly code?: string; readonly display?: string };

/** How the token store knows a token. */
export type StoredTokenKey = { readonly model: string; readonly id: string };

/** Who a SAML assertion is about: its NameID, as its issuer knows them. */
export type AssertedName = { readonly issuer: string; readonly nameId: string };

type Authenticated = {
  /** OAuth client, AE title or SAML issuer that speaks. */
  readonly clientId: string;
  /** Scopes granted to the client, as granted; SAML and DIMSE doors give the ones they stand for. */
  readonly scopes: readonly string[];
  /** What the passage is for; doors that carry no purpose give the usual one of the subject. */
  readonly purpose: Purpose;
  /** When the person signed in, epoch seconds; undefined when the door cannot tell. */
  readonly authTime?: number;
  /** jti of the token or ID of the assertion, for the audit trail. */
  readonly tokenId?: string;
  /** Whom the assertion names (NameID), and who says so; absent of a token. */
  readonly assertion?: AssertedName;
  /** The access token that was shown, as the token store knows it: a write needs it alive to the end. */
  readonly accessToken?: StoredTokenKey;
  /** Name for the audit trail. */
  readonly display: string;
};

/** A professional of the directory. `practitioner` is `Practitioner/id`. */
export type PractitionerRequester = Authenticated & {
  readonly kind: 'practitioner';
  readonly practitioner: string;
  readonly roles: readonly Role[];
  /**
   * Of occupational medicine, insurance or employment by a role that is held, be it in no organization: own work alone
   * is seen, in any role. @see access.md C16
   */
  readonly isOutsideCare?: true;
  /** What emergencies do by the region file as it is now; without it nothing beyond what every one does. */
  readonly breakGlass?: BreakGlassSettings;
};

/** A patient, by the person key and the Patient the account is tied to (`Patient/id`). */
export type PatientRequester = Authenticated & {
  readonly kind: 'patient';
  readonly patient: string;
  readonly person: PersonKey;
};

/**
 * Who represents a patient before the law: `related` is the `RelatedPerson/id` that says so, of whom `person` and
 * `patient` tell, as of a patient. `until` (epoch milliseconds) is when she represents her no more, `ofChildUntil` when
 * she reaches private items no more: never does she where the region file says nothing of it.
 */
export type RepresentativeRequester = Authenticated & {
  readonly kind: 'representative';
  readonly related: string;
  readonly patient: string;
  readonly person: PersonKey;
  readonly until: number;
  readonly ofChildUntil?: number;
};

/** Who speaks for a record that is her own, or of whom she represents. */
export type SpeakingRequester = PatientRequester | RepresentativeRequester;

/** The software of an establishment acting for it (`Organization/id`): a backend client or a known AE title. */
export type EstablishmentRequester = Authenticated & {
  readonly kind: 'establishment';
  readonly organization: string;
};

/** Everybody who can ask. */
export type Requester = PractitionerRequester | SpeakingRequester | EstablishmentRequester;

/** Whether a requester speaks for a patient: it is she, or who represents her. */
export function speaksForPatient(requester: Requester): requester is SpeakingRequester {
  return requester.kind === 'patient' || requester.kind === 'representative';
}
