/** When naming who represents a patient is asked for what shows that she was there (access.md section 3, 10.3). */
import { expect } from 'chai';
import type { RelatedPerson } from '@medplum/fhirtypes';
import { systemReading } from '../../../../server/access/grant.ts';
import type { WriteFacts } from '../../../../server/access/may-write.ts';
import { REPRESENTATIVE_HOOK } from '../../../../server/flows/care/representative-hook.ts';
import { knownPatient } from '../../../../server/flows/identity/persons.ts';
import { rowById } from '../../../../server/flows/internal-reads.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { Work } from '../../../../server/flows/write/work.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { aPlan, NOW } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { CLINIC, openClinic, type Clinic } from '../../endpoints/clinic.ts';

describe('Naming who represents a patient', () => {
  let clinic: Clinic;
  before(async () => {
    clinic = await openClinic();
  });
  after(async () => await clinic?.close());

  const related = (id: string, period?: RelatedPerson['period']): RelatedPerson & { readonly id: string } => ({
    resourceType: 'RelatedPerson',
    id,
    patient: { reference: `Patient/${clinic.anne.resource.id}` },
    relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'GUARD' }] }],
    ...(period === undefined ? {} : { period }),
  });

  /** Puts a row as a server of before or of now did. */
  const filed = async (resource: ReturnType<typeof related>, gives: { readonly represents?: true }): Promise<void> => {
    const { indexer } = await loadDefinitions();
    const origin = { ...filedBy(CLINIC), ...gives, zone: 'UTC' };
    const { person } = clinic.anne;
    const put = putOf(indexer, resource, NOW, { person, subject: resource.patient.reference ?? '', origin });
    await commitPlan(clinic.stores.records, aPlan({ puts: [put] }));
  };

  /** The work of sending one, and what is sent. */
  const sent = async (resource: ReturnType<typeof related>) => {
    const { stores, region, visitOf } = clinic;
    const { records } = stores;
    const { indexer } = await loadDefinitions();
    const reading = systemReading('publish-report', NOW);
    const standing = await rowById(records, reading, 'RelatedPerson', resource.id);
    const known = await knownPatient(records, reading, resource.patient.reference ?? '');
    const deps = { records, indexer, region, timeZone: 'UTC' };
    const work = { deps, visit: visitOf('clinic', 'fhir'), reading, now: NOW };
    const act = { interaction: 'update', type: 'RelatedPerson', id: resource.id, resource } as const;
    const placed = { act, id: resource.id, standing };
    return [work as unknown as Work, { placed, resource, known }] as const;
  };

  const asked = async (resource: ReturnType<typeof related>): Promise<WriteFacts['isNomination']> => {
    const facts = await REPRESENTATIVE_HOOK.asked(...(await sent(resource)));
    return facts.isNomination;
  };

  /** Whether it is put. */
  const isPut = async (resource: ReturnType<typeof related>): Promise<boolean> => {
    const { parts } = await REPRESENTATIVE_HOOK.parts(...(await sent(resource)));
    return (parts.puts ?? []).length > 0;
  };

  it('C14 of a row of an earlier server, which gives no right, is asked for when it is sent again', async () => {
    expect(await asked(related('new'))).to.equal(true);
    await filed(related('earlier'), {});
    expect(await asked(related('earlier'))).to.equal(true);
    await filed(related('later'), { represents: true });
    expect(await asked(related('later'))).to.equal(undefined);
  });

  it('of a row of an earlier server is put though it says the same, for what it gives; else nothing is', async () => {
    await filed(related('same-earlier'), {});
    expect(await isPut(related('same-earlier'))).to.equal(true);
    await filed(related('same'), { represents: true });
    expect(await isPut(related('same'))).to.equal(false);
    for (const gives of [{}, { represents: true }] as const) {
      const over = related('same-over', { start: '2020-01-01', end: '2020-12-31' });
      await filed(over, gives);
      expect(await isPut(over), 'it opens nothing').to.equal(false);
    }
  });

  it('of a time that is over is not asked for, and is when it is made longer', async () => {
    const over = { start: '2020-01-01', end: '2020-12-31' };
    await filed(related('over', over), { represents: true });
    expect(await asked(related('over', over))).to.equal(undefined);
    expect(await asked(related('over', { start: '2020-01-01' }))).to.equal(true);
  });
});
