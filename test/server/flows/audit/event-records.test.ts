import { expect } from 'chai';
import { Fault } from '../../../../profiles/fault.ts';
import { eventRecords, ownOccasion, recordOf, refusalAbout } from '../../../../server/flows/audit/event-records.ts';
import { recordSignIn } from '../../../../server/flows/identity/record-sign-in.ts';
import type { AuditRecord } from '../../../../server/ports/commit-plan.ts';
import { aPersonKey, NOW } from '../../../support/plans.ts';

const clock = { now: () => NOW };
/** @see RFC 9562 section 5.7: 48 bits of time, version 7, variant 10 */
const UUID_7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function timeOf(id: string): number {
  const [, high = '', low = ''] = UUID_7.exec(id) ?? [];
  return Number.parseInt(`${high}${low}`, 16);
}

describe('Records of AuditEvents', () => {
  it('have ids of version 7 that begin with the time (RFC 9562 section 5.7), each its own', () => {
    const ids = Array.from({ length: 50 }, () => recordOf(clock, ownOccasion('passerelle'), 'read', {}).event.id);
    expect(new Set(ids).size).to.equal(50);
    expect(new Set(ids.map(timeOf))).to.deep.equal(new Set([NOW]));
  });

  it('keep the id of their position when they are asked for again, whatever they tell then', () => {
    const recordAt = eventRecords(clock, ownOccasion('passerelle'), 'search');
    const [first, second] = [recordAt(0, {}), recordAt(1, {})];
    expect(recordAt(0, { outcome: '4' }).event.id).to.equal(first.event.id);
    expect(recordAt(1, {}).event.id).to.equal(second.event.id);
    expect(first.event.id).to.not.equal(second.event.id);
  });

  it('name the person who may read them, or nobody', () => {
    const person = aPersonKey();
    expect(recordOf(clock, ownOccasion('operator'), 'erase-study', { person }).persons).to.deep.equal([person]);
    expect(recordOf(clock, ownOccasion('operator'), 'erase-study', {}).persons).to.deep.equal([]);
  });

  it('tell a fault of the server from one of the caller', () => {
    const outcomes = (['exception', 'not-found'] as const).map(
      (kind) => recordOf(clock, ownOccasion('passerelle'), 'read', refusalAbout(new Fault(kind, 'so'))).event,
    );
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['8', '4']);
    expect(outcomes[1]?.outcomeDesc).to.equal('not-found: so');
  });

  it('are those of sign-ins, too', async () => {
    const recorded: AuditRecord[] = [];
    const trail = { record: async (records: readonly AuditRecord[]) => void recorded.push(...records) };
    const record = recordSignIn({ trail, clock, server: 'auth' });
    await record({ outcome: 'failure', clientId: undefined, address: '192.0.2.7', reason: 'unknown' });
    expect(recorded.map(({ event }) => timeOf(event.id))).to.deep.equal([NOW]);
  });
});
