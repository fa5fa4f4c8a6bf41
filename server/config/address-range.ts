/** Addresses of callers in the region file: one address, or a range in the form of CIDR (RFC 4632, RFC 4291 2.3). */
import { BlockList, isIP } from 'node:net';

type Range = { readonly address: string; readonly family: 'ipv4' | 'ipv6'; readonly prefix: number };

/** Whether a text is an address or a range. Names of hosts are none: who they are is said by others. */
export function isAddressRange(text: string): boolean {
  return rangeOf(text) !== undefined;
}

/** Whether an address lies in one of some ranges; what is no range holds nothing. */
export function isAmong(ranges: readonly string[], address: string): boolean {
  const family = familyOf(address);
  if (family === undefined) return false;
  const list = new BlockList();
  for (const range of ranges.map(rangeOf))
    if (range !== undefined) list.addSubnet(range.address, range.prefix, range.family);
  return list.check(address, family);
}

function rangeOf(text: string): Range | undefined {
  const [address = '', length, ...others] = text.split('/');
  const family = familyOf(address);
  if (family === undefined || others.length > 0 || address.includes('%')) return undefined;
  const bits = family === 'ipv4' ? 32 : 128;
  if (length === undefined) return { address, family, prefix: bits };
  const prefix = Number(length);
  return /^(?:0|[1-9]\d{0,2})$/.test(length) && prefix <= bits ? { address, family, prefix } : undefined;
}

function familyOf(address: string): Range['family'] | undefined {
  return ({ 4: 'ipv4', 6: 'ipv6' } as const)[isIP(address)];
}
