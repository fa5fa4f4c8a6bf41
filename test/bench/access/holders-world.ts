/** A region of 300,000 studies, and professionals who see 200, 5,000 and 100,000 of them, by one right or by six. */
import { join } from 'node:path';
import type { Grant } from '../../../server/access/grant.ts';
import { aGrant, anEstablishmentGrant } from '../../support/plans.ts';
import { fillAccessWorld, NEWEST } from '../spine/access-world.ts';
import { fillAtOnce } from '../support/fill-at-once.ts';

/** How many studies there are. */
export const STUDIES = 300_000;

/** How many each of the professionals sees. */
export const SEEN = [200, 5_000, 100_000] as const;

/** Somebody who sees so many studies. */
export type Viewer = { readonly seen: number; readonly principals: number; readonly grant: Grant };

/** The viewers: the software of an establishment is one principal, a professional with a role is six. */
export const VIEWERS: readonly Viewer[] = SEEN.flatMap((seen) => [
  { seen, principals: 1, grant: anEstablishmentGrant(`Organization/e${seen}`, NEWEST + 1) },
  {
    seen,
    principals: 6,
    grant: aGrant(`Practitioner/p${seen}`, NEWEST + 1, [
      {
        reference: `PractitionerRole/p${seen}`,
        organization: `Organization/part${seen}`,
        within: [`Organization/part${seen}`, `Organization/whole${seen}`],
        radiologist: true,
        offices: [],
      },
    ]),
  },
]);

/** Fills `records.sqlite` of a folder. */
export function fillHolders(dataDir: string): void {
  fillAccessWorld(dataDir, STUDIES);
  fillAtOnce(join(dataDir, 'records.sqlite'), (db) => {
    for (const { seen, grant } of VIEWERS) {
      const step = STUDIES / seen;
      // Every tenth study is shown by two of the rights.
      for (const [at, holder] of grant.principals.entries()) {
        const several = grant.principals.length;
        const nth = `(x.rid / ${step}) % ${several}`;
        const second = several === 1 ? '0' : `${nth} = ${(at + 1) % several} AND (x.rid / ${step}) % 10 = 0`;
        db.exec(
          `INSERT INTO acl (principal, type, sort, id, right_id, rid, relation, source, valid_from, valid_to)
            SELECT '${holder}', x.type, x.sort, x.id, '${holder}', x.rid, 'declared', NULL, 0, 8640000000000000
            FROM resource x WHERE x.rid % ${step} = 0 AND (${nth} = ${at} OR ${second})`,
        );
      }
    }
  });
}
