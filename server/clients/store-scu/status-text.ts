/** What the statuses of C-STORE mean. @see DICOM PS3.4 B.2.3, PS3.7 9.1.1.1.9 and annex C */

const EXACT: Readonly<Record<number, string>> = {
  0x0110: 'the peer failed to process it',
  0x0111: 'the peer has this SOP Instance UID already',
  0x0112: 'the peer knows no such instance',
  0x0117: 'the SOP Instance UID is invalid',
  0x0118: 'the peer knows no such SOP class',
  0x0119: 'class and instance do not fit each other',
  0x0122: 'the peer does not support this SOP class',
  0x0124: 'the peer does not allow it',
  0x0210: 'the peer takes it for a message that it had already',
  0x0211: 'the peer does not know C-STORE',
  0x0212: 'the peer takes the command for malformed',
  0xb000: 'the peer changed some elements',
  0xb006: 'the peer left some elements out',
  0xb007: 'the data set does not fit its SOP class',
};

/** By the first byte, or the first half of it. */
const RANGES: readonly (readonly [mask: number, value: number, text: string])[] = [
  [0xff00, 0xa700, 'the peer has no room, or no means'],
  [0xff00, 0xa900, 'the data set does not fit its SOP class'],
  [0xf000, 0xc000, 'the peer cannot understand it'],
  [0xf000, 0xb000, 'the peer warns'],
];

/** Whether a status that is not 0 says that the instance is stored all the same. */
export function isWarning(status: number): boolean {
  return (status & 0xf000) === 0xb000 || status === 0x0001 || status === 0x0107 || status === 0x0116;
}

/** A status in words, its four digits and what the peer said of it included. */
export function statusText(status: number, errorComment?: string): string {
  const text = EXACT[status] ?? RANGES.find(([mask, value]) => (status & mask) === value)?.[2] ?? 'the peer refused it';
  const comment = errorComment === undefined || errorComment === '' ? '' : `: ${errorComment}`;
  return `${text} (status ${status.toString(16).toUpperCase().padStart(4, '0')})${comment}`;
}
