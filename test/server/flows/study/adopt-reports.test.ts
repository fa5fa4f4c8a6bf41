/** Reports of an earlier server, which published each whatever its status, once this one has taken its data over. */
import type { Binary, DiagnosticReport, DocumentReference, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { toPatient } from '../../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../../fixtures/people.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { filedBy, putOf, type PutFacts } from '../../../../server/flows/write/plan-parts.ts';
import { rowById } from '../../../../server/flows/internal-reads.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import { onFreshStores } from '../../../support/data-folder/fresh-stores.ts';
import { aBlob, anId, aPersonKey, aPlan, NOW } from '../../../support/plans.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { commitPlan } from '../../../support/warrants.ts';

type Status = DiagnosticReport['status'];

/** Ids of what an earlier server kept of a report: its document, and the Binary of each version. */
type Kept = { readonly document: string; readonly bytes: readonly string[] };

const { organization } = ESTABLISHMENTS.nancy;
const REGION = aRegionIndex(
  { patientIdSystem: 'urn:oid:2.25.1', accessionSystem: 'urn:oid:2.25.2' },
  { establishments: [organization] },
);

describe('Reports that an earlier server published', function () {
  this.timeout(30_000);
  const stores = onFreshStores('adopt-reports');

  async function keep(...versions: readonly Status[]): Promise<Kept> {
    const [patient, report, document] = [anId(), anId(), anId()];
    const person = aPersonKey();
    const subject = `Patient/${patient}`;
    const facts: PutFacts = { person, subject, origin: filedBy(organization) };
    const put = (resource: Parameters<typeof putOf>[1], more: Partial<PutFacts> = {}) =>
      putOf(stores.indexer, resource, NOW, { ...facts, ...more });
    const who: Patient & { id: string } = { ...toPatient(PATIENTS.helene, ESTABLISHMENTS.nancy), id: patient };
    await commitPlan(stores.records, aPlan({ puts: [put(who)] }));
    const bytes: string[] = [];
    for (const status of versions) {
      const id = anId();
      const released = status === 'final';
      const one = aReport(report, { subject, status, binary: id });
      const binary: Binary & { id: string } = { resourceType: 'Binary', id, contentType: 'application/pdf' };
      const related = [{ reference: `DiagnosticReport/${report}` }];
      const puts = [
        put(one, { released }),
        put(binary, { parent: `DiagnosticReport/${report}`, blob: aBlob(), released }),
        put({ ...aDocument(document, subject), context: { related } }, { released }),
      ];
      await commitPlan(stores.records, aPlan({ puts }));
      bytes.push(id);
    }
    return { document, bytes };
  }

  const takeOver = async (): Promise<void> => await stores.takeOver(REGION, () => NOW);

  /** Status of the document, and of each Binary for whom it is. */
  async function found({ document, bytes }: Kept): Promise<readonly unknown[]> {
    const reading = systemReading('adopt-reports', NOW);
    const row = await rowById(stores.records, reading, 'DocumentReference', document);
    const binaries = await Promise.all(bytes.map(async (id) => await rowById(stores.records, reading, 'Binary', id)));
    const states = binaries.map((one) => one && openedResource<Binary>(one).meta?.tag?.[0]?.code);
    return [row && openedResource<DocumentReference>(row).status, ...states];
  }

  it('are withdrawn where nobody has validated them', async () => {
    const kept = [await keep('registered'), await keep('partial'), await keep('preliminary'), await keep('unknown')];
    await takeOver();
    for (const one of kept) expect(await found(one)).to.deep.equal([undefined, 'preliminary']);
  });

  it('are superseded where they were cancelled', async () => {
    const kept = await keep('cancelled');
    await takeOver();
    expect(await found(kept)).to.deep.equal(['superseded', undefined]);
  });

  it('are gone where they were an error, and the bytes of every version are for who wrote it', async () => {
    const kept = await keep('final', 'entered-in-error');
    await takeOver();
    expect(await found(kept)).to.deep.equal([undefined, 'entered-in-error', 'entered-in-error']);
  });

  it('stay as they are where they are validated', async () => {
    const kept = await keep('final');
    await takeOver();
    expect(await found(kept)).to.deep.equal(['current', undefined]);
  });
});

type Shown = { readonly subject: string; readonly status: Status; readonly binary: string };

function aReport(id: string, { subject, status, binary }: Shown): DiagnosticReport & { id: string } {
  return {
    resourceType: 'DiagnosticReport',
    id,
    status,
    code: { text: 'Scanner' },
    subject: { reference: subject },
    presentedForm: [{ url: `http://localhost/fhir/Binary/${binary}`, contentType: 'application/pdf', size: 10 }],
  };
}

function aDocument(id: string, subject: string): DocumentReference & { id: string } {
  return {
    resourceType: 'DocumentReference',
    id,
    status: 'current',
    subject: { reference: subject },
    content: [{ attachment: { url: 'http://localhost/fhir/Binary/1', contentType: 'application/pdf' } }],
  };
}
