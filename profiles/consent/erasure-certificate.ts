/**
 * What the certificate of an erasure says, which is signed: that a request was carried out, when, and how much went. It
 * names nobody.
 */

/** What is certified. Times are epoch milliseconds. */
export type CarriedOut = {
  /** The request: `Task/id`. */
  readonly request: string;
  /** The address of the server. */
  readonly issuer: string;
  readonly receivedAt: number;
  readonly begunAt: number;
  readonly endedAt: number;
  /** How much there was, by type of FHIR, and `instances`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Of how many events the trail tells less. */
  readonly events: number;
  /** The head of the trail when all was gone. */
  readonly head: { readonly sequence: number; readonly hash: string };
  /** Whether she was told by mail, and how many establishments that had been given data of hers. */
  readonly isTold: boolean;
  readonly recipients: number;
};

/** The content of the certificate, as JSON has it. Times are in ISO 8601. */
export type ErasureCertificate = Omit<CarriedOut, 'issuer' | 'receivedAt' | 'begunAt' | 'endedAt'> & {
  /** @see RFC 7519 section 4.1.1 */
  readonly iss: string;
  readonly receivedAt: string;
  readonly begunAt: string;
  readonly endedAt: string;
};

/** Builds it. */
export function buildErasureCertificate({
  issuer,
  receivedAt,
  begunAt,
  endedAt,
  ...rest
}: CarriedOut): ErasureCertificate {
  const at = (moment: number): string => new Date(moment).toISOString();
  return { iss: issuer, ...rest, receivedAt: at(receivedAt), begunAt: at(begunAt), endedAt: at(endedAt) };
}
