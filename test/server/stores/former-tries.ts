/** Tries of presence codes as earlier servers kept them: for a number under a plain digest, which never went. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { systemReading } from '../../../server/access/grant.ts';
import { claimKey } from '../../../server/ports/claim-key.ts';
import type { RecordStore } from '../../../server/ports/record-store.ts';
import { aPlan, NOW } from '../../support/plans.ts';
import { commitPlan } from '../../support/warrants.ts';

const DIGEST = createHash('sha256').update('["urn:oid:2.25.9","123"]').digest('base64url');
const TRIES = [claimKey.presenceTries(DIGEST), claimKey.presenceTries('Practitioner/lambert')];
/** Its neighbours among the keys. */
const OTHERS = [claimKey.presenceCode('Patient/1'), claimKey.qualified('urn:oid:2.25.9', '123')];

/** Keeps some, and other claims. */
export async function keepTries(records: RecordStore): Promise<void> {
  const claims = [...TRIES, ...OTHERS].map((key) => ({ key, value: JSON.stringify({ moments: [NOW] }) }));
  await commitPlan(records, aPlan({ claims }));
}

/** Which of them stand. */
export async function expectTries(records: RecordStore, areKept: boolean): Promise<void> {
  const standing = await Promise.all(
    [...TRIES, ...OTHERS].map(async (key) => {
      const value = await records.claimed(systemReading('presence-code', NOW)({ item: key }), key);
      return value === undefined ? [] : [key];
    }),
  );
  expect(standing.flat()).to.deep.equal([...(areKept ? TRIES : []), ...OTHERS]);
}
