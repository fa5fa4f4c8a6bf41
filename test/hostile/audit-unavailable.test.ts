/**
 * Without the audit trail nothing is shown: M06. The trail's file is locked from outside, as a full or stopped disk
 * would.
 */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { Bundle } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { eventsOf, expectOutcome } from '../support/clients/fhir-caller.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';

describe('A trail that cannot be written', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  it('M06 answers 503 and no data, serves again later, with an event for each answer', async function none() {
    this.timeout(60_000);
    const before = (await eventsOf(region.patient, 'search-type')).length;
    const [study] = await region.patient.find('ImagingStudy');
    const lock = new DatabaseSync(join(region.server.dataDir, 'trail.sqlite'));
    lock.exec('BEGIN IMMEDIATE');
    try {
      const began = Date.now();
      const answer = await region.patient.get(`ImagingStudy/${study?.id ?? ''}`);
      expectOutcome(answer, 503, 'transient');
      expect(answer.text).to.not.include(study?.id ?? '');
      expect(Date.now() - began).to.be.lessThan(30_000);
    } finally {
      lock.exec('ROLLBACK');
      lock.close();
    }
    expect((await region.patient.get('ImagingStudy')).json<Bundle>().total).to.equal(2);
    expect((await eventsOf(region.patient, 'search-type')).length).to.equal(before + 2);
  });
});
