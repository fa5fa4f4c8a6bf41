/** What a purge takes of a person, and when it stops: what is of the one identity alone, while she is opposed. */
import { expect } from 'chai';
import { systemGrant } from '../../../../server/access/grant.ts';
import { findAll } from '../../../../server/flows/internal-reads.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { openSession, type Session } from '../identity/session.ts';
import { openErasing, patientsOf, type Erasing } from './her-record.ts';
import { feed, HERS, image, joinedIn, ONE, THEIRS } from './joined-world.ts';

const BESIDE = { at: 'strasbourg', number: 1 } as const;

for (const { name, missing, open } of EACH_STORE) {
  describe(`The parts of a purge, on ${name}`, function () {
    this.timeout(120_000);
    let erasing: Erasing;
    let world: Erasing['world'];
    let deps: Erasing['deps'];
    const { told, opposed, asked, confirmed, purged, standing } = joinedIn(() => erasing);

    before(async function () {
      if (missing() !== undefined) this.skip();
      erasing = await openErasing(open);
      ({ world, deps } = erasing);
    });
    after(async () => await erasing?.close());

    async function all<T>(some: AsyncIterable<T>): Promise<readonly T[]> {
      const found: T[] = [];
      for await (const one of some) found.push(one);
      return found;
    }

    /** Under which identities something is kept aside, listed, or reported of a person. */
    async function leftOf(session: Session) {
      const { person } = (await session.known()).get('strasbourg/0') ?? expect.fail('Nobody is left');
      const grant = systemGrant('erase-record', { person }, world.now());
      const aside = await all(deps.records.quarantined(grant));
      const lists = (await findAll(deps.records, grant, 'Task', [])).filter(
        ({ resource }) => JSON.stringify(resource).includes('kept-aside'),
      );
      const reports = await findAll(deps.records, grant, 'DiagnosticReport', []);
      return { aside, lists, reports };
    }

    it('leaves what is kept aside, listed and reported of another identity of hers', async () => {
      const session = openSession(world);
      await told(session, feed(ONE, 0), image(ONE, HERS), feed(BESIDE, 1), image(BESIDE, THEIRS));
      // Under the number of the other’s study: two are not one yet.
      await told(session, image(ONE, THEIRS, 1), { does: 'report', of: ONE, study: THEIRS, isFinal: true });
      await opposed(session);
      await told(session, { does: 'join', one: ONE, other: BESIDE, by: 'desk' });
      const before = await leftOf(session);
      expect([before.aside.length, before.lists.length, before.reports.length]).to.deep.equal([1, 1, 1]);
      const task = await asked(session);
      await confirmed(session, task);
      await purged(task);
      expect(await standing(session)).to.deep.equal([HERS]);
      const { aside, lists, reports } = await leftOf(session);
      const [hers] = await patientsOf(session);
      const subjects = [...aside, ...lists.map(({ row }) => row), ...reports.map(({ row }) => row)].map(
        ({ subject }) => subject,
      );
      expect(subjects).to.deep.equal([hers, hers, hers]);
      const bytes = new Set(await all(deps.images.names(0)));
      for (const { blob } of aside) expect(bytes.has(blob.name)).to.equal(true);
    });
  });
}
