/**
 * The code that a patient gives to a professional who is with her: eight characters that nobody takes for others when
 * they are read aloud, 40 bits.
 */

/** Digits and letters of Base 32, without those that look like others. @see Crockford, Base 32 */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 8;
const GROUP = 4;

/** Makes the code of some random bytes, as many as {@link PRESENCE_CODE_BYTES}: two groups with a hyphen between. */
export function presenceCodeOf(bytes: Uint8Array): string {
  const symbols = [...bytes.subarray(0, LENGTH)].map((byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('');
  return `${symbols.slice(0, GROUP)}-${symbols.slice(GROUP)}`;
}

/** The bytes that a code is made of: 256 is a multiple of 32, so each character is as likely. */
export const PRESENCE_CODE_BYTES = LENGTH;

/**
 * A code as it was typed, in the one form that counts: capitals, without spaces and hyphens, O read as 0, I and L as 1.
 * Undefined where it is none.
 */
export function readPresenceCode(typed: string): string | undefined {
  const plain = typed.slice(0, MOST_TYPED).toUpperCase().replaceAll(/[\s-]/gu, '');
  const read = plain.replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return read.length === LENGTH && [...read].every((symbol) => ALPHABET.includes(symbol)) ? read : undefined;
}

const MOST_TYPED = 40;
