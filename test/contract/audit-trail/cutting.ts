/** What every AuditTrail adapter keeps when the oldest events are cut off. */
import { expect } from 'chai';
import { studyEntity } from '../../../profiles/audit/entities.ts';
import { keptSince } from '../../../profiles/audit/retention.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Cutting, SealedCut, ToldCut, TrailCut, Verification } from '../../../server/ports/audit-trail.ts';
import { expectFault } from '../../support/faults.ts';
import { anAudit, anId, aPatientGrant, aPersonKey, aQuery, aUid, NOW, SYSTEM } from '../../support/plans.ts';
import { searchIds } from '../../support/reads.ts';
import type { OpenStores } from '../../support/stores.ts';
import { useStores, type Suite } from '../suite.ts';

const DAY_MS = 86_400_000;
const SINCE = keptSince(NOW, 10);
const LATE = SINCE + 100 * DAY_MS;

/** Tells of a cut at present. */
const tell = async (cut: TrailCut, records: number): Promise<ToldCut> => ({
  record: anAudit([], anId(), [{ role: '13', detail: { before: cut.before, records: String(records) } }]),
  seal: `seal-of-${cut.sequence}`,
});

/** A cut of what was recorded before a time, and who tells of it. */
const before = (time: number, parts: Partial<Cutting> = {}): Cutting => {
  const isOurs = async ({ seal, sequence }: SealedCut): Promise<boolean> => seal === `seal-of-${sequence}`;
  return { before: time, now: NOW, reach: 7_300 * DAY_MS, pause: 0, tell, isOurs, ...parts };
};

/** A suite on a trail of its own, with events of one person. */
function useTrail(open: OpenStores) {
  const suite: Suite = useStores(open);
  const person = aPersonKey();
  return {
    suite,
    /** Records as many events, so many days after the time since when events are kept; answers their ids. */
    async fill(days: number, events = 1): Promise<readonly string[]> {
      const records = Array.from({ length: events }, () => {
        const { event, persons } = anAudit([person], anId(), [studyEntity(aUid())]);
        return { event: { ...event, recorded: new Date(SINCE + days * DAY_MS).toISOString() }, persons };
      });
      await suite.trail.record(records);
      await suite.trail.head();
      return records.map(({ event }) => event.id);
    },
    async found(): Promise<readonly string[]> {
      const ids = await searchIds(suite.records, aPatientGrant(person), aQuery('AuditEvent', { count: 1_000 }));
      return [...ids].sort();
    },
  };
}

/** Runs the contract of cutting on an adapter. */
export function cuttingTrails(name: string, open: OpenStores): void {
  describe(`AuditTrail, what is cut off: ${name}`, function () {
    this.timeout(60_000);
    const { suite, fill, found } = useTrail(open);

    it('is nothing of an empty trail, and never the last record', async () => {
      expect(await suite.trail.cut(before(SINCE))).to.equal(0);
      await fill(-3);
      expect(await suite.trail.cut(before(SINCE))).to.equal(0);
      expect(await suite.trail.verify())
        .to.deep.include({ whole: true, begins: 1 })
        .and.not.have.property('cut');
    });

    it('is what was recorded before the time, up to the first that was not', async () => {
      await fill(-2);
      const kept = [...(await fill(0)), ...(await fill(-1)), ...(await fill(1))];
      const head = await suite.trail.head();
      const last = await suite.trail.hashAt(2);
      expect(await suite.trail.cut(before(SINCE))).to.equal(2);
      expect(await suite.trail.cut(before(SINCE))).to.equal(0);
      expect(await found()).to.deep.equal([...kept].sort());
      expect(await suite.trail.hashAt(2)).to.equal(undefined);
      const verified = await suite.trail.verify([head]);
      expect(verified).to.deep.include({ whole: true, begins: 3, erased: 0, unexplained: 0 });
      const cut = { sequence: 2, hash: last, before: new Date(SINCE).toISOString(), seal: 'seal-of-2' };
      expect(verified)
        .to.have.property('cut')
        .that.deep.equals({ ...cut, recorded: new Date(NOW).toISOString() });
    });

    it('is told by an event, which shows nothing of what the verifier reads', async () => {
      const shown = await suite.records.peek(SYSTEM, { kind: 'search', query: aQuery('AuditEvent', { count: 1_000 }) });
      expect(JSON.stringify(shown)).to.include('records').and.not.include('seal-of-2').and.not.include('\\"cut');
    });

    it('must be the one that was there: another hash of its last record is a finding', async () => {
      const known = [{ sequence: 2, hash: 'f'.repeat(64) }];
      expect(await suite.trail.verify(known)).to.deep.include({ whole: false, sequence: 2 });
    });

    it('reaches so far beyond the oldest record, and to no record that is anchored, nor to one after it', async () => {
      await fill(-3);
      expect(await suite.trail.cut(before(LATE, { reach: 0 }))).to.equal(0);
      expect(await suite.trail.cut(before(LATE, { anchored: 0 }))).to.equal(0);
      expect(await suite.trail.cut(before(LATE, { anchored: 4 }))).to.equal(1);
      const { begins, cut } = (await suite.trail.verify()) as Extract<Verification, { whole: true }>;
      expect([begins, cut?.sequence]).to.deep.equal([4, 3]);
      const reach = DAY_MS / 2;
      expect(await suite.trail.cut(before(LATE, { reach }))).to.equal(1);
      expect(await suite.trail.verify())
        .to.deep.include({ whole: true, begins: 5 })
        .and.have.nested.property('cut.before', new Date(SINCE + (1 / 2 - 1) * DAY_MS).toISOString());
    });

    it('is refused where the chain begins by a cut of another seal', async () => {
      const head = await suite.trail.head();
      await expectFault(suite.trail.cut(before(LATE, { isOurs: async () => false })), 'conflict');
      expect(await suite.trail.head()).to.deep.equal(head);
    });

    it('is of no use to who tells that younger events were as old', async () => {
      expect(await suite.trail.cut(before(NOW - 365 * DAY_MS))).to.be.greaterThan(0);
      const verified = await suite.trail.verify();
      expect(verified).to.deep.include({ whole: false, reason: 'the record tells of a cut that cannot be' });
    });
  });

  describe(`AuditTrail, cut although its times are wrong: ${name}`, function () {
    this.timeout(120_000);
    const { suite, fill, found } = useTrail(open);

    it('takes what says a time to come as old as the record before it', async () => {
      const years = 4_000;
      await fill(years);
      await fill(-2);
      await fill(years, 2);
      await fill(-1);
      let counted: readonly number[] = [];
      const cutting = before(SINCE, {
        tell: async (cut, records, undated) => {
          counted = [records, undated];
          return await tell(cut, records);
        },
      });
      const ids = await fill(1);
      expect(await suite.trail.cut(cutting)).to.equal(5);
      expect(counted).to.deep.equal([5, 3]);
      expect(await found()).to.deep.equal(ids);
      expect(await suite.trail.verify()).to.deep.include({ whole: true, begins: 6 });
    });
  });

  describe(`AuditTrail, cut in steps: ${name}`, function () {
    this.timeout(120_000);
    const { suite, fill, found } = useTrail(open);

    it('is whole before and after each of them, and after an end between them', async () => {
      await fill(-1, 250);
      const kept = await fill(1, 3);
      const head = await suite.trail.head();
      const states: Verification[] = [];
      const goOn = async (): Promise<void> => {
        const state = await suite.trail.verify([head]);
        states.push(state);
        if (state.whole && state.begins > 1) throw new Fault('transient', 'The job is to end');
      };
      await expectFault(suite.trail.cut(before(SINCE), goOn), 'transient');
      await suite.reopen();
      const last = await suite.trail.hashAt(250);
      states.push(await suite.trail.verify([head]));
      for (const state of states) expect(state).to.include({ whole: true });
      expect(states.at(-1)).to.deep.include({ begins: 201, head: await suite.trail.head() });
      expect(states.at(-1)).to.have.nested.include({ 'cut.sequence': 250, 'cut.hash': last });
      expect((await found()).length).to.equal(53);

      const [removed, ...meanwhile] = await Promise.all([
        suite.trail.cut(before(SINCE)),
        suite.trail.verify([head]),
        suite.trail.verify([head]),
      ]);
      expect(removed).to.equal(50);
      for (const state of meanwhile) expect(state).to.include({ whole: true });
      expect(await found()).to.deep.equal([...kept].sort());
      const after = await suite.trail.verify([head]);
      expect(after).to.deep.include({ whole: true, begins: 251, erased: 0, unexplained: 0 });
      expect(after).to.have.nested.include({ 'cut.sequence': 250, 'cut.hash': last });
    });
  });

  describe(`AuditTrail, two cut at one time: ${name}`, function () {
    this.timeout(60_000);
    const { suite, fill, found } = useTrail(open);

    it('is whole, and all went that was to go', async () => {
      await fill(-1, 450);
      const kept = await fill(1, 3);
      const head = await suite.trail.head();
      await Promise.all([suite.trail.cut(before(SINCE)), suite.trail.cut(before(SINCE))]);
      const whole = { whole: true, begins: 451, erased: 0, unexplained: 0 };
      expect(await suite.trail.verify([head])).to.deep.include(whole);
      expect(await found()).to.deep.equal([...kept].sort());
    });
  });
}
