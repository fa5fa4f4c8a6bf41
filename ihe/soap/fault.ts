/** Fault to SOAP 1.2 fault: for errors of the protocol and of the caller; errors of content are registry errors. */
import type { Fault, FaultKind } from '../../profiles/fault.ts';
import { ACTION, NAMESPACE } from '../codes.ts';
import { escapeText } from '../xml/escape.ts';
import { formatEnvelope } from './envelope.ts';

type SoapFaultCode = {
  readonly code: 'env:Sender' | 'env:Receiver';
  readonly subcode?: string;
};

/**
 * SOAP fault code of each kind. Kinds without a subcode of a standard have none.
 * @see SOAP 1.2 part 1 section 5.4.6; WS-Security 1.1 section 12
 */
export const SOAP_FAULT_OF_FAULT = {
  invalid: { code: 'env:Sender' },
  required: { code: 'env:Sender' },
  'not-supported': { code: 'env:Sender' },
  login: { code: 'env:Sender', subcode: 'wsse:FailedAuthentication' },
  forbidden: { code: 'env:Sender' },
  'not-found': { code: 'env:Sender' },
  deleted: { code: 'env:Sender' },
  conflict: { code: 'env:Sender' },
  'business-rule': { code: 'env:Sender' },
  'version-conflict': { code: 'env:Sender' },
  'too-costly': { code: 'env:Sender' },
  'too-long': { code: 'env:Sender' },
  throttled: { code: 'env:Receiver' },
  'no-store': { code: 'env:Receiver' },
  transient: { code: 'env:Receiver' },
  exception: { code: 'env:Receiver' },
} as const satisfies Record<FaultKind, SoapFaultCode>;

/** A SOAP fault ready for HTTP. */
export type SoapFaultAnswer = {
  /** 400 for env:Sender, else 500 (SOAP 1.2 part 2, table 20). */
  readonly status: 400 | 500;
  readonly envelope: string;
};

/**
 * Formats a Fault as the answer to one request. A protocolCode of the form `env:…` is the code itself, one of
 * another prefix (`wsa:…`, `wsse:…`) the subcode; codes of other protocols are left out.
 */
export function formatSoapFault(fault: Fault, relatesTo?: string): SoapFaultAnswer {
  const { code, subcode } = codesOf(fault);
  const action = subcode?.startsWith('wsa:') === true ? ACTION.addressingFault : ACTION.soapFault;
  const inner = subcode === undefined ? '' : `<env:Subcode><env:Value>${subcode}</env:Value></env:Subcode>`;
  const body =
    `<env:Fault xmlns:wsse="${NAMESPACE.wsse}"><env:Code><env:Value>${code}</env:Value>${inner}</env:Code>` +
    `<env:Reason><env:Text xml:lang="en">${escapeText(fault.message)}</env:Text></env:Reason></env:Fault>`;
  return { status: code === 'env:Sender' ? 400 : 500, envelope: formatEnvelope({ action, relatesTo, body }) };
}

const SOAP_CODE = /^env:(?:Sender|Receiver|MustUnderstand|VersionMismatch)$/;
const SUBCODE = /^(?:wsa|wsse):[A-Za-z]+$/;

/**
 * Whether a Fault is answered by a SOAP fault even where the transaction has registry errors: the message could
 * not be read as SOAP, or its sender is not authenticated.
 */
export function concernsSoap({ kind, protocolCode = '' }: Fault): boolean {
  return kind === 'login' || SOAP_CODE.test(protocolCode) || SUBCODE.test(protocolCode);
}

function codesOf(fault: Fault): { readonly code: string; readonly subcode?: string } {
  const { protocolCode = '' } = fault;
  const standard: SoapFaultCode = SOAP_FAULT_OF_FAULT[fault.kind];
  if (SOAP_CODE.test(protocolCode)) return { code: protocolCode };
  if (SUBCODE.test(protocolCode)) return { code: standard.code, subcode: protocolCode };
  return standard;
}
