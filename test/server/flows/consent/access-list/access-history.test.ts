/** Who looked at a record, of a year with many events (access.md R-20). */
import { expect } from 'chai';
import { buildAuditEvent } from '../../../../../profiles/audit/audit-event.ts';
import { accessHistory, MOST_EVENTS } from '../../../../../server/flows/consent/access-list/access-history.ts';
import { indexHolders } from '../../../../../server/flows/directory/holders.ts';
import { MAX_ORDERED_ROWS } from '../../../../../server/ports/record-store.ts';
import { anId, NOW } from '../../../../support/plans.ts';
import { openClinic, type Clinic } from '../../../endpoints/clinic.ts';

describe('The list of accesses', function () {
  this.timeout(30_000);
  let clinic: Clinic;
  before(async () => {
    clinic = await openClinic();
  });
  after(async () => await clinic?.close());

  /** Records that somebody looked so many times, at one moment after the other. */
  const looked = async (times: number): Promise<void> => {
    const { anne, stores } = clinic;
    const events = Array.from({ length: times }, (_, at) => ({
      event: buildAuditEvent({
        id: anId(),
        kind: 'search',
        outcome: '0',
        recorded: new Date(NOW - 86_400_000 + at * 1_000).toISOString(),
        requestId: `request-${at}`,
        server: 'fhir',
        client: { id: 'viewer' },
        patient: `Patient/${anne.resource.id}`,
        user: { reference: `Practitioner/${at % 7}`, display: 'Zoé Lambert', purpose: 'TREAT' },
        entities: [],
      }),
      persons: [anne.person],
    }));
    for (let at = 0; at < events.length; at += 1_000) await stores.trail.record(events.slice(at, at + 1_000));
    await stores.trail.head();
  };

  it(`is told whole up to ${MOST_EVENTS} events, which are more than any order of its own takes`, async () => {
    await looked(MAX_ORDERED_ROWS + 1);
    const ask = accessHistory({ ...clinic.guard, holders: () => indexHolders([]), timeZone: 'UTC' });
    const asked = { from: NOW - 2 * 86_400_000, before: NOW, withOwn: true, count: MOST_EVENTS, offset: 0 };
    const { total, page } = await ask(clinic.visitOf('anne', 'fhir'), asked);
    expect(page).to.have.length(total);
    expect(page.at(-1)?.at).to.equal(NOW - 86_400_000);
    expect(page.map(({ at }) => at)).to.deep.equal(page.map(({ at }) => at).toSorted((one, other) => other - one));
    expect(new Set(page.flatMap(({ events }) => events)).size).to.equal(MAX_ORDERED_ROWS + 1);
  });
});
