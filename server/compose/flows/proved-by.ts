/** Whom an assertion names. */
import type { XuaAssertion } from '../../../ihe/saml/assertion.ts';
import { IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import { findAccount, resolveRequester } from '../../flows/identity/resolve-requester.ts';

/** What an assertion's bearer may do: read and search. */
const ASSERTION_SCOPES = ['user/*.rs'];

/** Finds the professional that an assertion names, by the directory's identifiers. */
export async function provedBy(
  assertion: XuaAssertion,
  find: ReturnType<typeof findAccount>,
): Promise<Parameters<ReturnType<typeof resolveRequester>>[0]> {
  const value = assertion.providerIdentifier?.value ?? assertion.nameId;
  const systems = [assertion.providerIdentifier?.system, IDENTIFIER_SYSTEM.professional, IDENTIFIER_SYSTEM.rpps];
  for (const system of new Set(systems)) {
    const account = system === undefined ? undefined : await find('practitioner', system, value);
    if (account === undefined) continue;
    return {
      clientId: assertion.issuer,
      scopes: ASSERTION_SCOPES,
      account: account.reference,
      authTime: Math.floor(assertion.authnInstant.getTime() / 1000),
      tokenId: assertion.id,
      assertion: { issuer: assertion.issuer, nameId: assertion.nameId },
      ...(assertion.purposeOfUse === undefined ? {} : { purpose: assertion.purposeOfUse.code }),
    };
  }
  throw new Fault('login', 'The assertion names nobody of the directory');
}
