/** Items of an earlier server, which read no French mask, once this one has taken its data over. */
import type { Coding, DiagnosticReport, DocumentReference, ImagingStudy, List, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { toPatient } from '../../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../../fixtures/people.ts';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { NORMAL } from '../../../../profiles/confidentiality.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import type { Put } from '../../../../server/ports/commit-plan.ts';
import { onFreshStores } from '../../../support/data-folder/fresh-stores.ts';
import {
  aGrant,
  anEstablishmentGrant,
  anId,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aRight,
  NOW,
} from '../../../support/plans.ts';
import { read } from '../../../support/reads.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { commitPlan } from '../../../support/warrants.ts';

const { organization } = ESTABLISHMENTS.nancy;
const REGION = aRegionIndex(
  { patientIdSystem: 'urn:oid:2.25.1', accessionSystem: 'urn:oid:2.25.2' },
  { establishments: [organization] },
);
const MASKED: Coding = { system: CODE_SYSTEM.frDocumentVisibility, code: 'MASQUE_PS' };
const UID = '2.25.77';

describe('Items that an earlier server kept as normal ones', function () {
  this.timeout(30_000);
  const stores = onFreshStores('adopt-labels');

  const takeOver = async (): Promise<void> => await stores.takeOver(REGION, () => NOW);

  /** A Patient with rows as the earlier server put them, and a professional whom she declared. */
  async function keep(...resources: readonly Resource[]): Promise<(put: Pick<Put, 'type' | 'id'>) => Promise<string>> {
    const person = aPersonKey();
    const patient = { ...toPatient(PATIENTS.helene, ESTABLISHMENTS.nancy), id: anId() };
    const subject = `Patient/${patient.id}`;
    const facts = { person, subject, released: true, origin: filedBy(organization) };
    const puts = [patient, ...resources.map((one) => ({ ...one, subject: { reference: subject } }))].map(
      (resource) => ({
        ...putOf(stores.indexer, resource as Patient & { id: string }, NOW, facts),
        ...NORMAL,
      }),
    );
    const study = resources.find(({ resourceType }) => resourceType === 'ImagingStudy');
    const claims = study === undefined ? [] : [{ key: claimKey.imagingStudy(UID), value: study.id ?? '' }];
    const nancy = { resourceType: 'Organization', id: organization.split('/')[1] ?? '', active: true } as const;
    await commitPlan(stores.records, aPlan({ puts: [putOf(stores.indexer, nancy, NOW)] }));
    await commitPlan(stores.records, aPlan({ puts, claims, rights: [aRight({ person })] }));
    const grants = {
      declared: aGrant('Practitioner/lambert'),
      patient: aPatientGrant(person),
      author: anEstablishmentGrant(organization),
    };
    return async (put) => {
      const seen: string[] = [];
      for (const [name, grant] of Object.entries(grants))
        if ((await read(stores.records, grant, put)) !== undefined) seen.push(name);
      return seen.join();
    };
  }

  type Resource = List | DiagnosticReport | DocumentReference | ImagingStudy;

  const aList = (code: Coding): List & { id: string } => ({
    resourceType: 'List',
    id: anId(),
    status: 'current',
    mode: 'working',
    meta: { security: [code] },
  });

  it('are hidden by what they bear, and what bears nothing new stays as it is', async () => {
    const [masked, unknown, plain] = [
      aList(MASKED),
      aList({ system: CODE_SYSTEM.confidentiality, code: 'ETH' }),
      aList({ code: 'x' }),
    ];
    const seen = await keep(masked, unknown, plain);
    expect(await seen({ type: 'List', id: masked.id })).to.equal('declared,patient,author');
    await takeOver();
    for (const { id } of [masked, unknown]) expect(await seen({ type: 'List', id })).to.equal('patient,author');
    expect(await seen({ type: 'List', id: plain.id })).to.equal('declared,patient,author');
  });

  it('are hidden with the document of a report and the images of its exam', async () => {
    const study: ImagingStudy & { id: string } = {
      resourceType: 'ImagingStudy',
      id: anId(),
      status: 'available',
      identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${UID}` }],
      subject: {},
    };
    const report: DiagnosticReport & { id: string } = {
      resourceType: 'DiagnosticReport',
      id: anId(),
      status: 'final',
      code: { text: 'Scanner' },
      issued: '2026-01-05T10:00:00Z',
      meta: { security: [MASKED] },
      performer: [{ reference: organization }],
      imagingStudy: [{ reference: `ImagingStudy/${study.id}`, identifier: study.identifier?.[0] ?? {} }],
    };
    const document: DocumentReference & { id: string } = {
      resourceType: 'DocumentReference',
      id: anId(),
      status: 'superseded',
      content: [{ attachment: { contentType: 'application/pdf' } }],
      context: { related: [{ reference: `DiagnosticReport/${report.id}` }] },
    };
    const seen = await keep(study, report, document);
    for (const { resourceType: type, id } of [study, report, document])
      expect(await seen({ type, id }), type).to.equal('declared,patient,author');
    await takeOver();
    for (const { resourceType: type, id } of [study, report, document])
      expect(await seen({ type, id }), type).to.equal('patient,author');
  });
});
