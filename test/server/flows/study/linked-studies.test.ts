/** Which exams a report counts for, and which of them it may tell of. */
import type { DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { linkedTo } from '../../../../profiles/documents/report-links.ts';
import { studyIdentifier } from '../../../../profiles/imaging/identifiers.ts';
import type { Indexer } from '../../../../profiles/search/indexer.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { linkedStudies } from '../../../../server/flows/study/linked-studies.ts';
import { reportsOfStudy, reportUpkeep } from '../../../../server/flows/study/report-upkeep.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aPersonKey, aPlan, NOW } from '../../../support/plans.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { commitPlan } from '../../../support/warrants.ts';

const [CLINIC, OTHER, READER] = ['Organization/clinic', 'Organization/other', 'Organization/reader'] as const;
const SYSTEMS = { patientIdSystem: 'urn:oid:2.25.1', accessionSystem: 'urn:oid:2.25.2' };
const NUMBER = { system: SYSTEMS.accessionSystem, value: 'A-1' };

describe('The exams that a report counts for', () => {
  const person = aPersonKey();
  let folder = '';
  let records: RecordStore;
  let close: () => Promise<void>;
  let indexer: Indexer;
  const region = aRegionIndex(SYSTEMS, { readersFor: (one) => (one === CLINIC ? [CLINIC, READER] : [one]) });

  const study = (id: string, uid: string, label: string): ImagingStudy & { readonly id: string } => ({
    resourceType: 'ImagingStudy',
    id,
    meta: { security: [{ system: CODE_SYSTEM.confidentiality, code: label }] },
    identifier: [studyIdentifier(uid)],
    status: 'available',
    subject: { reference: 'Patient/one' },
    basedOn: [{ type: 'ServiceRequest', identifier: NUMBER }],
  });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-linked-'));
    ({ records, close } = await openSqliteStores({ dataDir: folder }));
    ({ indexer } = await loadDefinitions());
    const file = async (one: ImagingStudy & { readonly id: string }, uid: string, whose = person): Promise<void> => {
      const put = putOf(indexer, one, NOW, { person: whose, subject: 'Patient/one', origin: filedBy(CLINIC) });
      await commitPlan(records, aPlan({ puts: [put], claims: [{ key: claimKey.imagingStudy(uid), value: one.id }] }));
    };
    await file(study('normal', '1.2.1', 'N'), '1.2.1');
    await file(study('private', '1.2.2', 'V'), '1.2.2');
    await file(study('stranger', '1.2.3', 'N'), '1.2.3', aPersonKey());
  });
  after(async () => {
    await close();
    await rm(folder, { recursive: true, force: true });
  });

  const report = (said: Partial<DiagnosticReport>, label = 'N'): DiagnosticReport => ({
    resourceType: 'DiagnosticReport',
    meta: { security: [{ system: CODE_SYSTEM.confidentiality, code: label }] },
    status: 'final',
    code: {},
    ...said,
  });
  const found = async (resource: DiagnosticReport, organization: string = CLINIC) =>
    await linkedStudies({ records: records, region }, systemReading('publish-report', NOW), {
      resource,
      person,
      organization,
    });
  const byUid = (...uids: readonly string[]) => ({
    imagingStudy: uids.map((uid) => ({ identifier: studyIdentifier(uid) })),
  });

  it('are those of its person, by who made them or reads for who did', async () => {
    for (const [organization, expected] of [
      [CLINIC, ['normal', 'private']],
      [READER, ['normal', 'private']],
      [OTHER, []],
    ] as const) {
      const ids = (await found(report(byUid('1.2.1', '1.2.2', '1.2.3', '1.2.4')), organization)).map(({ id }) => id);
      expect(ids, organization).to.deep.equal(expected);
      const numbered = await found(report({ basedOn: [{ identifier: NUMBER }] }), organization);
      expect(numbered.map(({ id }) => id)).to.have.members(expected);
    }
    const literal = ['normal', 'private', 'stranger', 'absent'].map((id) => ({ reference: `ImagingStudy/${id}` }));
    expect((await found(report({ imagingStudy: literal }))).map(({ id }) => id)).to.deep.equal(['normal', 'private']);
  });

  it('are told of as far as they are no more confidential than the report', async () => {
    const named = report(byUid('1.2.1', '1.2.2'));
    const references = ({ imagingStudy = [] }: DiagnosticReport) => imagingStudy.map(({ reference }) => reference);
    expect(references(linkedTo(named, await found(named)))).to.deep.equal(['ImagingStudy/normal', undefined]);
    const secret = report(byUid('1.2.1', '1.2.2'), 'V');
    expect(references(linkedTo(secret, await found(secret)))).to.deep.equal([
      'ImagingStudy/normal',
      'ImagingStudy/private',
    ]);
  });

  it('are named as exams that are not stored where they may not be told of', async () => {
    const absent = report(byUid('1.2.9'));
    const hidden = report(byUid('1.2.2'));
    expect(linkedTo(absent, await found(absent))).to.deep.equal(absent);
    expect(linkedTo(hidden, await found(hidden))).to.deep.equal(hidden);
    const sentWith = report({
      imagingStudy: [{ reference: 'ImagingStudy/private', ...byUid('1.2.2').imagingStudy[0] }],
    });
    expect(linkedTo(sentWith, await found(sentWith)).imagingStudy?.[0]).to.not.have.property('reference');
    const numbered = report({ basedOn: [{ identifier: NUMBER }] });
    const links = linkedTo(numbered, await found(numbered)).imagingStudy ?? [];
    expect(links.map(({ reference }) => reference)).to.deep.equal(['ImagingStudy/normal']);
    expect(JSON.stringify(links)).to.not.include('1.2.2');
  });

  it('lose their link when they become more confidential', async () => {
    const named = report(byUid('1.2.1'));
    const linked = linkedTo(named, await found(named));
    const hidden = (await found(named)).map((one) => ({ ...one, isShown: false }));
    expect(linkedTo(linked, hidden)).to.deep.equal(named);
  });

  it('let go of a report that is linked to one and has become another person’s', async () => {
    const stranger = aPersonKey();
    const patient = { resourceType: 'Patient', id: 'two' } as const;
    const clinic = { resourceType: 'Organization', id: 'clinic', name: 'Clinique' } as const;
    const exam = { identifier: studyIdentifier('1.2.1') };
    const linked: DiagnosticReport & { readonly id: string } = {
      ...report({ imagingStudy: [{ ...exam, reference: 'ImagingStudy/normal' }], status: 'preliminary' }),
      id: 'linked',
      subject: { reference: 'Patient/two' },
    };
    const facts = { person: stranger, subject: 'Patient/two', origin: filedBy(CLINIC) };
    const puts = [putOf(indexer, patient, NOW, facts), putOf(indexer, linked, NOW, facts), putOf(indexer, clinic, NOW)];
    await commitPlan(records, aPlan({ puts }));
    const deps = { records, indexer, region };
    const reading = systemReading('maintain-study', NOW);
    const imagingStudy = study('normal', '1.2.1', 'N');
    const hers = { studyInstanceUID: '1.2.1', person, sources: [CLINIC] } as const;
    const naming = await reportsOfStudy(deps, reading, hers, imagingStudy, NOW);
    expect(naming.map(({ row, counts }) => [row.id, counts])).to.deep.equal([['linked', false]]);
    const [parts] = await reportUpkeep(deps, reading, naming, [{ ...hers, imagingStudy, manifests: [] }], NOW);
    const [put, ...others] = parts?.puts ?? [];
    expect(others).to.deep.equal([]);
    expect(put?.resource).to.deep.include({ id: 'linked', imagingStudy: [exam] });
  });

  it('a report of two exams that change at once is written once, as both will be', async () => {
    const clinic = { resourceType: 'Organization', id: 'clinic', name: 'Clinique' } as const;
    const exams = ['1.2.5', '1.2.6'];
    const both: DiagnosticReport & { readonly id: string } = {
      ...report({
        imagingStudy: exams.map((uid) => ({ identifier: studyIdentifier(uid), reference: `ImagingStudy/of-${uid}` })),
      }),
      id: 'both',
      subject: { reference: 'Patient/one' },
    };
    const facts = { person, subject: 'Patient/one', origin: filedBy(CLINIC) };
    await commitPlan(records, aPlan({ puts: [putOf(indexer, both, NOW, facts), putOf(indexer, clinic, NOW)] }));
    const deps = { records, indexer, region };
    const reading = systemReading('maintain-study', NOW);
    const changing = exams.map((uid) => ({
      studyInstanceUID: uid,
      person,
      sources: [CLINIC],
      manifests: [],
      imagingStudy: study(`of-${uid}`, uid, 'V'),
    }));
    const [one] = changing;
    const naming = one === undefined ? [] : await reportsOfStudy(deps, reading, one, one.imagingStudy, NOW);
    const parts = await reportUpkeep(deps, reading, naming, changing, NOW);
    const written = parts.flatMap(({ puts = [] }) => puts).filter(({ type }) => type === 'DiagnosticReport');
    expect(written.map(({ resource }) => resource)).to.have.length(1);
    expect(JSON.stringify(written[0]?.resource)).to.include('1.2.5').and.not.include('ImagingStudy/of-');
  });
});
