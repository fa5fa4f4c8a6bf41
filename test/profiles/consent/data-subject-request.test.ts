/** Until when a request about one's data is answered (GDPR 12 (3), Regulation 1182/71 article 3), or restricts. */
import { expect } from 'chai';
import type { Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import {
  buildSubjectRequest,
  decidedRequest,
  mayExtend,
  restrictionTime,
} from '../../../profiles/consent/data-subject-request.ts';

const timeZone = 'Europe/Paris';
const RESTRICTION = { system: CODE_SYSTEM.task, code: 'restriction' };

function received(at: string): Task {
  const [patient, requester] = ['Patient/p', 'Patient/p'];
  return buildSubjectRequest({ id: 'r', right: 'access', patient, requester, now: Date.parse(at), timeZone });
}

function extended(task: Task, at: string): Task {
  const decision = { comment: 'Beaucoup de demandes', officer: 'Practitioner/o', now: Date.parse(at), timeZone };
  return decidedRequest(task, { verdict: 'extended', ...decision });
}

const endOf = ({ restriction }: Task): string | undefined => restriction?.period?.end;

describe('GDPR 12 (3): the deadline of a request about data', () => {
  for (const [receipt, end] of [
    ['2026-11-30T08:00:00Z', '2026-12-30T22:59:59.999Z'],
    ['2026-01-31T08:00:00Z', '2026-02-28T22:59:59.999Z'],
    ['2028-01-30T08:00:00Z', '2028-02-29T22:59:59.999Z'],
    ['2026-12-15T08:00:00Z', '2027-01-15T22:59:59.999Z'],
    // The day is that of the zone, not of UTC, and so is its end in summer.
    ['2026-03-31T22:30:00Z', '2026-05-01T21:59:59.999Z'],
  ] as const)
    it(`of ${receipt} ends with the same day of the next month, or with its last: ${end}`, () => {
      expect(endOf(received(receipt))).to.equal(end);
    });

  it('is two months longer where an officer says so, counted from the receipt', () => {
    const task = extended(received('2026-11-30T08:00:00Z'), '2026-12-20T08:00:00Z');
    expect(endOf(task)).to.equal('2027-02-28T22:59:59.999Z');
    expect(task.status).to.equal('requested');
  });

  it('is made longer once, before it ends, while the request waits', () => {
    const task = received('2026-11-30T08:00:00Z');
    const [early, late] = [Date.parse('2026-12-30T22:00:00Z'), Date.parse('2026-12-30T23:00:00Z')];
    expect([mayExtend(task, early), mayExtend(task, late)]).to.deep.equal([true, false]);
    expect(mayExtend(extended(task, '2026-12-20T08:00:00Z'), early)).to.equal(false);
    expect(mayExtend({ ...task, status: 'completed' }, early)).to.equal(false);
  });
});

describe('GDPR 18 (3): the end of a restriction', () => {
  it('is that of the seventh day after she was told, in the zone, and stays what it restricts', () => {
    const decision = { comment: 'Vérifiée', officer: 'Practitioner/o', timeZone };
    const asked: Task = { ...received('2026-03-01T08:00:00Z'), code: { coding: [RESTRICTION] } };
    const granted = decidedRequest(asked, { ...decision, verdict: 'granted', now: Date.parse('2026-03-02T09:00:00Z') });
    expect(restrictionTime(asked)).to.equal(undefined);
    expect(restrictionTime(granted)).to.deep.equal({ from: Date.parse('2026-03-02T09:00:00Z'), to: Infinity });
    // Summer time begins in between.
    const now = Date.parse('2026-03-24T23:30:00Z');
    expect(restrictionTime(decidedRequest(granted, { ...decision, verdict: 'lifted', now }))).to.deep.equal({
      from: Date.parse('2026-03-02T09:00:00Z'),
      to: Date.parse('2026-04-01T21:59:59.999Z'),
    });
  });
});
