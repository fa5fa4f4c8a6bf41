/**
 * A share: the patient lets somebody whom she names by an e-mail address see one exam or one report, for a time.
 * @see IHE PCF 1.1, Consent Intermediate (provision.data of meaning instance)
 */
import type { Consent, RelatedPerson } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION, IHE_PROFILE } from '../../codes.ts';
import { isShare } from './is-share.ts';
import { IRCP, privacyFrame, type PrivacyConsent } from '../privacy-consent.ts';
import { exactSpanOf, type TimeSpan } from '../time-span.ts';

/** The types of what is shared. */
export const SHARED_TYPES = ['ImagingStudy', 'DiagnosticReport'] as const;

/** One of {@link SHARED_TYPES}. */
export type SharedType = (typeof SHARED_TYPES)[number];

/** What a patient says of a share. */
export type ShareTerms = {
  /** One e-mail address. */
  readonly email: string;
  readonly reason: string;
  /** How often the link opens it; as often as one likes when absent. */
  readonly uses?: number;
  readonly download: boolean;
};

/** A share that is made. `patient` and `item` are references; times are epoch milliseconds, `to` exclusive. */
export type ShareFacts = ShareTerms & {
  readonly id: string;
  readonly patient: string;
  readonly item: string;
  readonly from: number;
  readonly to: number;
};

const RECIPIENT = 'recipient';

/** Builds the Consent of a share. */
export function buildShareConsent({ id, patient, item, from, to, ...terms }: ShareFacts): PrivacyConsent {
  const { email, reason, uses, download } = terms;
  const recipient: RelatedPerson = {
    resourceType: 'RelatedPerson',
    id: RECIPIENT,
    patient: { reference: patient },
    telecom: [{ system: 'email', value: email }],
  };
  return {
    ...privacyFrame({ id, patient, dateTime: from, policy: 'basic-normal', title: 'Partage par courriel' }, 'share'),
    meta: { profile: [IHE_PROFILE.consentIntermediate] },
    contained: [recipient],
    extension: [
      { url: EXTENSION.shareReason, valueString: reason },
      { url: EXTENSION.shareDownload, valueBoolean: download },
      ...(uses === undefined ? [] : [{ url: EXTENSION.shareUses, valuePositiveInt: uses }]),
    ],
    performer: [{ reference: patient }],
    provision: {
      type: 'permit',
      period: { start: new Date(from).toISOString(), end: new Date(to).toISOString() },
      actor: [{ role: IRCP, reference: { reference: `#${RECIPIENT}` } }],
      purpose: [{ system: CODE_SYSTEM.actReason, code: 'PATRQT' }],
      data: [{ meaning: 'instance', reference: { reference: item } }],
    },
  };
}

/** What is shared (`Type/id`), and when, to the moment. */
export type Share = TimeSpan & { readonly item: string };

/** Reads a stored share; undefined of one that has ended, and of any other Consent. `zone` is that of its row. */
export function shareOf(consent: object, zone?: string): Share | undefined {
  const { status, provision } = consent as Partial<Consent>;
  if (status !== 'active' || provision?.type !== 'permit' || !isShare(consent)) return undefined;
  const item = provision.data?.[0]?.reference.reference ?? '';
  const span = exactSpanOf(provision.period, zone);
  const isShared = SHARED_TYPES.some((type) => item.startsWith(`${type}/`));
  return isShared && span !== undefined ? { item, ...span } : undefined;
}

/** The address of whom a share is for; undefined where it names none. */
export function recipientOfShare({ contained = [] }: Pick<Consent, 'contained'>): string | undefined {
  const found = contained.find((one) => one.resourceType === 'RelatedPerson' && one.id === RECIPIENT);
  return found?.resourceType === 'RelatedPerson' ? found.telecom?.[0]?.value : undefined;
}
