/** STOW-RS of CT slices of 530 KB, one or fifty a request: for information. */
import { randomUUID } from 'node:crypto';
import type { Row } from '../support/figures.ts';
import { ROUNDS } from '../support/rounds.ts';
import { sliceStudy } from '../support/slices.ts';
import { askInTurn, rowsOf, type Ask } from './asking.ts';
import { missingPeers, startOrthancWeb, startPasserelle, type Side } from './sides.ts';

/** Measures; without the peer it says which one is missing. */
export async function measureStow(): Promise<readonly Row[]> {
  const missing = missingPeers();
  if (missing.length > 0) return [{ name: 'skipped', figures: { missing: missing.join(', ') } }];
  const sides: Side[] = [];
  try {
    sides.push(await startPasserelle({ asks: 'establishment' }), await startOrthancWeb());
    return [
      ...rowsOf('STOW-RS of 1', await askInTurn(sides, 10 * ROUNDS, (at) => requestOf(`bench-stow-1-${at}`, 1))),
      ...rowsOf('STOW-RS of 50', await askInTurn(sides, 2 * ROUNDS, (at) => requestOf(`bench-stow-50-${at}`, 50))),
    ];
  } finally {
    for (const side of sides) await side.stop();
  }
}

function requestOf(key: string, count: number): Ask {
  const boundary = randomUUID();
  const parts = [...sliceStudy(key, count).instances()].flatMap(({ bytes }) => [
    Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ]);
  const headers = {
    Accept: 'application/dicom+json',
    'Content-Type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
  };
  return { method: 'POST', path: '/studies', headers, body: [...parts, Buffer.from(`--${boundary}--`)] };
}
